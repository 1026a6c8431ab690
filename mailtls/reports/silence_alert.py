"""The messages about a domain that gets no reports any more, and about one whose reports are back. Pure."""

from collections.abc import Sequence
from datetime import timedelta

from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.causes import CauseKind
from mailtls.reports.message_layout import Alert, alert, day, section, steps
from mailtls.reports.reporters import Reporter
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import Severity

SILENT_AFTER = timedelta(days=7)
MAX_NAMED = 5


def silent(own: OwnDomain, gone: Sequence[Reporter], cause_id: str) -> Alert:
    """Those who reported regularly stopped; gone: the last to speak first."""
    record = f"_smtp._tls.{own.policy_domain}"
    return alert(
        Severity.WARNING,
        f"[warning] {own.policy_domain}: no TLS report for {SILENT_AFTER.days} days",
        [
            section(
                "WHAT",
                f"Nobody who reported regularly does: {_last_days(gone)}. Silence proves neither health nor failure.",
            ),
            steps(
                "DO",
                [
                    f"One record, with the address that reports should go to?\n  dig +short TXT {record}",
                    "Reports of other domains still come in? If not, the way in is broken: MX of the reports domain, "
                    "the active SES receipt rule set, the pipeline's alarms.",
                    "Does the domain still get mail from large senders? Those that send nothing report nothing.",
                ],
            ),
            section("NEXT", "a message when reports come back. Promotion to enforce has no evidence until then."),
        ],
        own,
        cause_id,
        AlertEvent(Status.OPENED, CauseKind.SILENCE, cause_id, last_day=max(one.last for one in gone)),
        runbook=str(CauseKind.SILENCE),
    )


def reports_are_back(own: OwnDomain, back: Reporter, cause_id: str) -> Alert:
    """`back` reports again, after a silence."""
    return alert(
        Severity.WARNING,
        f"[over] {own.policy_domain}: TLS reports come in again",
        [section("WHAT", f"{back.signer} reports again, about {day(back.last)}.")],
        own,
        cause_id,
        AlertEvent(Status.OVER, CauseKind.SILENCE, cause_id, reporters=(back.signer,)),
    )


def _last_days(gone: Sequence[Reporter]) -> str:
    named = [f"{one.signer} (last about {day(one.last)})" for one in gone[:MAX_NAMED]]
    more = len(gone) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
