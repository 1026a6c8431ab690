"""What the ledger says around an alert: totals of the day, who saw none of it, when it was last clean. Pure: the days
are read by whoever asks."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from mailtls.reports.alert_state import AlertState
from mailtls.reports.causes import Cause, CauseKind, failures
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyType, Report

LOOK_BACK = 3
"""Days before the first failures in which a clean report is looked for."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One ledger entry and the causes that it names."""

    entry: LedgerEntry
    causes: frozenset[Cause]

    @classmethod
    def of(cls, entry: LedgerEntry, own: OwnDomain) -> "Heard":
        """The entry with the causes that it names for `own`."""
        return cls(entry, frozenset(failures(entry.report, own)))


@dataclass(frozen=True, slots=True)
class Day:
    """The reports about one domain and day. whole: none was left out for its size, or because there were too many."""

    reports: tuple[Heard, ...]
    whole: bool


class Days(Protocol):
    """Days of the ledger, wherever it lies."""

    def day(self, own: OwnDomain, day: date) -> Day:
        """What was reported about `own` for `day`."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """Around the newest day of an alert.

    sessions: all sessions that reports of that day count for the domain, under the policy type that failed (types are
    never added up: one session may stand under two). None when not all reports of the day were read.
    clean: reporters of that day that saw sessions succeed and none of this cause, with their sessions.
    hosts: MX that any report of that day names with a failure. last_clean: newest earlier day of a clean report.
    """

    sessions: int | None
    clean: tuple[tuple[str, int], ...] = ()
    hosts: frozenset[str] = frozenset()
    last_clean: date | None = None


def gather(ledger: Days, state: AlertState, own: OwnDomain) -> Evidence:
    """Read what a message about `state` tells besides the state. What reading raises comes through."""
    newest = state.last_day
    if newest is None or state.cause.kind is CauseKind.FURTHER:  # of many causes no report is clean as a whole
        return Evidence(None)
    first = min(seen.day for seen in state.sightings)
    policy_type = state.newest[0].policy_type
    types = state.policy_types
    day = ledger.day(own, newest)
    failing = {seen.reporter for seen in state.newest}
    clean: dict[str, int] = {}
    for heard in day.reports:
        if heard.entry.signer not in failing and _is_clean(heard, state.cause, types):
            clean[heard.entry.signer] = clean.get(heard.entry.signer, 0) + _sessions(heard.entry, policy_type)
    before = (first - timedelta(days=days) for days in range(1, LOOK_BACK + 1))
    return Evidence(
        sessions=sum(_sessions(heard.entry, policy_type) for heard in day.reports) if day.whole else None,
        clean=tuple(sorted(clean.items())),
        hosts=frozenset(cause.host for heard in day.reports for cause in heard.causes),
        last_clean=next(
            (d for d in before if any(_is_clean(heard, state.cause, types) for heard in ledger.day(own, d).reports)),
            None,
        ),
    )


def succeeded(report: Report, policy_types: frozenset[PolicyType]) -> bool:
    """Does it count sessions that succeeded under one of these policy types? Success without a policy says nothing
    about one, and success by DANE nothing about MTA-STS."""
    return any(p.total_successful_session_count for p in report.policies if p.policy_type in policy_types)


def _is_clean(heard: Heard, cause: Cause, policy_types: frozenset[PolicyType]) -> bool:
    return cause not in heard.causes and succeeded(heard.entry.report, policy_types)


def _sessions(entry: LedgerEntry, policy_type: PolicyType) -> int:
    return sum(
        (policy.total_successful_session_count or 0) + (policy.total_failure_session_count or 0)
        for policy in entry.report.policies
        if policy.policy_type is policy_type
    )
