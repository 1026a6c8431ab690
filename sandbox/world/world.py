"""The zone files of this folder, as the DNS edge reads them."""

import threading
from collections.abc import Collection
from pathlib import Path

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone
from dns.name import Name

from sandbox.edges.zones import Record

FOLDER = Path(__file__).parent


class BadZoneFile(ValueError):
    """A zone file cannot be read; the text names the file and what is wrong."""


class World:
    """A zone source: the outside world's zones. Each has its SOA and NS records, the root among them."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """folder: with the `*.zone` files. Raises BadZoneFile."""
        self._lock = threading.Lock()
        self._zones: dict[Name, dict[Name, tuple[Record, ...]]] = {}
        """Names that exist, by zone; replaced as a whole by `add`, so that reading takes no lock."""
        for path in sorted(folder.glob("*.zone")):
            self._load(path)
        if dns.name.root not in self._zones:
            raise BadZoneFile(f"{folder.name} has no zone file for the root")

    def apexes(self) -> Collection[Name]:
        return self._zones

    def at(self, apex: Name, name: Name) -> tuple[Record, ...] | None:
        return self._zones[apex].get(name)

    def add(self, name: str, type: str, text: str, ttl: int = 300) -> None:
        """One more record, for as long as the sandbox runs. text: as in a zone file, names in full.

        Raises BadZoneFile when no zone file holds the name, or when `text` is no data of that type.
        """
        owner = dns.name.from_text(name)
        holding = [apex for apex in self._zones if owner.is_subdomain(apex) and apex != dns.name.root]
        if not holding:
            raise BadZoneFile(f"{name} is in no zone of the outside world")
        try:
            data = dns.rdata.from_text(dns.rdataclass.IN, type, text, origin=dns.name.root, relativize=False)
        except dns.exception.DNSException as e:
            raise BadZoneFile(f"{name} {type} {text}: {e}") from e
        with self._lock:
            apex = max(holding, key=len)
            names = dict(self._zones[apex])
            _put(names, apex, owner, Record(type, ttl, data.to_text()))
            self._zones = {**self._zones, apex: names}

    def _load(self, path: Path) -> None:
        try:
            zone = dns.zone.from_file(str(path), relativize=False, check_origin=False)
            apex = zone.origin
            if apex is None:
                raise BadZoneFile(f"{path.name} names no $ORIGIN")
            zone.check_origin()
        except (dns.exception.DNSException, KeyError, UnicodeError) as e:
            raise BadZoneFile(f"{path.name}: {str(e) or type(e).__name__}") from e
        names: dict[Name, tuple[Record, ...]] = {}
        for owner, ttl, data in zone.iterate_rdatas():
            _put(names, apex, owner, Record(dns.rdatatype.to_text(data.rdtype), ttl, data.to_text()))
        self._zones[apex] = names


def _put(names: dict[Name, tuple[Record, ...]], apex: Name, owner: Name, record: Record) -> None:
    """Add the record; every name between it and the apex exists from now on (RFC 4592 section 2.2.2)."""
    names[owner] = (*names.get(owner, ()), record)
    while owner != apex:
        owner = owner.parent()
        names.setdefault(owner, ())
