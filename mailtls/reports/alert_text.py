"""The message that a person reads at night: what broke, for whom, since when, what to do. Pure.

Says only what reports prove. Successes are counted per policy and not per MX, so no rate per MX is ever printed.
Words that the sender of a report chose stand in quotes (`quoted`); of the rest only host names, mx
patterns, addresses and numbers are theirs, and `causes` lets nothing else through.
"""

from datetime import datetime

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports.alert_rules import KEEP
from mailtls.reports.alert_state import AlertState, NoticeKind
from mailtls.reports.causes import MAX_CAUSES, MAX_CAUSES_OF_SIGNER, MAX_CAUSES_PER_REPORT, CauseKind, strictest
from mailtls.reports.evidence import Evidence
from mailtls.reports.message_layout import Alert, alert, day, footer, section, sessions, spec_of, steps
from mailtls.reports.sender_text import quoted
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, explain
from mailtls.tls_rpt.report import PolicyType, ResultType

HEADLINES = {
    ResultType.STARTTLS_NOT_SUPPORTED: "no STARTTLS on {host}",
    ResultType.CERTIFICATE_HOST_MISMATCH: "certificate of {host} names other hosts",
    ResultType.CERTIFICATE_EXPIRED: "certificate of {host} expired",
    ResultType.CERTIFICATE_NOT_TRUSTED: "certificate of {host} is not trusted",
    ResultType.VALIDATION_FAILURE: "TLS to {host} fails validation",
    ResultType.TLSA_INVALID: "TLSA records of {host} do not fit",
    ResultType.DNSSEC_INVALID: "DNSSEC of {host} is broken",
    ResultType.DANE_REQUIRED: "a sender demands DANE of {host}",
    ResultType.STS_POLICY_FETCH_ERROR: "MTA-STS policy cannot be fetched",
    ResultType.STS_POLICY_INVALID: "MTA-STS policy is not valid to senders",
    ResultType.STS_WEBPKI_INVALID: "certificate of {host} is refused",
    ResultType.OTHER: "TLS failures of an unknown kind at {host}",
}
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


def compose(
    kind: NoticeKind, state: AlertState, evidence: Evidence, own: OwnDomain, now: datetime, bucket: str
) -> Alert:
    """The message of `kind` about failed sessions. state must hold at least one sighting."""
    if kind is NoticeKind.OVER:
        return _over(state, own, now)
    if state.cause.kind is CauseKind.FURTHER:
        return _further(kind, state, evidence, own, now, bucket)
    outside = state.cause.kind is CauseKind.MX_OUTSIDE_POLICY
    newest = state.newest[-1]
    return alert(
        state.worst,
        _subject(kind, state, evidence, own),
        [
            section("NEW", _what_is_new(kind, state, now)),
            section("WHAT", _what_outside(state) if outside else _what(state, own)),
            section("COUNT", _count(state, evidence)),
            section("SINCE", _since(state, evidence)),
            section("SEEN BY", _seen_by(state, evidence)),
            section(
                "SAYS", f"the sender, in its own words, unverified: {quoted(newest.words)}" if newest.words else ""
            ),
            _undecided(state, evidence),
            _do_outside(state, own) if outside else _do(state, own),
            section("NEXT", _next(state)),
            footer(own, state.cause.id, report=f"s3://{bucket}/{newest.report}"),
        ],
        own,
        state.cause.id,
    )


def _subject(kind: NoticeKind, state: AlertState, evidence: Evidence, own: OwnDomain) -> str:
    again = ", again" if kind is NoticeKind.REPEATED else ""
    if state.cause.kind is CauseKind.MX_OUTSIDE_POLICY:
        return f"[{state.worst}{again}] {own.policy_domain}: MX {state.cause.host} is not in the MTA-STS policy"
    downgrade = ", possible downgrade" if _looks_like_downgrade(state, evidence) else ""
    headline = HEADLINES[_result_type(state)].format(host=_host(state))
    return f"[{state.worst}{downgrade}{again}] {own.policy_domain}: {headline}{_consequence(state, evidence)}"


def _consequence(state: AlertState, evidence: Evidence) -> str:
    if _result_type(state) in OF_THE_POLICY_HOST:
        return ""
    if _looks_like_downgrade(state, evidence):
        return " for some senders only"
    return CONSEQUENCES.get(_mode(state), "")


def _what(state: AlertState, own: OwnDomain) -> str:
    result_type = _result_type(state)
    meaning = explain(result_type).meaning
    if result_type in OF_THE_POLICY_HOST:
        return (
            f"{result_type}: {meaning} The host is {policy_host(own.policy_domain)}. Mail is not stopped. Senders that "
            "hold a cached policy go on with it until its max_age; all others deliver without MTA-STS."
        )
    return f"{result_type} at {_host(state)}{_addresses(state)}: {meaning} {_applied(state)}"


