"""Rules over one spec at a time: no network, no clock. A new rule is a function and a row of RULES.

Which rules a spec may silence stands in the spec's schema (`suppress`); a test holds the two lists together.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.mta_sts.policy import Mode
from mailtls.spec.model import PolicySpec

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY

Said = Iterator[tuple[str, str]]
"""Message and fix of each finding."""


@dataclass(frozen=True, slots=True)
class SpecRule:
    """finds: takes a spec and the domains whose policy is published (None: not known)."""

    about: About
    finds: Callable[[PolicySpec, frozenset[str] | None], Said]


def _max_age_under_an_hour(spec: PolicySpec, _published: frozenset[str] | None) -> Said:
    if spec.mta_sts and spec.mta_sts.mode is not Mode.NONE and spec.mta_sts.max_age < HOUR:
        yield (
            f"max_age is {spec.mta_sts.max_age} seconds, and a big sender takes a day for less than an hour",
            "write 1d",
        )


def _max_age_under_a_day(spec: PolicySpec, _published: frozenset[str] | None) -> Said:
    if spec.mta_sts and spec.mta_sts.mode is not Mode.NONE and HOUR <= spec.mta_sts.max_age < DAY:
        yield (
            f"max_age is {spec.mta_sts.max_age} seconds, and some senders ignore a policy for less than a day",
            "write 1d",
        )


def _max_age_short_in_enforce(spec: PolicySpec, _published: frozenset[str] | None) -> Said:
    if spec.mta_sts and spec.mta_sts.mode is Mode.ENFORCE and spec.mta_sts.max_age < WEEK:
        yield (
            f"max_age is {spec.mta_sts.max_age} seconds in enforce: who can block the look for the policy that long "
            "strips the TLS after it",
            "write 1w or more, or leave it out",
        )


def _first_in_enforce(spec: PolicySpec, published: frozenset[str] | None) -> Said:
    if spec.mta_sts is None or spec.mta_sts.mode is not Mode.ENFORCE or published is None:
        return
    if spec.policy_domain not in published:
        yield (
            f"the first policy of {spec.policy_domain} is in enforce: a host that fails gets no mail, and no report "
            "has shown yet whether one does",
            "write mode: testing, and enforce after two weeks of clean reports",
        )


def _m365_two_label_wildcard(spec: PolicySpec, _published: frozenset[str] | None) -> Said:
    for pattern in spec.mta_sts.mx if spec.mta_sts else ():
        if str(pattern) == "*.mx.microsoft":
            yield (
                f'"{pattern}" matches no host of Microsoft 365: a * stands for one label, and the hosts have two, as '
                "in contoso-example.h-v1.mx.microsoft",
                "write the very name that the MX record has",
            )


def _about(rule: str, severity: Severity, why: str, fix: str, reference: str) -> About:
    return About(rule, severity, Group.SPEC, why, fix, reference)


RULES: tuple[SpecRule, ...] = (
    SpecRule(
        _about(
            "m365-two-label-wildcard",
            Severity.ERROR,
            "A `*` stands for exactly one label, and the new hosts of Microsoft 365 have two before mx.microsoft. The "
            "pattern matches none of them, so in enforce no mail arrives.",
            "Write the very name that the MX record has, as the admin center shows it.",
            "RFC 8461 section 4.1",
        ),
        _m365_two_label_wildcard,
    ),
    SpecRule(
        _about(
            "max-age-under-an-hour",
            Severity.WARNING,
            "A big sender (Stalwart) takes a day for anything below an hour, so the time that was meant is not the "
            "time that counts.",
            "Write 1d.",
            "RFC 8461 section 3.2; what senders do",
        ),
        _max_age_under_an_hour,
    ),
    SpecRule(
        _about(
            "max-age-under-a-day",
            Severity.WARNING,
            "Some senders ignore a policy for less than a day.",
            "Write 1d.",
            "RFC 8461 section 3.2; what senders do",
        ),
        _max_age_under_a_day,
    ),
    SpecRule(
        _about(
            "max-age-short-in-enforce",
            Severity.WARNING,
            "Senders are protected from a blocked look for the policy only while they hold one. Whoever can block the "
            "look for longer than max_age strips the TLS after it.",
            "Write 1w or more, or leave max_age out.",
            "RFC 8461 section 10.2",
        ),
        _max_age_short_in_enforce,
    ),
    SpecRule(
        _about(
            "first-in-enforce",
            Severity.WARNING,
            "A host that fails gets no mail in enforce, and before the first reports nobody knows whether one does.",
            "Write `mode: testing`, and enforce after two weeks of clean reports.",
            "RFC 8461 section 5",
        ),
        _first_in_enforce,
    ),
)

ABOUTS: tuple[About, ...] = tuple(rule.about for rule in RULES)
