"""Notes who reported about a domain, and when: one object per domain, written by compare-and-swap once a day each."""

from datetime import date, timedelta

from mailtls.reports.bucket_layout import from_bytes, reporters_key, to_bytes
from mailtls.reports.reporters import Reporter, from_json, noted, to_json
from report_lambda.store import MAX_STATE_BYTES, ObjectStore, swap

FORGET = timedelta(days=60)


def read(store: ObjectStore, policy_domain: str) -> tuple[Reporter, ...]:
    """Who has reported about the domain; nobody where the object is damaged: it is begun anew. Raises StoreError."""
    stored = store.get(reporters_key(policy_domain), MAX_STATE_BYTES)
    return _parsed(stored.body) if stored is not None else ()


def note(store: ObjectStore, policy_domain: str, signer: str, day: date) -> None:
    """A report of `signer` about `day` has come. Doing it again changes nothing. Raises StoreError."""

    def step(body: bytes | None) -> bytes | None:
        before = _parsed(body) if body is not None else ()
        after = noted(before, signer, day, FORGET)
        return to_bytes(to_json(after)) if after != before else None

    swap(store, reporters_key(policy_domain), step)


def _parsed(body: bytes) -> tuple[Reporter, ...]:
    try:
        return from_json(from_bytes(body))
    except ValueError:
        return ()
