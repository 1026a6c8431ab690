"""Where each value of a spec was written: its own file, a defaults.yaml, or nowhere, and then why it is so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mailtls.spec import alerts
from mailtls.spec.controller import written
from mailtls.spec.model import PolicySpec, Source
from mailtls.spec.place import Layer, Places
from mailtls.spec.schema import spec_schema

_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Origin:
    """key: as a spec has it (`mta_sts.mx[0]`). value: as text; `nothing` where there is none.
    source: where it was written; None for a default. reason: why a default is what it is; "" with a source."""

    key: str
    value: str
    source: Source | None
    reason: str = ""


def origins(spec: PolicySpec, layers: tuple[Layer, ...]) -> tuple[Origin, ...]:
    """The origin of each value, in the order of the schema. layers: of this spec, from `load.survey`."""
    places = Places()
    found = []
    for path, value in _values(spec):
        source = places.written(path, layers)
        if path == ("policy_domain",) and source is None:
            source = spec.source  # the key of a map names it
        if source is None:
            reason = _default(path)
            found.append(Origin(_key(path), value, None, "left out" if reason == value else reason))
        else:
            found.append(Origin(_key(path), value, source))
    return tuple(found)


def _values(spec: PolicySpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Path and text of each value. A list has its items; an empty one stands for itself."""
    yield ("policy_domain",), spec.policy_domain
    if policy := spec.mta_sts:
        yield ("mta_sts", "mode"), str(policy.mode)
        for index, pattern in enumerate(policy.mx):
            yield ("mta_sts", "mx", index), pattern.text
        if not policy.mx:
            yield ("mta_sts", "mx"), _NOTHING
        yield ("mta_sts", "max_age"), f"{policy.max_age} seconds"
    else:
        yield ("mta_sts",), _NOTHING
    if spec.tls_rpt is None:
        yield ("tls_rpt",), "false"
    else:
        for index, uri in enumerate(spec.tls_rpt.rua):
            yield ("tls_rpt", "rua", index), uri
        if not spec.tls_rpt.rua:
            yield ("tls_rpt", "rua"), "the platform's own pipeline"
    yield ("owner",), spec.owner or _NOTHING
    yield ("contact",), spec.contact or _NOTHING
    for rule, reason in spec.suppress.items():
        yield ("suppress", rule), reason
    yield from alerts.written(spec.mute)
    yield from written(spec.controller)


def _default(path: tuple[str | int, ...]) -> str:
    """Why a value that nobody wrote is what it is: the schema's own words."""
    part: Any = spec_schema()
    for key in path:
        part = part["properties"][key]
    return str(part["x-default"])


def _key(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
