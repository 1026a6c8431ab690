"""Numbers in words: a rate says no more than is true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.dashboard.words import NO_RATE, plural, share, success


@pytest.mark.parametrize(
    ("successful", "failed", "told"),
    [
        (0, 0, NO_RATE),
        (5, 0, "100 %"),
        (0, 5, "0 %"),
        (99_999, 1, "99.99 %"),
        (9_999_999, 1, "99.99 %"),
        (1, 9_999_999, "< 0.01 %"),
        (1, 1, "50 %"),
        (2, 1, "66.66 %"),
        (199, 1, "99.5 %"),
    ],
)
def test_rates_are_cut(successful: int, failed: int, told: str) -> None:
    assert success(successful, failed) == told


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_neither_all_nor_nothing_is_told_where_it_is_not_so(successful: int, failed: int) -> None:
    told = success(successful, failed)
    assert told not in ("100 %", "0 %")
    if not told.startswith("<"):
        assert 0 <= successful / (successful + failed) * 100 - float(told.removesuffix(" %")) < 0.0101


def test_no_sessions_have_no_rate() -> None:
    assert share(None) == NO_RATE


def test_one_is_no_plural() -> None:
    assert (plural(1, "day"), plural(0, "day"), plural(1200, "day")) == ("1 day", "0 days", "1,200 days")
