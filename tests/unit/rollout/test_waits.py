"""When a policy is out of every cache: tables, and what must hold for any history."""

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_looks import MX1, MX2, NOW
from sample_rollout import DAY, WEEK, ago, history, policy

from mailtls.mta_sts.policy import MAX_AGE, Mode, MxPattern
from mailtls.rollout import waits
from mailtls.rollout.history import History
from mailtls.spec.controller import Adopted

ENFORCE, TESTING, NONE = Mode.ENFORCE, Mode.TESTING, Mode.NONE
NEW = "mx3.contoso.example"

policies = st.builds(
    lambda mode, hosts, max_age: policy(mode, *sorted(hosts), max_age=max_age),
    st.sampled_from(Mode),
    st.sets(st.sampled_from([MX1, MX2, NEW]), min_size=1),
    st.sampled_from([0, 1, 3600, 86399, 86400, 86401, WEEK, MAX_AGE]) | st.integers(0, MAX_AGE),
)
histories = st.lists(st.tuples(st.floats(0, 800), policies | st.none()), max_size=6).map(lambda items: history(*items))


@pytest.mark.parametrize(
    ("max_age", "days"), [(0, 1), (60, 1), (86400, 1), (86401, 1 + 1 / 86400), (WEEK, 7), (MAX_AGE, 365.25)]
)
def test_a_policy_is_held_for_its_max_age_and_a_day_at_least(max_age: int, days: float) -> None:
    (_, old) = history((10, policy(ENFORCE, max_age=max_age)), (5, policy(TESTING))).served
    assert waits.out_of_caches(old, NOW) == ago(5) + days * DAY  # counted from the last moment, not from the first


def test_mx_may_move_when_nobody_holds_a_policy_without_the_new_host() -> None:
    old, both = policy(ENFORCE, MX1, max_age=2 * WEEK), policy(ENFORCE, MX1, NEW, max_age=WEEK)
    assert waits.mx_may_point_at(history((90, old), (3, both)), [NEW], NOW) == ago(3) + 14 * DAY
    assert waits.mx_may_point_at(history((90, old), (15, both)), [NEW], NOW) is None
    # not served yet: the date moves on with the clock
    assert waits.mx_may_point_at(history((90, old)), [NEW], NOW) == NOW + 14 * DAY
    # senders that hold a policy in testing refuse nothing
    assert waits.mx_may_point_at(history((90, policy(TESTING, MX1, max_age=WEEK)), (3, both)), [NEW], NOW) is None


def test_a_shorter_policy_between_shortens_nothing() -> None:
    long, short = policy(ENFORCE, MX1, max_age=4 * WEEK), policy(ENFORCE, MX1, max_age=86400)
    past = history((90, long), (10, short), (2, policy(ENFORCE, MX1, NEW)))
    assert waits.mx_may_point_at(past, [NEW], NOW) == ago(10) + 28 * DAY


def test_a_spec_may_go_when_nobody_holds_more_than_none() -> None:
    out = policy(NONE, MX1)
    past = history((90, policy(ENFORCE, max_age=WEEK)), (50, policy(TESTING, max_age=MAX_AGE)), (40, out))
    assert waits.spec_may_go(past, NOW) == ago(40) + 365.25 * DAY
    assert waits.spec_may_go(history((90, policy(ENFORCE, max_age=WEEK)), (7, out)), NOW) is None
    assert waits.spec_may_go(history((90, policy(ENFORCE, max_age=WEEK)), (6.9, out)), NOW) is not None


def test_what_a_former_host_served_counts_as_the_worst() -> None:
    adopted = Adopted(4 * WEEK, ago(7))
    past = history((7, policy(ENFORCE, MX1, NEW)), adopted=adopted)
    assert waits.mx_may_point_at(past, [NEW], NOW) == ago(7) + 28 * DAY
    assert waits.mx_may_point_at(dataclasses.replace(past, adopted=Adopted(3600, ago(7))), [NEW], NOW) is None


@given(histories, histories)
def test_more_history_never_shortens_a_wait(one: History, other: History) -> None:
    both = History((*one.served, *other.served))
    for wait in WAITS:
        dates = [date for date in (wait(one, NOW), wait(other, NOW)) if date is not None]
        assert wait(both, NOW) == max(dates, default=None)


@given(histories, st.integers(0, 400 * 86400))
def test_time_alone_never_brings_a_date_nearer(past: History, seconds: int) -> None:
    """A date that was told stays, or moves on while the policy in its way is still served; it never comes earlier."""
    later = NOW + datetime.timedelta(seconds=seconds)
    for wait in WAITS:
        before, after = wait(past, NOW), wait(past, later)
        if before is not None and later < before:
            assert after is not None
            assert after >= before


@given(histories, st.integers(0, MAX_AGE))
def test_a_longer_max_age_never_shortens_a_wait(past: History, more: int) -> None:
    longer = tuple(
        dataclasses.replace(
            one, policy=dataclasses.replace(one.policy, max_age=min(MAX_AGE, one.policy.max_age + more))
        )
        for one in past.served
    )
    for wait in WAITS:
        assert (wait(History(longer), NOW) or NOW) >= (wait(past, NOW) or NOW)


@given(histories)
def test_no_wait_ends_while_a_policy_in_its_way_can_be_held(past: History) -> None:
    until = waits.spec_may_go(past, NOW)
    for one in past.served:
        if one.policy.mode is not NONE:
            assert waits.out_of_caches(one, NOW) <= (until or NOW)


WAITS = (
    lambda past, now: waits.mx_may_point_at(past, [NEW], now),
    lambda past, now: waits.pattern_may_go(past, [MxPattern(NEW)], now),
    waits.spec_may_go,
)
