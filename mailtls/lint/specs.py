"""All rules over a set of specs, as one function."""

from collections.abc import Iterable

from mailtls.lint import spec_rules
from mailtls.lint.findings import Finding, Severity
from mailtls.spec.model import PolicySpec


def spec_findings(specs: Iterable[PolicySpec], published: frozenset[str] | None = None) -> tuple[Finding, ...]:
    """What the rules find in `specs`, spec by spec in the order of the rules, without what a spec silences.

    published: the policy domains (A-labels) whose policy senders can have found already; None where nobody knows, and
    then nothing is said about what is new. Only a warning or an info can be silenced.
    """
    return tuple(
        rule.about.finding(message, spec.policy_domain, spec.source, fix)
        for spec in specs
        for rule in spec_rules.RULES
        if rule.about.severity is Severity.ERROR or rule.about.id not in spec.suppress
        for message, fix in rule.finds(spec, published)
    )
