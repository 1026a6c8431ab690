"""testing to enforce: every condition, with its numbers, and what nobody could look at. Pure.

A promotion is proposed when the policy that is served now was served long enough, reports cover both the last week and
the time before, enough sessions succeeded for enough organisations, and next to nothing was seen that enforce would
refuse: neither in the reports of the last week nor by a look at the MX hosts now.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta

from mailtls.mta_sts.policy import Mode
from mailtls.observed import MxHost
from mailtls.rollout.case import Case, fault_of, is_good
from mailtls.rollout.decision import Action, Code, Edit, Kind, Reason, Wait
from mailtls.rollout.evidence import EvidenceDay, is_evidence_for
from mailtls.spec.model import MtaSts, PolicySpec
from mailtls.tls_rpt.report import ResultType

EVIDENCE = "enforce-without-evidence"
MODE_LOWERED = "mode-lowered"
"""Rules that ask for a reason in the spec: one for the way up, one for the way down. With the way back it is over."""
RECENT_DAYS = 7
"""In which next to nothing may have been refused. A reporter's day comes in the day after."""
FIRST_MAX_AGE = 7 * 86400
"""Seconds that a new enforce is held at most: what is wrong with it lasts as long."""
MAX_TOLD = 10
"""Hosts with refusals that a decision names, the worst first."""


def promote(case: Case) -> Action | Wait | None:
    """What stands between testing and enforce; None where the mode is another one."""
    if case.mta_sts.mode is not Mode.TESTING:
        return None
    since = case.history.unchanged_since()
    asked = [_served(case, since), *_reported(case, since)]
    bars = [reason for reason in asked if not _met(reason)]
    bars += _mx_bars(case)
    if bars:
        until = max((reason.until for reason in bars if reason.until is not None), default=None)
        return Wait(Kind.PROMOTE, case.policy_domain, until, (*bars, *(one for one in asked if _met(one))))
    looks = tuple(_look(case, host) for host in case.live or ())
    return Action(Kind.PROMOTE, case.policy_domain, promotion(case.desired, case.mta_sts), (*asked, *looks))


def promotion(desired: PolicySpec, mta_sts: MtaSts) -> Edit:
    """What a promotion changes: the same on every day, so that a proposal and its approval stand until the spec moves.

    mta_sts: of `desired`.
    """
    shorter = FIRST_MAX_AGE if mta_sts.max_age > FIRST_MAX_AGE else None
    over = tuple(rule for rule in (MODE_LOWERED,) if rule in desired.suppress)
    return Edit(Mode.ENFORCE, max_age=shorter, suppress=((EVIDENCE, _sentence(desired)),), unsuppress=over)


def _served(case: Case, since: datetime | None) -> Reason:
    """How long this very policy was there to be fetched."""
    want = case.desired.controller.rollout.days
    have = (case.now - since).days if since is not None else 0
    until = (since if since is not None else case.now) + timedelta(days=want)
    return Reason(Code.SERVED_DAYS, max(have, 0), want, until=until)


def _reported(case: Case, since: datetime | None) -> Iterator[Reason]:
    """What the ledger says, the numbers that are enough among them."""
    rollout = case.desired.controller.rollout
    if case.desired.tls_rpt is None or case.desired.tls_rpt.rua:
        yield Reason(Code.NO_REPORTS_HERE)
    today = case.now.date()
    first = since.date() if since is not None else today
    week = today - timedelta(days=RECENT_DAYS)
    days = case.evidence.between(first, today) if is_evidence_for(case.evidence, case.mta_sts.policy) else ()
    recent = [day for day in days if day.day >= week]
    earlier = days[: len(days) - len(recent)]
    reporters = frozenset[str]().union(*[day.reporters for day in days])
    if unread := sum(first <= day <= today for day in case.evidence.unread):
        yield Reason(Code.DAYS_UNREAD, unread, 0)
    yield Reason(Code.CLEAN_SESSIONS, sum([day.clean for day in days]), rollout.sessions)
    yield Reason(Code.REPORTERS, len(reporters), rollout.reporters)
    yield Reason(Code.RECENT_WINDOW, _with_clean(recent), 1)
    if rollout.days > RECENT_DAYS:
        yield Reason(Code.EARLIER_WINDOW, _with_clean(earlier), 1)
    rate = rollout.max_failure_rate
    yield from _refused(recent, int(sum([day.sessions for day in recent]) * rate) if rate else 0)


def _with_clean(days: Iterable[EvidenceDay]) -> int:
    return len([day for day in days if day.clean])


def _refused(days: list[EvidenceDay], allowed: int) -> Iterator[Reason]:
    """Sessions that enforce would have refused: all of them first, then by host and kind, the worst first."""
    by_cause: dict[tuple[bool, str, ResultType], int] = {}
    last = None
    for day in days:
        for one in day.refusals:
            last = day.day
            key = (one.outside, one.host, one.result_type)
            by_cause[key] = by_cause.get(key, 0) + one.sessions
    total = sum(by_cause.values())
    if last is None or total <= allowed:
        yield Reason(Code.REFUSALS, total, allowed)
    else:
        over = datetime.combine(last, time(), UTC) + timedelta(days=RECENT_DAYS + 1)  # if no more are reported
        yield Reason(Code.REFUSALS, total, allowed, until=over)
        worst = sorted(by_cause.items(), key=lambda item: (-item[1], item[0]))
        for (outside, host, kind), sessions in worst[:MAX_TOLD]:
            yield Reason(Code.OUTSIDE_POLICY if outside else Code.REFUSALS, sessions, 0, host, kind)


def _mx_bars(case: Case) -> Iterator[Reason]:
    """What a look at DNS and at port 25 has against it now."""
    hosts = case.live
    if hosts is None:
        yield Reason(Code.MX_UNKNOWN)
        return
    if not hosts:
        yield Reason(Code.NO_MAIL)
    for host in hosts:
        if host.host not in case.unnamed:
            if any(map(fault_of, host.smtp or ())):
                yield Reason(Code.MX_FAULT, host=host.host)
        elif not case.may_leave_out:
            yield Reason(Code.MX_NOT_NAMED, host=host.host)


def _look(case: Case, host: MxHost) -> Reason:
    """What is said of a host beside the numbers."""
    if host.host in case.unnamed:
        return Reason(Code.MX_LEFT_OUT, host=host.host)
    return Reason(Code.MX_GOOD if is_good(host) else Code.MX_UNSEEN, host=host.host)


def _met(reason: Reason) -> bool:
    match reason.code:
        case Code.NO_REPORTS_HERE:
            return False
        case Code.REFUSALS | Code.OUTSIDE_POLICY | Code.DAYS_UNREAD:
            return (reason.have or 0) <= (reason.want or 0)
        case _:
            return (reason.have or 0) >= (reason.want or 0)


def _sentence(desired: PolicySpec) -> str:
    """What stands in the spec beside the new mode, for whoever reviews it (ADR 24): the bars, which the day's numbers
    in the proposal were held against.

    Where it stands there since an earlier promotion it speaks of another time, and the rule asks for a reason of this
    change: then it says so.
    """
    after = desired.controller.rollout
    refused = f"at most {float(after.max_failure_rate * 100):g} %" if after.max_failure_rate else "none"
    sentence = (
        f"the controller saw at least {after.days} days in testing and {after.sessions:,} clean sessions reported by "
        f"{after.reporters} organisations; enforce would have refused {refused} of the sessions of {RECENT_DAYS} days"
    )
    return f"{sentence}; seen anew" if desired.suppress.get(EVIDENCE) == sentence else sentence
