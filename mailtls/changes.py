"""What a change of specs means for senders, as data: pure, the clock is a parameter.

`compare` pairs the specs of a base with those of a head. From a `Change` follow the steps in which it is published and
the waits that go with it. Senders keep what they fetched, so what was served before counts as much as what is written
now (RFC 8461 section 3.3).
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.mta_sts.record import TTL as MTA_STS_TTL
from mailtls.mta_sts.record import Record
from mailtls.observed import Observed, read_policy
from mailtls.spec.model import MtaSts, PolicySpec
from mailtls.tls_rpt.record import TTL as TLS_RPT_TTL

LEAST_HELD = 86400
"""Seconds. A big sender keeps a policy for a day where max_age says less than an hour, so no wait is shorter."""


End = tuple[datetime.datetime, int]
"""When the last sender has forgotten a policy, and for how many seconds one may hold it."""


class Kind(StrEnum):
    """What happens to a domain's spec."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Served:
    """A policy that senders may still hold. until: when the next one took its place; None: it is served now.
    since: when it took its own; None: not known."""

    mta_sts: MtaSts
    until: datetime.datetime | None = None
    since: datetime.datetime | None = None

    @property
    def seconds_held(self) -> int:
        """How long after the last fetch a sender may hold it."""
        return max(self.mta_sts.max_age, LEAST_HELD)

    def held_until(self, now: datetime.datetime) -> datetime.datetime:
        """When the last sender has forgotten it, if it is no longer served from `now` on."""
        return (self.until or now) + datetime.timedelta(seconds=self.seconds_held)


@dataclass(frozen=True, slots=True)
class Change:
    """One policy domain, before and after.

    base, head: its spec there; None where it has none. since: since when base's policy is as it is; None: not known.
    earlier: the policies before base's, newest first. Both come from the history of the specs, so they are estimates:
    what is written is deployed some time later. live: the domain as it is now; None where nobody looked.
    """

    policy_domain: str
    base: PolicySpec | None
    head: PolicySpec | None
    since: datetime.datetime | None = None
    earlier: tuple[Served, ...] = ()
    live: Observed | None = None

    @property
    def kind(self) -> Kind:
        if self.base is None:
            return Kind.ADDED
        return Kind.REMOVED if self.head is None else Kind.CHANGED

    @property
    def before(self) -> MtaSts | None:
        """What the base serves."""
        return self.base.mta_sts if self.base else None

    @property
    def after(self) -> MtaSts | None:
        """What is served after the merge."""
        return self.head.mta_sts if self.head else None

    @property
    def served(self) -> MtaSts | None:
        """What a sender that has no policy finds now; None where it finds none, or nobody looked."""
        if self.live is None or not isinstance(self.live.read_record(), Record):
            return None
        policies = map(read_policy, self.live.https)
        found = next((policy for policy in policies if isinstance(policy, Policy)), None)
        return MtaSts(found.mode, found.mx, found.max_age) if found else None

    @property
    def spec(self) -> PolicySpec:
        """Where to point: the new spec, or the one that goes."""
        spec = self.head or self.base
        if spec is None:
            raise ValueError(f"a change of {self.policy_domain} without a spec on either side")
        return spec

    @property
    def mx_added(self) -> tuple[MxPattern, ...]:
        """Patterns of the head that the base does not allow."""
        return left_out(self.after.mx, self.before) if self.after else ()

    @property
    def mx_removed(self) -> tuple[MxPattern, ...]:
        """Patterns of the base that the head does not allow."""
        return left_out(self.before.mx, self.after) if self.before else ()

    @property
    def enforced_since(self) -> datetime.datetime | None:
        """Since when enforce has been served without a break; None where it is not served, or nobody knows."""
        if self.before is None or self.before.mode is not Mode.ENFORCE:
            return None
        since = self.since
        for served in self.earlier:
            if served.mta_sts.mode is not Mode.ENFORCE:
                break
            since = served.since or since
        return since

    def held(self, now: datetime.datetime) -> tuple[Served, ...]:
        """All policies that some sender may hold at `now`, the base's first, then what is live beside it."""
        current = tuple(Served(policy) for policy in dict.fromkeys((self.before, self.served)) if policy)
        return (*current, *(served for served in self.earlier if served.held_until(now) > now))

    def formerly_held(self, now: datetime.datetime) -> tuple[End, ...]:
        """The end of what a former host served, while it lies ahead. What that policy says is not known (`adopted`)."""
        spec = self.spec
        if spec.controller.adopted is None:
            return ()
        held = max(spec.controller.adopted.max_age, LEAST_HELD)
        until = spec.controller.adopted.until + datetime.timedelta(seconds=held)
        return ((until, held),) if until > now else ()

    def enforced_somewhere(self, now: datetime.datetime) -> bool:
        """Does some sender hold, or will one be given, a policy by which it delivers nothing to a wrong host?"""
        given = (self.after,) if self.after else ()
        return any(policy.mode is Mode.ENFORCE for policy in (*given, *(served.mta_sts for served in self.held(now))))


