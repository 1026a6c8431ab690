"""The ways of docs/changing-a-policy.md are walked, commit by commit: no rule objects, and a short cut fails."""

import datetime
import itertools
import re
from pathlib import Path

import pytest

from mailtls.changes import Change, Served, compare
from mailtls.lint.findings import Finding
from mailtls.lint.specs import spec_findings
from mailtls.lint.transition_rules import transition_findings
from mailtls.spec import PolicySpec
from mailtls.spec.load import load

PAGE = (Path(__file__).parents[2] / "docs" / "changing-a-policy.md").read_text("utf-8")
WAYS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
NOW = datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)
STEP = datetime.timedelta(days=15)
SHORT_CUT = {
    "A new MX host": "",
    "Other MX hosts": "mx-set-replaced",
    "From testing to enforce": "max-age-jump",
    "Back to testing": "",
    "Giving up a domain": "spec-removed-while-live",
}
"""What is told where the steps in the middle are left out; "" where there are none."""


def specs(way: str, folder: Path) -> list[tuple[PolicySpec, ...]]:
    found = []
    for text in re.findall(r"^```yaml\n(.*?)^```", WAYS[way], re.MULTILINE | re.DOTALL):
        (folder / "contoso.example.yaml").write_text(text, "utf-8")
        found.append(load(folder))
    return [*found, ()] if "remove the file" in WAYS[way] else found


def told(before: tuple[PolicySpec, ...], after: tuple[PolicySpec, ...], earlier: tuple[Served, ...]) -> list[Finding]:
    """The step is taken at NOW, and `before` was served for STEP."""
    (change,) = compare(before, after)
    known = Change(change.policy_domain, change.base, change.head, NOW - STEP, earlier)
    return [*transition_findings([known], NOW), *spec_findings(after)]


def test_each_way_is_judged_here() -> None:
    assert set(WAYS) == set(SHORT_CUT)


@pytest.mark.parametrize("way", WAYS)
def test_the_steps_of_a_way_find_nothing(way: str, tmp_path: Path) -> None:
    steps = specs(way, tmp_path)
    assert len(steps) > 1
    earlier: tuple[Served, ...] = ()
    for before, after in itertools.pairwise(steps):
        assert told(before, after, earlier) == []
        gone = before[0].mta_sts
        assert gone is not None
        aged = (Served(one.mta_sts, one.until - STEP if one.until else None) for one in earlier)
        earlier = (Served(gone, NOW - STEP), *aged)


@pytest.mark.parametrize(("way", "rule"), [(way, rule) for way, rule in SHORT_CUT.items() if rule])
def test_a_short_cut_is_told(way: str, rule: str, tmp_path: Path) -> None:
    steps = specs(way, tmp_path)
    assert rule in [finding.rule for finding in told(steps[0], steps[-1], ())]
