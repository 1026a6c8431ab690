"""Cloudflare's limit on calls, by a clock of the test's own."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.cloud.cloudflare.rate_limit import CALLS, SECONDS, RateLimit
from sandbox.cloud.cloudflare.refusal import Refusal


def test_the_1201st_call_in_five_minutes_is_refused_and_then_all_for_five_minutes() -> None:
    now = 0.0
    limit = RateLimit(clock=lambda: now)
    for _ in range(CALLS):
        limit.count()
    now = 10.2
    with pytest.raises(Refusal) as refused:
        limit.count()
    assert (refused.value.status, dict(refused.value.headers)["Retry-After"]) == (429, "300")
    now = 10.2 + SECONDS - 1
    with pytest.raises(Refusal) as refused:
        limit.count()
    assert dict(refused.value.headers)["Retry-After"] == "1"
    now = 10.2 + SECONDS
    limit.count()


@given(st.floats(min_value=0, max_value=1e9))
@example(8000.7)  # 8000.7 + 300 - 8000.7 is 300.0000000000009
def test_five_minutes_are_300_seconds_at_any_time_of_the_clock(now: float) -> None:
    limit = RateLimit(clock=lambda: now)
    for _ in range(CALLS):
        limit.count()
    with pytest.raises(Refusal) as refused:
        limit.count()
    assert dict(refused.value.headers)["Retry-After"] == "300"


def test_calls_older_than_five_minutes_do_not_count() -> None:
    now = 0.0
    limit = RateLimit(clock=lambda: now)
    for _ in range(3 * CALLS):
        limit.count()
        now += SECONDS / CALLS
