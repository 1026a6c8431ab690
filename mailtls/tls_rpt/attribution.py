"""Which of our domains a row of a report is about (RFC 8460 section 4.4, `policy-domain`).

Most rows name the domain. Two kinds do not, and are not dropped for it: a row without any name (`no-policy-found`, and
fetch errors), and a DANE row that names the TLSA base domain, which is the MX host and not the mail domain (section
1.1). Both belong to the domain that the rest of the report is about, as far as that is one.
"""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.report_values import PolicyResult, PolicyType, Report

MAX_SHARED = 100
"""Of one mail. Enough for 200 domains with five MX hosts in common; else a few kilobytes could fill the ledger."""

Find = Callable[[str], OwnDomain | None]


@dataclass(frozen=True, slots=True)
class Attribution:
    """parts: each of our domains that the report is about, sorted by name, with the report less all other rows. Only a
    DANE row about an MX host that several of our domains share stands in more than one part.
    notes: which rows stand in none, and why; for people. shared: places that rows take beyond one each."""

    parts: tuple[tuple[OwnDomain, Report], ...]
    notes: tuple[str, ...] = ()
    shared: int = 0


@dataclass(frozen=True, slots=True)
class _Subjects:
    """What a report is about as a whole. ours: those of our domains. names: of all domains, ours or not."""

    ours: tuple[OwnDomain, ...]
    names: frozenset[str]


def attribute(
    report: Report, find: Find, ours: Iterable[OwnDomain], announced: str = "", room: int = MAX_SHARED
) -> Attribution:
    """Give each row of the report to one of our domains, or to none.

    find: our domain of that name (A-labels). What it raises comes out. ours: all of them.
    announced: TLS-Report-Domain of the mail, A-labels. It counts only where no row names a domain: where they differ,
    the body counts (section 5.6). room: places that rows may take beyond one each.
    """
    named = [find(row.policy_domain) if row.policy_domain else None for row in report.policies]
    subjects = _subjects(report, named, find, announced)
    by_pattern = _by_pattern(ours)
    rows: dict[str, list[PolicyResult]] = {}
    domains = {own.policy_domain: own for own in subjects.ours}
    notes: dict[str, None] = {}
    shared = 0
    if announced and announced not in subjects.names:
        notes[f"the mail's TLS-Report-Domain is {announced}, which its report does not name"] = None
    for row, own in zip(report.policies, named, strict=True):
        owners = (own,) if own is not None else _from_context(row, subjects, by_pattern)
        if len(owners) > 1 and len(owners) - 1 > room - shared:
            notes[f"about {row.policy_domain}, an MX host of many of our domains, too often"] = None
            continue
        shared += max(0, len(owners) - 1)
        if not owners:
            notes[_why_nobody(row, subjects)] = None
        for owner in owners:
            domains[owner.policy_domain] = owner
            rows.setdefault(owner.policy_domain, []).append(row)
    if not report.policies:  # it says nothing, and that of the domain that the mail was sent for
        rows = {name: [] for name in domains}
    parts = tuple((domains[name], dataclasses.replace(report, policies=tuple(rows[name]))) for name in sorted(rows))
    return Attribution(parts, tuple(notes), shared)


def _subjects(report: Report, named: list[OwnDomain | None], find: Find, announced: str) -> _Subjects:
    """A name in a DANE row that is not ours is taken for an MX host, so it makes no subject."""
    ours = {own.policy_domain: own for own in named if own is not None}
    foreign = {
        row.policy_domain
        for row, own in zip(report.policies, named, strict=True)
        if own is None and row.policy_domain and row.policy_type is not PolicyType.TLSA
    }
    if ours or foreign or not announced:
        return _Subjects(tuple(ours.values()), frozenset(ours.keys() | foreign))
    own = find(announced)
    return _Subjects((own,) if own is not None else (), frozenset({announced}))


def _from_context(
    row: PolicyResult, subjects: _Subjects, by_pattern: dict[str, list[OwnDomain]]
) -> tuple[OwnDomain, ...]:
    """The domains of a row that does not name one; () where that would be a guess.

    A DANE row is about its MX host: where several of our domains share that, it is true of each.
    """
    if not row.policy_domain:
        return subjects.ours[:1] if len(subjects.names) == 1 else ()
    if row.policy_type is not PolicyType.TLSA:
        return ()
    patterns = _patterns_for(row.policy_domain)
    # a domain without MTA-STS has no list of its MX: then what is reported together belongs together
    sharing = [own for own in subjects.ours if any(pattern in own.mx for pattern in patterns)]
    if not sharing:
        unlisted = [own for own in subjects.ours if not own.mx]
        sharing = unlisted if len(unlisted) == 1 else []
    if not sharing:
        sharing = [own for pattern in patterns for own in by_pattern.get(pattern, ())]
    return tuple({own.policy_domain: own for own in sharing}.values())


def _by_pattern(ours: Iterable[OwnDomain]) -> dict[str, list[OwnDomain]]:
    by_pattern: dict[str, list[OwnDomain]] = {}
    for own in ours:
        for pattern in own.mx:
            by_pattern.setdefault(pattern, []).append(own)
    return by_pattern


def _patterns_for(host: str) -> tuple[str, str]:
    """The two mx patterns that allow the host (RFC 8461 section 4.1)."""
    return host, f"*.{host.partition('.')[2]}"


def _why_nobody(row: PolicyResult, subjects: _Subjects) -> str:
    if row.policy_domain:
        return f"about {row.policy_domain}, which is not ours"
    if len(subjects.names) > 1:
        return "a policy that names no domain in a report about several: counted for none"
    return "a policy that names no domain in a report that is about none of ours"
