"""What there is to say about a rule apart from any finding: docs/rules.md and `mailtls explain` are made of it."""

from dataclasses import dataclass
from enum import StrEnum

from mailtls.lint.findings import Finding, Severity
from mailtls.spec.model import Source


class Group(StrEnum):
    """What a rule looks at."""

    SPEC = "specs, offline"
    TRANSITION = "a change of specs against its base"
    LIVE = "what is live"


@dataclass(frozen=True, slots=True)
class About:
    """id: as `suppress` names it. severity: of its findings, unless one says otherwise.
    why: what it leads to, in one or two sentences. fix: what to do, in general. reference: an RFC section or a page."""

    id: str
    severity: Severity
    group: Group
    why: str
    fix: str
    reference: str

    def finding(
        self,
        message: str,
        policy_domain: str,
        location: Source | None = None,
        fix: str | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this rule; `fix` and `severity` where the case has better ones."""
        return Finding(
            self.id, severity or self.severity, message, location, self.reference, fix or self.fix, policy_domain
        )
