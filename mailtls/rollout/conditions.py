"""How a domain stands: four conditions, each with a reason from a closed list; and who or what its next step waits for.

    standing = stand(desired, observed, history, evidence, now)
    standing.mode, standing.since, standing.conditions, standing.decision, standing.group

Pure. The words are those of `mailtls status`, of its JSON and of docs/controller.md; a test holds them together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.mta_sts.record import Record
from mailtls.observed import DnsStatus, Observed, read_policy
from mailtls.rollout.case import Case, fault_of
from mailtls.rollout.decide import decide
from mailtls.rollout.decision import Action, Code, Decision, Kind, Nothing, Reason, Wait
from mailtls.rollout.evidence import Evidence
from mailtls.rollout.history import History
from mailtls.spec.model import PolicySpec


class Name(StrEnum):
    """READY: senders find what Git says, and no mail is at risk by it. RECONCILING: the next step is on its way.
    STALLED: it is not, until a person does something. DRIFT_DETECTED: senders find what nobody deployed."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    DRIFT_DETECTED = "DriftDetected"


class State(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Why(StrEnum):
    """Every reason that a condition may have."""

    ENFORCED = "Enforced"
    TESTING = "Testing"
    SWITCHED_OFF = "SwitchedOff"
    NO_POLICY = "NoPolicy"
    NOT_DEPLOYED = "NotDeployed"
    NOT_FOUND_BY_SENDERS = "NotFoundBySenders"
    MX_NOT_NAMED = "MxNotNamed"
    MX_FAULT = "MxFault"
    REFUSALS = "Refusals"
    NOT_SEEN = "NotSeen"
    CHANGE_DUE = "ChangeDue"
    WAITS_FOR_A_DAY = "WaitsForADay"
    GATHERS_EVIDENCE = "GathersEvidence"
    MX_MAY_MOVE = "MxMayMove"
    NOTHING_TO_DO = "NothingToDo"
    WAITS_FOR_A_PERSON = "WaitsForAPerson"
    UNDECIDED = "Undecided"
    HELD = "Held"
    MANUAL = "Manual"
    NO_REPORTS = "NoReports"
    LEDGER_UNREAD = "LedgerUnread"
    HISTORY_UNREAD = "HistoryUnread"
    MX_UNKNOWN = "MxUnknown"
    MX_UNUSABLE = "MxUnusable"
    NO_MAIL = "NoMail"
    NOT_STALLED = "NotStalled"
    AS_DEPLOYED = "AsDeployed"
    POLICY_DIFFERS = "PolicyDiffers"
    RECORD_DIFFERS = "RecordDiffers"
    NOT_SERVED = "NotServed"
    SERVED_ELSEWHERE = "ServedElsewhere"


REASONS: Mapping[Name, Mapping[Why, tuple[State, str]]] = {
    Name.READY: {
        Why.ENFORCED: (State.TRUE, "Senders find the policy that Git asks for, in enforce, and it names every MX."),
        Why.TESTING: (State.TRUE, "Senders find the policy that Git asks for, in testing: nothing is refused yet."),
        Why.SWITCHED_OFF: (State.TRUE, "Senders find mode none, as Git asks."),
        Why.NO_POLICY: (State.TRUE, "The spec asks for no policy."),
        Why.NOT_FOUND_BY_SENDERS: (State.FALSE, "What Git asks for is not what senders find."),
        Why.MX_NOT_NAMED: (State.FALSE, "DNS names an MX host that the policy does not."),
        Why.MX_FAULT: (State.FALSE, "An MX host shows now what enforce refuses."),
        Why.REFUSALS: (State.FALSE, "Reports tell of mail that is refused."),
        Why.NOT_SEEN: (State.UNKNOWN, "DNS or the policy host gave no answer."),
    },
    Name.RECONCILING: {
        Why.CHANGE_DUE: (State.TRUE, "A safe change is due."),
        Why.NOT_DEPLOYED: (State.TRUE, "What is merged is not what senders find yet; the next step waits for it."),
        Why.WAITS_FOR_A_DAY: (State.TRUE, "The next step is safe from a known day on."),
        Why.GATHERS_EVIDENCE: (State.TRUE, "Testing goes on until reports show enough."),
        Why.MX_MAY_MOVE: (State.TRUE, "The policy is ready for a move: MX records may name the new host now."),
        Why.NOTHING_TO_DO: (State.FALSE, "Nothing is to be done."),
        Why.WAITS_FOR_A_PERSON: (State.FALSE, "The next step waits for a person: see Stalled."),
        Why.UNDECIDED: (State.UNKNOWN, "What was served and reported was not read, so no step can be decided."),
    },
    Name.STALLED: {
        Why.HELD: (State.TRUE, "`hold: true` in the spec: nothing is proposed."),
        Why.MANUAL: (State.TRUE, "`rollout: manual` in the spec, and a change is due."),
        Why.REFUSALS: (State.TRUE, "Reports tell of sessions that enforce would refuse, or does."),
        Why.MX_FAULT: (State.TRUE, "An MX host shows now what enforce refuses."),
        Why.MX_NOT_NAMED: (State.TRUE, "DNS names an MX host that the policy does not."),
        Why.NO_REPORTS: (State.TRUE, "Reports are switched off or go elsewhere, so there is no evidence."),
        Why.LEDGER_UNREAD: (State.TRUE, "Days of the ledger could not be read whole."),
        Why.HISTORY_UNREAD: (State.TRUE, "What was served could not be read whole, so no day can be promised."),
        Why.MX_UNKNOWN: (State.TRUE, "DNS gave no answer about MX, or two different ones."),
        Why.MX_UNUSABLE: (State.TRUE, "MX hosts of DNS cannot be added by a proposal: too many, or no host names."),
        Why.NO_MAIL: (State.TRUE, "Nothing takes mail for the domain, so nothing can be shown."),
        Why.NOT_STALLED: (State.FALSE, "No step waits for a person."),
    },
    Name.DRIFT_DETECTED: {
        Why.AS_DEPLOYED: (State.FALSE, "Senders find what was deployed."),
        Why.NOT_DEPLOYED: (State.FALSE, "Git is ahead of what is served, and senders find what is served."),
        Why.NO_POLICY: (State.FALSE, "The spec asks for no policy."),
        Why.POLICY_DIFFERS: (State.TRUE, "Senders find another policy than the one that was deployed."),
        Why.RECORD_DIFFERS: (State.TRUE, "The record _mta-sts is missing, broken, or has another id than the policy."),
        Why.NOT_SERVED: (State.TRUE, "The policy host does not serve the policy that was deployed."),
        Why.SERVED_ELSEWHERE: (State.TRUE, "Senders find a policy, and our bucket serves none."),
        Why.NOT_SEEN: (State.UNKNOWN, "DNS or the policy host gave no answer."),
    },
}
"""Condition, reason: the state that goes with it, and what it means."""

_PERSON: Mapping[Code, Why] = {
    Code.HELD: Why.HELD,
    Code.MANUAL: Why.MANUAL,
    Code.ONE_HOST: Why.REFUSALS,
    Code.REFUSALS: Why.REFUSALS,
    Code.OUTSIDE_POLICY: Why.REFUSALS,
    Code.MX_FAULT: Why.MX_FAULT,
    Code.MX_NOT_NAMED: Why.MX_NOT_NAMED,
    Code.NO_REPORTS_HERE: Why.NO_REPORTS,
    Code.DAYS_UNREAD: Why.LEDGER_UNREAD,
    Code.HISTORY_UNREAD: Why.HISTORY_UNREAD,
    Code.MX_UNKNOWN: Why.MX_UNKNOWN,
    Code.MX_NO_NAME: Why.MX_UNUSABLE,
    Code.MX_TOO_MANY: Why.MX_UNUSABLE,
    Code.NO_MAIL: Why.NO_MAIL,
}
"""What no clock and no further report cures."""
_AT_MOST = (Code.REFUSALS, Code.OUTSIDE_POLICY, Code.DAYS_UNREAD)


class Group(StrEnum):
    """What a decision waits for; in the order in which people want to read them."""

    URGENT = "urgent"
    CHANGE = "change"
    PERSON = "person"
    UNDECIDED = "undecided"
    DATE = "date"
    EVIDENCE = "evidence"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Condition:
    """One of REASONS."""

    name: Name
    why: Why

    @property
    def state(self) -> State:
        return REASONS[self.name][self.why][0]

    @property
    def told(self) -> str:
        return REASONS[self.name][self.why][1]


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
    """asked: the mode that Git asks for; None: no policy. mode, policy_id: what senders find; None, "": nothing that
    they can read, or nobody saw it. since: UTC, since when that mode is served; None where it is not known.
    conditions: one of each name, in the order of Name. reported: None where no store was read."""

    policy_domain: str
    asked: Mode | None
    mode: Mode | None
    policy_id: str
    since: datetime | None
    conditions: tuple[Condition, ...]
    decision: Decision
    group: Group
    reported: Reported | None

    def condition(self, name: Name) -> Condition:
        return next(one for one in self.conditions if one.name is name)


def stand(
    desired: PolicySpec, observed: Observed, history: History | None, evidence: Evidence | None, now: datetime
) -> Standing:
    """history, evidence: None where no store was named: then only what DNS alone shows is decided."""
    past = history or History(adopted=desired.controller.adopted, whole=False)
    reports = evidence or Evidence()
    decision = decide(desired, observed, past, reports, now)
    if history is None and decision.reasons[0].code is Code.NOT_AT_THE_EDGE:  # which nobody compared
        decision = Wait(None, desired.policy_domain, None, (Reason(Code.HISTORY_UNREAD),))
    case = Case(desired, desired.mta_sts, observed, past, reports, now) if desired.mta_sts else None
    undecided = history is None and isinstance(decision, Wait) and decision.reasons[0].code is Code.HISTORY_UNREAD
    found = _found(observed)
    policy, record = (found[0] if found else None), observed.read_record()
    conditions = (
        Condition(Name.READY, _ready(case, decision, history is not None)),
        Condition(Name.RECONCILING, _reconciling(decision, undecided)),
        Condition(Name.STALLED, Why.NOT_STALLED if undecided else _stalled(decision)),
        Condition(Name.DRIFT_DETECTED, _drift(case, history is not None)),
    )
    current = past.current
    return Standing(
        desired.policy_domain,
        desired.mta_sts.mode if desired.mta_sts else None,
        policy.mode if policy else None,
        record.policy_id if isinstance(record, Record) else "",
        past.mode_since() if policy and current and current.policy.mode is policy.mode else None,
        conditions,
        decision,
        Group.UNDECIDED if undecided else group_of(decision),
        _reported(evidence) if evidence is not None else None,
    )


def group_of(decision: Decision) -> Group:
    """What the decision waits for."""
    match decision:
        case Action(urgent=True):
            return Group.URGENT
        case Action():
            return Group.CHANGE
        case Nothing(instead=instead):
            return Group.PERSON if instead is not None else Group.NOTHING
        case Wait() if _stalled(decision) is not Why.NOT_STALLED or _may_move(decision):
            return Group.PERSON
        case Wait(until=until):
            return Group.DATE if until is not None else Group.EVIDENCE


def is_unmet(reason: Reason) -> bool:
    """Does it stand in the way? A number may also be told because it is enough."""
    if reason.have is None or reason.want is None:
        return True
    return reason.have > reason.want if reason.code in _AT_MOST else reason.have < reason.want


def _stalled(decision: Decision) -> Why:
    if isinstance(decision, Action):
        return Why.NOT_STALLED
    if isinstance(decision, Nothing):
        code = decision.reasons[0].code
        return _PERSON[code] if code in (Code.HELD, Code.MANUAL) else Why.NOT_STALLED
    found = (_PERSON[reason.code] for reason in decision.reasons if reason.code in _PERSON and is_unmet(reason))
    return next(found, Why.NOT_STALLED)


def _reconciling(decision: Decision, undecided: bool) -> Why:
    if undecided:
        return Why.UNDECIDED
    if isinstance(decision, Action):
        return Why.CHANGE_DUE
    if _stalled(decision) is not Why.NOT_STALLED:
        return Why.WAITS_FOR_A_PERSON
    if isinstance(decision, Nothing):
        return Why.NOTHING_TO_DO
    if _may_move(decision):
        return Why.MX_MAY_MOVE
    if decision.reasons[0].code is Code.NOT_AT_THE_EDGE:
        return Why.NOT_DEPLOYED
    if decision.until is not None:
        return Why.WAITS_FOR_A_DAY
    return Why.GATHERS_EVIDENCE


def _may_move(decision: Wait) -> bool:
    return decision.kind is Kind.MOVE_MX and decision.reasons[0].code is Code.MX_MAY_MOVE


def _ready(case: Case | None, decision: Decision, known: bool) -> Why:
    """known: whether what is served was read."""
    if case is None:
        return Why.NO_POLICY
    drift = _drift(case, known)
    if drift is Why.NOT_SEEN or case.live is None:
        return Why.NOT_SEEN
    if drift is not Why.AS_DEPLOYED:
        return Why.NOT_FOUND_BY_SENDERS
    if case.mta_sts.mode is Mode.NONE:
        return Why.SWITCHED_OFF
    meant = "mx-not-in-policy" in case.desired.suppress
    if not meant and not all(case.mta_sts.policy.allows(host.host) for host in case.live):
        return Why.MX_NOT_NAMED
    if any(fault_of(look) for host in case.live for look in host.smtp or ()):
        return Why.MX_FAULT
    if _about(decision) is Kind.DEMOTE:
        return Why.REFUSALS
    return Why.ENFORCED if case.mta_sts.mode is Mode.ENFORCE else Why.TESTING


def _about(decision: Decision) -> Kind | None:
    if isinstance(decision, Nothing):
        return decision.instead.kind if decision.instead else None
    return decision.kind


def _drift(case: Case | None, known: bool) -> Why:
    """Senders against what is served; where that is not known, against Git."""
    if case is None:
        return Why.NO_POLICY
    observed, current = case.observed, case.history.current
    deployed = current.policy if current else None if known else case.mta_sts.policy
    found, record = _found(observed), observed.read_record()
    if found is None or record is None:
        return Why.NOT_SEEN
    if deployed is None:
        return Why.SERVED_ELSEWHERE if found else Why.NOT_DEPLOYED
    if not found or any(look.status is not None and look.body is None for look in observed.https):
        return Why.NOT_SERVED
    if any(_terms(one) != _terms(deployed) for one in found):
        return Why.POLICY_DIFFERS
    if not isinstance(record, Record) or (current and current.policy_id not in ("", record.policy_id)):
        return Why.RECORD_DIFFERS
    return Why.AS_DEPLOYED if _terms(deployed) == _terms(case.mta_sts.policy) else Why.NOT_DEPLOYED


def _found(observed: Observed) -> tuple[Policy, ...] | None:
    """The policies that the addresses of the policy host serve; (): none that senders can read. None: not seen."""
    if any(look.status is not None or look.tls is not None for look in observed.https):
        read = map(read_policy, observed.https)
        return tuple(one for one in read if isinstance(one, Policy))
    addresses = [answer for answer in (observed.host_a, observed.host_aaaa) if answer is not None]
    empty = (DnsStatus.NO_DATA, DnsStatus.NO_NAME)
    return () if addresses and all(answer.status in empty for answer in addresses) else None


def _terms(policy: Policy) -> tuple[Mode, int, frozenset[MxPattern]]:
    """What of a policy senders act on."""
    return policy.mode, policy.max_age, frozenset(policy.mx)


def _reported(evidence: Evidence) -> Reported:
    return Reported(
        len(evidence.days),
        sum(day.clean for day in evidence.days),
        sum(refusal.sessions for day in evidence.days for refusal in day.refusals),
        len(frozenset().union(*(day.reporters for day in evidence.days))),
        len(evidence.unread),
        evidence.days[-1].day if evidence.days else None,
    )
