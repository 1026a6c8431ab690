"""The message that a person reads at night, put together: its subject, its paragraphs in order. Pure.

What the paragraphs say: `alert_facts.py` and `alert_remedies.py`.
"""

from datetime import datetime

from mailtls.reports import downgrade_alert, lost_policy_alert
from mailtls.reports.alert_facts import (
    UNNAMED,
    after_mute,
    applied,
    basis_of,
    consequence,
    count,
    event_of,
    host_of,
    mode_of,
    result_type_of,
    seen_by,
    since,
    some,
    what,
    what_outside,
)
from mailtls.reports.alert_links import spec_of
from mailtls.reports.alert_remedies import do, do_outside, what_next
from mailtls.reports.alert_rules import KEEP
from mailtls.reports.alert_state import AlertState, NoticeKind
from mailtls.reports.applied import Basis
from mailtls.reports.causes import MAX_CAUSES, MAX_CAUSES_OF_SIGNER, MAX_CAUSES_PER_REPORT, Cause, CauseKind
from mailtls.reports.downgrade import one_path
from mailtls.reports.evidence import Evidence
from mailtls.reports.message_layout import Alert, alert, day, section, sessions, steps
from mailtls.reports.sender_text import quoted
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.report import ResultType

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


def compose(
    kind: NoticeKind, state: AlertState, evidence: Evidence, own: OwnDomain, now: datetime, bucket: str, also: str = ""
) -> Alert:
    """The message of `kind` about failed sessions. state must hold at least one sighting. also: a paragraph of it."""
    if state.cause.kind is CauseKind.POLICY_LOST:
        return lost_policy_alert.compose(kind, state, own, bucket)
    if kind is NoticeKind.OVER:
        return _over(state, own, now)
    if state.cause.kind is CauseKind.FURTHER:
        return _further(kind, state, evidence, own, now, bucket)
    outside = state.cause.kind is CauseKind.MX_OUTSIDE_POLICY
    newest = state.newest[-1]
    path = one_path(state, evidence)
    suspected = path is not None
    return alert(
        state.severity,
        _subject(kind, state, own, suspected=suspected),
        [
            section("NEW", _what_is_new(kind, state, own, now, suspected=suspected)),
            section("WHAT", what_outside(state) if outside else what(state, own)),
            also,
            section("COUNT", count(state, evidence)),
            section("SINCE", since(state, evidence)),
            section("SEEN BY", seen_by(state, evidence)),
            section(
                "SAYS", f"the sender, in its own words, unverified: {quoted(newest.words)}" if newest.words else ""
            ),
            downgrade_alert.for_and_against(path, state, evidence) if path is not None else "",
            do_outside(state, own) if outside else do(state, own, suspected=suspected),
            section("NEXT", (downgrade_alert.on_hold(mode_of(state)) if suspected else "") + what_next(state)),
        ],
        own,
        state.cause.id,
        event_of(kind, state, own, evidence, suspected=suspected),
        report=f"s3://{bucket}/{newest.report}",
        runbook=_runbook(state, suspected=suspected),
        may_be_muted=True,
        host=host_of(state),
        effect="" if outside else consequence(state, suspected=suspected),
    )


def headline(cause: Cause) -> str:
    """What broke, in a few words."""
    if cause.kind is CauseKind.MX_OUTSIDE_POLICY:
        return f"{f'MX {cause.host}' if cause.host else 'an MX'} is not in the MTA-STS policy"
    return HEADLINES[cause.result_type or ResultType.OTHER].format(host=cause.host or UNNAMED)


def _runbook(state: AlertState, *, suspected: bool = False) -> str:
    """The heading of docs/alerts.md."""
    if suspected:
        return "possible-downgrade"
    return str(result_type_of(state)) if state.cause.kind is CauseKind.SESSIONS else str(state.cause.kind)


