"""By what sessions are added up, and the sums."""

from dataclasses import dataclass
from enum import StrEnum

from mailtls.totals.facts import Fact, Failures

OTHERS = "others"
"""The group of what found no place, where strangers name more than can be kept. No address, and no host: such a name
has two labels."""


class Dimension(StrEnum):
    """What may be asked for."""

    DOMAIN = "domain"
    DAY = "day"
    REPORTER = "reporter"
    RESULT_TYPE = "result-type"
    MX = "mx"
    SENDING_HOST = "sending-host"

    @property
    def counts_success(self) -> bool:
        """Do reports count successful sessions by it? They do so by policy, day and reporter only: an MX, a result type
        or a sending address is named where something failed."""
        return self in (Dimension.DOMAIN, Dimension.DAY, Dimension.REPORTER)


@dataclass(slots=True)
class Count:
    """Sessions, and the number of reports that they stand in."""

    successful: int = 0
    failed: int = 0
    reports: int = 0

    def add(self, other: "Count") -> None:
        """With what `other` counts."""
        self.successful += other.successful
        self.failed += other.failed
        self.reports += other.reports


def is_counted(fact: Fact, by: Dimension) -> bool:
    """Does `fact` say anything by this dimension? Where success is counted the summaries of reports do, else the
    details of what failed."""
    return isinstance(fact, Failures) is not by.counts_success


def group_of(fact: Fact, by: Dimension) -> str:
    """The group that `fact` falls into. Raises ValueError for sessions by a dimension that counts no success."""
    if by is Dimension.DOMAIN:
        return fact.policy_domain
    if by is Dimension.DAY:
        return fact.day.isoformat()
    if by is Dimension.REPORTER:
        return fact.organisation
    if isinstance(fact, Failures):
        return {
            Dimension.RESULT_TYPE: str(fact.result_type or ""),
            Dimension.MX: fact.mx,
            Dimension.SENDING_HOST: fact.sending,
        }[by]
    raise ValueError(f"sessions that succeeded are not counted by {by}")
