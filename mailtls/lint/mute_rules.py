"""Rules about a mute of alerts, which know what time it is."""

import datetime
from collections.abc import Iterator

from mailtls.lint.about import About
from mailtls.lint.findings import Finding, Severity
from mailtls.lint.spec_rule import Place, about_specs
from mailtls.spec.alerts import moment
from mailtls.spec.model import PolicySpec
from mailtls.tls_rpt.contract import LONGEST_MUTE

_KEY = ("alerts", "mute_until")

TOO_LONG = about_specs(
    "mute-too-long",
    Severity.ERROR,
    f"A mute is for planned work, and nobody hears of held mail meanwhile. More than {LONGEST_MUTE.days} days are no "
    "work but a forgotten line; the function that sends alerts takes no notice of such a mute.",
    f"Write a moment within {LONGEST_MUTE.days} days; a longer work gets its next line when that one ends.",
    "docs/alerts.md",
)
OVER = about_specs(
    "mute-over",
    Severity.WARNING,
    "The mute has ended and does nothing any more. Left there, it is what the next one is copied from.",
    "Take `alerts` out of the spec.",
    "docs/alerts.md",
)
ABOUTS: tuple[About, ...] = (TOO_LONG, OVER)


def mute_findings(spec: PolicySpec, now: datetime.datetime, place: Place) -> Iterator[Finding]:
    """What is to be said of the spec's mute. now: UTC."""
    if spec.mute is None:
        return
    if spec.mute.until <= now:
        message = f"the mute ended at {moment(spec.mute)}"
        yield OVER.finding(message, spec.policy_domain, place(spec, _KEY))
    elif spec.mute.until - now > LONGEST_MUTE:
        days = (spec.mute.until - now).days
        message = f"{moment(spec.mute)} is {days} days ahead; a mute lasts {LONGEST_MUTE.days} days at most"
        yield TOO_LONG.finding(message, spec.policy_domain, place(spec, _KEY))
