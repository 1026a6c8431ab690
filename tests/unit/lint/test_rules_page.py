"""docs/rules.md is what the code says, and sender habits speak of things that exist."""

import re

from mailtls.lint import sender_habits
from mailtls.lint.catalogue import rules
from mailtls.lint.reference import PAGE, render
from mailtls.lint.sender_habits import HABITS, habits_about
from mailtls.tls_rpt.report_values import ResultType


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == render()


def test_every_rule_stands_in_it_once() -> None:
    assert re.findall(r"^### `([a-z0-9-]+)`$", render(), re.MULTILINE) == list(rules())


def test_a_rule_that_may_be_silenced_says_how() -> None:
    assert 'suppress: {rua-several: "the reason"}' in render()
    assert 'suppress: {m365-two-label-wildcard: "the reason"}' not in render()


def test_every_habit_is_a_row_of_the_table() -> None:
    rows = [row for row in render().splitlines() if row.startswith("| ") and not row.startswith("| sender |")]
    assert len(rows) == len(HABITS)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)


def test_habits_are_found_by_rule_and_by_result_type() -> None:
    assert [habit.sender for habit in habits_about("rua-several")] == ["Google", "Microsoft"]
    assert {habit.sender for habit in habits_about("validation-failure")} >= {"Google"}
    assert list(habits_about("no-such-topic")) == []


def test_habits_name_topics_that_exist() -> None:
    words = {value for name, value in vars(sender_habits).items() if name.isupper() and isinstance(value, str)}
    live = {"sts-candidate-beside-ours", "sts-other-txt-value", "mx-not-in-policy"}
    known = words | set(rules()) | set(map(str, ResultType)) | live
    assert {topic for habit in HABITS for topic in habit.topics} <= known
