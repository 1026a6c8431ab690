"""Rules about how long senders may keep a policy (RFC 8461 section 3.2), and what they make of it."""

from mailtls.lint.findings import Severity
from mailtls.lint.spec_rule import NOTHING, Published, Said, SpecRule, about_specs
from mailtls.mta_sts.policy import MAX_AGE, Mode
from mailtls.spec.model import PolicySpec

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY


def _under_an_hour(spec: PolicySpec, _published: Published) -> Said:
    sts = spec.mta_sts
    if sts is None or sts.mode is Mode.NONE or sts.max_age >= HOUR:
        return NOTHING
    return [(f"max_age is {sts.max_age} seconds, and a big sender takes a day for less than an hour", "write 1d")]


def _under_a_day(spec: PolicySpec, _published: Published) -> Said:
    sts = spec.mta_sts
    if sts is None or sts.mode is Mode.NONE or not HOUR <= sts.max_age < DAY:
        return NOTHING
    return [(f"max_age is {sts.max_age} seconds, and some senders ignore a policy for less than a day", "write 1d")]


def _short_in_enforce(spec: PolicySpec, _published: Published) -> Said:
    sts = spec.mta_sts
    if sts is None or sts.mode is not Mode.ENFORCE or sts.max_age >= WEEK:
        return NOTHING
    return [
        (
            f"max_age is {sts.max_age} seconds in enforce: who can block the look for the policy that long strips the "
            "TLS after it",
            "write 1w or more, or leave it out",
        )
    ]


def _long_while_testing(spec: PolicySpec, _published: Published) -> Said:
    sts = spec.mta_sts
    if sts is None or sts.mode is not Mode.TESTING or sts.max_age <= WEEK:
        return NOTHING
    return [
        (
            f"max_age is {sts.max_age // DAY} days in testing: a sender may go on with an old policy that long, so "
            "every correction, and the step to enforce, comes that much later",
            "write 1d while testing, or leave it out",
        )
    ]


def _at_maximum(spec: PolicySpec, _published: Published) -> Said:
    sts = spec.mta_sts
    if sts is None or sts.max_age < MAX_AGE:
        return NOTHING
    return [
        (
            f"max_age is {MAX_AGE} seconds, the most that there is, and a big sender keeps such a policy for one day",
            "write 52w, which is below it, or less",
        )
    ]


RULES = (
    SpecRule(
        about_specs(
            "max-age-under-an-hour",
            Severity.WARNING,
            "Stalwart takes one day for anything below an hour, so the time that was meant is not the one that counts; "
            "other senders ignore such a policy.",
            "Write `max_age: 1d`, or leave it out.",
            'RFC 8461 section 3.2; docs/rules.md, "What senders do"',
        ),
        _under_an_hour,
        ("mta_sts", "max_age"),
    ),
    SpecRule(
        about_specs(
            "max-age-under-a-day",
            Severity.WARNING,
            "Some senders ignore a policy that may be kept for less than a day: for them the domain has none.",
            "Write `max_age: 1d`, or leave it out.",
            'RFC 8461 section 3.2; docs/rules.md, "What senders do"',
        ),
        _under_a_day,
        ("mta_sts", "max_age"),
    ),
    SpecRule(
        about_specs(
            "max-age-short-in-enforce",
            Severity.WARNING,
            "A sender is protected from a blocked look for the policy only while it holds one. Whoever can block the "
            "look for longer than max_age strips the TLS after it.",
            "Write `max_age: 1w` or more, or leave it out.",
            "RFC 8461 section 10.2",
        ),
        _short_in_enforce,
        ("mta_sts", "max_age"),
    ),
    SpecRule(
        about_specs(
            "max-age-long-while-testing",
            Severity.WARNING,
            "A sender may go on with the policy that it holds for up to max_age, whatever the id says (tlspol does). "
            "While the mx list is still being corrected, each correction comes that much later.",
            "Write `max_age: 1d` while testing, or leave it out; let it grow after weeks of enforce.",
            'RFC 8461 section 3.2; docs/rules.md, "What senders do"',
        ),
        _long_while_testing,
        ("mta_sts", "max_age"),
    ),
    SpecRule(
        about_specs(
            "max-age-at-maximum",
            Severity.WARNING,
            "Stalwart takes one day for 31557600 seconds, the RFC's maximum, as it does for less than an hour: the "
            "longest time that can be written becomes one of the shortest.",
            "Write `max_age: 52w` or less.",
            'RFC 8461 section 3.2; docs/rules.md, "What senders do"',
        ),
        _at_maximum,
        ("mta_sts", "max_age"),
    ),
)
