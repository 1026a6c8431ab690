"""Notes who reported about a domain, and when: one object per domain, written by compare-and-swap once a day each."""

from datetime import date, timedelta

from mailtls.reports.bucket_layout import from_bytes, reporters_key, to_bytes
from mailtls.reports.reporters import Reporter, from_json, noted, to_json
from report_lambda.store import JSON, MAX_STATE_BYTES, ObjectStore, StoreError

FORGET = timedelta(days=60)
MAX_TRIES = 10


def read(store: ObjectStore, policy_domain: str) -> tuple[Reporter, ...]:
    """Who has reported about the domain; nobody where the object is damaged: it is begun anew. Raises StoreError."""
    stored = store.get(reporters_key(policy_domain), MAX_STATE_BYTES)
    return _parsed(stored.body) if stored is not None else ()


def note(store: ObjectStore, policy_domain: str, signer: str, day: date) -> None:
    """A report of `signer` about `day` has come. Doing it again changes nothing. Raises StoreError."""
    key = reporters_key(policy_domain)
    for _ in range(MAX_TRIES):
        stored = store.get(key, MAX_STATE_BYTES)
        before = _parsed(stored.body) if stored is not None else ()
        after = noted(before, signer, day, FORGET)
        if after == before:
            return
        body = to_bytes(to_json(after))
        if stored is None:
            written = store.put_if_absent(key, body, JSON)
        else:
            written = store.put_if_match(key, body, JSON, stored.etag)
        if written:
            return
    raise StoreError(f"{key}: {MAX_TRIES} writes lost to others")


def _parsed(body: bytes) -> tuple[Reporter, ...]:
    try:
        return from_json(from_bytes(body))
    except ValueError:
        return ()