def _applied(state: AlertState) -> str:
    if _is_dane(state) and not _is_mixed(state):
        return "Senders applied DANE: these sessions did NOT deliver there; they retry, then bounce."
    match _mode(state):
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
            clear = ", possibly in clear text" if _result_type(state) is ResultType.STARTTLS_NOT_SUPPORTED else ""
            return f"Senders applied mode testing: mail WAS delivered{clear}. In enforce it would have been held."
        case Mode.NONE:
            return "Senders applied mode none: mail was delivered."
        case _:
            return "Neither report nor spec names a mode: senders without a policy deliver as they can."


def _what_outside(state: AlertState) -> str:
    patterns = state.newest[-1].patterns
    more = " and others" if len(patterns) > MAX_PATTERNS_SHOWN else ""
    listed = ", ".join(patterns[:MAX_PATTERNS_SHOWN]) + more
    return (
        f"validation-failure at {state.cause.host}: senders found it in DNS as an MX, but the policy that they "
        f"applied lists {listed}.{OUTSIDE.get(_mode(state), '')}"
    )


def _count(state: AlertState, evidence: Evidence) -> str:
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


def _share(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return "under 1 %" if percent < 1 else f"{percent:.0f} %"


def _never_named(state: AlertState, evidence: Evidence) -> list[str]:
    """Listed MX (wildcards stand for no one host) that no report of the day names with a failure."""
    if evidence.sessions is None or not state.cause.host or "" in evidence.hosts:
        return []  # not all reports were read, or one names no host: nothing can be said
    if _result_type(state) in OF_THE_POLICY_HOST:
        return []
    return [p for p in state.newest[-1].patterns if not p.startswith("*") and p not in evidence.hosts][:4]


def _since(state: AlertState, evidence: Evidence) -> str:
    first = min(seen.day for seen in state.sightings)
    clean = f", last clean report {day(evidence.last_clean)}" if evidence.last_clean else ""
    return f"first seen {day(first)}{clean} (UTC days; reports lag up to a day)."


def _seen_by(state: AlertState, evidence: Evidence) -> str:
    by_reporter: dict[str, tuple[int, str]] = {}
    for seen in state.newest:
        count, organization = by_reporter.get(seen.reporter, (0, seen.organization))
        by_reporter[seen.reporter] = (count + seen.failed, organization)
    ranked = sorted(by_reporter.items(), key=lambda item: (-item[1][0], item[0]))
    parts = [f"{who} ({quoted(name)}) {count:,}" if name else f"{who} {count:,}" for who, (count, name) in ranked]
    line = _some(parts)
    if evidence.clean:
        clean = _some([f"{who} {count:,}" for who, count in evidence.clean])
        line += f". Clean that day: {clean} sessions (reports do not say over which MX)"
    return line + "."


def _some(parts: list[str]) -> str:
    more = len(parts) - MAX_REPORTERS
    return " · ".join(parts[:MAX_REPORTERS]) + (f" and {more} more" if more > 0 else "")


def _undecided(state: AlertState, evidence: Evidence) -> str:
    if not _looks_like_downgrade(state, evidence):
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


def _do(state: AlertState, own: OwnDomain) -> str:
    host = state.cause.host or "MX-HOST"
    words = {"policy_domain": own.policy_domain, "mx": host, "policy_host": policy_host(own.policy_domain)}
    remedies = [remedy.format(**words) for remedy in explain(_result_type(state)).remedy]
    if _mode(state) is not Mode.ENFORCE or _result_type(state) in OF_THE_POLICY_HOST or _is_dane(state):
        return steps("DO", remedies)
    take_out = f"Take {state.cause.host} out of the MX records if others stay, or go" if state.cause.host else "Go"
    rollback = (
        f"Not within the hour? {take_out} back to testing: set "
        f"`mta_sts.mode: testing` in the spec ({spec_of(own)}) and merge. Senders look for a new id before they give "
        "mail up. CI down? docs/break-glass.md."
    )
    return steps("DO", [*remedies, rollback])


def _do_outside(state: AlertState, own: OwnDomain) -> str:
    host = state.cause.host
    return steps(
        "DO",
        [
            f"{host} is meant: add it to `mta_sts.mx` in the spec ({spec_of(own)}) and merge. Senders take the new "
            "policy when they see the new id, the slowest when their cached one runs out.",
            f"{host} is NOT meant: remove the MX record and read the DNS account's log: this is also what a hijack "
            "looks like. Do not add it to the policy.",
        ],
        "Next time: policy first, wait until the longest max_age served before has run out, then MX.",
    )


def _next(state: AlertState) -> str:
    who = _some(sorted({seen.reporter for seen in state.sightings}))
    return f'again in 6 h if it goes on, at once if it doubles. "Over" after a later, clean day from {who}.'


def _what_is_new(kind: NoticeKind, state: AlertState, now: datetime) -> str:
    if kind is not NoticeKind.REPEATED or state.told_at is None:
        return ""
    new = [seen for seen in state.sightings if seen.report not in state.told]
    hours = int((now - state.told_at).total_seconds() // 3600)
    ago = f"{hours} h ago" if hours else "within the hour"
    failed = sessions(sum(seen.failed for seen in new), at_least=any(seen.uncounted for seen in new))
    return f"{failed} in {len(new)} report{'s' if len(new) != 1 else ''} since the last message ({ago})."


def _over(state: AlertState, own: OwnDomain, now: datetime) -> Alert:
    last = state.last_day
    if last is None or state.opened_at is None:
        raise ValueError(f"alert {state.cause.id} was never open: it cannot be over")
    further = state.cause.kind is CauseKind.FURTHER
    what = "further causes of failure" if further else f"{_result_type(state)} at {_host(state)}"
    reporters = sorted({seen.reporter for seen in state.sightings})
    severity = state.told_severity or state.worst  # who was told must also hear that it is over
    return alert(
        severity,
        f"[over] {own.policy_domain}: {what}",
        [
            section(
                "WHAT",
                f"Each reporter that saw it has since reported a later day with successful sessions and without it: "
                f"{_some(reporters)}.",
            ),
            section("COUNT", f"{sessions(state.failed, at_least=any(s.uncounted for s in state.sightings))} in all."),
            section(
                "SINCE",
                f"last failures {day(last)}; first message {day(state.opened_at.date())} {state.opened_at:%H:%M} UTC.",
            ),
            section("NEXT", "nothing to do. The same cause opens a new alert if it comes back."),
            footer(own, state.cause.id),
        ],
        own,
        state.cause.id,
    )


def _further(
    kind: NoticeKind, state: AlertState, evidence: Evidence, own: OwnDomain, now: datetime, bucket: str
) -> Alert:
    """Of causes that have no alert of their own: how many sessions, and who says so."""
    again = ", again" if kind is NoticeKind.REPEATED else ""
    day_of_reports = state.newest[-1].report.rpartition("/")[0]
    return alert(
        state.worst,
        f"[{state.worst}{again}] {own.policy_domain}: too many causes of failure for an alert each"
        f"{_consequence(state, evidence)}",
        [
            section("NEW", _what_is_new(kind, state, now)),
            section(
                "WHAT",
                f"These failures stand in no other alert. A report opens {MAX_CAUSES_PER_REPORT} at most; at hosts "
                f"that the policy does not list by name a reporter opens {MAX_CAUSES_OF_SIGNER} and the domain has "
                f"{MAX_CAUSES}. {_applied(state)}",
            ),
            section("COUNT", _count(state, evidence)),
            section("SINCE", _since(state, evidence)),
            section("SEEN BY", _seen_by(state, evidence)),
            steps(
                "DO",
                [
                    "See which hosts the reports of that day name, and who signed them:\n"
                    f"  aws s3 cp --recursive s3://{bucket}/{day_of_reports}/ {own.policy_domain}-reports/",
                    "Your hosts? The failures are real: mend them as the alerts about the others say.",
                    "Hosts that you do not know, from reporters that you do not know? Anybody can sign reports about "
                    "hosts of his invention: nothing to mend. These limits hold back no MX that `mta_sts.mx` in the "
                    f"spec ({spec_of(own)}) lists by name; under a wildcard they do.",
                ],
            ),
            section("NEXT", f"{_next(state)} A cause that no report names for {KEEP.days} days makes room."),
            footer(own, state.cause.id),
        ],
        own,
        state.cause.id,
    )


def _looks_like_downgrade(state: AlertState, evidence: Evidence) -> bool:
    """STARTTLS gone for some senders while others report clean sessions on the same day."""
    return _result_type(state) is ResultType.STARTTLS_NOT_SUPPORTED and bool(evidence.clean)


def _addresses(state: AlertState) -> str:
    found = list(dict.fromkeys(address for seen in state.newest for address in seen.addresses))
    if not found:
        return ""
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f" ({', '.join(found[:3])}{more})"


def _host(state: AlertState) -> str:
    return state.cause.host or "an unnamed MX"


def _mode(state: AlertState) -> Mode | None:
    """The strictest mode that the newest reports name."""
    return strictest(seen.mode for seen in state.newest)


def _is_mixed(state: AlertState) -> bool:
    """Did some of the newest sessions meet another mode than the strictest?"""
    return any(seen.mixed or seen.mode is not _mode(state) for seen in state.newest)


def _is_dane(state: AlertState) -> bool:
    return state.newest[-1].policy_type is PolicyType.TLSA


def _result_type(state: AlertState) -> ResultType:
    return state.cause.result_type or ResultType.OTHER
