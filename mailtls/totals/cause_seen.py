"""One cause of failures over all reports, from its first sight to its last. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from mailtls.reports.alert_state import AlertState
from mailtls.reports.applied import stated_patterns
from mailtls.reports.causes import Cause, failures
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyType, Report
from mailtls.totals.facts import who_reported

MAX_DAYS = 1500
"""Whoever signs a report chooses its day; further ones are not kept."""
MAX_REPORTERS = 50
"""Of one day."""

Owns = Callable[[str], Sequence[OwnDomain]]
"""A domain's name -> the domain as it may have been deployed when a report came; the first that fits counts."""


@dataclass(slots=True)
class SeenDay:
    """failed: sessions, at least, under the policy type that counts most of each report."""

    failed: int = 0
    reports: int = 0
    reporters: set[str] = field(default_factory=set)


def _unknown(policy_domain: str) -> Sequence[OwnDomain]:
    return (OwnDomain(policy_domain),)


class CauseSeen:
    """Filled by `add`, or by `recall`. id: as an alert names the cause (`causes.Cause.id`). cause: None until seen.

    Which MX are outside the policy is judged by the policy that a report repeats. Where it repeats none, the function
    judged by what was deployed then: `owns` tells that.
    """

    def __init__(self, cause_id: str, owns: Owns = _unknown) -> None:
        self.id = cause_id
        self.cause: Cause | None = None
        self.days: dict[date, SeenDay] = {}
        self._owns = owns

    def add(self, entry: LedgerEntry) -> None:
        """Count what the report says of the cause, if anything."""
        owns = self._owns(entry.policy_domain) if _is_silent(entry.report) else _unknown(entry.policy_domain)
        for own in owns:
            for cause, found in failures(entry.report, own).items():
                if cause.id == self.id:
                    self.cause = cause
                    self._count(entry.report.day, found.counted[1], who_reported(entry))
                    return

    def recall(self, state: AlertState) -> None:
        """Take what the alert's state remembers: for a cause that no report names by itself, and where its reports are
        gone."""
        self.cause = state.cause
        for seen in state.sightings:
            self._count(seen.day, seen.failed, seen.reporter)

    def _count(self, day: date, failed: int, reporter: str) -> None:
        if day not in self.days and len(self.days) >= MAX_DAYS:
            return
        seen = self.days.setdefault(day, SeenDay())
        seen.failed += failed
        seen.reports += 1
        if len(seen.reporters) < MAX_REPORTERS:
            seen.reporters.add(reporter)


def _is_silent(report: Report) -> bool:
    """Does it name a policy of ours without saying which MX that lists?"""
    return any(row.policy_type is PolicyType.STS and not stated_patterns(row) for row in report.policies)
