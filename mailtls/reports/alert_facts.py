"""What reports prove about one cause: what broke, in which mode, how often, since when, who saw it. Pure.

Says only what reports prove. Successes are counted per policy and not per MX, so no rate per MX is ever printed.
Words that the sender of a report chose stand in quotes (`quoted`); of the rest only host names, mx
patterns, addresses and numbers are theirs, and `causes` lets nothing else through.
"""

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports import shared_hosts
from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.alert_state import AlertState, NoticeKind
from mailtls.reports.applied import Basis
from mailtls.reports.causes import Sighting, strictest
from mailtls.reports.evidence import Evidence
from mailtls.reports.message_layout import day, sessions
from mailtls.reports.sender_text import quoted
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, Severity, explain
from mailtls.tls_rpt.report import PolicyType, ResultType

CONSEQUENCES: dict[Mode | None, str] = {
    Mode.ENFORCE: ", senders hold mail",
    Mode.TESTING: ", mail still delivered",
}
GUESSED_CONSEQUENCES: dict[Mode | None, str] = {Mode.ENFORCE: ", senders may hold mail"}
OUTSIDE: dict[Mode | None, str] = {
    Mode.ENFORCE: " Senders applied mode enforce and skipped it. The listed ones still take mail: delayed, not lost, "
    "while they are up.",
    Mode.TESTING: " Senders applied mode testing and delivered to it all the same; in enforce they skip it.",
}
MAX_REPORTERS = 8
UNNAMED = "an unnamed MX"
MAX_PATTERNS_SHOWN = 8


def what(state: AlertState, own: OwnDomain) -> str:
    """WHAT of sessions that failed."""
    result_type = result_type_of(state)
    meaning = explain(result_type).meaning
    if result_type in OF_THE_POLICY_HOST:
        return (
            f"{result_type}: {meaning} The host is {policy_host(own.policy_domain)}. Mail is not stopped. Senders that "
            "hold a cached policy go on with it until its max_age; all others deliver without MTA-STS."
        )
    named = _named(state) if result_type is ResultType.OTHER else str(result_type)
    return f"{named} at {host_of(state)}{_addresses(state)}: {meaning} {applied(state)}"


def what_outside(state: AlertState) -> str:
    """WHAT of an MX that the applied policy does not list."""
    patterns = state.newest[-1].patterns
    more = " and others" if len(patterns) > MAX_PATTERNS_SHOWN else ""
    lists = f"lists {', '.join(patterns[:MAX_PATTERNS_SHOWN])}{more}" if patterns else "does not list it"
    consequences = OUTSIDE.get(mode_of(state), "") if basis_of(state) is Basis.KNOWN else f" {applied(state)}"
    if not state.cause.host:
        return (
            f"{_named(state)}: senders say that an MX which they found in DNS is not in the policy that they applied, "
            f"and not which one. The policy {lists}.{consequences}"
        )
    return (
        f"{_named(state)} at {state.cause.host}: senders found it in DNS as an MX, but the policy that they "
        f"applied {lists}.{consequences}"
    )


def applied(state: AlertState) -> str:
    """What senders did with the mail, by the mode that they applied, and how far that is known."""
    match basis_of(state):
        case Basis.CLAIMED:
            return _claimed(state)
        case Basis.GUESSED:
            return _guessed(state)
        case _:
            return _known(state)


def _claimed(state: AlertState) -> str:
    seen = _deciding(state)[-1]
    mode = f" in mode {mode}" if (mode := strictest(s.mode for s in _deciding(state))) else ""
    if seen.last_served is None:
        ours = "a policy that is not the deployed one and that, as far as is known, we never served"
    else:
        ours = f"a policy that we have not served since {day(seen.last_served)} {seen.last_served.year}"
    return f"The report says that the sender applied a policy{mode}: {ours}. Unproven, so no sign that mail is held."


def _guessed(state: AlertState) -> str:
    unsaid = "The report does not say which policy the sender applied."
    match mode_of(state):
        case Mode.ENFORCE:
            return (
                f"{unsaid} If it was the deployed one, in mode enforce, these sessions delivered nothing there: "
                "senders then try other MX, retry, and bounce after some days."
            )
        case Mode.TESTING:
            return f"{unsaid} If it was the deployed one, in mode testing, the mail was delivered."
        case Mode.NONE:
            return f"{unsaid} The deployed one has mode none: then the mail was delivered."
        case _:
            return f"{unsaid} What became of the mail is not known."


