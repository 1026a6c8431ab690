"""One tree of names out of many sources: which zone holds a name, what stands there, and what does not exist."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import dns.name
from dns.name import Name

from sandbox.edges.deployed import StateUnknown
from sandbox.edges.zones import Record, ZoneSource

_WILDCARD = dns.name.Name([b"*"])


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone and the sources that hold parts of it: deployed records, and what its owner has by hand.

    all_apexes: of every zone that was known when this one was found.
    """

    apex: Name
    sources: tuple[ZoneSource, ...]
    all_apexes: tuple[Collection[Name], ...]


class Namespace:
    """All zones. `world` has the root, so every name is in some zone."""

    def __init__(self, sources: Sequence[ZoneSource], world: ZoneSource) -> None:
        self._sources = (*sources, world)
        self._world = world

    def zone(self, name: Name) -> Zone:
        """The deepest zone that holds `name`. Raises StateUnknown."""
        known, silent = [], None
        for source in self._sources:
            try:
                known.append((source, source.apexes()))
            except StateUnknown as e:
                silent = e
        for apex in _upwards(name):
            holding = tuple(source for source, apexes in known if apex in apexes)
            if silent is not None and all(source is self._world for source in holding):
                continue  # the silent source may hold it, or a part of it
            if holding:
                return Zone(apex, holding, tuple(apexes for _, apexes in known))
        raise silent or StateUnknown("the outside world has no root")

    def records(self, zone: Zone, name: Name) -> tuple[Record, ...] | None:
        """What stands at `name`, a wildcard's records included (RFC 4592); None: there is no such name.

        Raises StateUnknown.
        """
        found = _at(zone, name)
        if found is not None:
            return found
        for encloser in _upwards(name.parent()):
            if encloser == zone.apex or _at(zone, encloser) is not None:
                return _at(zone, _WILDCARD.concatenate(encloser))
        return None

    def authority(self, apex: Name) -> tuple[Record, ...]:
        """SOA and NS of the zone: those in its file of the outside world, the root's where it has none.

        Whoever hosts a zone, its name server is this one: what the hosts themselves say of that is not asked.
        """
        described = apex if apex in self._world.apexes() else dns.name.root
        return tuple(record for record in self._world.at(described, described) or () if record.type in ("SOA", "NS"))


def _at(zone: Zone, name: Name) -> tuple[Record, ...] | None:
    parts = [part for source in zone.sources if (part := source.at(zone.apex, name)) is not None]
    leads_to_a_zone = (apex.is_subdomain(name) for apexes in zone.all_apexes for apex in apexes)
    if not parts and not any(leads_to_a_zone):
        return None
    return tuple(record for part in parts for record in part)


def _upwards(name: Name) -> Iterator[Name]:
    """The name, its parent, and so on up to the root."""
    yield name
    while name != dns.name.root:
        name = name.parent()
        yield name
