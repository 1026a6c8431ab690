"""The drawing: bars where reports are, gaps where none are, and a scale that ends at a round number."""

import re
from datetime import date, timedelta

import pytest

from mailtls.dashboard.chart import DAY, HEIGHT, Band, Sessions, chart

FIRST = date(2026, 10, 1)


def days(number: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(number)]


def paths(drawn: str, kind: str) -> list[str]:
    """What the paths of a class say, one for each panel."""
    return re.findall(rf'<path d="([^"]*)" class="{kind}"/>', drawn)


def places(path: str) -> list[int]:
    """The day at which each figure of a path begins."""
    return [int(at) // DAY for at in re.findall(r"M(\d+) ", path)]


def test_a_day_without_reports_is_a_gap_and_no_bar() -> None:
    drawn = chart("x", days(5), [Sessions(9, 1), None, None, Sessions(10, 0), Sessions()], rated=True)
    _, gap_of_sessions = paths(drawn, "gap")
    assert gap_of_sessions == f"M{DAY} {HEIGHT}h{2 * DAY}v-{HEIGHT}h-{2 * DAY}z"
    assert places(paths(drawn, "sessions")[0]) == [0, 3, 4]
    assert "3 days with reports, 2 without." in drawn


def test_a_day_without_sessions_has_no_rate() -> None:
    """Its report may count another policy type. Then nothing is known about failures."""
    drawn = chart("x", days(2), [Sessions(9, 1), Sessions()], rated=True)
    assert places(paths(drawn, "failed")[0]) == [0]
    assert places(paths(drawn, "gap")[0]) == [1]
    assert places(paths(drawn, "gap")[1]) == []


def test_no_failure_is_a_line_on_the_ground() -> None:
    (path,) = paths(chart("x", days(2), [Sessions(10, 0), Sessions(5, 5)], rated=True), "failed")
    assert re.findall(r"v-(\d+)h", path) == ["1", "100"]


def test_one_failure_of_many_can_be_seen() -> None:
    (path,) = paths(chart("x", days(1), [Sessions(1_000_000, 1)], rated=True), "failed")
    assert re.findall(r"v-(\d+)h", path) == ["4"]


@pytest.mark.parametrize(
    ("sessions", "top"),
    [
        (Sessions(100, 0), "1 %"),
        (Sessions(99, 1), "1 %"),
        (Sessions(98, 2), "2 %"),
        (Sessions(96, 4), "5 %"),
        (Sessions(1, 2), "100 %"),
        (Sessions(0, 9), "100 %"),
    ],
)
def test_the_scale_ends_at_a_round_share(sessions: Sessions, top: str) -> None:
    assert f"top of the scale: {top}<" in chart("x", days(1), [sessions], rated=True)


def test_what_has_no_rate_shows_none() -> None:
    drawn = chart("x", days(1), [Sessions(3, 0)], rated=False)
    assert "failed share" not in drawn
    assert paths(drawn, "failed") == []


def test_policies_stand_on_the_same_days() -> None:
    bands = [Band(FIRST - timedelta(days=9), FIRST + timedelta(days=1), "testing"),
             Band(FIRST + timedelta(days=2), FIRST + timedelta(days=99), "enforce"),
             Band(FIRST - timedelta(days=99), FIRST - timedelta(days=10), "none")]  # fmt: skip
    drawn = chart("x", days(5), [None] * 5, rated=True, bands=bands)
    found = re.findall(r'<rect x="(\d+)" y="0" width="(\d+)" height="10" class="mode-(\w+)"/>', drawn)
    assert found == [("0", "20", "testing"), ("20", "30", "enforce")]
    assert "key mode-none" not in drawn
