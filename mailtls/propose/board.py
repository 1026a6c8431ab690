"""A domain's line in the dashboard, from how it stands and from what became of its proposal. Pure."""

from collections.abc import Mapping

from mailtls.propose.dashboard import Row, RowState
from mailtls.propose.proposal import PREFIX
from mailtls.propose.proposals import Outcome, Result
from mailtls.propose.words import cause_of, evidence
from mailtls.render.decisions import headline
from mailtls.render.foreign_text import markdown
from mailtls.rollout.decision import Decision, Kind, Wait
from mailtls.rollout.standing import Group

_OF_RESULT: Mapping[Result, RowState] = {
    Result.OPENED: RowState.PROPOSED,
    Result.UPDATED: RowState.PROPOSED,
    Result.UNCHANGED: RowState.PROPOSED,
    Result.TAKEN_OVER: RowState.PROPOSED,
    Result.ANSWERED: RowState.CLOSED_BY_YOU,
    Result.LIMITED: RowState.WAITING,
    Result.HELD: RowState.WAITING,
    Result.FAILED: RowState.BLOCKED,
    Result.NOT_TRIED: RowState.BLOCKED,
    Result.STALLED: RowState.BLOCKED,
}
"""The others say nothing about what comes next: the decision does."""
_OF_GROUP: Mapping[Group, RowState] = {
    Group.URGENT: RowState.BLOCKED,
    Group.CHANGE: RowState.WAITING,
    Group.PERSON: RowState.BLOCKED,
    Group.UNDECIDED: RowState.WAITING,
    Group.DATE: RowState.WAITING,
    Group.EVIDENCE: RowState.WAITING,
    Group.NOTHING: RowState.READY,
}
_PLAIN = (Result.OPENED, Result.UPDATED, Result.UNCHANGED, Result.ANSWERED)
"""The heading says it."""
_WITH_A_BOX = (Result.ANSWERED, Result.STALLED)


def row(group: Group, decision: Decision, errors: int, outcome: Outcome | None) -> Row:
    """errors: how many things are wrong that no proposal mends. outcome: of the domain's proposal, None for none."""
    domain = decision.policy_domain
    state = _OF_RESULT.get(outcome.result) if outcome else None
    texts = [headline(decision)]
    if isinstance(decision, Wait) and decision.kind is not None:
        texts.append(cause_of(decision) or (evidence(decision).words if decision.kind is Kind.PROMOTE else ""))
    if state is not None and outcome:
        texts += [] if outcome.result in _PLAIN else [str(outcome.result)]
        texts += [outcome.words]
    else:
        state = _OF_GROUP[group]
    if errors:
        texts.append(f"{errors} thing{'s' if errors > 1 else ''} to mend by hand: `mailtls check {domain}`")
        state = RowState.BLOCKED if state in (RowState.READY, RowState.WAITING) else state
    branch = f"{PREFIX}{outcome.kind}/{domain}" if outcome and outcome.result in _WITH_A_BOX else ""
    words = "; ".join(text if "`mailtls" in text else markdown(text) for text in texts if text)
    return Row(domain, state, words, outcome.url if outcome else "", branch)


def failed_row(policy_domain: str, told: str, times: int) -> Row:
    """A domain that could not be looked at. times: runs in a row in which it failed so."""
    again = f" ({times} runs in a row)" if times > 1 else ""
    return Row(policy_domain, RowState.BLOCKED, f"could not be looked at{again}: {markdown(told)}")
