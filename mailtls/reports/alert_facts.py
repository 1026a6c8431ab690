"""What reports prove about one cause: what broke, in which mode, how often, since when, who saw it. Pure.

Says only what reports prove. Successes are counted per policy and not per MX, so no rate per MX is ever printed.
Words that the sender of a report chose stand in quotes (`quoted`); of the rest only host names, mx
patterns, addresses and numbers are theirs, and `causes` lets nothing else through.
"""

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports.alert_state import AlertState
from mailtls.reports.causes import strictest
from mailtls.reports.evidence import Evidence
from mailtls.reports.message_layout import day, section, sessions
from mailtls.reports.sender_text import quoted
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, explain
from mailtls.tls_rpt.report import PolicyType, ResultType

CONSEQUENCES: dict[Mode | None, str] = {
    Mode.ENFORCE: ", senders hold mail",
    Mode.TESTING: ", mail still delivered",
}
OUTSIDE: dict[Mode | None, str] = {
    Mode.ENFORCE: " Senders applied mode enforce and skipped it. The listed ones still take mail: delayed, not lost, "
    "while they are up.",
    Mode.TESTING: " Senders applied mode testing and delivered to it all the same; in enforce they skip it.",
}
MAX_REPORTERS = 8
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
    return f"{result_type} at {host_of(state)}{_addresses(state)}: {meaning} {applied(state)}"


def what_outside(state: AlertState) -> str:
    """WHAT of an MX that the applied policy does not list."""
    patterns = state.newest[-1].patterns
    more = " and others" if len(patterns) > MAX_PATTERNS_SHOWN else ""
    listed = ", ".join(patterns[:MAX_PATTERNS_SHOWN]) + more
    return (
        f"validation-failure at {state.cause.host}: senders found it in DNS as an MX, but the policy that they "
        f"applied lists {listed}.{OUTSIDE.get(mode_of(state), '')}"
    )


def applied(state: AlertState) -> str:
    """What senders did with the mail, by the mode that they applied."""
    if is_dane(state) and not _is_mixed(state):
        return "Senders applied DANE: these sessions did NOT deliver there; they retry, then bounce."
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


def count(state: AlertState, evidence: Evidence) -> str:
    """COUNT: sessions of the newest day, their share, and since the first."""
    newest = state.newest
    failed = sum(seen.failed for seen in newest)
    line = f"{sessions(failed, at_least=any(s.uncounted for s in newest))} on {day(newest[0].day)}"
    if evidence.sessions and failed <= evidence.sessions:
        line += f", {_share(failed, evidence.sessions)} of all {evidence.sessions:,} reported for the domain"
    line += "."
    first = min(seen.day for seen in state.sightings)
    if first != newest[0].day:
        line += f" {sessions(state.failed, at_least=any(s.uncounted for s in state.sightings))} since {day(first)}."
    unharmed = _never_named(state, evidence)
    if unharmed:
        line += f" No failure named {', '.join(unharmed)}."
    return line


def since(state: AlertState, evidence: Evidence) -> str:
    """SINCE: first sight and last clean report."""
    first = min(seen.day for seen in state.sightings)
    clean = f", last clean report {day(evidence.last_clean)}" if evidence.last_clean else ""
    return f"first seen {day(first)}{clean} (UTC days; reports lag up to a day)."


def seen_by(state: AlertState, evidence: Evidence) -> str:
    """SEEN BY: reporters with their sessions, and those that were clean."""
    by_reporter: dict[str, tuple[int, str]] = {}
    for seen in state.newest:
        count, organization = by_reporter.get(seen.reporter, (0, seen.organization))
        by_reporter[seen.reporter] = (count + seen.failed, organization)
    ranked = sorted(by_reporter.items(), key=lambda item: (-item[1][0], item[0]))
    parts = [f"{who} ({quoted(name)}) {count:,}" if name else f"{who} {count:,}" for who, (count, name) in ranked]
    line = some(parts)
    if evidence.clean:
        clean = some([f"{who} {count:,}" for who, count in evidence.clean])
        line += f". Clean that day: {clean} sessions (reports do not say over which MX)"
    return line + "."


def undecided(state: AlertState, evidence: Evidence) -> str:
    """For and against an attack; empty where nothing looks like one."""
    if not looks_like_downgrade(state, evidence):
        return ""
    return "\n".join(
        [
            section(
                "ATTACK?",
                "would look like this: only some senders' path is hit. Likely if nothing changed on your side.",
            ),
            section("FAULT?", "would look like this too: one address of a pool, or a filter before it, lost STARTTLS."),
            section("", "Undecided: reports prove neither."),
        ]
    )


def consequence(state: AlertState, evidence: Evidence) -> str:
    """The end of the subject: what it means for mail."""
    if result_type_of(state) in OF_THE_POLICY_HOST:
        return ""
    if looks_like_downgrade(state, evidence):
        return " for some senders only"
    return CONSEQUENCES.get(mode_of(state), "")


def looks_like_downgrade(state: AlertState, evidence: Evidence) -> bool:
    """STARTTLS gone for some senders while others report clean sessions on the same day."""
    return result_type_of(state) is ResultType.STARTTLS_NOT_SUPPORTED and bool(evidence.clean)


def _share(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return "under 1 %" if percent < 1 else f"{percent:.0f} %"


def _never_named(state: AlertState, evidence: Evidence) -> list[str]:
    """Listed MX (wildcards stand for no one host) that no report of the day names with a failure."""
    if evidence.sessions is None or not state.cause.host or "" in evidence.hosts:
        return []  # not all reports were read, or one names no host: nothing can be said
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


def host_of(state: AlertState) -> str:
    """The MX as a message names it."""
    return state.cause.host or "an unnamed MX"


def mode_of(state: AlertState) -> Mode | None:
    """The strictest mode that the newest reports name."""
    return strictest(seen.mode for seen in state.newest)


def _is_mixed(state: AlertState) -> bool:
    """Did some of the newest sessions meet another mode than the strictest?"""
    return any(seen.mixed or seen.mode is not mode_of(state) for seen in state.newest)


def is_dane(state: AlertState) -> bool:
    return state.newest[-1].policy_type is PolicyType.TLSA


def result_type_of(state: AlertState) -> ResultType:
    """The cause's result type."""
    return state.cause.result_type or ResultType.OTHER
