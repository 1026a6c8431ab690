"""Raw mails that may be worth another reading, with what today's reader makes of each. One mail is held at a time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from mailtls.observe.arrivals import MAX_BYTES
from mailtls.observe.report_bucket import Bucket, Object
from mailtls.observe.store import StoreTrouble
from mailtls.reports.bucket_layout import disposition_key
from mailtls.tls_rpt.contract import Disposition, OwnDomain, Prefix, QuarantineReason
from mailtls.tls_rpt.message_values import LIMITS
from mailtls.totals.arrival import Arrival, dealt_with
from mailtls.totals.read_again import Judged, Wanted, judged

PAGE = 1000
"""Raw mails whose dispositions are looked for together."""


def wanted_mails(
    bucket: Bucket, wanted: Wanted, own: Mapping[str, OwnDomain], now: datetime, looked: Callable[[], None]
) -> Iterator[tuple[Arrival, Judged]]:
    """Those that `wanted` selects, in the order of their ids, with what would become of them. own: our domains, by
    name. looked: called for each mail that is passed. Raises StoreTrouble, also where a named mail is not there."""
    for raw, has_disposition in _named(bucket, wanted.mails) if wanted.mails else _beside(bucket):
        looked()
        arrival = Arrival(raw.key.removeprefix(Prefix.RAW), raw.modified, raw.size, None)
        if has_disposition:
            if not wanted.looks_at_dispositions:
                continue
            body = bucket.read(disposition_key(arrival.mail), MAX_BYTES)
            arrival = arrival if body is None else dealt_with(arrival, body)
        if arrival.became is Disposition.SETUP or not wanted.selects(arrival, now):
            continue
        verdict = _judged(bucket, raw, own)
        if verdict is not None and wanted.is_about(verdict):
            yield arrival, verdict


def _judged(bucket: Bucket, raw: Object, own: Mapping[str, OwnDomain]) -> Judged | None:
    """None: the mail has come to its end meanwhile."""
    if raw.size > LIMITS.max_mail_bytes:
        return Judged(QuarantineReason.TOO_LARGE, f"{raw.size:,} bytes, not read")
    mail = bucket.read(raw.key, LIMITS.max_mail_bytes)
    return None if mail is None else judged(raw.key.removeprefix(Prefix.RAW), mail, own)


def _named(bucket: Bucket, mails: frozenset[str]) -> Iterator[tuple[Object, bool]]:
    for mail in sorted(mails):
        found = next((one for one in bucket.objects(f"{Prefix.RAW}{mail}") if one.key == f"{Prefix.RAW}{mail}"), None)
        if found is None:
            raise StoreTrouble(f"{bucket.name}/{Prefix.RAW}{mail} is not there")
        yield found, True


def _beside(bucket: Bucket) -> Iterator[tuple[Object, bool]]:
    """All raw mails, each with whether it has a disposition. Both listings come in the order of their keys and are read
    side by side: a page is held, not the 400 days of dispositions."""
    mails, dispositions = bucket.objects(Prefix.RAW), bucket.objects(Prefix.DISPOSITIONS)
    ahead = next(dispositions, None)
    left: set[str] = set()
    while page := list(islice(mails, PAGE)):
        keys = {raw.key: disposition_key(raw.key.removeprefix(Prefix.RAW)) for raw in page}
        found, last = set(left), max(keys.values())
        while ahead is not None and ahead.key <= last:
            found.add(ahead.key)
            ahead = next(dispositions, None)
        for raw in page:
            yield raw, keys[raw.key] in found
        left = found - set(keys.values()) - left  # "a-b.json" stands before "a.json", but "a" before "a-b"
