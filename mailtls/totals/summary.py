"""Sums by one dimension, and two periods held against each other. Memory grows with the number of groups alone.

summary = Summary(Dimension.DOMAIN, period)
for entry in entries:
    summary.add(entry)
summary.rows()      # one for each group and policy type
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyType
from mailtls.totals.counting import OTHERS, Count, Dimension, group_of, is_counted
from mailtls.totals.facts import Fact, Sessions, facts_of, is_failure
from mailtls.totals.period import ALWAYS, Period

MAX_GROUPS = 20_000
"""Of one summary: what a stranger chooses (addresses, hosts, names) is without end. Further ones count as OTHERS."""


@dataclass(frozen=True, slots=True)
class Row:
    """One group under one policy type. group: its name; "" where reports name none.

    of: all sessions of the period under this policy type that the group is a part of: its own where success is counted
    by the dimension, else those of everything that was added.
    """

    group: str
    policy_type: PolicyType
    successful: int
    failed: int
    reports: int
    of: int

    @property
    def rate(self) -> float | None:
        """Failed sessions of all, 0 to 1; None where there are none, or none that could fail. Details may count more
        than the summaries say, so it is held to 1."""
        return min(1.0, self.failed / self.of) if self.of and is_failure(self.policy_type) else None


class Summary:
    """Filled by `add`. by: the dimension. period: only reports of its days count.

    reports: how many counted.
    """

    def __init__(self, by: Dimension, period: Period = ALWAYS) -> None:
        self.by = by
        self.period = period
        self.reports = 0
        self._groups: dict[tuple[str, PolicyType], Count] = {}
        self._all: dict[PolicyType, Count] = {}

    def add(self, entry: LedgerEntry) -> None:
        """Count the entry, if it is of the period."""
        if entry.report.day in self.period:
            self.reports += 1
            self.add_facts(facts_of(entry))

    def add_facts(self, facts: Iterable[Fact]) -> None:
        """Count what one report says. A report counts once for each group and policy type that it names."""
        counts: dict[tuple[str, PolicyType], Count] = {}
        overall: dict[PolicyType, Count] = {}
        for fact in facts:
            if isinstance(fact, Sessions):
                total = overall.setdefault(fact.policy_type, Count(reports=1))
                total.successful += fact.successful
                total.failed += fact.failed
            if is_counted(fact, self.by):
                count = counts.setdefault((group_of(fact, self.by), fact.policy_type), Count(reports=1))
                count.failed += fact.failed
                count.successful += fact.successful if isinstance(fact, Sessions) else 0
        for key, count in counts.items():
            self._place(key).add(count)
        for policy_type, count in overall.items():
            self._all.setdefault(policy_type, Count()).add(count)

    def merge(self, other: "Summary") -> None:
        """Add what `other` counted, of the same dimension and period. Raises ValueError where it is of another."""
        if (other.by, other.period) != (self.by, self.period):
            raise ValueError("sums of another dimension or period cannot be added")
        self.reports += other.reports
        for key, count in other._groups.items():
            self._place(key).add(count)
        for policy_type, count in other._all.items():
            self._all.setdefault(policy_type, Count()).add(count)

    def rows(self) -> tuple[Row, ...]:
        """Days in their order; else most failed sessions first, then most sessions, then by name."""
        rows = [self._row(group, policy_type, count) for (group, policy_type), count in self._groups.items()]
        if self.by is Dimension.DAY:
            return tuple(sorted(rows, key=lambda row: (row.group, row.policy_type)))
        return tuple(sorted(rows, key=_rank))

    def overall(self) -> tuple[Row, ...]:
        """All sessions, by policy type."""
        found = sorted(self._all.items())
        return tuple(Row("", kind, n.successful, n.failed, n.reports, n.successful + n.failed) for kind, n in found)

    def _place(self, key: tuple[str, PolicyType]) -> Count:
        if key not in self._groups and len(self._groups) >= MAX_GROUPS:
            key = (OTHERS, key[1])
        return self._groups.setdefault(key, Count())

    def _row(self, group: str, policy_type: PolicyType, count: Count) -> Row:
        everything = self._all.get(policy_type, Count())
        base = count if self.by.counts_success else everything
        of = base.successful + base.failed
        return Row(group, policy_type, count.successful, count.failed, count.reports, of)


@dataclass(frozen=True, slots=True)
class Change:
    """One group in two periods. before, after: None where no report of that period names it."""

    group: str
    policy_type: PolicyType
    before: Row | None
    after: Row | None

    @property
    def points(self) -> float | None:
        """How far the rate rose, -1 to 1; None where one of the periods has none."""
        before, after = (row.rate if row else None for row in (self.before, self.after))
        return None if before is None or after is None else after - before


def compare(before: Summary, after: Summary) -> tuple[Change, ...]:
    """What is new or worse comes first. Days are compared by their place in the period, so not at all: ValueError."""
    if before.by is not after.by or after.by is Dimension.DAY:
        raise ValueError("two periods are compared by one dimension, and not by day")
    return _changes(before.rows(), after.rows())


def compare_overall(before: Summary, after: Summary) -> tuple[Change, ...]:
    """The whole of both periods, by policy type."""
    return _changes(before.overall(), after.overall())


def _changes(before: tuple[Row, ...], after: tuple[Row, ...]) -> tuple[Change, ...]:
    old = {(row.group, row.policy_type): row for row in before}
    new = {(row.group, row.policy_type): row for row in after}
    changes = [Change(*key, old.get(key), new.get(key)) for key in {**new, **old}]
    return tuple(sorted(changes, key=_worse))


def _worse(change: Change) -> tuple[int, str, str]:
    rise = (change.after.failed if change.after else 0) - (change.before.failed if change.before else 0)
    return -rise, change.group, change.policy_type


def _rank(row: Row) -> tuple[int, int, str, str]:
    return -row.failed, -(row.successful + row.failed), row.group, row.policy_type
