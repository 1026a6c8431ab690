"""The bucket as the Lambda sees it: six verbs, two of them conditional. That is the whole database (ADR 5).

`handler.py` implements `ObjectStore` with boto3; the tests implement it in memory. Everything between is pure of AWS.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailtls.reports.served import Served

JSON = "application/json"
MAX_STATE_BYTES = 8 * 1024 * 1024
"""No state of ours is larger. A ledger entry may be (`ledger.MAX_ENTRY_BYTES`), when a sender makes it so."""


MAX_TRIES = 10
"""Writers that fight over one state object; after that the record is retried."""


class StoreError(Exception):
    """The store could not do it now (throttled, 5xx, denied, a write in between): leave the record to be retried."""


class ObjectTooLarge(Exception):
    """The object is larger than the caller was ready to read; nothing of it was read."""

    def __init__(self, key: str, size: int) -> None:
        super().__init__(f"{key} holds {size:,} bytes")
        self.key = key
        self.size = size


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's bytes and the ETag that a later `put_if_match` names."""

    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing. size: bytes. modified: when the object was last written."""

    key: str
    etag: str
    size: int
    modified: datetime


class ObjectStore(Protocol):
    """Strongly consistent, as S3 is. Every method raises StoreError when the store is at fault."""

    def get(self, key: str, limit: int) -> StoredObject | None:
        """The object, or None when there is none. Raises ObjectTooLarge before reading more than `limit` bytes."""

    def put_if_absent(self, key: str, body: bytes, content_type: str) -> bool:
        """Write with `If-None-Match: *`. False: something is there already and was not touched."""

    def put_if_match(self, key: str, body: bytes, content_type: str, etag: str) -> bool:
        """Write with `If-Match`. False: the object changed (or went) since `etag` was read and was not touched."""

    def list_objects(self, prefix: str, *, start_after: str = "", limit: int = 1000) -> list[Listed]:
        """At most `limit` objects under `prefix`, by key, beginning after the key `start_after`."""

    def copy(self, source: str, target: str) -> None:
        """Copy within the bucket without reading the bytes here. Writing the same copy twice does no harm."""


class PolicyHistory(Protocol):
    """What was served of our policies, from wherever it is remembered. Bounded; never raises: what cannot be read now
    is not known, and then only the deployed policy counts."""

    def history(self, policy_domain: str) -> tuple[Served, ...]:
        """Policies of the domain, newest first; () when none is known."""


def swap(store: ObjectStore, key: str, step: Callable[[bytes | None], bytes | None]) -> None:
    """Compare and swap: put what `step` makes of the newest object until the write wins.

    step: gets the object's bytes, None where there is none; gives the new ones, or None when nothing has to change. It
    may be called several times. Raises StoreError, also when MAX_TRIES writes were lost to others.
    """
    for _ in range(MAX_TRIES):
        stored = store.get(key, MAX_STATE_BYTES)
        before = stored.body if stored is not None else None
        after = step(before)
        if after is None or after == before:
            return
        if stored is None:
            written = store.put_if_absent(key, after, JSON)
        else:
            written = store.put_if_match(key, after, JSON, stored.etag)
        if written:
            return
    raise StoreError(f"{key}: {MAX_TRIES} writes lost to others")


def read_all(store: ObjectStore, listed: Iterable[Listed], limit: int) -> Iterator[tuple[str, StoredObject]]:
    """The listed objects, without those that vanished since or hold more than `limit` bytes. Raises StoreError."""
    for entry in listed:
        try:
            stored = store.get(entry.key, limit)
        except ObjectTooLarge:
            continue
        if stored is not None:
            yield entry.key, stored
