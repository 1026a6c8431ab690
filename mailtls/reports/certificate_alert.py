"""The policy host's certificate nears its end: one message at 30, 14 and 7 days, and one when it has expired.

ACM tells daily from 45 days before the end (source `aws.acm`, in us-east-1; EventBridge forwards it). Renewal is
automatic, so a certificate that reaches the first rung is one whose renewal fails, most often because the validation
CNAME is gone. A metric alarm cannot do this: it may notify only a topic of its own region.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailtls.mta_sts.policy import policy_host
from mailtls.reports.message_layout import Alert, alert, day, footer, section, steps
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import PUT_BACK, Severity

RUNGS = (0, 7, 14, 30)
"""Days left. 0: expired."""
SAME_END = timedelta(days=3)
"""ACM counts whole days; an end that moved further than this is another certificate, and a new ladder."""


@dataclass(frozen=True, slots=True)
class CertificateEvent:
    """ACM tells that a certificate nears its end, or has reached it.

    days_left: as ACM counts; 0 when expired is set.
    """

    time: datetime
    arn: str
    common_name: str
    days_left: int
    expired: bool


def rung(event: CertificateEvent) -> int | None:
    """The rung that the event stands on: the smallest one that is not below the days left. None: too early to tell."""
    if event.expired:
        return 0
    return next((days for days in RUNGS[1:] if event.days_left <= days), None)


def is_due(told: str, ends: date, on_rung: int) -> bool:
    """Is this rung lower than the one told last (`<end>/<rung>`), or another certificate's?"""
    if not told:
        return True
    told_end, _, told_rung = told.partition("/")
    return abs(date.fromisoformat(told_end) - ends) > SAME_END or on_rung < int(told_rung)


def compose(event: CertificateEvent, own: OwnDomain, ends: date, on_rung: int, cause_id: str) -> Alert:
    """The message for a rung."""
    host = policy_host(own.policy_domain)
    severity = Severity.CRITICAL if on_rung <= 7 else Severity.WARNING
    region = (event.arn.split(":") + [""] * 4)[3] or "us-east-1"
    when = "has expired" if on_rung == 0 else f"ends in {_days(event.days_left)}"
    effect = (
        "Mail keeps flowing, but senders that hold no cached policy deliver without MTA-STS, in clear text if somebody "
        "between forces it. The others follow when their max_age runs out."
    )
    what = (
        f"Senders cannot fetch the policy any more since {day(ends)}. {effect}"
        if on_rung == 0
        else f"It ends on {day(ends)}. ACM renews by itself from 45 days before and has not managed to. "
        f"From then on senders cannot fetch the policy any more. {effect}"
    )
    return alert(
        severity,
        f"[{severity}] {own.policy_domain}: certificate of {host} {when}",
        [
            section("WHAT", what),
            steps(
                "DO",
                [
                    "The validation CNAME must stand in DNS for ever. See what it must be, and whether it is there:\n"
                    f"  aws acm describe-certificate --region {region} --certificate-arn {event.arn} "
                    "--query Certificate.DomainValidationOptions\n"
                    "  dig +short CNAME NAME-FROM-ABOVE\n"
                    "Gone or different? Where the zone is somebody else's, its owner must put it back. At Cloudflare "
                    "it must not be proxied." + (f" In a zone of ours:\n  {PUT_BACK}" if on_rung else ""),
                    "CAA records must let Amazon issue (no record at all is fine):\n"
                    f"  dig +short CAA {host}\n"
                    f"  dig +short CAA {own.policy_domain}",
                    "The certificate must be in use by the distribution: ACM renews no unused ones."
                    if on_rung
                    else "An expired certificate is never renewed. How to replace it, and put the CNAME back with the "
                    'same run: docs/break-glass.md, "An expired certificate".',
                ],
            ),
            section("NEXT", _next(on_rung)),
            footer(own, cause_id),
        ],
        own,
        cause_id,
    )


def _next(on_rung: int) -> str:
    if on_rung == 0:
        return "no further message about this certificate."
    lower = [f"{days} days" if days else "when it has expired" for days in RUNGS if days < on_rung]
    return f"again at {', '.join(reversed(lower))}. No message when it has been renewed: ACM then falls silent."


def _days(count: int) -> str:
    return f"{count} day{'s' if count != 1 else ''}"
