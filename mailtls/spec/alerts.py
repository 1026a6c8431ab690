"""What a spec tells about alerts: the key `alerts`, a mute that ends by itself. Value and reading."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mailtls.spec.errors import Fault, quoted

_EXAMPLE = 'alerts: {mute_until: 2026-12-01T06:00Z, reason: "mx2 is replaced"}'


@dataclass(frozen=True, slots=True)
class Mute:
    """Planned work: until then no message tells of failures that reports count. until: UTC. reason: one line."""

    until: datetime.datetime
    reason: str


def mute(data: Mapping[str, Any], faults: list[Fault]) -> Mute | None:
    """From a spec's data, which fits the schema. Adds what is wrong to `faults`."""
    alerts = data.get("alerts", {})
    if not alerts:
        return None
    missing = [key for key in ("mute_until", "reason") if key not in alerts]
    faults += [Fault(("alerts", key), f"missing; write until when and why: {_EXAMPLE}") for key in missing]
    if missing:
        return None
    until, reason = _moment(alerts["mute_until"], faults), _reason(alerts["reason"], faults)
    return Mute(until, reason) if until is not None and reason else None


def single_values(data: Mapping[str, Any], faults: list[Fault]) -> None:
    """The faults of single values in `data`, which may lack one of the two keys."""
    alerts = data.get("alerts", {})
    if "mute_until" in alerts:
        _moment(alerts["mute_until"], faults)
    if "reason" in alerts:
        _reason(alerts["reason"], faults)


def written(spec: Mute | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and text of each value, in the order of the schema."""
    if spec is not None:
        yield ("alerts", "mute_until"), moment(spec)
        yield ("alerts", "reason"), spec.reason


def moment(spec: Mute) -> str:
    """`2026-12-01T06:00Z`, as a spec has it."""
    return f"{spec.until:%Y-%m-%dT%H:%MZ}"


def _moment(text: str, faults: list[Fault]) -> datetime.datetime | None:
    """A minute of a calendar, which a pattern cannot tell. The last years are left out: time is added to it."""
    try:
        at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=datetime.UTC)
        if not 1970 <= at.year <= 9000:
            raise ValueError("year is out of range")
    except ValueError as e:
        message = f"{quoted(text)} is not a minute of the calendar: {e}; write it as in 2026-12-01T06:00Z"
        faults.append(Fault(("alerts", "mute_until"), message))
        return None
    return at


def _reason(text: str, faults: list[Fault]) -> str:
    """As one line of printable text."""
    reason = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not reason:
        faults.append(Fault(("alerts", "reason"), f"{quoted(text)} is not a reason; write what is being done"))
    return reason
