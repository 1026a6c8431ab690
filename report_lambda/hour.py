"""No hour brings more messages than the limit: what is above is told in one message, once the hour is over.

One object per hour counts what went out, by compare-and-swap, and keeps a line of each message that did not. A third of
the limit is for messages about hosts that anybody can invent, two thirds for warnings, all of it for critical ones at
hosts of ours. What is held counts as told: the alert's own rules decide when there is news again.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from mailtls.reports.bucket_layout import alert_hour_key, from_bytes, to_bytes
from mailtls.reports.held_alert import Held, compose
from mailtls.reports.message_layout import Alert
from mailtls.tls_rpt.contract import Attribute
from mailtls.tls_rpt.failures import Severity
from report_lambda.store import MAX_STATE_BYTES, ObjectStore, swap

MAX_LINES = 100
"""Of messages that were held, in the object; of those beyond only their number."""
LOOK_BACK = 24
"""Hours whose held messages are still told, after hours in which nothing ran."""


def may_go_out(store: ObjectStore, now: datetime, per_hour: int, message: Alert, *, certain: bool) -> bool:
    """Count the message into its hour. False: the hour is full, and its line is kept for the message that sums up.

    certain: it is about a host that is ours. Raises StoreError. A message that is counted and then not sent leaves the
    hour one short.
    """
    thirds = 1 + certain + (certain and message.severity is Severity.CRITICAL)
    limit = max(1, per_hour * thirds // 3)

    def step(hour: dict[str, Any]) -> bool:
        if hour["sent"] < limit:
            hour["sent"] += 1
            return True
        line = [str(message.severity), message.subject, *_owners(message.attributes)]
        if line not in hour["lines"]:  # a retry of the same mail holds the same message
            hour["held"] += 1
            hour["lines"] = sorted([*hour["lines"], line], key=_urgency)[:MAX_LINES]
        return False

    return _change(store, alert_hour_key(now), step)


def sum_up(store: ObjectStore, now: datetime, publish: Callable[[Alert], None]) -> None:
    """Tell of the messages that the hours before this one held back. Raises StoreError: then the next tick tells."""
    for hours in range(LOOK_BACK, 0, -1):
        hour = now - timedelta(hours=hours)
        key = alert_hour_key(hour)
        stored = store.get(key, MAX_STATE_BYTES)
        if stored is None:
            continue
        counted = _read(stored.body)
        if not counted["held"]:
            continue
        held = tuple(Held(Severity(line[0]), line[1], tuple(line[2:])) for line in counted["lines"])
        publish(compose(hour, counted["sent"], counted["held"], held))
        _change(store, key, partial(_told, sent=counted))


def _told(hour: dict[str, Any], sent: dict[str, Any]) -> bool:
    """Takes away what the message told of; an invocation that began in the old hour may have held more since."""
    hour["held"] -= sent["held"]
    hour["lines"] = [line for line in hour["lines"] if line not in sent["lines"]]
    return True


def _change(store: ObjectStore, key: str, step: Callable[[dict[str, Any]], bool]) -> bool:
    answer = False

    def swapped(body: bytes | None) -> bytes:
        nonlocal answer
        hour = _read(body or b"")
        answer = step(hour)
        return to_bytes(hour)

    swap(store, key, swapped)
    return answer


def _read(body: bytes) -> dict[str, Any]:
    """Begun anew where somebody damaged it: too many messages are better than none."""
    empty = {"version": 1, "sent": 0, "held": 0, "lines": []}
    try:
        read = from_bytes(body)
    except ValueError:
        return empty
    return {**empty, **read}


def _owners(attributes: Mapping[str, str | tuple[str, ...]]) -> list[str]:
    owner = attributes.get(Attribute.OWNER, ())
    return [owner] if isinstance(owner, str) else list(owner)


def _urgency(line: list[str]) -> int:
    return [Severity.CRITICAL, Severity.WARNING, Severity.INFO].index(Severity(line[0]))