@dataclass(frozen=True, slots=True)
class Base:
    """What a change is measured against: the merge base with `ref`, as a pull request is.

    commit: its hash. at: its date, UTC. newer: commits of `ref` beyond it that change specs, too.
    """

    ref: str
    commit: str
    at: datetime.datetime
    newer: int = 0


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All that changes. specs: how many there are after it."""

    base: Base
    specs: int
    changes: tuple[Change, ...]

    @property
    def policy_domains(self) -> int:
        """How many domains have a spec, before or after."""
        return self.specs + sum(change.kind is Kind.REMOVED for change in self.changes)


class WaitFor(StrEnum):
    """What has to wait; the values are names in JSON."""

    MX = "point-mx"
    """MX records must not point at these hosts yet."""
    ENFORCE_ENDS = "enforce-ends"
    """Senders that hold enforce go on refusing until then."""
    REMOVAL = "remove-spec"
    """The spec must stay until then."""


@dataclass(frozen=True, slots=True)
class Wait:
    """until: the earliest day for it, counted from now: when the merge is deployed later, the wait ends later.
    hosts: for MX only. seconds: the longest time that a sender may hold what is in the way."""

    what: WaitFor
    until: datetime.datetime
    seconds: int
    hosts: tuple[str, ...] = ()


def compare(base: Iterable[PolicySpec], head: Iterable[PolicySpec]) -> tuple[Change, ...]:
    """The domains whose spec is not the same on both sides, by name. Where a spec is written does not count."""
    before = {spec.policy_domain: spec for spec in base}
    after = {spec.policy_domain: spec for spec in head}
    return tuple(
        Change(domain, before.get(domain), after.get(domain))
        for domain in sorted(before.keys() | after.keys())
        if before.get(domain) != after.get(domain)
    )


def waits(change: Change, now: datetime.datetime) -> tuple[Wait, ...]:
    """What must not be done yet, and until when."""
    found = []
    blind = [served for served in change.held(now) if _refuses(served.mta_sts, change.mx_added)]
    unknown = change.formerly_held(now)
    foreign = unknown if change.before and change.mx_added else ()  # a first spec names the hosts that are there
    if change.after and change.after.mode is not Mode.NONE and (blind or foreign):
        refused = {pattern for served in blind for pattern in left_out(change.mx_added, served.mta_sts)}
        hosts = tuple(pattern.text for pattern in change.mx_added if pattern in refused or foreign)
        found.append(_wait(WaitFor.MX, [*_ends(blind, now), *foreign], hosts))
    enforced = [served for served in change.held(now) if served.mta_sts.mode is Mode.ENFORCE]
    lowered = change.before is not None and (change.after is None or change.after.mode is not Mode.ENFORCE)
    if lowered and enforced:
        found.append(_wait(WaitFor.ENFORCE_ENDS, _ends(enforced, now)))
    asked = [served for served in change.held(now) if served.mta_sts.mode is not Mode.NONE]
    if change.after and change.after.mode is Mode.NONE and (asked or unknown):
        found.append(_wait(WaitFor.REMOVAL, [*_ends(asked, now), *unknown]))
    return tuple(found)


def steps(change: Change) -> tuple[tuple[str, ...], ...]:
    """In which order the change reaches the world: a chain for each thing that is published (RFC 8461 section 8.1)."""
    chains: list[tuple[str, ...]] = []
    if change.before is None and change.after is not None:
        chains.append(
            ("object, certificate, distribution", "`mta-sts` CNAME", "gate", f"`_mta-sts` TXT (TTL {MTA_STS_TTL})"),
        )
    elif change.before is not None and change.after is None:
        chains.append(("`_mta-sts` TXT goes", "`mta-sts` CNAME goes", "distribution, certificate, object go"))
    elif change.before != change.after:
        chains.append((*_mx_first(change), "object", "gate", f"`_mta-sts` TXT with a new id (TTL {MTA_STS_TTL})"))
    before, after = _rua(change.base), _rua(change.head)
    if before != after:
        chains.append(("`_smtp._tls` TXT goes" if after is None else f"`_smtp._tls` TXT (TTL {TLS_RPT_TTL})",))
    return tuple(chains)


def _mx_first(change: Change) -> tuple[str, ...]:
    """A host that leaves an enforced policy gets no more mail, so no MX record may name it by then."""
    if change.after is None or change.after.mode is not Mode.ENFORCE or not change.mx_removed:
        return ()
    names = [f"`{pattern.text}`" for pattern in change.mx_removed]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (f"no MX record names {', '.join(names[:3])}{more}",)


def _ends(served: Iterable[Served], now: datetime.datetime) -> list[End]:
    return [(one.held_until(now), one.seconds_held) for one in served]


def _wait(what: WaitFor, ends: Iterable[End], hosts: tuple[str, ...] = ()) -> Wait:
    until, seconds = max(ends)
    return Wait(what, until, seconds, hosts)


def left_out(patterns: Iterable[MxPattern], policy: MtaSts | None) -> tuple[MxPattern, ...]:
    """Those of `patterns` that match a host which `policy` does not allow; all of them without a policy.

    By names, not by trying each against each: a policy may have thousands of lines.
    """
    allowed = {pattern.text for pattern in policy.mx} if policy else set()
    return tuple(pattern for pattern in patterns if not allowed & {pattern.text, _wildcard_over(pattern)})


def _wildcard_over(pattern: MxPattern) -> str:
    """The wildcard that allows the host `pattern`; of a wildcard itself, it alone is one."""
    return pattern.text if pattern.text.startswith("*.") else f"*.{pattern.text.partition('.')[2]}"


def _refuses(policy: MtaSts, patterns: Iterable[MxPattern]) -> bool:
    """Does a sender that holds `policy` deliver nothing to a host of one of `patterns`?"""
    return policy.mode is Mode.ENFORCE and bool(left_out(patterns, policy))


def _rua(spec: PolicySpec | None) -> tuple[str, ...] | None:
    return spec.tls_rpt.rua if spec and spec.tls_rpt else None
