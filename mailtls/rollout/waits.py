"""Until when senders may hold what was served: every "safe from" of the system. Pure.

A sender may fetch a policy until the last moment at which it is served, and keeps it for max_age from then (RFC 8461
section 3.2); some keep each for a day at least. So a policy is out of every cache at

    (last moment at which it could be fetched) + max(its max_age, one day)

A policy that is served now could be fetched until `now`: its date moves on with the clock until it is replaced. A
former host's policy is unknown but for its max_age, so it counts as one that enforces and names no host.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.rollout.history import History, ServedPolicy

LEAST_KEPT = timedelta(days=1)
"""A big sender keeps a policy for a day where max_age says less."""


def kept(max_age: int) -> timedelta:
    """How long after its last fetch a sender may hold a policy. max_age: seconds."""
    return max(timedelta(seconds=max_age), LEAST_KEPT)


def out_of_caches(served: ServedPolicy, now: datetime) -> datetime:
    """When the last sender has forgotten a policy, if it is not served any more from `now` on."""
    return (served.until or now) + kept(served.policy.max_age)


def mx_may_point_at(history: History, hosts: Iterable[str], now: datetime) -> datetime | None:
    """The moment from which MX records may name `hosts`: no sender holds a policy that refuses one of them.

    None: they may already. The current policy counts as what it is: while it refuses a host, the date moves with `now`.
    """
    names = tuple(hosts)
    refusing = (one for one in history.served if one.policy.mode is Mode.ENFORCE and not _allows_all(one.policy, names))
    return _last(history, refusing, now)


def pattern_may_go(history: History, mx: Iterable[MxPattern], now: datetime) -> datetime | None:
    """The moment from which a pattern that no MX record needs may leave the policy. mx: what stays.

    While a sender may hold an earlier policy that lacks one of those, the way back to the old hosts stays open.
    None: it may already.
    """
    stays = tuple(mx)
    lacking = (
        one
        for one in history.served
        if one.policy.mode is Mode.ENFORCE and not all(_allows(one.policy, pattern) for pattern in stays)
    )
    return _last(history, lacking, now)


def spec_may_go(history: History, now: datetime) -> datetime | None:
    """The moment from which nobody holds a policy that asks for anything, so that it may be deleted (RFC 8461 section
    8.3). None: it may already."""
    return _last(history, (one for one in history.served if one.policy.mode is not Mode.NONE), now)


def _last(history: History, served: Iterable[ServedPolicy], now: datetime) -> datetime | None:
    dates = [out_of_caches(one, now) for one in served]
    if history.adopted is not None:
        dates.append(history.adopted.until + kept(history.adopted.max_age))
    last = max(dates, default=now)
    return last if last > now else None


def _allows_all(policy: Policy, hosts: Iterable[str]) -> bool:
    return all(policy.allows(host) for host in hosts)


def _allows(policy: Policy, pattern: MxPattern) -> bool:
    return pattern in policy.mx or (not pattern.text.startswith("*.") and policy.allows(pattern.text))