def _known(state: AlertState) -> str:
    if all(seen.policy_type is PolicyType.NO_POLICY_FOUND for seen in state.newest):
        if result_type_of(state) is ResultType.STARTTLS_NOT_SUPPORTED:
            return "Senders found no policy: mail was delivered in clear text, unless the sender itself demands TLS."
        return "Senders found no policy and deliver as they can, unless the sender itself demands more."
    if is_dane(state) and not _is_mixed(state):
        return (
            "By the report senders applied DANE, whatever the MTA-STS mode is: these sessions did NOT deliver there; "
            "they retry, then bounce."
        )
    match mode_of(state):
        case Mode.ENFORCE if _is_mixed(state):
            return (
                "To some of these sessions senders applied mode enforce or DANE: those did NOT deliver there; they try "
                "other MX, retry, then bounce (typically after 1 to 5 days)."
            )
        case Mode.ENFORCE:
            return (
                "Senders applied mode enforce: these sessions did NOT deliver there; they try other MX, retry, then "
                "bounce (typically after 1 to 5 days)."
            )
        case Mode.TESTING:
            clear = ", possibly in clear text" if result_type_of(state) is ResultType.STARTTLS_NOT_SUPPORTED else ""
            return f"Senders applied mode testing: mail WAS delivered{clear}. In enforce it would have been held."
        case Mode.NONE:
            return "Senders applied mode none: mail was delivered."
        case _:
            return "Neither report nor spec names a mode: senders without a policy deliver as they can."


def event_of(
    kind: NoticeKind, state: AlertState, own: OwnDomain, evidence: Evidence | None = None, *, suspected: bool = False
) -> AlertEvent:
    """The message of `kind` about `state` for machines. Domains that share a fault of a host are one incident."""
    cause = state.cause
    shared = shared_hosts.of_cause(cause, own)
    return AlertEvent(
        {NoticeKind.OPENED: Status.OPENED, NoticeKind.OVER: Status.OVER}.get(kind, Status.REPEATED),
        cause.kind,
        shared.id if shared is not None else cause.id,
        cause.result_type or "",
        cause.host,
        possible_downgrade=suspected,
        failed_sessions=sum(seen.failed for seen in state.newest),
        sessions=evidence.sessions if evidence is not None else None,
        first_day=min((seen.day for seen in state.sightings), default=None),
        last_day=state.last_day,
        reporters=tuple(sorted({seen.reporter for seen in state.newest})),
    )


def after_mute(state: AlertState, own: OwnDomain) -> str:
    """NEW of what a mute has held back; "" where none has. The spec may have lost its line since."""
    if not state.muted:
        return ""
    until = f" until {day(own.mute_until.date())} {own.mute_until:%H:%M} UTC" if own.mute_until else ""
    why = f" ({own.mute_reason})" if own.mute_reason else ""
    return f"alerts of this domain were muted{until}{why}. This came up meanwhile and is not over."


def count(state: AlertState, evidence: Evidence) -> str:
    """COUNT: sessions of the newest day, their share, and since the first."""
    newest = state.newest
    failed = sum(seen.failed for seen in newest)
    uncounted = any(seen.uncounted for seen in newest)
    line = f"{sessions(failed, at_least=uncounted)} {period(state)}"
    if evidence.sessions and failed <= evidence.sessions and not uncounted:
        line += f", {_share(failed, evidence.sessions)} of all {evidence.sessions:,} reported for the domain"
    line += f".{_undetailed(state)}"
    first = min(seen.day for seen in state.sightings)
    if first != newest[0].day:
        line += f" {sessions(state.failed, at_least=any(s.uncounted for s in state.sightings))} since {day(first)}."
    unharmed = _never_named(state, evidence)
    if unharmed:
        line += f" No sender reports a failure at {' or '.join(unharmed)}."
    return line


def period(state: AlertState) -> str:
    """`on 30 Nov`, or `from 23 to 29 Nov` where reports of the newest day cover several."""
    first = state.newest[0].day
    last = max(seen.last_day or seen.day for seen in state.newest)
    if last == first:
        return f"on {day(first)}"
    begin = str(first.day) if (first.year, first.month) == (last.year, last.month) else day(first)
    return f"from {begin} to {day(last)}"


def _undetailed(state: AlertState) -> str:
    """What the summaries count and no failure-detail explains."""
    rest = sum(seen.undetailed for seen in state.newest)
    if not rest:
        return ""
    if any(seen.uncounted for seen in state.newest):
        return f" The summaries count {sessions(rest)}, and the reports do not say how many are of this kind."
    return f" For {sessions(rest)} more the reports do not say how they failed."


