"""MX hosts and the policy: what is in one and not in the other, and in which order that is mended. Pure.

A move has two steps with a date between: the policy names old and new hosts; when every policy without the new one is
out of caches, MX may move; then the old hosts leave the policy. DNS is never ours to edit, so the middle step is only
told.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from mailtls.mta_sts.policy import InvalidPolicy, Mode, MxPattern
from mailtls.reports.mx_operator import provider_of
from mailtls.rollout import waits
from mailtls.rollout.case import Case
from mailtls.rollout.decision import Action, Code, Edit, Kind, Reason, Wait

MAX_ADDED = 10
"""Hosts that one proposal adds. A zone with more new ones is looked at by a person."""
MAX_MX = 200
"""As the schema of the spec has it."""
PATIENCE = timedelta(days=30)
"""So long after MX may name it a host is taken for one that is still to come."""


def added(case: Case) -> Action | Wait | None:
    """A host of DNS that the policy does not name: added exactly, with the question whether it is meant."""
    if case.mta_sts.mode is Mode.NONE:
        return None
    if case.live is None:
        return Wait(Kind.ADD_MX, case.policy_domain, None, (Reason(Code.MX_UNKNOWN),))
    missing = case.unnamed
    if not missing or case.may_leave_out:
        return None
    hosts = tuple(dict.fromkeys(host for host in missing if _is_pattern(host)))
    if not hosts:
        told = tuple(Reason(Code.MX_NO_NAME, host=host) for host in missing[:MAX_ADDED])
        return Wait(Kind.ADD_MX, case.policy_domain, None, told)
    if len(hosts) > MAX_ADDED or len(hosts) + len(case.mta_sts.mx) > MAX_MX:
        return Wait(Kind.ADD_MX, case.policy_domain, None, (Reason(Code.MX_TOO_MANY, len(hosts), MAX_ADDED),))
    until = waits.mx_may_point_at(case.history, hosts, case.now)
    reasons = [Reason(Code.MX_NOT_NAMED, host=host) for host in hosts]
    reasons += _same_provider(case, hosts)
    reasons.append(Reason(Code.IS_IT_MEANT))
    if until is not None:
        reasons.append(Reason(Code.CACHED, until=until))
    if not case.history.whole:  # then the date is the earliest that can be
        reasons.append(Reason(Code.HISTORY_UNREAD))
    # a sender that holds an enforce policy refuses the host, whatever mode is served by now
    urgent = case.mta_sts.mode is Mode.ENFORCE or until is not None
    return Action(Kind.ADD_MX, case.policy_domain, Edit(add_mx=hosts), tuple(reasons), urgent, until)


def unused(case: Case) -> Iterator[Action | Wait]:
    """Hosts of the policy that DNS does not have: those to come, with the day of the move, and those that are gone."""
    hosts = [host.host for host in case.live or ()]
    absent = [pattern for pattern in case.mta_sts.mx if pattern.text not in hosts]
    left = [pattern for pattern in absent if not any(map(pattern.matches, hosts))]
    if not left or len(case.unnamed) == len(hosts) or case.mta_sts.mode is Mode.NONE:
        return
    to_come = [pattern for pattern in left if _is_to_come(case, pattern)]
    if to_come:
        yield _move(case, to_come)
    gone = [pattern for pattern in left if pattern not in to_come]
    if gone:
        yield _remove(case, gone)


def early(case: Case) -> Wait | None:
    """Hosts that DNS named before every sender knows them: until a day they are not to be alone."""
    earlier = len(case.history.served) > 1 or case.history.adopted is not None
    if not earlier or case.mta_sts.mode is Mode.NONE or not case.live:
        return None
    hosts = [host.host for host in case.live if host.host not in case.unnamed]
    until = waits.mx_may_point_at(case.history, hosts, case.now)
    if until is None:
        return None
    late = [host for host in hosts if waits.mx_may_point_at(case.history, (host,), case.now)]
    told = [Reason(Code.CACHED, until=until), *(Reason(Code.MX_EARLY, host=host) for host in late[:MAX_ADDED])]
    if not case.history.whole:  # then the date is the earliest that can be
        told.append(Reason(Code.HISTORY_UNREAD))
    return Wait(Kind.MOVE_MX, case.policy_domain, until, tuple(told))


def _is_to_come(case: Case, pattern: MxPattern) -> bool:
    """Was it named so lately that DNS can still be on its way?"""
    since = case.history.named_since(pattern)
    if since is None or not case.history.whole:
        return True
    move = case.desired.controller.rollout.planned_move
    if move is not None and case.now.date() <= move:
        return True
    longest = max((waits.kept(one.policy.max_age) for one in case.history.served if one.until), default=timedelta())
    return case.now < since + longest + PATIENCE


def _move(case: Case, patterns: list[MxPattern]) -> Wait:
    names = tuple(_some_host(pattern) for pattern in patterns)
    told = [Reason(Code.MX_TO_COME, host=pattern.text) for pattern in patterns]
    told += _same_provider(case, (pattern.text for pattern in patterns))
    if not case.history.whole:
        return Wait(Kind.MOVE_MX, case.policy_domain, None, (Reason(Code.HISTORY_UNREAD), *told))
    until = waits.mx_may_point_at(case.history, names, case.now)
    if until is not None:
        return Wait(Kind.MOVE_MX, case.policy_domain, until, (Reason(Code.CACHED, until=until), *told))
    may = tuple(Reason(Code.MX_MAY_MOVE, host=pattern.text) for pattern in patterns)
    return Wait(Kind.MOVE_MX, case.policy_domain, None, (*may, *told))


def _remove(case: Case, patterns: list[MxPattern]) -> Action | Wait:
    told = tuple(Reason(Code.MX_UNUSED, host=pattern.text) for pattern in patterns)
    stays = [pattern for pattern in case.mta_sts.mx if pattern not in patterns]
    until = waits.pattern_may_go(case.history, stays, case.now)
    if until is not None:
        return Wait(Kind.REMOVE_MX, case.policy_domain, until, (Reason(Code.CACHED, until=until), *told))
    edit = Edit(remove_mx=tuple(pattern.text for pattern in patterns))
    return Action(Kind.REMOVE_MX, case.policy_domain, edit, told)


def _same_provider(case: Case, hosts: Iterable[str]) -> Iterator[Reason]:
    """Hosts of a provider that another pattern of the policy belongs to: Microsoft 365 moves to mx.microsoft, Google
    Workspace to smtp.google.com."""
    domain = case.policy_domain
    names = set(hosts)
    known = {_provider(pattern.text, domain) for pattern in case.mta_sts.mx if pattern.text not in names}
    for host in sorted(names):
        if (provider := _provider(host, domain)) and provider in known:
            yield Reason(Code.SAME_PROVIDER, host=host)


def _provider(pattern: str, policy_domain: str) -> str:
    return provider_of(pattern.removeprefix("*."), policy_domain)


def _some_host(pattern: MxPattern) -> str:
    """A host that the pattern allows."""
    return f"any.{pattern.text[2:]}" if pattern.text.startswith("*.") else pattern.text


def _is_pattern(host: str) -> bool:
    try:
        return "*" not in host and "." in host and bool(MxPattern(host))
    except InvalidPolicy:
        return False
