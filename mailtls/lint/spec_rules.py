"""Rules over specs alone: no network, no clock. A new rule is a function and a row.

Which rules a spec may silence stands in the spec's schema (`suppress`); a test holds the two lists together.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mailtls.lint.findings import Finding, Severity
from mailtls.mta_sts.policy import Mode
from mailtls.spec.model import PolicySpec

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY

Said = Iterator[tuple[str, str]]
"""Message and fix of each finding."""


@dataclass(frozen=True, slots=True)
class Rule:
    """id: as `suppress` names it. finds: takes a spec and the domains whose policy is published (None: not known)."""

    id: str
    severity: Severity
    reference: str
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


RULES: tuple[Rule, ...] = (
    Rule("m365-two-label-wildcard", Severity.ERROR, "RFC 8461 section 4.1", _m365_two_label_wildcard),
    Rule("max-age-under-an-hour", Severity.WARNING, "docs/spec-reference.md, max_age", _max_age_under_an_hour),
    Rule("max-age-under-a-day", Severity.WARNING, "docs/spec-reference.md, max_age", _max_age_under_a_day),
    Rule("max-age-short-in-enforce", Severity.WARNING, "RFC 8461 section 10.2", _max_age_short_in_enforce),
    Rule("first-in-enforce", Severity.WARNING, "RFC 8461 section 5", _first_in_enforce),
)


def spec_findings(specs: Iterable[PolicySpec], published: frozenset[str] | None = None) -> tuple[Finding, ...]:
    """What the rules find in `specs`, spec by spec in the order of RULES, without what a spec silences.

    published: the policy domains (A-labels) whose policy senders can have found already; None where nobody knows, and
    then nothing is said about what is new. Only a warning or an info can be silenced.
    """
    return tuple(
        Finding(rule.id, rule.severity, message, spec.source, rule.reference, fix, spec.policy_domain)
        for spec in specs
        for rule in RULES
        if rule.severity is Severity.ERROR or rule.id not in spec.suppress
        for message, fix in rule.finds(spec, published)
    )
