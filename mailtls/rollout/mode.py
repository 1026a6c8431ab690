"""Ways down: from enforce to testing when mail is refused, and out, when the domain shall lose its policy. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from mailtls.mta_sts.policy import Mode
from mailtls.rollout import waits
from mailtls.rollout.case import Case
from mailtls.rollout.decision import Action, Code, Edit, Kind, Reason, Wait
from mailtls.rollout.evidence import is_evidence_for
from mailtls.rollout.promote import EVIDENCE, MODE_LOWERED
from mailtls.spec.model import PolicySpec

DAYS = 3
"""In which refusals count against enforce: yesterday's reports have come, today's have not."""
LEAST_REFUSED = 20
"""Sessions. Fewer are a fault to mend and not a reason to take protection away."""
SHARE = 20
"""One session in so many refused, or more: 5 %."""
ONE_HOST_SHARE = 0.9
"""Of all refusals at one host: then it is that host's fault, and others take the mail."""
OUT_MAX_AGE = 86400
"""Seconds, of the policy `none`: the shortest that every sender takes as it is."""
_SENTENCE = f"senders reported {100 // SHARE} % or more of their sessions of {DAYS} days as refused"
"""For whoever reviews it; the day's numbers stand in the proposal, which else would change every day."""


def demote(case: Case) -> Action | Wait | None:
    """Back to testing, urgent, when several reporters see much of the mail refused and no single host is the cause.

    Failures at hosts outside the policy are not counted here: adding the host is their cure.
    """
    if case.mta_sts.mode is not Mode.ENFORCE or not is_evidence_for(case.evidence, case.mta_sts.policy):
        return None
    today = case.now.date()
    days = case.evidence.between(today - timedelta(days=DAYS), today)
    by_host: dict[str, int] = {}
    for day in days:
        for refusal in day.refusals:
            if not refusal.outside:
                by_host[refusal.host] = by_host.get(refusal.host, 0) + refusal.sessions
    refused, sessions = sum(by_host.values()), sum([day.sessions for day in days])
    against = len(frozenset().union(*(day.against for day in days)))
    if refused < LEAST_REFUSED or refused * SHARE < sessions or against < case.desired.controller.rollout.reporters:
        return None
    host, most = max(by_host.items(), key=lambda item: (item[1], item[0]))
    told = (Reason(Code.REFUSALS, refused, sessions // SHARE), *_by_host(by_host), Reason(Code.REPORTERS, against))
    if most >= refused * ONE_HOST_SHARE and _others_take_mail(case, host):
        return Wait(Kind.DEMOTE, case.policy_domain, None, (Reason(Code.ONE_HOST, most, host=host), *told))
    held = waits.out_of_caches(case.history.current, case.now) if case.history.current else None
    edit = lowered(case.desired, Mode.TESTING, _SENTENCE)
    return Action(Kind.DEMOTE, case.policy_domain, edit, told, urgent=True, safe_from=held)


def lowered(desired: PolicySpec, mode: Mode, because: str) -> Edit:
    """What the way down changes. because: "" for a change that says no reason.

    What showed that enforce was right is over with it: the next promotion has to write its own.
    """
    why = ((MODE_LOWERED, because),) if because else ()
    return Edit(mode, suppress=why, unsuppress=(EVIDENCE,) if EVIDENCE in desired.suppress else ())


def retire(case: Case) -> Action | Wait:
    """none, with the mx lines; then the day on which nobody holds an earlier policy; then the spec goes."""
    if case.mta_sts.mode is not Mode.NONE:
        until = waits.spec_may_go(case.history, case.now)
        told = (Reason(Code.RETIRES), *(() if case.history.whole else (Reason(Code.HISTORY_UNREAD),)))
        return Action(Kind.RETIRE, case.policy_domain, retirement(case.desired), told, safe_from=until)
    if not case.history.whole:
        return Wait(Kind.DELETE, case.policy_domain, None, (Reason(Code.HISTORY_UNREAD),))
    if not case.at_the_edge:
        return Wait(Kind.DELETE, case.policy_domain, None, (Reason(Code.NOT_AT_THE_EDGE),))
    until = waits.spec_may_go(case.history, case.now)
    if until is not None:
        return Wait(Kind.DELETE, case.policy_domain, until, (Reason(Code.CACHED, until=until),))
    return Action(Kind.DELETE, case.policy_domain, Edit(delete=True), (Reason(Code.RETIRES),))


def retirement(desired: PolicySpec) -> Edit:
    """What the first step on the way out changes."""
    return replace(lowered(desired, Mode.NONE, "the domain retires"), max_age=OUT_MAX_AGE)


def first_step_out(desired: PolicySpec) -> Edit:
    """As a person asks for it: the spec says that it retires, and the policy is none at once."""
    if desired.mta_sts is not None and desired.mta_sts.mode is Mode.NONE:
        return Edit(retire=True)
    return replace(retirement(desired), retire=True)


def _by_host(by_host: dict[str, int]) -> Iterator[Reason]:
    worst = sorted(by_host.items(), key=lambda item: (-item[1], item[0]))
    return (Reason(Code.REFUSALS, sessions, 0, host) for host, sessions in worst[:10] if host)


def _others_take_mail(case: Case, host: str) -> bool:
    """Is there another MX that the policy names?"""
    hosts = [one.host for one in case.live or ()]
    return bool(host) and any(other != host and other not in case.unnamed for other in hosts)
