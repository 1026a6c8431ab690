"""What a live rule is given, and the shape of one."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from mailtls.lint.about import About
from mailtls.lint.findings import Severity
from mailtls.mta_sts.policy import InvalidPolicy, Mode, Policy
from mailtls.mta_sts.record import Record, RecordError, SeveralRecords
from mailtls.observed import Certificate, HttpsLook, Observed, read_policy
from mailtls.spec.model import PolicySpec

WARN_BELOW = 1 / 3
ERROR_BELOW = 1 / 12
"""Shares of a certificate's own lifetime: fixed days would be wrong for 6-day and 398-day certificates at once."""


@dataclass(frozen=True, slots=True)
class Said:
    """One finding before its place is known. fix, severity: where the case has better ones than the rule."""

    message: str
    fix: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True)
class Case:
    """observed: one look. spec: what we want for the domain; None for a stranger's.

    record: as a sender picks it. policies: what each answer of the policy host holds. policy: what a new sender uses;
    None where it finds none. asks: whether senders come to the policy host at all.
    """

    observed: Observed
    spec: PolicySpec | None = None
    record: Record | RecordError | None = field(init=False)
    policies: tuple[tuple[HttpsLook, Policy | InvalidPolicy | None], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "record", self.observed.read_record())
        policies = tuple((look, read_policy(look)) for look in self.observed.https)
        object.__setattr__(self, "policies", policies)

    @property
    def now(self) -> datetime.datetime:
        return self.observed.at

    @property
    def served(self) -> Policy | None:
        """The first policy that some address serves, whether senders ask for it or not."""
        return next((policy for _, policy in self.policies if isinstance(policy, Policy)), None)

    @property
    def policy(self) -> Policy | None:
        return self.served if isinstance(self.record, Record) else None

    @property
    def published(self) -> bool:
        """Somebody meant to publish MTA-STS here: a record, a broken one, or a spec that asks for it."""
        meant = isinstance(self.record, Record | SeveralRecords)
        near = any(value[:32].lower().replace(" ", "").startswith("v=stsv1") for value in self.sts_values)
        return meant or near or (self.spec is not None and self.spec.mta_sts is not None)

    @property
    def sts_values(self) -> tuple[str, ...]:
        return self.observed.sts.values if self.observed.sts else ()

    @property
    def harm(self) -> Severity:
        """How bad it is that a host fails validation: mail refused, or only reported."""
        return Severity.ERROR if self.policy and self.policy.mode is Mode.ENFORCE else Severity.WARNING

    def expiry(self, certificate: Certificate) -> tuple[Severity, str] | None:
        """Severity and words where less than a third of the certificate's own lifetime is left; None where more is."""
        left = certificate.share_left(self.now)
        if left >= WARN_BELOW:
            return None
        severity = Severity.ERROR if left < ERROR_BELOW else Severity.WARNING
        days = (certificate.not_after - self.now).total_seconds() / 86400
        lifetime = (certificate.not_after - certificate.not_before).total_seconds() / 86400
        if days < 0:
            return severity, f"expired on {certificate.not_after:%Y-%m-%d}"
        return severity, f"ends in {days:.0f} of its {lifetime:.0f} days, on {certificate.not_after:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class LiveRule:
    """finds: what the rule has to say about one case."""

    about: About
    finds: Callable[[Case], Iterator[Said]]
