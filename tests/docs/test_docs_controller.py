"""docs/controller.md says the numbers and the words of the code."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from mailtls.observe.store import EVIDENCE_DAYS
from mailtls.render.status import MEANINGS
from mailtls.rollout import max_age, mode, mx, promote, waits
from mailtls.rollout.conditions import Name
from mailtls.rollout.decision import Kind
from mailtls.rollout.standing import Group
from mailtls.spec.controller import Rollout
from mailtls.tls_rpt.contract import CONTROLLER_METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "controller.md").read_text("utf-8")
RULES = dict(re.findall(r"^\| \*\*([a-z-]+)\*\* \| (.*) \|$", PAGE, re.MULTILINE))
DAY = 86400


def days(seconds: int) -> str:
    return f"{seconds // DAY} day" + ("s" if seconds != DAY else "")


NUMBERS: dict[str, list[str]] = {
    "add-mx": [f"at most {mx.MAX_ADDED} in one change"],
    "demote": [
        f"within {mode.DAYS} days at least {mode.LEAST_REFUSED} sessions",
        f"1 session in {mode.SHARE} or more",
        f"{mode.ONE_HOST_SHARE:.0%}".replace("%", " %"),
    ],
    "promote": [f"the last {promote.RECENT_DAYS} days and before", f"at most {days(promote.FIRST_MAX_AGE)}"],
    "move-mx": [f"After {mx.PATIENCE.days} more days"],
    "remove-mx": [],
    "raise-max-age": [
        f"below {days(max_age.LONG_ENOUGH)} becomes {days(max_age.HIGH)}",
        f"after {max_age.QUIET_DAYS} days in enforce",
    ],
    "lower-max-age": [f"becomes {days(max_age.LOW)}, {max_age.MARGIN.days} days before"],
    "retire": [f"max_age of {days(mode.OUT_MAX_AGE)}"],
    "delete": [],
}


def test_every_rule_is_told() -> None:
    assert set(RULES) == set(Kind) == set(NUMBERS)


@pytest.mark.parametrize("rule", NUMBERS)
def test_a_rule_has_the_numbers_of_the_code(rule: str) -> None:
    assert [words for words in NUMBERS[rule] if words not in RULES[rule]] == []


def test_the_sum_behind_every_day_and_the_span_of_the_reports() -> None:
    assert timedelta(days=1) == waits.LEAST_KEPT
    assert "+ max(its max_age, 1 day)" in PAGE
    assert f"of the last {EVIDENCE_DAYS} days at most" in PAGE


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("days", lambda plain: f"{plain.days}"),
        ("sessions", lambda plain: f"{plain.sessions}"),
        ("reporters", lambda plain: f"{plain.reporters}"),
        ("max_failure_rate", lambda plain: f"{float(plain.max_failure_rate):g}%"),
    ],
)
def test_the_defaults_are_those_of_a_spec(key: str, default: Callable[[Rollout], str]) -> None:
    assert f"| `rollout.after.{key}` | {default(Rollout())} |" in PAGE


def test_the_words_of_status_and_reconcile() -> None:
    told = dict(re.findall(r"^\| `([A-Za-z]+)` \| (.*) \|$", PAGE.partition("## The words")[2], re.MULTILINE))
    assert {name: told.pop(name) for name in MEANINGS} == {str(why): words for why, words in MEANINGS.items()}
    assert set(told) == set(Name) | set(Group)


def test_the_heartbeats_table_names_what_is_put() -> None:
    table = PAGE[PAGE.index("| metric | what it counts |") :].partition("\n\n")[0]
    assert re.findall(r"`(\w+)`", table) == [metric.name for metric in CONTROLLER_METRICS]
