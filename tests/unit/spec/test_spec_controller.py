"""The keys by which a spec speaks to the controller."""

import datetime
from fractions import Fraction
from pathlib import Path

import pytest

from mailtls.changes import compare
from mailtls.spec.controller import BY_DEFAULT, Adopted, Controller, Rollout, written
from mailtls.spec.errors import SpecErrors
from mailtls.spec.load import load


def controller_of(tmp_path: Path, text: str, defaults: str = "") -> Controller:
    (tmp_path / "a.yaml").write_text("policy_domain: a.example\n" + text)
    (tmp_path / "defaults.yaml").write_text(defaults)
    (spec,) = load(tmp_path)
    return spec.controller


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", BY_DEFAULT),
        ("rollout: {}\nhold: false\nretire: false\n", BY_DEFAULT),
        ("rollout: manual\n", Controller(Rollout(manual=True))),
        (
            "rollout: {after: {days: 21, sessions: 500, reporters: 1, max_failure_rate: 0.5%}}\n",
            Controller(Rollout(days=21, sessions=500, reporters=1, max_failure_rate=Fraction(1, 200))),
        ),
        ("rollout: {after: {max_failure_rate: 0}}\n", BY_DEFAULT),
        ("rollout: {planned_move: 2026-12-24}\n", Controller(Rollout(planned_move=datetime.date(2026, 12, 24)))),
        ("hold: true\nretire: true\n", Controller(hold=True, retire=True)),
        (
            "adopted: {max_age: 4w, until: 2026-11-01}\n",  # the whole day counts
            Controller(adopted=Adopted(28 * 86400, datetime.datetime(2026, 11, 2, tzinfo=datetime.UTC))),
        ),
    ],
)
def test_what_a_spec_tells_the_controller(tmp_path: Path, text: str, value: Controller) -> None:
    assert controller_of(tmp_path, text) == value


def test_defaults_fill_in_key_by_key_and_manual_replaces(tmp_path: Path) -> None:
    defaults = "rollout: {after: {days: 30, reporters: 3}}\n"
    assert controller_of(tmp_path, "rollout: {after: {days: 20}}\n", defaults).rollout == Rollout(days=20, reporters=3)
    assert controller_of(tmp_path, "rollout: manual\n", defaults).rollout == Rollout(manual=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rollout: automatic", 'a.yaml:2:10: rollout: "automatic" is neither a map nor manual'),
        ("rollout: {after: {days: 0}}", "rollout.after.days: 0 is not a number of days"),
        ("rollout: {after: {max_failure_rate: 5}}", "rollout.after.max_failure_rate: 5 is not a share"),
        ("rollout: {after: {max_failure_rate: 100%}}", "is not a share (0% or 0.5%, below 100%)"),
        ("rollout: {planned_move: 2026-02-30}", 'rollout.planned_move: "2026-02-30" is not a day of the calendar'),
        ("rollout: {planed_move: 2026-02-20}", "did you mean planned_move?"),
        ("adopted: {max_age: 4w}", "adopted.until: missing; write what the former host served"),
        ("adopted: {until: 2026-11-01}", "adopted.max_age: missing"),
        ("adopted: {max_age: 60w, until: 2026-11-01}", 'adopted.max_age: "60w" is 36288000 seconds'),
        ("adopted: {max_age: 1w, until: 9999-12-31}", "is not a day of the calendar"),
        ("hold: 1", "hold: 1 is neither true nor false"),
    ],
)
def test_a_fault_has_its_place_and_the_way_out(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        controller_of(tmp_path, text + "\n")
    assert said in str(caught.value)


def test_a_fault_of_the_defaults_is_told_there(tmp_path: Path) -> None:
    with pytest.raises(SpecErrors, match=r"defaults\.yaml:1:26: rollout\.planned_move"):
        controller_of(tmp_path, "", "rollout: {planned_move:  2026-02-30}\n")


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    text = "rollout: {after: {days: 21, max_failure_rate: 0.5%}, planned_move: 2026-12-24}\nhold: true\n"
    adopted = "retire: true\nadopted: {max_age: 1d, until: 2026-11-01}\n"
    assert [f"{'.'.join(path)}: {value}" for path, value in written(controller_of(tmp_path, text + adopted))] == [
        "rollout.after.days: 21", "rollout.after.max_failure_rate: 0.5%", "rollout.planned_move: 2026-12-24",
        "hold: true", "retire: true", "adopted.max_age: 86400 seconds", "adopted.until: 2026-11-01",
    ]  # fmt: skip


def test_another_word_to_the_controller_is_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("policy_domain: a.example\n")
    base = load(tmp_path)
    (tmp_path / "a.yaml").write_text("policy_domain: a.example\nhold: true\n")
    assert len(compare(base, load(tmp_path))) == 1
