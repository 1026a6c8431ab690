"""Days of the ledger, read from the bucket for the messages that tell of them.

Read when a message is about to go out, for the days that the message tells of, and never more than the bounds below: a
sender decides how many reports there are and how large they are.
"""

from dataclasses import dataclass, field
from datetime import date

from mailtls.reports.bucket_layout import ledger_day
from mailtls.reports.evidence import Day, Heard
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import InvalidLedgerEntry, LedgerEntry
from report_lambda.store import ObjectStore, read_all

MAX_ENTRIES = 200
"""Of one domain and day."""
MAX_BYTES = 8 * 1024 * 1024
"""Of one domain and day, all entries together."""


@dataclass(slots=True)
class LedgerDays:
    """Reads days of the ledger, each of them once: the alerts that one mail sets off tell of the same days."""

    store: ObjectStore
    _days: dict[tuple[str, date], Day] = field(default_factory=dict)

    def day(self, own: OwnDomain, day: date) -> Day:
        """What was reported about `own` for `day`. Raises StoreError."""
        key = (own.policy_domain, day)
        if key not in self._days:
            if any(known != own.policy_domain for known, _ in self._days):
                self._days.clear()  # the hourly look goes from domain to domain
            self._days[key] = _read(self.store, own, day)
        return self._days[key]


def _read(store: ObjectStore, own: OwnDomain, day: date) -> Day:
    """An entry that cannot be read is left out: an alert with one number less is better than none."""
    listed = store.list_objects(ledger_day(own.policy_domain, day), limit=MAX_ENTRIES)
    small = [entry for entry in listed if entry.size <= MAX_BYTES]
    while sum(entry.size for entry in small) > MAX_BYTES:
        small.remove(max(small, key=lambda entry: entry.size))
    reports = []
    for _, stored in read_all(store, small, MAX_BYTES):
        try:
            entry = LedgerEntry.parse(stored.body)
        except InvalidLedgerEntry:
            continue
        reports.append(Heard.of(entry, own))
    return Day(tuple(reports), whole=len(reports) == len(listed) < MAX_ENTRIES)
