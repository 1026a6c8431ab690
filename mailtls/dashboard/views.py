"""What the pages show, as values. Numbers are sessions; each stands under one policy type.

Types are never added up: one session may stand under two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from mailtls.dashboard.chart import Sessions
from mailtls.tls_rpt.report import PolicyType, ResultType
from mailtls.totals.period import Period


class Looks(StrEnum):
    """Whether an organisation looks at MTA-STS policies, as its reports show it for the period."""

    ALWAYS = "looks at policies"
    SOMETIMES = "looks at some policies"
    """Sessions of both kinds: in the time of a change, or several senders under one name."""
    NO = "found no policy"
    """A Postfix with a plugin reports so while the policy is in testing: it would look in enforce."""
    DANE = "uses DANE"
    """TLSA records come first, where a domain has them (RFC 8461 section 2)."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """One reporting organisation. organisation: from the signature that was verified. calls_itself: its own word."""

    organisation: str
    calls_itself: str
    by_type: Mapping[PolicyType, Sessions]
    reports: int
    last: date

    @property
    def looks(self) -> Looks:
        seen = {kind for kind, sessions in self.by_type.items() if sessions.total}
        if PolicyType.STS in seen:
            return Looks.SOMETIMES if PolicyType.NO_POLICY_FOUND in seen else Looks.ALWAYS
        return Looks.DANE if PolicyType.TLSA in seen else Looks.NO


@dataclass(frozen=True, slots=True)
class Failure:
    """Sessions that failed in one way at one host. host: "" where no report names one. result_type: None where a report
    counts more failures than it explains."""

    policy_type: PolicyType
    result_type: ResultType | None
    host: str
    sessions: int


@dataclass(frozen=True, slots=True)
class SendingHost:
    """An address that sessions came from which failed. organisation: who reported them, so whose it should be.
    host: its name, as far as DNS proves it; "" where it does not, or nobody asked."""

    address: str
    organisation: str
    sessions: int
    last: date
    host: str = ""


@dataclass(frozen=True, slots=True)
class NamedPolicy:
    """A policy that reports say was applied. mode: "" where they name none. digits: of all that they say of it."""

    mode: str
    digits: str
    first: date
    last: date
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class ServedPolicy:
    """A policy that senders could fetch. until: None: they still can."""

    mode: str
    policy_id: str
    since: date
    until: date | None
    mx: tuple[str, ...]
    max_age: int


@dataclass(frozen=True, slots=True)
class OpenCause:
    """A cause that a report of the newest days names. what: in words of ours. sessions: within the period."""

    what: str
    host: str
    sessions: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class NextStep:
    """From the controller. waits: for a person, a date, evidence ... ; on: the earliest day, where one is known."""

    told: str
    waits: str
    on: date | None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainView:
    """One policy domain over a period.

    reports: of each day of the period; a day that is absent has none. by_type: the same for sessions.
    mode, mode_since: what is served; "" and None where nobody looked. next_step: None where nobody asked.
    unread: days of which not all reports could be read. raw: the page that has the reports of a day.
    """

    policy_domain: str
    period: Period
    reports: Mapping[date, int]
    by_type: Mapping[PolicyType, Mapping[date, Sessions]]
    reporters: Sequence[Reporter] = ()
    failures: Sequence[Failure] = ()
    sending_hosts: Sequence[SendingHost] = ()
    named: Sequence[NamedPolicy] = ()
    """The newest first."""
    served: Sequence[ServedPolicy] = ()
    causes: Sequence[OpenCause] = ()
    owner: str = ""
    mode: str = ""
    mode_since: date | None = None
    next_step: NextStep | None = None
    unread: Sequence[date] = ()
    raw: Mapping[date, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()
    """Sentences about what limits kept off the page."""
    posted: int = 0
    """Reports that came by HTTPS POST: on the pages of reports, and in no number."""

    def sessions(self, policy_type: PolicyType) -> Sessions:
        """Of the whole period."""
        return sum(self.by_type.get(policy_type, {}).values(), Sessions())

    def sessions_of_days(self, policy_type: PolicyType) -> list[Sessions | None]:
        """One for each day of the period; None on a day without any report."""
        by_day = self.by_type.get(policy_type, {})
        return [by_day.get(day, Sessions()) if day in self.reports else None for day in self.period.days()]

    @property
    def mode_by_reports(self) -> str:
        """What the newest report that names a policy says of its mode; "" where none does."""
        return self.named[0].mode if self.named else ""

    @property
    def last_report(self) -> date | None:
        return max(self.reports, default=None)
