"""All offline rules over a set of specs, as one function."""

from collections.abc import Iterable, Iterator

from mailtls.lint import set_rules, spec_rules
from mailtls.lint.fault_rules import fault_findings
from mailtls.lint.findings import Finding, Severity
from mailtls.lint.spec_rule import Published
from mailtls.spec.load import Survey
from mailtls.spec.model import PolicySpec


def spec_findings(specs: Iterable[PolicySpec], published: Published = None) -> tuple[Finding, ...]:
    """What the rules find in `specs`: spec by spec in the order of the rules, then what the set shows; without what a
    spec silences.

    published: the policy domains (A-labels) whose policy senders can have found already; None where nobody knows, and
    then nothing is said about what is new. Only a warning or an info can be silenced.
    """
    specs = tuple(specs)
    return (*_single(specs, published), *_together(specs))


def survey_findings(found: Survey, published: Published = None) -> tuple[Finding, ...]:
    """The loader's faults and what the rules find in the specs that are good so far, by file, line and column."""
    findings = (*fault_findings(found.errors), *spec_findings(found.specs, published))
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> tuple[str, int, int]:
    source = finding.location
    return (source.file, source.line, source.column or 0) if source else ("", 0, 0)


def _single(specs: tuple[PolicySpec, ...], published: Published) -> Iterator[Finding]:
    rules = [(rule.finds, rule.about) for rule in spec_rules.RULES]
    for spec in specs:
        for finds, about in rules:
            for message, fix in finds(spec, published):
                if about.severity is Severity.ERROR or about.id not in spec.suppress:
                    yield about.finding(message, spec.policy_domain, spec.source, fix)


def _together(specs: tuple[PolicySpec, ...]) -> Iterator[Finding]:
    for rule in set_rules.RULES:
        about = rule.about
        for spec, message, fix in rule.finds(specs):
            if about.severity is Severity.ERROR or about.id not in spec.suppress:
                yield about.finding(message, spec.policy_domain, spec.source, fix)
