"""The decision for one domain: the next safe change, or what it waits for. Pure; the clock is a parameter.

    match decide(desired, observed, history, evidence, now):
        case Action(kind, domain, edit, reasons): ...   # propose it
        case Wait(kind, domain, until, reasons): ...    # tell it
        case Nothing(domain, reasons): ...

One change at a time: the next one waits until the last is seen at the edge. Only what loses mail now, a host that the
policy lacks and refusals on a large scale, does not wait for that.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from mailtls.mta_sts.policy import Mode
from mailtls.observed import Observed
from mailtls.rollout.case import Case
from mailtls.rollout.decision import Action, Code, Decision, Kind, Nothing, Reason, Wait
from mailtls.rollout.evidence import Evidence
from mailtls.rollout.history import History
from mailtls.rollout.max_age import max_age
from mailtls.rollout.mode import demote, retire
from mailtls.rollout.mx import added, early, unused
from mailtls.rollout.promote import promote
from mailtls.spec.model import PolicySpec


def decide(desired: PolicySpec, observed: Observed, history: History, evidence: Evidence, now: datetime) -> Decision:
    """The first action in the order of urgency, else the first wait, else nothing, and why.

    now: aware, UTC. The arguments speak of one domain; evidence about another policy than the one that is served now
    counts as none.
    """
    if desired.mta_sts is None:
        return Nothing(desired.policy_domain, (Reason(Code.NO_POLICY),))
    case = Case(desired, desired.mta_sts, observed, history, evidence, now)
    found = _chosen(case, subjects(case))
    if desired.controller.hold:
        return Nothing(desired.policy_domain, (Reason(Code.HELD),), found if isinstance(found, Action) else None)
    if desired.controller.rollout.manual and isinstance(found, Action):
        return Nothing(desired.policy_domain, (Reason(Code.MANUAL), *found.reasons), found)
    return found


def subjects(case: Case) -> Iterator[Action | Wait]:
    """All that there is to say about the domain, the most urgent first."""
    if case.desired.controller.retire:
        yield retire(case)
        return
    new_hosts = added(case)
    for urgent in (new_hosts, demote(case)):
        if urgent is not None:
            yield urgent
    if not case.at_the_edge:
        yield Wait(None, case.policy_domain, None, (Reason(Code.NOT_AT_THE_EDGE),))
        return
    promotion = promote(case)
    if promotion is not None:
        yield promotion
    # nothing is taken out while the MX records hold what nobody has explained
    hosts = tuple(unused(case)) if new_hosts is None else ()
    yield from hosts
    soon = early(case)
    if soon is not None:
        yield soon
    kept = max_age(case)
    moving = soon is not None or any(one.kind is Kind.MOVE_MX for one in hosts)
    if kept is not None and not (moving and kept.kind is Kind.RAISE_MAX_AGE):
        yield kept


def _chosen(case: Case, found: Iterable[Action | Wait]) -> Decision:
    waiting: Wait | None = None
    for one in found:
        if isinstance(one, Action):
            return one
        waiting = waiting or one
    return waiting or Nothing(case.policy_domain, (Reason(_quiet(case)),))


def _quiet(case: Case) -> Code:
    if case.mta_sts.mode is Mode.NONE:
        return Code.MODE_NONE
    return Code.NO_MAIL if case.live == () else Code.IN_ORDER
