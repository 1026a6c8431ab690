"""The messages about a domain that gets no reports any more, and about one whose reports are back. Pure."""

from datetime import date, timedelta

from mailtls.reports.message_layout import Alert, alert, day, footer, section, steps
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import Severity

SILENT_AFTER = timedelta(days=7)


def silent(own: OwnDomain, last: date, cause_id: str) -> Alert:
    """The reports stopped; the last one is about `last`."""
    record = f"_smtp._tls.{own.policy_domain}"
    return alert(
        Severity.WARNING,
        f"[warning] {own.policy_domain}: no TLS report for {SILENT_AFTER.days} days",
        [
            section("WHAT", f"The last report is about {day(last)}. Silence proves neither health nor failure."),
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
            footer(own, cause_id),
        ],
        own,
        cause_id,
    )


def reports_are_back(own: OwnDomain, last: date, cause_id: str) -> Alert:
    """A report about `last` is the first one after a silence."""
    return alert(
        Severity.WARNING,
        f"[over] {own.policy_domain}: TLS reports come in again",
        [section("WHAT", f"A report about {day(last)} has arrived."), footer(own, cause_id)],
        own,
        cause_id,
    )
