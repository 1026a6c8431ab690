"""One cause of failures over all reports, from its first sight to its last. Pure."""

from dataclasses import dataclass, field
from datetime import date

from mailtls.reports.causes import Cause, failures
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.totals.facts import who_reported

MAX_DAYS = 1500
"""Whoever signs a report chooses its day; further ones are not kept."""
MAX_REPORTERS = 50
"""Of one day."""


@dataclass(slots=True)
class SeenDay:
    """failed: sessions, at least, under the policy type that counts most of each report."""

    failed: int = 0
    reports: int = 0
    reporters: set[str] = field(default_factory=set)


class CauseSeen:
    """Filled by `add`. id: as an alert names the cause (`causes.Cause.id`). cause: None until it is seen.

    Which MX are outside the policy is judged by the policy that a report repeats. Where a report repeats none, an alert
    may call the same failure by another id, since it knows what was deployed.
    """

    def __init__(self, cause_id: str) -> None:
        self.id = cause_id
        self.cause: Cause | None = None
        self.days: dict[date, SeenDay] = {}

    def add(self, entry: LedgerEntry) -> None:
        """Count what the report says of the cause, if anything."""
        for cause, found in failures(entry.report, OwnDomain(entry.policy_domain)).items():
            if cause.id == self.id:
                self.cause = cause
                self._count(entry, found.counted[1])

    def _count(self, entry: LedgerEntry, failed: int) -> None:
        day = entry.report.day
        if day not in self.days and len(self.days) >= MAX_DAYS:
            return
        seen = self.days.setdefault(day, SeenDay())
        seen.failed += failed
        seen.reports += 1
        if len(seen.reporters) < MAX_REPORTERS:
            seen.reporters.add(who_reported(entry))
