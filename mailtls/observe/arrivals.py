"""The last mails that came in, and what became of each, as the reports bucket or a copy of it tells."""

import heapq
from collections.abc import Iterator

from mailtls.observe.report_bucket import Bucket
from mailtls.reports.bucket_layout import disposition_key
from mailtls.tls_rpt.contract import Prefix
from mailtls.totals.arrival import Arrival, dealt_with

MAX_BYTES = 1024 * 1024
"""Of a disposition; ours are a few kilobytes."""


def last_arrivals(bucket: Bucket, number: int) -> Iterator[Arrival]:
    """The last `number` mails, oldest first. Raises StoreTrouble."""
    newest = heapq.nlargest(number, bucket.objects(Prefix.RAW), key=lambda one: (one.modified, one.key))
    for raw in reversed(newest):
        mail = raw.key.removeprefix(Prefix.RAW)
        arrival = Arrival(mail, raw.modified, raw.size, None)
        body = bucket.read(disposition_key(mail), MAX_BYTES)
        yield arrival if body is None else dealt_with(arrival, body)
