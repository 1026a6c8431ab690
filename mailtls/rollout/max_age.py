"""How long senders may keep the policy: weeks when enforce has been quiet, a day before a planned move. Pure."""

from datetime import UTC, datetime, time, timedelta

from mailtls.mta_sts.policy import Mode
from mailtls.rollout import waits
from mailtls.rollout.case import Case
from mailtls.rollout.decision import Action, Code, Edit, Kind, Reason, Wait
from mailtls.rollout.evidence import is_evidence_for

SHORT = "max-age-short-in-enforce"
"""The rule that asks why, while max_age is low before a move."""
LOW = 86400
"""Seconds, ahead of a move: the shortest that every sender takes as it is."""
HIGH = 4 * 7 * 86400
"""Seconds, in a quiet enforce: weeks, so that whoever blocks the look for the policy has to do it as long."""
LONG_ENOUGH = 2 * 7 * 86400
"""Seconds that are not raised: somebody chose weeks already."""
QUIET_DAYS = 28
"""In enforce, and without a refusal that a report tells of: a mistake that is found later lasts as long as max_age."""
MARGIN = timedelta(days=7)
"""For the review and the deployment of the lower max_age."""


def max_age(case: Case) -> Action | Wait | None:
    """Lower it in time for a planned move; raise it when enforce has run quietly."""
    move = case.desired.controller.rollout.planned_move
    if case.mta_sts.mode is not Mode.ENFORCE:
        return None
    if move is not None and case.now.date() <= move:
        return _lower(case, datetime.combine(move, time(), UTC))
    return _raise(case)


def _lower(case: Case, move: datetime) -> Action | Wait | None:
    """The longer policy can be fetched until it is replaced, so it has to be gone for its max_age by then."""
    if case.mta_sts.max_age <= LOW:
        return None
    kept = waits.kept(case.mta_sts.max_age)
    planned = Reason(Code.PLANNED_MOVE, until=move)
    start = move - kept - MARGIN
    if case.now < start:
        return Wait(Kind.LOWER_MAX_AGE, case.policy_domain, start, (planned,))
    held = case.now + kept
    late = (Reason(Code.TOO_LATE, until=held),) if held > move else ()
    why = f"MX moves on {move:%Y-%m-%d}, and nobody should hold the old hosts for long by then"
    edit = Edit(max_age=LOW, suppress=((SHORT, why),))
    return Action(Kind.LOWER_MAX_AGE, case.policy_domain, edit, (planned, *late), safe_from=held)


def _raise(case: Case) -> Action | Wait | None:
    since = case.history.mode_since()
    if case.mta_sts.max_age >= LONG_ENOUGH or since is None:
        return None
    days = (case.now - since).days
    told = Reason(Code.ENFORCED_DAYS, days, QUIET_DAYS, until=since + timedelta(days=QUIET_DAYS))
    if days < QUIET_DAYS:
        return Wait(Kind.RAISE_MAX_AGE, case.policy_domain, told.until, (told,))
    if not is_evidence_for(case.evidence, case.mta_sts.policy):
        return None
    today = case.now.date()
    first = today - timedelta(days=QUIET_DAYS)
    found = case.evidence.between(first, today)
    refused = sum([refusal.sessions for day in found for refusal in day.refusals])
    clean = sum([day.clean for day in found])
    if refused or not clean or any(first <= day <= today for day in case.evidence.unread):
        return None
    reasons = (told, Reason(Code.CLEAN_SESSIONS, clean), Reason(Code.REFUSALS, 0, 0))
    edit = Edit(max_age=HIGH, unsuppress=(SHORT,) if SHORT in case.desired.suppress else ())
    return Action(Kind.RAISE_MAX_AGE, case.policy_domain, edit, reasons)
