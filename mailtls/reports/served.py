"""Which policies we served and when: what a report says that a sender applied counts when it is one of these. Pure.

A sender may hold a policy for max_age seconds after its last fetch (RFC 8461 section 3.2), and some hold each for a day
at least, so a policy can be applied long after it was replaced. Any source of what was served can be asked in this
form: the versions of the policy file in our bucket, or what a former host of the domain served.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailtls.mta_sts.policy import InvalidPolicy, Mode, Policy

LEAST_KEPT = timedelta(days=1)
"""Some senders replace a shorter max_age by this."""
SLACK = timedelta(days=3)
"""Edges that serve the old file for a while, and reporters whose clocks and days are not ours."""

History = Sequence["Served"]


@dataclass(frozen=True, slots=True)
class Served:
    """A policy that senders could fetch from `since` to `until` (aware, UTC; None: they still can)."""

    policy: Policy
    since: datetime
    until: datetime | None = None

    def may_be_applied(self, begin: datetime, end: datetime) -> bool:
        """May a sender have applied it to some session from `begin` to `end`?"""
        kept = max(timedelta(seconds=self.policy.max_age), LEAST_KEPT)
        return self.since - SLACK <= end and (self.until is None or begin <= self.until + kept + SLACK)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policy file. modified: when it took the place of the one before. body: None where there is
    none to read: a delete marker, or a file too large for a policy."""

    modified: datetime
    body: bytes | None


def of_versions(versions: Iterable[Version]) -> tuple[Served, ...]:
    """What the versions of one file say, newest first. A body that is no policy was served, but nobody applied it."""
    history: list[Served] = []
    until: datetime | None = None
    for version in sorted(versions, key=lambda version: version.modified, reverse=True):
        policy = _policy(version.body)
        if policy is not None:
            history.append(Served(policy, version.modified, until))
        until = version.modified
    return tuple(history)


def was_served(policy_string: Sequence[str], history: History, begin: datetime, end: datetime) -> Served | None:
    """The policy of `history` that a report's policy-string means, if a sender may have applied it from `begin` to
    `end`. Of several the one under which most is held back."""
    stated = Stated.of(policy_string)
    ranked = (Mode.ENFORCE, Mode.TESTING, Mode.NONE)
    fitting = (s for s in history if s.may_be_applied(begin, end) and stated.fits(s.policy))
    return min(fitting, key=lambda served: ranked.index(served.policy.mode), default=None)


def last_served(policy_string: Sequence[str], history: History) -> datetime | None:
    """When senders could last fetch the policy that a policy-string means; None: never, as far as is known."""
    stated = Stated.of(policy_string)
    return max((s.until for s in history if s.until is not None and stated.fits(s.policy)), default=None)


@dataclass(frozen=True, slots=True)
class Stated:
    """A policy as a report repeats it: any order and line end, lines cut off or left out, fields that we do not know.

    None, and no `mx`: it does not say.
    """

    mode: str | None
    max_age: str | None
    mx: frozenset[str]

    @staticmethod
    def of(policy_string: Iterable[str]) -> "Stated":
        """From the lines of `policy-string`. Of repeated fields the first counts, as in the file."""
        fields: dict[str, str] = {}
        mx = set()
        for line in policy_string:
            name, colon, value = line.partition(":")
            name, value = name.strip().lower(), value.strip().lower()
            if colon and name == "mx":
                mx.add(value)
            elif colon:
                fields.setdefault(name, value)
        return Stated(fields.get("mode"), fields.get("max_age"), frozenset(mx))

    @property
    def says_something(self) -> bool:
        """Is there anything to compare?"""
        return bool(self.mode or self.mx)

    def fits(self, policy: Policy) -> bool:
        """Can it be this policy? Where lines are missing, the mx that are there must be some of its own."""
        return self.fits_parts(policy.mode, policy.max_age, frozenset(pattern.text for pattern in policy.mx))

    def fits_parts(self, mode: Mode, max_age: int | None, mx: frozenset[str]) -> bool:
        """As `fits`. max_age: None where it is not known."""
        if not self.says_something or self.mode not in (None, mode):
            return False
        if self.max_age is not None and max_age is not None and self.max_age != str(max_age):
            return False
        is_cut = self.mode is None or self.max_age is None or not self.mx
        return self.mx <= mx if is_cut else self.mx == mx


def _policy(body: bytes | None) -> Policy | None:
    try:
        return Policy.parse(body) if body is not None else None
    except InvalidPolicy:
        return None
