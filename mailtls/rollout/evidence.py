"""What the ledger shows about the policy that is served now: the numbers behind a promotion, or against one. Pure.

Counted are rows of type `sts` whose policy-string is that policy. That leaves out what says nothing about it:

- rows about another policy, an earlier one or somebody else's;
- `tlsa` rows: the same sessions once more, judged by DANE;
- `no-policy-found`: senders that do not look at a policy in testing (Postfix with a plugin) write so, and their
  sessions speak neither for nor against enforce.

Of a row that counts every failure is kept that enforce turns into a refusal: certificate, STARTTLS, name, an MX that
the policy does not name, and what the report does not explain. Faults of the policy host are no refusals: without a
policy senders deliver.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter

from mailtls import names
from mailtls.lint.public_suffixes import is_public_suffix
from mailtls.mta_sts.policy import Policy
from mailtls.reports.applied import allows
from mailtls.reports.served import Stated
from mailtls.rollout.history import says_the_same
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, ResultType

MAX_HOSTS = 50
"""Of one day: a sender chooses the host names of its report, as many as it likes. Further ones count without name."""
MAX_REPORTERS = 100
"""Of one day."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """host: the MX; "" where the report names none that is a name. outside: the policy does not name it.
    result_type: how the report calls it. sessions: at least so many."""

    host: str
    result_type: ResultType
    outside: bool
    sessions: int


@dataclass(frozen=True, slots=True)
class EvidenceDay:
    """What all reports of one day say. clean: sessions that succeeded. sessions: clean ones and failed ones.
    reporters: organisations with clean sessions, by the domain that signed. against: those that saw refusals."""

    day: date
    clean: int = 0
    sessions: int = 0
    reporters: frozenset[str] = frozenset()
    against: frozenset[str] = frozenset()
    refusals: tuple[Refusal, ...] = ()


_DAY = attrgetter("day")


@dataclass(frozen=True, slots=True)
class Evidence:
    """policy: what the numbers are about; None: about nothing. days: that have any, oldest first.
    unread: days that could not be read, or not whole. left_out: sessions of rows that do not count."""

    policy: Policy | None = None
    days: tuple[EvidenceDay, ...] = ()
    unread: frozenset[date] = frozenset()
    left_out: int = 0

    def between(self, first: date, last: date) -> tuple[EvidenceDay, ...]:
        """The days from `first` to `last`, both with."""
        return self.days[bisect_left(self.days, first, key=_DAY) : bisect_right(self.days, last, key=_DAY)]


def evidence_of(entries: Iterable[LedgerEntry], policy: Policy, since: date, unread: Iterable[date] = ()) -> Evidence:
    """Count what reports of `since` and later days say of `policy`. One entry is held at a time."""
    tally = _Tally(policy)
    for entry in entries:
        if entry.report.day >= since:
            tally.add(entry)
    return Evidence(policy, tally.counted(), frozenset(unread), tally.left_out)


@dataclass(slots=True)
class _DayTally:
    clean: int = 0
    sessions: int = 0
    reporters: set[str] = field(default_factory=set)
    against: set[str] = field(default_factory=set)
    refusals: dict[tuple[str, ResultType, bool], int] = field(default_factory=dict)


class _Tally:
    """The state of one count."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._mx = frozenset(pattern.text for pattern in policy.mx)
        self._days: dict[date, _DayTally] = {}
        self.left_out = 0

    def add(self, entry: LedgerEntry) -> None:
        for row in entry.report.policies:
            if self._counts(row):
                self._add(self._days.setdefault(entry.report.day, _DayTally()), row, organisation(entry.signer))
            else:
                self.left_out += _sessions(row)

    def counted(self) -> tuple[EvidenceDay, ...]:
        return tuple(
            EvidenceDay(
                day,
                tally.clean,
                tally.sessions,
                frozenset(tally.reporters),
                frozenset(tally.against),
                tuple(Refusal(host, kind, outside, n) for (host, kind, outside), n in sorted(tally.refusals.items())),
            )
            for day, tally in sorted(self._days.items())
        )

    def _counts(self, row: PolicyResult) -> bool:
        """Is it about the policy served now, whole: its mode and all of its mx? Lines may be in any order."""
        if row.policy_type is not PolicyType.STS:
            return False
        stated = Stated.of(row.policy_string)
        return (
            stated.mode == self._policy.mode
            and stated.mx == self._mx
            and stated.max_age in (None, str(self._policy.max_age))
        )

    def _add(self, day: _DayTally, row: PolicyResult, reporter: str) -> None:
        clean = row.total_successful_session_count or 0
        day.clean += clean
        day.sessions += _sessions(row)
        if clean and len(day.reporters) < MAX_REPORTERS:
            day.reporters.add(reporter)
        for (host, kind, outside), sessions in self._refused(row):
            key = (host, kind, outside)
            if key not in day.refusals and len(day.refusals) >= MAX_HOSTS:
                key = ("", kind, outside)
            day.refusals[key] = day.refusals.get(key, 0) + sessions
            if len(day.against) < MAX_REPORTERS:
                day.against.add(reporter)

    def _refused(self, row: PolicyResult) -> Iterator[tuple[tuple[str, ResultType, bool], int]]:
        """Host, result type, whether the policy leaves the host out; and sessions."""
        explained = 0
        for detail in row.failure_details:
            explained += detail.failed_session_count or 0
            if detail.failed_session_count == 0 or detail.result_type in OF_THE_POLICY_HOST:
                continue
            host = _host(detail)
            outside = bool(host) and not allows(self._mx, host)
            yield (host, detail.result_type, outside), detail.failed_session_count or 1
        unexplained = (row.total_failure_session_count or 0) - explained
        only_policy_host = bool(row.failure_details) and all(
            detail.result_type in OF_THE_POLICY_HOST for detail in row.failure_details
        )
        if unexplained > 0 and not only_policy_host:
            yield ("", ResultType.OTHER, False), unexplained


def organisation(signer: str) -> str:
    """The registrable part of a signing domain, as far as it is known: two names of one owner are one reporter."""
    labels = signer.lower().rstrip(".").split(".")
    length = 3 if len(labels) > 2 and is_public_suffix(".".join(labels[-2:])) else 2
    return ".".join(labels[-length:])


def is_evidence_for(evidence: Evidence, policy: Policy) -> bool:
    """Do the numbers speak of `policy`? Numbers about another one must never promote it."""
    return evidence.policy is not None and says_the_same(evidence.policy, policy)


def _sessions(row: PolicyResult) -> int:
    return (row.total_successful_session_count or 0) + (row.total_failure_session_count or 0)


def _host(detail: FailureDetail) -> str:
    try:
        return names.host_name(detail.receiving_mx_hostname or "")
    except names.InvalidName:
        return ""
