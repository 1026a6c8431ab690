"""What a rule over one spec is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.spec.model import PolicySpec, Source

Published = frozenset[str] | None
"""The policy domains (A-labels) whose policy senders can have found already; None where nobody knows."""
Key = tuple[str, ...]
"""A key of a spec from the outside in: ("mta_sts", "max_age")."""
Place = Callable[[PolicySpec, Key], Source]
"""Where a key of a spec is written."""
Said = Iterable[tuple[str, str]]
"""Message and fix of each finding."""
NOTHING: Said = ()


@dataclass(frozen=True, slots=True)
class SpecRule:
    """finds: takes a spec and what is published. Pure, and quick where there is nothing to say: it runs for every
    spec of ten thousand. key: of the spec, the one that a finding is about."""

    about: About
    finds: Callable[[PolicySpec, Published], Said]
    key: Key


def about_specs(rule: str, severity: Severity, why: str, fix: str, reference: str) -> About:
    """An `About` of a rule that looks at specs alone."""
    return About(rule, severity, Group.SPEC, why, fix, reference)
