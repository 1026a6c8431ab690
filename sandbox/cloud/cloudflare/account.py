"""One Cloudflare account: its zones, the records in them, and which records bear each other. In memory only."""

import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sandbox.cloud.cloudflare.record import ADDRESSES, PROXIABLE, Record, read_record
from sandbox.cloud.cloudflare.refusal import Refusal, could_not_route, invalid

MOST_CONTENT = 8192
"""Characters of content of all records of one name and type together (Cloudflare: DNS record types)."""


def id_of_zone(name: str) -> str:
    """32 hex digits, the same in every sandbox, so that a stack's settings may hold it."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, name.lower().rstrip(".")).hex


@dataclass(frozen=True, slots=True)
class Zone:
    """name: lower-case A-labels, no final dot."""

    name: str
    id: str
    created: datetime


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """id: 32 hex digits. Times in UTC; `commented`, `tagged`: when comment or tags last changed, None: never set."""

    id: str
    record: Record
    created: datetime
    modified: datetime
    commented: datetime | None = None
    tagged: datetime | None = None


class Account:
    """Thread-safe. What changes or looks up a zone or a record by id raises Refusal, in the API's words."""

    def __init__(self, zones: Iterable[str]) -> None:
        """zones: names of the zones that the account holds."""
        self._lock = threading.RLock()
        now = datetime.now(UTC)
        self._zones = {id_of_zone(name): Zone(name.lower().rstrip("."), id_of_zone(name), now) for name in zones}
        self._records: dict[str, dict[str, StoredRecord]] = {zone: {} for zone in self._zones}

    def zones(self) -> list[Zone]:
        return sorted(self._zones.values(), key=lambda zone: zone.name)

    def zone(self, zone_id: str) -> Zone:
        try:
            return self._zones[zone_id]
        except KeyError as e:
            raise could_not_route(f"/zones/{zone_id}") from e

    def listed(self, zone_id: str) -> list[StoredRecord]:
        """In the order in which they were made."""
        self.zone(zone_id)
        with self._lock:
            return list(self._records[zone_id].values())

    def stored(self, zone_id: str, record_id: str) -> StoredRecord:
        self.zone(zone_id)
        with self._lock:
            try:
                return self._records[zone_id][record_id]
            except KeyError as e:
                raise Refusal(404, 81044, "Record does not exist.") from e

    def create(self, zone_id: str, body: Mapping[str, Any]) -> StoredRecord:
        zone = self.zone(zone_id)
        record = read_record(body, zone.name)
        with self._lock:
            self._check_neighbours(zone, record, None)
            now = datetime.now(UTC)
            stored = StoredRecord(
                uuid.uuid4().hex, record, now, now, now if record.comment else None, now if record.tags else None
            )
            self._records[zone_id][stored.id] = stored
            return stored

    def overwrite(self, zone_id: str, record_id: str, body: Mapping[str, Any], keep: bool) -> StoredRecord:
        """keep: members that `body` leaves out stay as they are (PATCH); else they get their default (PUT)."""
        zone = self.zone(zone_id)
        with self._lock:
            old = self.stored(zone_id, record_id)
            members = {**old.record.members(), **body} if keep else body
            record = read_record(members, zone.name)
            self._check_neighbours(zone, record, record_id)
            now = datetime.now(UTC)
            stored = replace(
                old,
                record=record,
                modified=now,
                commented=old.commented if record.comment == old.record.comment else now,
                tagged=old.tagged if record.tags == old.record.tags else now,
            )
            self._records[zone_id][record_id] = stored
            return stored

    def delete(self, zone_id: str, record_id: str) -> None:
        with self._lock:
            self.stored(zone_id, record_id)
            del self._records[zone_id][record_id]

    def _check_neighbours(self, zone: Zone, record: Record, own_id: str | None) -> None:
        """Raises Refusal when `record` cannot stand beside the others of its name (`own_id`: itself, before)."""
        others = [
            stored.record
            for stored in self._records[zone.id].values()
            if stored.id != own_id and stored.record.name == record.name
        ]
        if any(record.is_same_as(other) for other in others):
            raise invalid(81058, "An identical record already exists.")
        # Cloudflare's documentation names address records and other CNAMEs as what a CNAME cannot stand beside. The
        # DNS lets nothing stand there (RFC 1034 section 3.6.2), and so does the stand-in: stricter than the real one.
        # At the apex Cloudflare answers with the target's addresses, so the rest may stand beside it.
        rivals = PROXIABLE if record.name == zone.name else None
        if record.type == "CNAME" and any(rivals is None or other.type in rivals for other in others):
            raise invalid(81053, "An A, AAAA, or CNAME record with that host already exists.")
        beside_cname = any(other.type == "CNAME" for other in others)
        if beside_cname and (rivals is None or record.type in ADDRESSES):
            raise invalid(81054, "A CNAME record with that host already exists.")
        content = sum(len(other.content) for other in others if other.type == record.type) + len(record.content)
        if content > MOST_CONTENT:
            raise invalid(
                9000, f"Records of one name and type have at most {MOST_CONTENT:,} characters of content together."
            )
