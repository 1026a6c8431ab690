"""The message about senders that applied the policy and find none now (lost_policy.py). Pure."""

from mailtls.mta_sts.policy import policy_host
from mailtls.reports.alert_facts import after_mute, event_of, period, seen_by
from mailtls.reports.alert_state import AlertState, NoticeKind
from mailtls.reports.evidence import LOOK_BACK, Evidence
from mailtls.reports.message_layout import Alert, alert, section, steps
from mailtls.tls_rpt.contract import OwnDomain


def compose(kind: NoticeKind, state: AlertState, own: OwnDomain, bucket: str) -> Alert:
    """The message of `kind`. state must hold at least one sighting."""
    return _over(state, own) if kind is NoticeKind.OVER else _lost(kind, state, own, bucket)


def _lost(kind: NoticeKind, state: AlertState, own: OwnDomain, bucket: str) -> Alert:
    again = ", again" if kind is NoticeKind.REPEATED else ""
    host = policy_host(own.policy_domain)
    newest = state.newest
    return alert(
        state.severity,
        f"[{state.severity}{again}] {own.policy_domain}: a sender that applied the MTA-STS policy finds none now",
        [
            section("NEW", after_mute(state, own)),
            section(
                "WHAT",
                f"A sender that applied the deployed policy within the {LOOK_BACK} days before now reports "
                "no-policy-found. Its mail is delivered, but nothing makes it insist on TLS.",
            ),
            section("COUNT", f"{sum(seen.failed for seen in newest):,} sessions {period(state)} met no policy."),
            section("SEEN BY", seen_by(state, Evidence(None))),
            section(
                "WHY",
                "A record or file that cannot be reached, a fault of that sender, or somebody on its way who hides the "
                "policy (RFC 8461 section 10.2). The report does not say which.",
            ),
            steps(
                "DO",
                [
                    "See that both are there, from more than one place: exactly one record that begins with v=STSv1, "
                    "and the policy:\n"
                    f"  dig +short TXT _mta-sts.{own.policy_domain}\n"
                    f"  curl -sv -m 20 https://{host}/.well-known/mta-sts.txt",
                    "Gone or changed? Put back what Git says, and read the log of the DNS account.",
                    "All there? Wait for the next report. Only this sender, day after day? Ask its postmaster.",
                ],
            ),
            section("NEXT", '"Over" once the same sender reports sessions under the policy again.'),
        ],
        own,
        state.cause.id,
        event_of(kind, state, own),
        report=f"s3://{bucket}/{newest[-1].report}",
        runbook=str(state.cause.kind),
        may_be_muted=True,
    )


def _over(state: AlertState, own: OwnDomain) -> Alert:
    return alert(
        state.severity,
        f"[over] {own.policy_domain}: senders find the MTA-STS policy again",
        [
            section("WHAT", "Each sender that found no policy has since reported sessions under it."),
            section("NEXT", "nothing to do."),
        ],
        own,
        state.cause.id,
        event_of(NoticeKind.OVER, state, own),
    )