def since(state: AlertState, evidence: Evidence) -> str:
    """SINCE: first sight and last clean report."""
    first = min(seen.day for seen in state.sightings)
    clean = f", last clean report {day(evidence.last_clean)}" if evidence.last_clean else ""
    return f"first seen {day(first)}{clean} (UTC days; reports lag up to a day)."


def seen_by(state: AlertState, evidence: Evidence) -> str:
    """SEEN BY: reporters with their sessions, and those that were clean."""
    by_reporter: dict[str, list[Sighting]] = {}
    for seen in state.newest:
        by_reporter.setdefault(seen.reporter, []).append(seen)
    ranked = sorted(by_reporter.items(), key=lambda item: (-sum(seen.failed for seen in item[1]), item[0]))
    line = some([_reporter(who, of_who) for who, of_who in ranked])
    if evidence.clean:
        clean = some([f"{who} {count:,}" for who, count in evidence.clean])
        line += f". Clean that day: {clean} sessions (reports do not say over which MX)"
    return line + "."


def _reporter(who: str, of_who: list[Sighting]) -> str:
    name = f" ({quoted(of_who[0].organization)})" if of_who[0].organization else ""
    failed = sum(seen.failed for seen in of_who)
    if any(seen.uncounted for seen in of_who):
        return f"{who}{name} at least {failed:,}" if failed else f"{who}{name} (no count)"
    return f"{who}{name} {failed:,}"


def consequence(state: AlertState, *, suspected: bool = False) -> str:
    """The end of the subject: what it means for mail. suspected: of a downgrade."""
    if result_type_of(state) in OF_THE_POLICY_HOST:
        return ""
    if suspected:
        return " for some senders only"
    if basis_of(state) is Basis.KNOWN and mode_of(state) is Mode.ENFORCE and state.severity is not Severity.CRITICAL:
        return ", senders hold some mail"
    consequences = {Basis.KNOWN: CONSEQUENCES, Basis.GUESSED: GUESSED_CONSEQUENCES}.get(basis_of(state), {})
    return consequences.get(mode_of(state), "")


def _share(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return "under 1 %" if percent < 1 else f"{percent:.0f} %"


def _never_named(state: AlertState, evidence: Evidence) -> list[str]:
    """Listed MX (wildcards stand for no one host) that no report of the day names with a failure."""
    if evidence.sessions is None or not state.cause.host or "" in evidence.hosts:
        return []  # not all reports were read, or one names no host: nothing can be said
    if any(seen.undetailed for seen in state.newest):
        return []  # nor of failures without a detail
    if result_type_of(state) in OF_THE_POLICY_HOST:
        return []
    return [p for p in state.newest[-1].patterns if not p.startswith("*") and p not in evidence.hosts][:4]


def some(parts: list[str]) -> str:
    """The first few of `parts`, and how many more there are."""
    more = len(parts) - MAX_REPORTERS
    return " · ".join(parts[:MAX_REPORTERS]) + (f" and {more} more" if more > 0 else "")


def _addresses(state: AlertState) -> str:
    found = list(dict.fromkeys(address for seen in state.newest for address in seen.addresses))
    if not found:
        return ""
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f" ({', '.join(found[:3])}{more})"


def _named(state: AlertState) -> str:
    """How the newest reports name the failures: result types, and in quotes words that the RFC does not have."""
    words = list(dict.fromkeys(word for seen in state.newest for word in seen.result_words))
    if words:
        return some(words)
    return "failures without a type" if result_type_of(state) is ResultType.OTHER else str(result_type_of(state))


def host_of(state: AlertState) -> str:
    """The MX as a message names it."""
    return state.cause.host or UNNAMED


def basis_of(state: AlertState) -> Basis:
    """How the mode of the newest day is known: what is known goes before a guess, a guess before a claim."""
    return min((seen.basis for seen in state.newest), key=list(Basis).index, default=Basis.KNOWN)


def mode_of(state: AlertState) -> Mode | None:
    """The strictest mode that senders applied on the newest day; of claims none counts."""
    return None if basis_of(state) is Basis.CLAIMED else strictest(seen.mode for seen in _deciding(state))


def _deciding(state: AlertState) -> list[Sighting]:
    """The sightings of the newest day by which the mode is known best."""
    return [seen for seen in state.newest if seen.basis is basis_of(state)]


def _is_mixed(state: AlertState) -> bool:
    """Did some of the newest sessions meet another mode than the strictest?"""
    return any(seen.mixed or seen.mode is not mode_of(state) for seen in state.newest)


def is_dane(state: AlertState) -> bool:
    return state.newest[-1].policy_type is PolicyType.TLSA


def result_type_of(state: AlertState) -> ResultType:
    """The cause's result type."""
    return state.cause.result_type or ResultType.OTHER
