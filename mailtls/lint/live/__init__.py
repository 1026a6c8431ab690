"""Rules over what is live: one look at a domain in, findings out. Pure; the clock is the look's own.

for finding in live_findings(observed, spec):
    print(finding)
"""

from mailtls.lint.about import About
from mailtls.lint.findings import Finding, Severity
from mailtls.lint.live import (
    beside_rules,
    dane_rules,
    max_age_rules,
    mx_rules,
    policy_host_rules,
    reading_rules,
    record_rules,
)
from mailtls.lint.live.case import Case
from mailtls.observed import Observed
from mailtls.spec.model import PolicySpec

RULES = (
    *record_rules.RULES,
    *policy_host_rules.RULES,
    *reading_rules.RULES,
    *max_age_rules.RULES,
    *mx_rules.RULES,
    *dane_rules.RULES,
    *beside_rules.RULES,
)
ABOUTS: tuple[About, ...] = tuple(rule.about for rule in RULES)
_ORDER = {severity: place for place, severity in enumerate(Severity)}


def live_findings(observed: Observed, spec: PolicySpec | None = None) -> tuple[Finding, ...]:
    """What the rules find, the worst first. spec: what is wanted for the domain; None for a stranger's.

    A warning or an info that the spec silences with a reason is left out.
    """
    case = Case(observed, spec)
    location = spec.source if spec else None
    found = [
        rule.about.finding(said.message, observed.policy_domain, location, said.fix, said.severity)
        for rule in RULES
        for said in rule.finds(case)
    ]
    silenced = spec.suppress if spec else {}
    kept = [one for one in found if one.severity is Severity.ERROR or one.rule not in silenced]
    return tuple(sorted(kept, key=lambda finding: _ORDER[finding.severity]))
