"""The key `alerts`: what a mute must say, where a fault is told, and that a change of it is a change."""

import datetime
from pathlib import Path

import pytest

from mailtls.changes import compare
from mailtls.spec.alerts import Mute, written
from mailtls.spec.errors import SpecErrors
from mailtls.spec.load import load

UTC = datetime.UTC


def mute_of(folder: Path, text: str, defaults: str = "") -> Mute | None:
    (folder / "a.yaml").write_text(f"policy_domain: a.example\n{text}")
    if defaults:
        (folder / "defaults.yaml").write_text(defaults)
    (spec,) = load(folder)
    return spec.mute


def test_a_mute_has_an_end_and_a_reason(tmp_path: Path) -> None:
    muted = mute_of(tmp_path, 'alerts: {mute_until: 2026-12-01T06:00Z, reason: "mx2 \\n is  replaced"}\n')
    assert muted == Mute(datetime.datetime(2026, 12, 1, 6, tzinfo=UTC), "mx2 is replaced")
    assert [f"{'.'.join(path)}: {text}" for path, text in written(muted)] == [
        "alerts.mute_until: 2026-12-01T06:00Z",
        "alerts.reason: mx2 is replaced",
    ]


@pytest.mark.parametrize("text", ["", "alerts: {}\n"])
def test_without_one_nothing_is_muted(tmp_path: Path, text: str) -> None:
    assert mute_of(tmp_path, text) is None


def test_defaults_can_hold_one_for_a_folder(tmp_path: Path) -> None:
    defaults = "alerts: {mute_until: 2026-12-01T06:00Z, reason: the data centre moves}\n"
    muted = mute_of(tmp_path, "alerts: {mute_until: 2026-12-02T06:00Z}\n", defaults)
    assert muted == Mute(datetime.datetime(2026, 12, 2, 6, tzinfo=UTC), "the data centre moves")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alerts: {mute_until: 2026-12-01T06:00Z}", "a.yaml:2:1: alerts.reason: missing; write until when and why"),
        ("alerts: {reason: work}", "alerts.mute_until: missing; write until when and why"),
        ("alerts: {mute_until: 2026-02-30T06:00Z, reason: work}", "a.yaml:2:22: alerts.mute_until: "),
        (
            "alerts: {mute_until: 2026-02-30T06:00Z, reason: work}",
            '"2026-02-30T06:00Z" is not a minute of the calendar',
        ),
        (
            "alerts: {mute_until: 2026-12-01, reason: work}",
            '"2026-12-01" is not a moment (mute_until: 2026-12-01T06:00Z',
        ),
        ("alerts: {mute_until: 2026-12-01T06:00+01:00, reason: work}", "is not a moment"),
        ("alerts: {mute_until: 9999-12-31T23:59Z, reason: work}", "is not a minute of the calendar"),
        ('alerts: {mute_until: 2026-12-01T06:00Z, reason: " "}', "alerts.reason"),
        ('alerts: {mute_until: 2026-12-01T06:00Z, reason: "\\u202e"}', "alerts.reason"),
        ("alerts: {mute: 2026-12-01T06:00Z, reason: work}", "alerts.mute: is not a key here (mute_until, reason)"),
        ("alerts: off", "is not a map of mute_until and reason"),
    ],
)
def test_a_fault_has_its_place_and_the_way_out(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecErrors) as caught:
        mute_of(tmp_path, text + "\n")
    assert said in str(caught.value)


def test_a_fault_of_the_defaults_is_told_there(tmp_path: Path) -> None:
    with pytest.raises(SpecErrors, match=r"defaults\.yaml:1:22: alerts\.mute_until"):
        mute_of(tmp_path, "", "alerts: {mute_until: 2026-02-30T06:00Z}\n")


def test_a_mute_is_a_change_that_people_see(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("policy_domain: a.example\n")
    base = load(tmp_path)
    (tmp_path / "a.yaml").write_text("policy_domain: a.example\nalerts: {mute_until: 2026-12-01T06:00Z, reason: x}\n")
    assert len(compare(base, load(tmp_path))) == 1
