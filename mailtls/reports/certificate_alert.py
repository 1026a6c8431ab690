"""The policy host's certificate nears its end: messages at shares of its own lifetime, and one when it has expired.

ACM tells daily from 45 days before the end (source `aws.acm`, in us-east-1; EventBridge forwards it). It begins to
renew about then, by itself, so a certificate that reaches the first rung is one whose renewal fails, most often because
the validation CNAME is gone. A metric alarm cannot do this: it may notify only a topic of its own region.

The events say how many days are left, not how long the certificate is valid. The rules of the CA/Browser Forum say it
(ballot SC-081v3): by its end it is known when it was issued, and so how long it may be.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailtls.mta_sts.policy import policy_host
from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.alert_links import file_of
from mailtls.reports.causes import CauseKind
from mailtls.reports.message_layout import Alert, alert, day, section, steps
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import PUT_BACK, Severity

LIFETIMES = ((date(2029, 3, 15), 47), (date(2027, 3, 15), 100), (date(2026, 3, 15), 198), (date.min, 395))
"""Days of a certificate that is issued from a date on, newest first. 198 and 395 are what ACM gives; it stays a little
below what is allowed (200 and 398), and what it will give later is not known: the limit stands here."""
SHARES = (6, 12, 24)
"""A message when a sixth of the lifetime is left, a twelfth, a twenty-fourth: 33, 16 and 8 days of 198."""
LATE = 38
"""Days left when a renewal that began in time, 45 days before the end, has had a week. Before that nobody is late."""
_EXPIRED = 'docs/break-glass.md, "An expired certificate"'
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


def lifetime(ends: date) -> int:
    """Days that a certificate with this end was valid for when it was issued. Where two rules could have been, the
    newer: its messages come no earlier than the renewal is late."""
    return next(days for since, days in LIFETIMES if since == date.min or ends - timedelta(days=days) >= since)


def rungs(ends: date) -> tuple[int, ...]:
    """Days left at which somebody is told, lowest first. 0: expired."""
    shares = {lifetime(ends) // share for share in SHARES}
    return (0, *sorted(days for days in shares if days <= LATE))


def rung(event: CertificateEvent, ends: date) -> int | None:
    """The rung that the event stands on: the smallest one that is not below the days left. None: too early to tell."""
    if event.expired:
        return 0
    return next((days for days in rungs(ends)[1:] if event.days_left <= days), None)


def is_due(told: str, ends: date, on_rung: int) -> bool:
    """Is this rung lower than the one told last (`<end>/<rung>`), or another certificate's?"""
    if not told:
        return True
    told_end, _, told_rung = told.partition("/")
    return abs(date.fromisoformat(told_end) - ends) > SAME_END or on_rung < int(told_rung)


def compose(event: CertificateEvent, own: OwnDomain, ends: date, on_rung: int, cause_id: str) -> Alert:
    """The message for a rung."""
    host = policy_host(own.policy_domain)
    severity = Severity.CRITICAL if on_rung <= lifetime(ends) // SHARES[-1] else Severity.WARNING
    region = (event.arn.split(":") + [""] * 4)[3] or "us-east-1"
    when = "has expired" if on_rung == 0 else f"ends in {_days(event.days_left)}"
    effect = (
        "Mail keeps flowing, but senders that hold no cached policy deliver without MTA-STS, in clear text if somebody "
        "between forces it. The others follow when their max_age runs out."
    )
    what = (
        f"Senders cannot fetch the policy any more since {day(ends)}. {effect}"
        if on_rung == 0
        else f"It ends on {day(ends)} {ends.year}; from then on senders cannot fetch the policy any more. ACM begins "
        f"to renew by itself about 45 days before the end, and has not managed to. {effect}"
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
                    f"same run: {file_of(own, _EXPIRED)}.",
                ],
            ),
            section("NEXT", _next(on_rung, ends)),
        ],
        own,
        cause_id,
        AlertEvent(Status.OPENED, CauseKind.CERTIFICATE, cause_id, host=host, last_day=ends),
        runbook=str(CauseKind.CERTIFICATE),
        host=host,
    )


def _next(on_rung: int, ends: date) -> str:
    if on_rung == 0:
        return "no further message about this certificate."
    lower = [f"with {_days(days)} left" for days in rungs(ends)[1:] if days < on_rung]
    when = " and ".join([", ".join(reversed(lower)), "when it has expired"] if lower else ["when it has expired"])
    return f"again {when}. No message when it has been renewed: ACM then falls silent."


def _days(count: int) -> str:
    return f"{count} day{'s' if count != 1 else ''}"