def _subject(kind: NoticeKind, state: AlertState, own: OwnDomain, *, suspected: bool) -> str:
    again = ", again" if kind is not NoticeKind.OPENED else ""
    if state.cause.kind is CauseKind.MX_OUTSIDE_POLICY:
        which = " that a report names" if basis_of(state) is Basis.CLAIMED else ""
        return f"[{state.severity}{again}] {own.policy_domain}: {headline(state.cause)}{which}"
    downgrade = ", possible downgrade" if suspected else ""
    about = f"{own.policy_domain}: {headline(state.cause)}"
    return f"[{state.severity}{downgrade}{again}] {about}{consequence(state, suspected=suspected)}"


def _what_is_new(kind: NoticeKind, state: AlertState, own: OwnDomain, now: datetime, *, suspected: bool = False) -> str:
    if kind is NoticeKind.OPENED or state.told_at is None:
        return after_mute(state, own)
    turned = ""
    if suspected is not state.suspected:
        turned = downgrade_alert.ROSE if suspected else downgrade_alert.FADED
    return " ".join(filter(None, (_more_sessions(state, now, state.told_at), turned, after_mute(state, own))))


def _more_sessions(state: AlertState, now: datetime, told_at: datetime) -> str:
    new = [seen for seen in state.sightings if seen.report not in state.told]
    if not new:
        return ""
    hours = int((now - told_at).total_seconds() // 3600)
    ago = f"{hours} h ago" if hours else "within the hour"
    failed = sessions(sum(seen.failed for seen in new), at_least=any(seen.uncounted for seen in new))
    return f"{failed} in {len(new)} report{'s' if len(new) != 1 else ''} since the last message ({ago})."


def _over(state: AlertState, own: OwnDomain, now: datetime) -> Alert:
    last = state.last_day
    if last is None or state.opened_at is None:
        raise ValueError(f"alert {state.cause.id} was never open: it cannot be over")
    further = state.cause.kind is CauseKind.FURTHER
    about = "further causes of failure" if further else f"{result_type_of(state)} at {host_of(state)}"
    reporters = sorted({seen.reporter for seen in state.sightings})
    severity = state.severity  # who was told must also hear that it is over
    return alert(
        severity,
        f"[over] {own.policy_domain}: {about}",
        [
            section(
                "WHAT",
                f"Each reporter that saw it has since reported a later day with successful sessions and without it: "
                f"{some(reporters)}.{f' {downgrade_alert.ENDED}' if state.suspected else ''}",
            ),
            section("COUNT", f"{sessions(state.failed, at_least=any(s.uncounted for s in state.sightings))} in all."),
            section(
                "SINCE",
                f"last failures {day(last)}; first message {day(state.opened_at.date())} {state.opened_at:%H:%M} UTC.",
            ),
            section("NEXT", "nothing to do. The same cause opens a new alert if it comes back."),
        ],
        own,
        state.cause.id,
        event_of(NoticeKind.OVER, state, own),
        host=host_of(state),
    )


def _further(
    kind: NoticeKind, state: AlertState, evidence: Evidence, own: OwnDomain, now: datetime, bucket: str
) -> Alert:
    """Of causes that have no alert of their own: how many sessions, and who says so."""
    again = ", again" if kind is NoticeKind.REPEATED else ""
    day_of_reports = state.newest[-1].report.rpartition("/")[0]
    return alert(
        state.severity,
        f"[{state.severity}{again}] {own.policy_domain}: too many causes of failure for an alert each"
        f"{consequence(state)}",
        [
            section("NEW", _what_is_new(kind, state, own, now)),
            section(
                "WHAT",
                f"These failures stand in no other alert. A report opens {MAX_CAUSES_PER_REPORT} at most; at hosts "
                f"that the policy does not list by name a reporter opens {MAX_CAUSES_OF_SIGNER} and the domain has "
                f"{MAX_CAUSES}. {applied(state)}",
            ),
            section("COUNT", count(state, evidence)),
            section("SINCE", since(state, evidence)),
            section("SEEN BY", seen_by(state, evidence)),
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
            section("NEXT", f"{what_next(state)} A cause that no report names for {KEEP.days} days makes room."),
        ],
        own,
        state.cause.id,
        event_of(kind, state, own, evidence),
        runbook=_runbook(state),
        may_be_muted=True,
    )
