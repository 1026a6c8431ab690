"""Who reports about a domain, and in what rhythm: only the silence of those who are known says something. Pure.

Anybody can sign a report about any domain. A stranger that writes once a week must not hide that the others have
stopped, and one that stops must wake nobody. Known are those that report often and have done so for a while.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

KNOWN_DAYS = 5
"""Different days that a known reporter has reported about,"""
KNOWN_SPAN = timedelta(days=7)
"""from the first to the last of them at least this long,"""
KNOWN_GAP = 4
"""and on average one in so many days at least."""
MAX_REPORTERS = 200
"""Of one domain. Whoever reported about most days stays."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """signer: the proven signing domain. first, last: UTC days that it reported about. days: how many different ones,
    in the order in which they came: an earlier day that comes late is not counted again."""

    signer: str
    first: date
    last: date
    days: int

    @property
    def is_known(self) -> bool:
        """Does it report often, and has it for a while?"""
        span = self.last - self.first
        return self.days >= KNOWN_DAYS and span >= KNOWN_SPAN and self.days * KNOWN_GAP >= span.days


def noted(reporters: tuple[Reporter, ...], signer: str, day: date, forget: timedelta) -> tuple[Reporter, ...]:
    """With a report about `day`. One who was away for longer than `forget` begins anew."""
    by_signer = {known.signer: known for known in reporters}
    known = by_signer.get(signer)
    if known is not None and day <= known.last:
        return reporters
    if known is None or day - known.last > forget:
        by_signer[signer] = Reporter(signer, day, day, 1)
    else:
        by_signer[signer] = Reporter(signer, known.first, day, known.days + 1)
    kept = sorted(by_signer.values(), key=lambda one: (-one.days, one.first, one.signer))[:MAX_REPORTERS]
    return tuple(sorted(kept, key=lambda one: one.signer))


def speaking(reporters: Iterable[Reporter], since: date) -> Reporter | None:
    """The known one that reported last, if it was after `since`."""
    last = max((one for one in reporters if one.is_known), key=lambda one: one.last, default=None)
    return last if last is not None and last.last > since else None


def fell_silent(reporters: Iterable[Reporter], after: date, until: date) -> tuple[Reporter, ...]:
    """The known ones, if all of them reported last before `until` and some after `after`; the last to speak first."""
    known = sorted((one for one in reporters if one.is_known), key=lambda one: one.last, reverse=True)
    if not known or known[0].last > until:
        return ()
    return tuple(one for one in known if one.last > after)


def to_json(reporters: Iterable[Reporter]) -> dict[str, Any]:
    """The content of `reporters/<policy domain>.json`."""
    return {
        "version": 1,
        "reporters": {
            one.signer: {"first": one.first.isoformat(), "last": one.last.isoformat(), "days": one.days}
            for one in reporters
        },
    }


def from_json(data: dict[str, Any]) -> tuple[Reporter, ...]:
    """The inverse. Raises ValueError: somebody changed the object by hand."""
    try:
        read = [
            Reporter(who, date.fromisoformat(seen["first"]), date.fromisoformat(seen["last"]), int(seen["days"]))
            for who, seen in data["reporters"].items()
        ]
        return tuple(sorted(read, key=lambda one: one.signer))
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"no list of reporters: {e!r}") from e
