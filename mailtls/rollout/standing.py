"""One domain in a run of the controller: how it stands, what its next step waits for, and the evidence so far. Pure."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from mailtls.lint.findings import Severity
from mailtls.observed import Observed
from mailtls.rollout.concerns import Concern
from mailtls.rollout.conditions import DomainStatus, Name, status_of
from mailtls.rollout.decision import Action, Code, Nothing, Reason, Wait
from mailtls.rollout.evidence import Evidence
from mailtls.rollout.history import History
from mailtls.spec.model import PolicySpec


class Group(StrEnum):
    """What the next step of a domain waits for, the most pressing first."""

    URGENT = "urgent"
    """A change is due, and mail is held meanwhile, or soon."""
    CHANGE = "change"
    """A change is due."""
    PERSON = "person"
    """Nothing goes on until somebody mends, decides or looks."""
    UNDECIDED = "undecided"
    """What was served and reported was not read."""
    DATE = "date"
    """A day that is known."""
    EVIDENCE = "evidence"
    """More reports, or the deployment of what is merged."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reported:
    """What reports say about the policy that is served now. days: that have reports; last: the newest of them.
    clean, refused: sessions. reporters: organisations with clean sessions. unread: days that were not read whole."""

    days: int
    clean: int
    refused: int
    reporters: int
    unread: int
    last: date | None


@dataclass(frozen=True, slots=True)
class Standing:
    """reported: None where no store was read; then `status` speaks of what DNS shows alone."""

    status: DomainStatus
    group: Group
    reported: Reported | None

    @property
    def errors(self) -> tuple[Concern, ...]:
        """What no proposal mends and somebody has to."""
        return tuple(one for one in self.status.concerns if one.finding.severity is Severity.ERROR)


def stand(
    desired: PolicySpec, observed: Observed, history: History | None, evidence: Evidence | None, now: datetime
) -> Standing:
    """The arguments are those of `decide`. history, evidence: None where no store was read."""
    if history is None or evidence is None:
        past = History(adopted=desired.controller.adopted, whole=False)
        status = status_of(desired, observed, past, Evidence(), now)
        if _hangs_on_the_past(status):
            wait = Wait(None, status.policy_domain, None, (Reason(Code.HISTORY_UNREAD),))
            return Standing(replace(status, decision=wait), Group.UNDECIDED, None)
        return Standing(status, group_of(status), None)
    status = status_of(desired, observed, history, evidence, now)
    return Standing(status, group_of(status), _reported(evidence))


def group_of(status: DomainStatus) -> Group:
    """What the decision waits for."""
    decision = status.decision
    match decision:
        case Action(urgent=urgent):
            return Group.URGENT if urgent else Group.CHANGE
        case Nothing(instead=instead):
            return Group.PERSON if instead is not None else Group.NOTHING
        case Wait(reasons=reasons, until=until):
            if status.condition(Name.STALLED).holds or reasons[0].code is Code.MX_MAY_MOVE:
                return Group.PERSON
            return Group.DATE if until is not None else Group.EVIDENCE


def _hangs_on_the_past(status: DomainStatus) -> bool:
    """Is it a wait only because nobody knows what was served?"""
    first = status.decision.reasons[0].code
    return isinstance(status.decision, Wait) and first in (Code.NOT_AT_THE_EDGE, Code.HISTORY_UNREAD)


def _reported(evidence: Evidence) -> Reported:
    return Reported(
        len(evidence.days),
        sum(day.clean for day in evidence.days),
        sum(refusal.sessions for day in evidence.days for refusal in day.refusals),
        len(frozenset().union(*(day.reporters for day in evidence.days))),
        len(evidence.unread),
        evidence.days[-1].day if evidence.days else None,
    )
