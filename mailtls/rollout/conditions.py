"""How a domain stands, in four conditions with closed reasons: the words of status, log and metric. Pure.

    status = status_of(desired, observed, history, evidence, now)
    status.condition(Name.READY).holds

A condition says what is so, its reason says why in one word, and what to do stands in the decision and the concerns.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailtls.lint.findings import Severity
from mailtls.mta_sts.policy import Mode
from mailtls.observed import Observed
from mailtls.rollout.case import Case
from mailtls.rollout.concerns import Concern, Topic, concerns
from mailtls.rollout.decide import decide
from mailtls.rollout.decision import Action, Code, Decision, Wait
from mailtls.rollout.evidence import Evidence
from mailtls.rollout.history import History
from mailtls.spec.model import PolicySpec


class Name(StrEnum):
    """The conditions."""

    READY = "Ready"
    """Senders that honour MTA-STS deliver over verified TLS or not at all, and nothing is known against it."""
    RECONCILING = "Reconciling"
    """A change is proposed, or something is waited for that comes by itself."""
    STALLED = "Stalled"
    """Nothing goes on until a person does something."""
    DRIFT_DETECTED = "DriftDetected"
    """What senders find is not what Git says."""


class Why(StrEnum):
    """The reasons of conditions."""

    ENFORCED = "Enforced"
    TESTING = "Testing"
    MODE_NONE = "ModeNone"
    REPORTS_ONLY = "ReportsOnly"
    NOT_AT_THE_EDGE = "NotAtTheEdge"
    URGENT_CHANGE = "UrgentChange"
    CONCERN = "Concern"
    CHANGE_DUE = "ChangeDue"
    WAITING = "Waiting"
    HELD = "Held"
    MANUAL = "Manual"
    NEEDS_A_PERSON = "NeedsAPerson"
    IN_ORDER = "InOrder"
    DRIFT = "Drift"
    NOTHING_FOUND = "NothingFound"


@dataclass(frozen=True, slots=True)
class Condition:
    """name holds, or does not, because of `why`."""

    name: Name
    holds: bool
    why: Why


@dataclass(frozen=True, slots=True)
class DomainStatus:
    """mode, since, policy_id: what is served now; None and "" where nothing is. since: of the mode.

    decision: the next step, with its earliest date and the evidence so far. concerns: what no proposal mends.
    """

    policy_domain: str
    mode: Mode | None
    since: datetime | None
    policy_id: str
    conditions: tuple[Condition, ...]
    decision: Decision
    concerns: tuple[Concern, ...]

    def condition(self, name: Name) -> Condition:
        """The condition of that name; each is there once."""
        return next(one for one in self.conditions if one.name is name)


FOR_A_PERSON = frozenset(
    {
        Code.MX_NO_NAME,
        Code.MX_TOO_MANY,
        Code.MX_FAULT,
        Code.MX_UNKNOWN,
        Code.NO_REPORTS_HERE,
        Code.NO_MAIL,
        Code.ONE_HOST,
        Code.HISTORY_UNREAD,
        Code.DAYS_UNREAD,
        Code.REFUSALS,
        Code.OUTSIDE_POLICY,
    }
)
"""Reasons for a wait that time alone does not end. Of a number, only while it is over what is allowed."""


def status_of(
    desired: PolicySpec, observed: Observed, history: History, evidence: Evidence, now: datetime
) -> DomainStatus:
    """How the domain stands. The arguments are those of `decide`."""
    decision = decide(desired, observed, history, evidence, now)
    found = concerns(observed, desired)
    current = history.current
    return DomainStatus(
        desired.policy_domain,
        current.policy.mode if current else None,
        history.mode_since(),
        current.policy_id if current else "",
        (
            _ready(desired, observed, history, evidence, now, decision, found),
            _reconciling(decision),
            _stalled(decision),
            _drift(found),
        ),
        decision,
        found,
    )


def _ready(
    desired: PolicySpec,
    observed: Observed,
    history: History,
    evidence: Evidence,
    now: datetime,
    decision: Decision,
    found: tuple[Concern, ...],
) -> Condition:
    def told(holds: bool, why: Why) -> Condition:
        return Condition(Name.READY, holds, why)

    if desired.mta_sts is None:
        return told(False, Why.REPORTS_ONLY)
    if not Case(desired, desired.mta_sts, observed, history, evidence, now).at_the_edge:
        return told(False, Why.NOT_AT_THE_EDGE)
    if desired.mta_sts.mode is not Mode.ENFORCE:
        return told(False, Why.TESTING if desired.mta_sts.mode is Mode.TESTING else Why.MODE_NONE)
    meant = decision if isinstance(decision, Action | Wait) else decision.instead
    if (isinstance(meant, Action) and meant.urgent) or _for_a_person(decision):
        return told(False, Why.URGENT_CHANGE if isinstance(meant, Action) else Why.NEEDS_A_PERSON)
    if any(one.finding.severity is Severity.ERROR for one in found):
        return told(False, Why.CONCERN)
    return told(True, Why.ENFORCED)


def _reconciling(decision: Decision) -> Condition:
    if isinstance(decision, Action):
        return Condition(Name.RECONCILING, True, Why.CHANGE_DUE)
    if isinstance(decision, Wait):
        goes_on = not _for_a_person(decision)
        return Condition(Name.RECONCILING, goes_on, Why.WAITING if goes_on else Why.NEEDS_A_PERSON)
    by_code = {Code.HELD: Why.HELD, Code.MANUAL: Why.MANUAL}
    return Condition(Name.RECONCILING, False, by_code.get(decision.reasons[0].code, Why.IN_ORDER))


def _stalled(decision: Decision) -> Condition:
    stalled = _for_a_person(decision)
    return Condition(Name.STALLED, stalled, Why.NEEDS_A_PERSON if stalled else Why.NOTHING_FOUND)


def _drift(found: tuple[Concern, ...]) -> Condition:
    drifted = any(one.topic is Topic.DRIFT for one in found)
    return Condition(Name.DRIFT_DETECTED, drifted, Why.DRIFT if drifted else Why.NOTHING_FOUND)


def _for_a_person(decision: Decision) -> bool:
    """Does a wait depend on somebody who mends, decides or looks?"""
    if not isinstance(decision, Wait):
        return False
    return any(
        reason.code in FOR_A_PERSON and (reason.have is None or reason.want is None or reason.have > reason.want)
        for reason in decision.reasons
    )
