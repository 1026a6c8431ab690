"""Live rule over how long senders keep a stranger's policy. Of our own, `mailtls.lint.max_age_rules` speaks."""

from collections.abc import Iterator

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.lint.live.case import Case, LiveRule, Said
from mailtls.mta_sts.policy import Mode

_DAY = 86400


def _short(case: Case) -> Iterator[Said]:
    policy = case.policy
    if case.spec is None and policy is not None and policy.mode is Mode.ENFORCE and policy.max_age < _DAY:
        yield Said(f"max_age is {policy.max_age} seconds in enforce: senders forget the policy within a day")


RULES: tuple[LiveRule, ...] = (
    LiveRule(
        About(
            "policy-max-age-short",
            Severity.WARNING,
            Group.LIVE,
            "Who can block the look for the policy for longer than max_age takes the TLS out after it; and some "
            "senders ignore a policy that is kept for less than a day.",
            "Serve a max_age of weeks (604800 or more).",
            "RFC 8461 section 10.2",
        ),
        _short,
    ),
)
