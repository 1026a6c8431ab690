"""A decision in sentences and as plain data. One sentence for each code, the same in every place that tells it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from mailtls.render.foreign_text import plain
from mailtls.rollout.concerns import Concern
from mailtls.rollout.decision import Action, Code, Decision, Edit, Kind, Nothing, Reason, Wait
from mailtls.rollout.promote import RECENT_DAYS

TITLES = {
    Kind.ADD_MX: "add to the policy what DNS names as MX",
    Kind.DEMOTE: "go back to testing",
    Kind.RETIRE: "switch the policy off (mode none)",
    Kind.DELETE: "remove the spec",
    Kind.PROMOTE: "promote to enforce",
    Kind.MOVE_MX: "move MX records",
    Kind.REMOVE_MX: "take from the policy what DNS does not name any more",
    Kind.LOWER_MAX_AGE: "lower max_age before the planned move",
    Kind.RAISE_MAX_AGE: "raise max_age",
}

_PLAIN = {
    Code.NO_REPORTS_HERE: "reports are switched off or go elsewhere, so nothing can be shown",
    Code.MX_UNKNOWN: "DNS gave no answer about MX, or two different ones",
    Code.NO_MAIL: "nothing takes mail for this domain",
    Code.IS_IT_MEANT: "is it meant? If nobody here did it, look into the DNS account: a hijack looks the same",
    Code.NOT_AT_THE_EDGE: "what Git says is not what senders find yet",
    Code.HISTORY_UNREAD: "what was served was not read, or not whole: no day can be promised",
    Code.HELD: "held by `hold: true` in the spec",
    Code.MANUAL: "the spec says `rollout: manual`: the change is yours to make",
    Code.NO_POLICY: "the spec asks for no policy",
    Code.MODE_NONE: "mode none; `retire: true` would begin the way out",
    Code.RETIRES: "the spec says `retire: true`",
    Code.IN_ORDER: "nothing is to be done",
}
_OF_HOST = {
    Code.MX_UNSEEN: "nobody saw the TLS of {host}: not asked (--smtp asks), or port 25 is closed from here",
    Code.MX_GOOD: "{host} offers STARTTLS with a good certificate now",
    Code.MX_FAULT: "{host} shows now what enforce refuses: mailtls check --smtp tells what",
    Code.MX_NOT_NAMED: "{host} is in DNS and not in the policy",
    Code.MX_UNUSED: "{host} is in the policy and not in DNS",
    Code.MX_TO_COME: "{host} is expected in DNS",
    Code.MX_EARLY: "{host} takes mail already, and until then some senders refuse it: keep the other MX hosts up",
    Code.MX_LEFT_OUT: "{host} is left out of the policy on purpose",
    Code.MX_NO_NAME: "{host} is no name that a policy may hold",
    Code.SAME_PROVIDER: "{host} belongs to a provider that the policy names already",
    Code.MX_MAY_MOVE: "MX records may name {host} now: every policy that a sender may hold names it",
}
_OF_DAY = {
    Code.CACHED: "until {until} a sender may hold an earlier policy by which this step would lose mail",
    Code.PLANNED_MOVE: "the move is planned for {until}",
    Code.TOO_LATE: "too late for the planned day: the longer max_age is held until {until}",
}
_OF_NUMBERS = {
    Code.SERVED_DAYS: "served unchanged for {have:,} days, {want:,} needed",
    Code.CLEAN_SESSIONS: "{have:,} clean sessions, {want:,} needed",
    Code.REPORTERS: "{have:,} reporting organisations, {want:,} needed",
    Code.RECENT_WINDOW: f"reports on {{have:,}} of the last {RECENT_DAYS} days, {{want:,}} needed",
    Code.EARLIER_WINDOW: "reports on {have:,} days of the time before, {want:,} needed",
    Code.DAYS_UNREAD: "{have:,} days of the ledger could not be read whole",
    Code.MX_TOO_MANY: "{have:,} new MX hosts, and one proposal adds at most {want:,}",
    Code.ENFORCED_DAYS: "in enforce for {have:,} days, {want:,} needed",
}


def told(reason: Reason) -> str:
    """The reason in one sentence, without a full stop."""
    if reason.code in _PLAIN:
        return _PLAIN[reason.code]
    if reason.code in _OF_HOST:
        return _OF_HOST[reason.code].format(host=reason.host)
    if reason.code in _OF_DAY:
        return _OF_DAY[reason.code].format(until=moment(reason.until) if reason.until else "an unknown day")
    if reason.code in (Code.REFUSALS, Code.OUTSIDE_POLICY):
        return _refusals(reason)
    if reason.code is Code.ONE_HOST:
        return f"{reason.have or 0:,} of them at {reason.host} alone: mend it, or take it out of DNS; others take mail"
    if reason.want is None:
        return {
            Code.CLEAN_SESSIONS: f"{reason.have or 0:,} clean sessions",
            Code.REPORTERS: f"seen by {reason.have or 0:,} organisations",
        }[reason.code]
    return _OF_NUMBERS[reason.code].format(have=reason.have or 0, want=reason.want)


def _refusals(reason: Reason) -> str:
    count = f"{reason.have or 0:,} sessions"
    where = f" at {reason.host}" if reason.host else ""
    if reason.code is Code.OUTSIDE_POLICY:
        return f"{count}{where}, which the policy does not name"
    kind = f" ({reason.result_type})" if reason.result_type else ""
    if where or kind:
        return f"{count}{where}{kind}"
    over = f"; over on {reason.until:%Y-%m-%d} if no more are reported" if reason.until else ""
    return f"{count} that enforce refuses, at most {reason.want or 0:,} allowed{over}"


def headline(decision: Decision) -> str:
    """What is next, in one line."""
    match decision:
        case Action(kind=kind, edit=edit):
            return _changed(kind, edit)
        case Wait(kind=kind, until=until) if kind is not None:
            return TITLES[kind] + (f", not before {moment(until)}" if until else f", {_when(decision)}")
        case Wait(reasons=reasons):
            return told(reasons[0])
        case Nothing(reasons=reasons, instead=instead):
            return told(reasons[0]) + (f"; due: {headline(instead)}" if instead else "")


def _when(decision: Wait) -> str:
    return "possible now" if decision.reasons[0].code is Code.MX_MAY_MOVE else "not yet"


def _changed(kind: Kind, edit: Edit) -> str:
    match kind:
        case Kind.ADD_MX:
            return f"add to the policy: {', '.join(edit.add_mx)}"
        case Kind.REMOVE_MX:
            return f"take out of the policy: {', '.join(edit.remove_mx)}"
        case Kind.LOWER_MAX_AGE | Kind.RAISE_MAX_AGE:
            return f"{TITLES[kind]} to {_days(edit)}"
        case Kind.PROMOTE if edit.max_age is not None:
            return f"{TITLES[kind]}, with max_age at {_days(edit)} at first"
        case _:
            return TITLES[kind]


def _days(edit: Edit) -> str:
    """Of max_age; rollout asks for whole days."""
    days = (edit.max_age or 0) // 86400
    return f"{days} day{'s' if days != 1 else ''}"


def details(decision: Decision) -> Iterator[str]:
    """What stands below the headline, one sentence each."""
    reasons = decision.reasons
    if isinstance(decision, Nothing):
        reasons = decision.instead.reasons if decision.instead else ()
    elif isinstance(decision, Wait) and decision.kind is None:
        reasons = reasons[1:]
    yield from map(told, reasons)
    change = decision.instead if isinstance(decision, Nothing) else decision
    if isinstance(change, Action) and change.safe_from is not None:
        yield f"in force at every sender from {moment(change.safe_from)} on, if it were live now"


def moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def decision_data(decision: Decision) -> dict[str, Any]:
    """As the schemas of `reconcile` and `status` have it."""
    kind = None if isinstance(decision, Nothing) else decision.kind
    data: dict[str, Any] = {
        "outcome": type(decision).__name__.lower(),
        "kind": str(kind) if kind else None,
        "headline": headline(decision),
        "until": _iso(decision.until) if isinstance(decision, Wait) else None,
        "reasons": [_reason_data(reason) for reason in decision.reasons],
    }
    if isinstance(decision, Action):
        data |= {"urgent": decision.urgent, "safe_from": _iso(decision.safe_from), "edit": _edit_data(decision.edit)}
    if isinstance(decision, Nothing) and decision.instead is not None:
        data["instead"] = decision_data(decision.instead)
    return data


def _reason_data(reason: Reason) -> dict[str, Any]:
    every = {
        "code": str(reason.code),
        "told": told(reason),
        "have": reason.have,
        "want": reason.want,
        "host": reason.host or None,
        "result_type": str(reason.result_type) if reason.result_type else None,
        "until": _iso(reason.until),
    }
    return {key: value for key, value in every.items() if value is not None}


def _edit_data(edit: Edit) -> dict[str, Any]:
    return {
        "mode": str(edit.mode) if edit.mode else None,
        "add_mx": list(edit.add_mx),
        "remove_mx": list(edit.remove_mx),
        "max_age": edit.max_age,
        "delete": edit.delete,
    }


def _iso(when: datetime | None) -> str | None:
    return when.isoformat(timespec="seconds") if when else None


def concern_data(concern: Concern) -> dict[str, Any]:
    """As the schemas of `reconcile` and `status` have it."""
    finding = concern.finding
    return {
        "topic": str(concern.topic),
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": plain(finding.message),
        "fix": plain(finding.fix),
    }
