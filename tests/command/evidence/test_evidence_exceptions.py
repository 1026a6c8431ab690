"""Exceptions of a period: gathered from the commits, with those that were removed since."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

from mailtls.audit.facts import ChangeOf
from mailtls.audit.gather import SpecCommit, exceptions
from mailtls.spec.alerts import Mute
from mailtls.totals.period import Period

PERIOD = Period(date(2026, 5, 1), date(2026, 6, 30))


def spec(suppress=(), mute=None):
    controller = SimpleNamespace(hold=False, rollout=SimpleNamespace(manual=False))
    return SimpleNamespace(suppress=dict.fromkeys(suppress, "why"), controller=controller, mute=mute)


def history(*steps):
    """steps: month and spec, oldest first."""
    made = [
        SpecCommit(ChangeOf(f"{month:040x}", datetime(2026, month, 1, tzinfo=UTC), "a", "c", "s", "f"), of)
        for month, of in steps
    ]
    return made[::-1]


def test_what_was_removed_within_the_period_is_named_with_both_commits():
    commits = history((3, spec(["r1"])), (4, spec(["r1", "r2"])), (6, spec(["r2"])), (8, spec(["r3"])))
    removed, still = exceptions(spec(["r3"]), commits, PERIOD)
    assert (removed.what, removed.since.month, removed.until.month) == ("rule r1 is suppressed", 3, 6)
    assert (removed.commit, removed.removed_by) == (f"{3:040x}", f"{6:040x}")
    assert (still.what, still.since.month, still.until.month) == ("rule r2 is suppressed", 4, 8)


def test_what_was_over_before_or_came_after_is_not_named():
    assert exceptions(spec(), history((2, spec(["r1"])), (4, spec()), (7, spec(["r2"])), (8, spec())), PERIOD) == ()


def test_a_mute_ends_by_itself():
    until = datetime(2026, 5, 9, 6, tzinfo=UTC)
    muted = spec(mute=Mute(until, "mx2 is replaced"))
    [found] = exceptions(muted, history((4, muted)), PERIOD)
    assert (found.reason, found.ends, found.until) == ("mx2 is replaced", until, None)
    assert exceptions(muted, history((4, muted)), Period(date(2026, 5, 10), PERIOD.last)) == ()


def test_without_commits_those_of_today_are_named_without_a_day():
    [found] = exceptions(spec(["r1"]), [], PERIOD)
    assert (found.since, found.commit, found.until) == (None, "", None)
