"""What a rule says, as data."""

from dataclasses import dataclass
from enum import StrEnum

from mailtls.spec.errors import one_line
from mailtls.spec.model import Source


class Severity(StrEnum):
    """error: it fails, or mail is lost. warning: it works today and is unwise. info: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that one rule found.

    rule: its id, the word by which `suppress` silences it. message: what is so and what it leads to.
    location: the spec; None where there is none, as when a stranger's domain is looked at.
    reference: where the rule comes from. fix: what to write or to do. policy_domain: whom it is about.
    """

    rule: str
    severity: Severity
    message: str
    location: Source | None
    reference: str
    fix: str
    policy_domain: str

    def __str__(self) -> str:
        where = f"{self.location.file}:{self.location.line}" if self.location else self.policy_domain
        return one_line(f"{where}: {self.rule}: {self.message}; {self.fix} ({self.reference})")
