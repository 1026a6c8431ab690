"""What a report says of a policy, against what was served and when."""

from datetime import UTC, datetime, timedelta

import pytest

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.reports.served import Served, Version, last_served, of_versions, was_served

WEEK = 604800
MX = (MxPattern("mx1.contoso.example"), MxPattern("*.mailhost.example"))
POLICY = Policy(Mode.ENFORCE, WEEK, MX, (("note", "x"),))
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
LINES = ["version: STSv1", "mode: enforce", "mx: mx1.contoso.example", "mx: *.mailhost.example", "max_age: 604800"]


@pytest.mark.parametrize(
    ("lines", "fits"),
    [
        (LINES, True),
        (list(reversed(LINES)), True),
        ([line + "\r" for line in LINES], True),
        ([f"  {line.replace(': ', ' :  ')} " for line in LINES], True),
        ([line.upper() for line in LINES], True),
        ([*LINES, "other: field"], True),
        (LINES[:3], True),  # cut off
        (LINES[2:], True),  # without a mode
        (["mode: enforce", "max_age: 604800"], True),
        ([*LINES[:3], "max_age: 604800"], False),  # whole, with one mx less
        ([*LINES, "mx: mx3.contoso.example"], False),
        (["mode: enforce", "mx: mx3.contoso.example"], False),
        ([line.replace("enforce", "testing") for line in LINES], False),
        ([line.replace("604800", "604801") for line in LINES], False),
        ([], False),  # says nothing
        (["max_age: 604800"], False),
    ],
)
def test_a_policy_is_known_by_its_mode_max_age_and_mx(lines: list[str], fits: bool) -> None:
    assert (was_served(lines, [Served(POLICY, NOON)], NOON, NOON) is not None) is fits


@pytest.mark.parametrize(
    ("max_age", "days_later", "may_be"),
    [(WEEK, 6, True), (WEEK, 9, True), (WEEK, 11, False), (60, 3, True), (60, 5, False), (31557600, 360, True)],
)
def test_a_policy_is_applied_while_a_cache_may_hold_it(max_age: int, days_later: int, may_be: bool) -> None:
    """Its max_age, one day at least, and three days for late edges and foreign clocks."""
    served = Served(Policy(Mode.ENFORCE, max_age, MX), NOON - timedelta(days=30), NOON)
    day = NOON + timedelta(days=days_later)
    assert served.may_be_applied(day, day + timedelta(days=1)) is may_be


def test_a_policy_is_not_applied_before_it_is_served() -> None:
    served = Served(POLICY, NOON)
    assert served.may_be_applied(NOON - timedelta(days=1), NOON)
    assert not served.may_be_applied(NOON - timedelta(days=6), NOON - timedelta(days=5))


def test_versions_of_a_file_tell_what_was_served_from_when_to_when() -> None:
    days = [NOON + timedelta(days=n) for n in range(4)]
    testing = Policy(Mode.TESTING, WEEK, MX)
    history = of_versions(
        [
            Version(days[2], None),  # deleted
            Version(days[0], testing.render()),
            Version(days[1], POLICY.render()),
            Version(days[3], b"no policy"),
        ]
    )
    assert history == (Served(POLICY, days[1], days[2]), Served(testing, days[0], days[1]))
    assert last_served(LINES, history) == days[2]
    assert last_served(["mode: none"], history) is None


def test_of_several_policies_that_fit_the_strictest_is_meant() -> None:
    """Without a mode the lines fit both sides of a promotion."""
    history = [Served(Policy(mode, WEEK, MX), NOON) for mode in (Mode.TESTING, Mode.ENFORCE)]
    found = was_served(LINES[2:], history, NOON, NOON)
    assert found is not None
    assert found.policy.mode is Mode.ENFORCE
