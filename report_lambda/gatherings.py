"""Gatherings of domains at shared hosts, as objects (`hosts/`): read, changed by compare-and-swap, looked at hourly."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from mailtls.reports.bucket_layout import from_bytes, gathering_key, to_bytes
from mailtls.reports.message_layout import Alert
from mailtls.reports.shared_hosts import Gathering, from_json, has_news, to_json, told
from mailtls.tls_rpt.contract import Prefix
from report_lambda.store import MAX_STATE_BYTES, ObjectStore, StoreError, read_all, swap

MAX_GATHERINGS = 5_000
WATCHED = timedelta(days=3)
"""An older one has told all that it had to tell."""


def change(store: ObjectStore, empty: Gathering, step: Callable[[Gathering], tuple[Gathering, bool]]) -> bool:
    """Apply `step` to the gathering of the same fault and team until the write wins; its answer. Raises StoreError."""
    answer = False

    def swapped(body: bytes | None) -> bytes | None:
        nonlocal answer
        before = (_read(body) if body is not None else None) or empty
        after, answer = step(before)
        return to_bytes(to_json(after)) if after != before else None

    swap(store, gathering_key(empty.id), swapped)
    return answer


def tell_news(store: ObjectStore, now: datetime, publish: Callable[[Alert], None]) -> None:
    """Hourly: the domains that joined or left since the last message about their host. One that fails does not hold up
    the others. Raises StoreError at the end."""
    from mailtls.reports.shared_alert import compose  # words, as in alert_desk.py

    failed = []
    listed = store.list_objects(Prefix.HOSTS, limit=MAX_GATHERINGS)
    for _, stored in read_all(store, [one for one in listed if now - one.modified < WATCHED], MAX_STATE_BYTES):
        gathering = _read(stored.body)
        if gathering is not None and has_news(gathering, now):
            try:
                publish(compose(gathering))
                change(store, gathering, partial(_told, sent=gathering, now=now))
            except StoreError as e:
                failed.append(f"{gathering.id}: {e}")
    if failed:
        raise StoreError("; ".join(failed))


def _told(newest: Gathering, sent: Gathering, now: datetime) -> tuple[Gathering, bool]:
    return told(newest, sent, now), True


def _read(body: bytes) -> Gathering | None:
    """None where somebody damaged it: begun anew, so each domain speaks for itself again."""
    try:
        return from_json(from_bytes(body))
    except ValueError:
        return None
