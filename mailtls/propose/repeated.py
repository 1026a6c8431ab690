"""Failures that come again: remembered in the dashboard issue, so that a job without a memory sees the third one.

A hidden line for each domain that failed: what was tried, how it failed, and how often so in a row. After MOST times
what was tried is not tried again until it is another thing: the spec changed, the decision changed, or a person ticked
the domain's box. A look at DNS or at the store is always made again: nothing else shows that it would succeed.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST = 3
"""Equal failures in a row, after which a domain is Stalled."""
_MOST_TOLD = 999
_MARK = re.compile(r"^<!-- failed ([a-z0-9.-]+) ([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9]{1,3}) -->\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Failure:
    """subject: what was tried, as a hash. cause: how it failed, as a hash. times: in a row, this one counted."""

    policy_domain: str
    subject: str
    cause: str
    times: int = 1

    @property
    def is_stalled(self) -> bool:
        return self.times >= MOST

    def after(self, earlier: Mapping[str, "Failure"]) -> "Failure":
        """This one, counted with what was remembered."""
        before = earlier.get(self.policy_domain)
        if before is None or (before.subject, before.cause) != (self.subject, self.cause):
            return self
        return Failure(self.policy_domain, self.subject, self.cause, min(before.times + 1, _MOST_TOLD))

    @property
    def line(self) -> str:
        return f"<!-- failed {self.policy_domain} {self.subject} {self.cause} {self.times} -->"


def failure(policy_domain: str, tried: str, told: str) -> Failure:
    """One failure. tried: whatever makes it another thing when it changes. told: the error's words."""
    return Failure(policy_domain, subject_of(tried), _hash(told))


def subject_of(tried: str) -> str:
    """As `Failure.subject` has it."""
    return _hash(tried)


def remembered(body: str) -> dict[str, Failure]:
    """What the dashboard's text says, by policy domain. Anybody may edit it: what cannot be read was not said."""
    return {
        domain: Failure(domain, subject, cause, int(times)) for domain, subject, cause, times in _MARK.findall(body)
    }


def lines(failures: Iterable[Failure], most: int) -> str:
    """For the dashboard's text, at most `most` characters; the oft repeated first."""
    kept: list[str] = []
    for one in sorted(failures, key=lambda one: (-one.times, one.policy_domain)):
        most -= len(one.line) + 1
        if most < 0:
            break
        kept.append(one.line)
    return "\n".join(kept)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
