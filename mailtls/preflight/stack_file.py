"""`stacks/Pulumi.<stack>.yaml`, as far as preflight needs it. The program reads the whole (`stacks/settings.py`).

Only what is asked about later is judged here, each fault with its line; the program judges the rest.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailtls import names
from mailtls.preflight.wanted import Kind, Provider, ReportsWanted, Wanted, ZoneWanted
from mailtls.spec import yaml_text
from mailtls.spec.errors import quoted

MAX_ZONES = 1000

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_RULE_SET = re.compile(r"own|external|join:[A-Za-z0-9_-]{1,64}")
_Path = tuple[str | int, ...]


class StackFileError(ValueError):
    """The file is no stack's settings, or one that preflight needs is wrong; one line per fault, `file:line: ...`."""


def read_stack_file(data: bytes, shown: str) -> Wanted:
    """`data`: the file's bytes. shown: its path as the user typed it. Raises StackFileError."""
    try:
        node = yaml_text.compose(yaml_text.decode(data))
        content = None if node is None else yaml_text.to_data(node)
        places = {} if node is None else yaml_text.places(node)
    except yaml_text.YamlFault as e:
        raise StackFileError(f"{shown}:{e.line}:{e.column}: {e.message}") from e
    if not isinstance(content, dict) or not isinstance(content.get("config"), dict):
        raise StackFileError(f"{shown}:1: no map of settings under config:; name the stack's file, Pulumi.<stack>.yaml")
    reading = _Reading(shown, places)
    wanted = reading.stack(content["config"])
    if reading.faults:
        raise StackFileError("\n".join(reading.faults))
    return wanted


def check_region(text: str) -> str:
    """`text` when it has the form of a region. Raises ValueError."""
    if not _REGION.fullmatch(text):
        raise ValueError(f"{quoted(text)} is not a region such as eu-west-1")
    return text


def check_rule_set(text: str) -> str:
    """`text` when it says which rule set takes the reports. Raises ValueError."""
    if not _RULE_SET.fullmatch(text):
        raise ValueError(f"{quoted(text)} is none of own, join:<name of the active rule set>, external")
    return text


@dataclass(slots=True)
class _Reading:
    """One file: what is wrong with it so far."""

    shown: str
    places: Mapping[_Path, yaml_text.Place]
    faults: list[str] = field(default_factory=list)

    def stack(self, config: Mapping[str, Any]) -> Wanted:
        kind = self._choice(config, ("config", "mailtls:kind"), Kind, Kind.ALL)
        return Wanted(
            kind=kind,
            region=self._region(config),
            zones=self._zones(config.get("mailtls:zones", [])),
            reports=None if kind is Kind.DOMAINS else self._reports(config.get("mailtls:reports")),
            specs=None if kind is Kind.PLATFORM else self._text(config, ("config", "mailtls:policy_specs")),
            resolver=self._resolver(config.get("mailtls:gate")),
        )

    def _fault(self, path: _Path, message: str) -> None:
        at = path
        while at and at not in self.places:
            at = at[:-1]
        line = self.places[at].value[0] if at else 1
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[1:]).lstrip(".")
        self.faults.append(f"{self.shown}:{line}: {key}: {message}")

    def _text(self, data: Mapping[str, Any], path: _Path) -> str | None:
        value = data.get(str(path[-1]))
        if value is None or isinstance(value, str):
            return value or None
        self._fault(path, f"{quoted(value)} is not text")
        return None

    def _choice(self, data: Mapping[str, Any], path: _Path, choices: Any, default: Any) -> Any:
        """A member of the StrEnum `choices`; default None: it has to be given."""
        value = data.get(str(path[-1]), default)
        if value in [str(choice) for choice in choices]:
            return choices(value)
        said = "missing" if value is None else f"{quoted(value)} is not one"
        self._fault(path, f"{said}; write one of {', '.join(choices)}")
        return default or next(iter(choices))

    def _region(self, config: Mapping[str, Any]) -> str:
        value = config.get("aws:region", "")
        if not isinstance(value, str) or not _REGION.fullmatch(value):
            self._fault(("config", "aws:region"), "name the platform's region, such as eu-west-1")
            return ""
        return value

    def _zones(self, entries: object) -> tuple[ZoneWanted, ...]:
        at: _Path = ("config", "mailtls:zones")
        if not isinstance(entries, list) or len(entries) > MAX_ZONES:
            self._fault(
                at, f"not a list of at most {MAX_ZONES} zones: - {{suffix: contoso.example, provider: route53}}"
            )
            return ()
        zones: dict[str, ZoneWanted] = {}
        for index, entry in enumerate(entries):
            zone = self._zone(entry, (*at, index))
            if zone and zones.setdefault(zone.suffix, zone) is not zone:
                self._fault((*at, index, "suffix"), f"{zone.suffix} is there twice; leave one")
        return tuple(zones.values())

    def _zone(self, entry: object, at: _Path) -> ZoneWanted | None:
        if not isinstance(entry, dict):
            self._fault(at, "not a zone: {suffix: contoso.example, provider: cloudflare}")
            return None
        suffix = self._name(entry, (*at, "suffix"))
        provider = self._choice(entry, (*at, "provider"), Provider, None)
        return ZoneWanted(suffix, provider, self._text(entry, (*at, "zone_id")))

    def _reports(self, entry: object) -> ReportsWanted | None:
        at: _Path = ("config", "mailtls:reports")
        if not isinstance(entry, dict):
            self._fault(at, "missing: {domain: reports.contoso.example, rule_set: own}")
            return None
        rule_set = self._text(entry, (*at, "rule_set"))
        if rule_set is None or not _RULE_SET.fullmatch(rule_set):
            self._fault((*at, "rule_set"), "write one of own, join:<name of the active rule set>, external")
        activate = entry.get("activate", False)
        if not isinstance(activate, bool):
            self._fault((*at, "activate"), f"{quoted(activate)} is neither true nor false")
        return ReportsWanted(self._name(entry, (*at, "domain")), rule_set or "", activate is True)

    def _name(self, entry: Mapping[str, Any], at: _Path) -> str:
        """A domain name as A-labels; a fault gives the empty string."""
        text = self._text(entry, at)
        try:
            return names.host_name(text or "")
        except names.InvalidName as e:
            self._fault(at, str(e) if text else "missing; a domain name is wanted")
            return ""

    def _resolver(self, gate: object) -> str | None:
        return self._text(gate, ("config", "mailtls:gate", "resolver")) if isinstance(gate, dict) else None
