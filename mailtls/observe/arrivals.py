"""The last mails that came in, and what became of each, as the reports bucket or a copy of it tells.

follower = Follower(bucket, 20)
for arrival in follower.look(): ...      # the last 20
for arrival in follower.look(): ...      # later: what came since, and what has been dealt with since
"""

import heapq
from collections.abc import Iterator
from datetime import datetime

from mailtls.observe.report_bucket import Bucket, Object
from mailtls.reports.bucket_layout import disposition_key
from mailtls.tls_rpt.contract import Prefix
from mailtls.totals.arrival import Arrival, dealt_with

MAX_BYTES = 1024 * 1024
"""Of a disposition; ours are a few kilobytes."""
MAX_NEW = 2000
"""Mails that are new at one look; of more, the older ones are left out."""
MAX_WAITING = 200
"""Mails whose disposition is asked for at each look, the newest ones: each is a request."""


def arrival_of(bucket: Bucket, raw: Object) -> Arrival:
    """The mail `raw`, with what became of it until now. Raises StoreTrouble."""
    mail = raw.key.removeprefix(Prefix.RAW)
    arrival = Arrival(mail, raw.modified, raw.size, None)
    body = bucket.read(disposition_key(mail), MAX_BYTES)
    return arrival if body is None else dealt_with(arrival, body)


class Follower:
    """Looks at the mails again and again. number: of the last mails, those that the first look tells."""

    def __init__(self, bucket: Bucket, number: int) -> None:
        self._bucket, self._number = bucket, number
        self._known: dict[str, datetime] | None = None
        self._oldest: datetime | None = None
        self._waiting: dict[str, Object] = {}

    def look(self) -> Iterator[Arrival]:
        """What is news: mails that came in or were announced anew, oldest first, then earlier ones that were waiting
        and are dealt with by now. A mail that waits at its first look comes twice. Raises StoreTrouble."""
        new = self._new()
        earlier = [raw for key, raw in self._waiting.items() if key not in {one.key for one in new}]
        for raw in new:
            arrival = arrival_of(self._bucket, raw)
            self._waiting.pop(raw.key, None)
            if arrival.became is None:
                self._waiting[raw.key] = raw
            yield arrival
        for raw in earlier:
            arrival = arrival_of(self._bucket, raw)
            if arrival.became is not None:
                del self._waiting[raw.key]
                yield arrival
        self._waiting = dict(list(self._waiting.items())[-MAX_WAITING:])

    def _new(self) -> list[Object]:
        """Oldest first."""
        most = max(self._number, MAX_NEW)
        window = heapq.nlargest(most, self._bucket.objects(Prefix.RAW), key=_when)
        known, oldest = self._known, self._oldest
        self._known = {raw.key: raw.modified for raw in window}
        self._oldest = window[-1].modified if len(window) == most else oldest
        if known is None:
            return window[: self._number][::-1]
        # older ones come into the window when others are deleted
        return [
            raw
            for raw in reversed(window)
            if known.get(raw.key) != raw.modified and (oldest is None or raw.modified >= oldest)
        ]


def _when(raw: Object) -> tuple[datetime, str]:
    return raw.modified, raw.key
