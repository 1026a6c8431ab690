"""All that reports count, kept by domain and day: what pages and evidence are made of.

    totals = Totals(period)
    for entry in entries:
        totals.add(entry)
    of = totals.domains["contoso.example"]
    of.sessions, of.failures, of.policies, of.reports

Memory grows with domains and days, and within a day has an end: what strangers choose is kept by name only up to the
bounds below, and counts as OTHERS beyond them. Who holds many domains for long takes one Totals for each domain.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyType, ResultType
from mailtls.totals.counting import OTHERS, Count, Dimension, group_of, is_counted
from mailtls.totals.facts import Fact, Failures, NamedPolicy, Sessions, facts_of, who_reported
from mailtls.totals.period import ALWAYS, Period

MAX_ORGANISATIONS = 200
MAX_HOSTS = 200
MAX_ADDRESSES = 1000
MAX_POLICIES = 100
"""All of one domain."""
MAX_FAILURES_OF_DAY = 500
"""Different failures of one domain and day that are kept apart by host, address and organisation."""
MAX_DAYS = 1500
"""Of one domain. Whoever signs a report chooses its day."""


class SessionsKey(NamedTuple):
    """Under which sessions are counted."""

    day: date
    policy_type: PolicyType
    organisation: str


class FailuresKey(NamedTuple):
    """Under which failed sessions are counted. result_type, mx, sending: as in `facts.Failures`."""

    day: date
    policy_type: PolicyType
    result_type: ResultType | None
    mx: str
    sending: str
    organisation: str


class PolicyKey(NamedTuple):
    """A policy that reports of a day name."""

    day: date
    policy: NamedPolicy


@dataclass(slots=True)
class DomainTotals:
    """Of one policy domain.

    sessions: their reports are those that have a row of the policy type. failures: failed sessions. policies: sessions
    of type sts under each policy that can be read. reports: by day and organisation, each once, whatever its rows.
    left_out: reports about more days than MAX_DAYS.
    """

    policy_domain: str
    sessions: dict[SessionsKey, Count] = field(default_factory=dict)
    failures: dict[FailuresKey, int] = field(default_factory=dict)
    policies: dict[PolicyKey, Count] = field(default_factory=dict)
    reports: dict[tuple[date, str], int] = field(default_factory=dict)
    left_out: int = 0
    _names: dict[str, set[str]] = field(default_factory=dict, repr=False)
    _days: dict[date, int] = field(default_factory=dict, repr=False)
    """Of each day, the different failures that are kept."""

    def add(self, entry: LedgerEntry) -> None:
        """Count one report."""
        day = entry.report.day
        if not self._has_day(day):
            self.left_out += 1
            return
        self._add_reports(day, who_reported(entry), 1)
        seen: set[object] = set()
        for fact in facts_of(entry):
            if isinstance(fact, Failures):
                self._add_failures(_failures_key(fact), fact.failed)
                continue
            first = int(fact.policy_type not in seen)
            seen.add(fact.policy_type)
            key = SessionsKey(day, fact.policy_type, fact.organisation)
            self._add_sessions(key, Count(fact.successful, fact.failed, first))
            if fact.policy is not None:
                first = int(fact.policy not in seen)
                seen.add(fact.policy)
                self._add_policy(PolicyKey(day, fact.policy), Count(fact.successful, fact.failed, first))

    def merge(self, other: "DomainTotals") -> None:
        """Add what `other` counted of the same domain. Raises ValueError where it is another one."""
        if other.policy_domain != self.policy_domain:
            raise ValueError(f"sums of {other.policy_domain} are none of {self.policy_domain}")
        self.left_out += other.left_out
        for (day, who), reports in other.reports.items():
            if self._has_day(day):
                self._add_reports(day, who, reports)
            else:
                self.left_out += reports
        for sessions, count in other.sessions.items():
            if sessions.day in self._days:
                self._add_sessions(sessions, count)
        for failures, failed in other.failures.items():
            if failures.day in self._days:
                self._add_failures(failures, failed)
        for policy, count in other.policies.items():
            if policy.day in self._days:
                self._add_policy(policy, count)

    def days(self, period: Period = ALWAYS) -> tuple[date, ...]:
        """Those that reports are about, in order. A day that is missing had no report."""
        return tuple(sorted(day for day in self._days if day in period))

    def organisations(self, period: Period = ALWAYS) -> tuple[str, ...]:
        """Who reported, by name."""
        return tuple(sorted({who for day, who in self.reports if day in period}))

    def facts(self, period: Period = ALWAYS) -> Iterator[Fact]:
        """The sums as facts, which can be added up like those of a report. Policies are left out."""
        for key, count in self.sessions.items():
            if key.day in period:
                yield Sessions(
                    self.policy_domain, *key, policy=None, successful=count.successful, failed=count.failed
                )  # fmt: skip
        for of, failed in self.failures.items():
            if of.day in period:
                yield Failures(
                    self.policy_domain,
                    of.day,
                    of.policy_type,
                    of.organisation,
                    of.result_type,
                    of.mx,
                    of.sending,
                    failed,
                )

    def looks_at_policies(self, organisation: str, period: Period = ALWAYS) -> bool | None:
        """Does the organisation look at MTA-STS policies, as its own reports show it? None: they do not show it, since
        they count no sessions but those under DANE."""
        types = {
            key.policy_type
            for key, count in self.sessions.items()
            if key.organisation == organisation and key.day in period and count.successful + count.failed
        }
        if PolicyType.STS in types:
            return True
        return False if PolicyType.NO_POLICY_FOUND in types else None

    def _has_day(self, day: date) -> bool:
        if day not in self._days and len(self._days) >= MAX_DAYS:
            return False
        self._days.setdefault(day, 0)
        return True

    def _add_reports(self, day: date, who: str, reports: int) -> None:
        key = (day, self._known("organisation", who, MAX_ORGANISATIONS))
        self.reports[key] = self.reports.get(key, 0) + reports

    def _add_sessions(self, key: SessionsKey, count: Count) -> None:
        who = self._known("organisation", key.organisation, MAX_ORGANISATIONS)
        self.sessions.setdefault(key._replace(organisation=who), Count()).add(count)

    def _add_policy(self, key: PolicyKey, count: Count) -> None:
        policy = key.policy
        if self._known("policy", policy.digits, MAX_POLICIES) == OTHERS:
            key = key._replace(policy=NamedPolicy("", OTHERS))
        self.policies.setdefault(key, Count()).add(count)

    def _add_failures(self, key: FailuresKey, failed: int) -> None:
        key = key._replace(
            mx=self._known("mx", key.mx, MAX_HOSTS),
            sending=self._known("sending", key.sending, MAX_ADDRESSES),
            organisation=self._known("organisation", key.organisation, MAX_ORGANISATIONS),
        )
        if key not in self.failures:
            if self._days[key.day] >= MAX_FAILURES_OF_DAY:
                key = key._replace(mx=OTHERS, sending=OTHERS, organisation=OTHERS)
            else:
                self._days[key.day] += 1
        self.failures[key] = self.failures.get(key, 0) + failed

    def _known(self, kind: str, name: str, most: int) -> str:
        """`name`, or OTHERS where there is no place for another one."""
        known = self._names.setdefault(kind, set())
        if name in known or not name:
            return name
        if len(known) >= most:
            return OTHERS
        known.add(name)
        return name


class Totals:
    """Of all domains. period: only reports of its days count."""

    def __init__(self, period: Period = ALWAYS) -> None:
        self.period = period
        self.domains: dict[str, DomainTotals] = {}

    def add(self, entry: LedgerEntry) -> None:
        """Count one report, if it is of the period."""
        if entry.report.day in self.period:
            self._of(entry.policy_domain).add(entry)

    def merge(self, other: "Totals") -> None:
        """Add what `other` counted. A report that both hold counts twice."""
        for of in other.domains.values():
            self._of(of.policy_domain).merge(of)

    def count(self, by: Dimension, period: Period = ALWAYS) -> dict[tuple[str, PolicyType], Count]:
        """Sessions by one dimension and policy type; their `reports` stay 0, for sums do not know them."""
        counts: dict[tuple[str, PolicyType], Count] = {}
        for of in self.domains.values():
            for fact in of.facts(period):
                if is_counted(fact, by):
                    successful = fact.successful if isinstance(fact, Sessions) else 0
                    count = counts.setdefault((group_of(fact, by), fact.policy_type), Count())
                    count.add(Count(successful, fact.failed))
        return counts

    def _of(self, policy_domain: str) -> DomainTotals:
        return self.domains.setdefault(policy_domain, DomainTotals(policy_domain))


def _failures_key(fact: Failures) -> FailuresKey:
    return FailuresKey(fact.day, fact.policy_type, fact.result_type, fact.mx, fact.sending, fact.organisation)
