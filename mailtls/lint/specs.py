"""All offline rules over a set of specs, as one function."""

import datetime
from collections.abc import Iterable, Iterator

from mailtls.lint import set_rules, spec_rules
from mailtls.lint.about import About
from mailtls.lint.fault_rules import fault_findings
from mailtls.lint.findings import Finding, Severity
from mailtls.lint.mute_rules import mute_findings
from mailtls.lint.spec_rule import Key, Place, Published
from mailtls.spec.load import Survey
from mailtls.spec.model import PolicySpec, Source


def spec_findings(
    specs: Iterable[PolicySpec],
    published: Published = None,
    place: Place | None = None,
    now: datetime.datetime | None = None,
) -> tuple[Finding, ...]:
    """What the rules find in `specs`: spec by spec in the order of the rules, then what the set shows; without what a
    spec silences.

    published: the policy domains (A-labels) whose policy senders can have found already; None where nobody knows, and
    then nothing is said about what is new. Only a warning or an info can be silenced.
    place: tells where a key is written; None: a finding stands where its spec begins. now: UTC; None: nothing is said
    of what has an end.
    """
    specs = tuple(specs)
    place = place or _beginning
    ended = [finding for spec in specs for finding in mute_findings(spec, now, place)] if now is not None else []
    return (*_single(specs, published, place), *ended, *_together(specs, place))


def survey_findings(
    found: Survey, published: Published = None, now: datetime.datetime | None = None
) -> tuple[Finding, ...]:
    """The loader's faults and what the rules find in the specs that are good so far, by file, line and column. Each
    stands at the key that it is about, which may be one of a defaults.yaml."""
    findings = (*fault_findings(found.errors), *spec_findings(found.specs, published, found.place, now))
    return tuple(sorted(findings, key=_order))


def _order(finding: Finding) -> tuple[str, int, int]:
    source = finding.location
    return (source.file, source.line, source.column or 0) if source else ("", 0, 0)


def _beginning(spec: PolicySpec, _key: Key) -> Source:
    return spec.source


def _single(specs: tuple[PolicySpec, ...], published: Published, place: Place) -> Iterator[Finding]:
    rules = [(rule.finds, rule.about, rule.key) for rule in spec_rules.RULES]
    for spec in specs:
        for finds, about, key in rules:
            for message, fix in finds(spec, published):
                if not _is_silenced(about, spec):
                    yield about.finding(message, spec.policy_domain, place(spec, key), fix)


def _together(specs: tuple[PolicySpec, ...], place: Place) -> Iterator[Finding]:
    for rule in set_rules.RULES:
        for spec, message, fix in rule.finds(specs):
            if not _is_silenced(rule.about, spec):
                yield rule.about.finding(message, spec.policy_domain, place(spec, rule.key), fix)


def _is_silenced(about: About, spec: PolicySpec) -> bool:
    return about.severity is not Severity.ERROR and about.id in spec.suppress
