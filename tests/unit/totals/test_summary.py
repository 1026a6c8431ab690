import datetime

import pytest
from sample_looks import DOMAIN, MX1, MX2, NOW
from sample_rollout import DAY, ago, entry, failure, policy, row

from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, ResultType
from mailtls.totals import summary as module
from mailtls.totals.counting import OTHERS, Dimension
from mailtls.totals.period import Period
from mailtls.totals.summary import Summary, compare, compare_overall

TESTING = policy()
EXPIRED = ResultType.CERTIFICATE_EXPIRED
NO_TLS = ResultType.STARTTLS_NOT_SUPPORTED


def dane(clean: int, failed: int) -> PolicyResult:
    return PolicyResult(PolicyType.TLSA, "tlsa", (), MX1, (), clean, failed)


def no_policy(clean: int, failed: int = 0) -> PolicyResult:
    return PolicyResult(PolicyType.NO_POLICY_FOUND, "no-policy-found", (), DOMAIN, (), clean, failed)


def summed(by: Dimension, *entries: object, period: Period | None = None) -> Summary:
    summary = Summary(by, period) if period else Summary(by)
    for one in entries:
        summary.add(one)  # type: ignore[arg-type]
    return summary


def test_rates_are_over_sessions_and_not_over_reports() -> None:
    # 1 of 2 and 0 of 998: half of the reports are bad, 0.1 % of the sessions
    small = entry(1, row(TESTING, 1, failure(EXPIRED, 1)), signer="mail.ru")
    large = entry(1, row(TESTING, 998))
    (found,) = summed(Dimension.DOMAIN, small, large).rows()
    assert (found.group, found.successful, found.failed, found.reports) == (DOMAIN, 999, 1, 2)
    assert found.rate == 1 / 1000


def test_policy_types_are_never_added_up() -> None:
    rows = summed(Dimension.DOMAIN, entry(1, row(TESTING, 100), dane(100, 3))).rows()
    assert {(one.policy_type, one.successful, one.failed) for one in rows} == {
        (PolicyType.STS, 100, 0),
        (PolicyType.TLSA, 100, 3),
    }


def test_sessions_of_a_sender_that_found_no_policy_have_no_rate() -> None:
    (found,) = summed(Dimension.REPORTER, entry(1, no_policy(50, 50))).rows()
    assert (found.failed, found.rate) == (50, None)


def test_a_day_without_reports_is_absent() -> None:
    rows = summed(Dimension.DAY, entry(1, row(TESTING, 5)), entry(3, row(TESTING, 0))).rows()
    assert [one.group for one in rows] == [ago(3).date().isoformat(), ago(1).date().isoformat()]
    assert rows[0].rate is None  # a report of no sessions is no 100 % either


def test_two_names_of_one_signer_are_one_reporter() -> None:
    entries = entry(1, row(TESTING, 5), signer="a.google.com"), entry(2, row(TESTING, 6), signer="google.com")
    (found,) = summed(Dimension.REPORTER, *entries).rows()
    assert (found.group, found.successful, found.reports) == ("google.com", 11, 2)


def test_failures_are_told_by_mx_as_a_share_of_all_sessions() -> None:
    bad = row(TESTING, 90, failure(EXPIRED, 6, MX2), failure(NO_TLS, 4, MX1.upper() + "."))
    rows = summed(Dimension.MX, entry(1, bad), entry(2, row(TESTING, 100))).rows()
    assert [(one.group, one.failed, one.of) for one in rows] == [(MX2, 6, 200), (MX1, 4, 200)]
    assert rows[0].rate == 6 / 200


def test_what_a_report_does_not_explain_is_told_and_what_it_counts_as_none_is_not() -> None:
    bad = row(TESTING, 0, failure(EXPIRED, 0), failure(NO_TLS, None), failed=10)
    rows = summed(Dimension.RESULT_TYPE, entry(1, bad)).rows()
    assert [(one.group, one.failed) for one in rows] == [("", 9), (NO_TLS, 1)]


@pytest.mark.parametrize(
    ("said", "group"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("=cmd()", ""), ("fe80::1%x;y", ""), (None, "")],
)
def test_a_sending_host_is_an_address_or_nothing(said: str | None, group: str) -> None:
    detail = FailureDetail(EXPIRED, EXPIRED.value, sending_mta_ip=said, failed_session_count=2)
    (found,) = summed(Dimension.SENDING_HOST, entry(1, row(TESTING, 0, detail))).rows()
    assert (found.group, found.failed) == (group, 2)


def test_only_reports_of_the_period_count_with_both_its_ends() -> None:
    period = Period(ago(3).date(), ago(2).date())
    summary = summed(Dimension.DAY, *(entry(n, row(TESTING, n)) for n in (1, 2, 3, 4)), period=period)
    assert [one.successful for one in summary.rows()] == [3, 2]
    assert summary.reports == 2


def test_names_without_end_count_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_GROUPS", 3)
    hosts = [failure(EXPIRED, 1, f"h{n}.example.net") for n in range(10)]
    rows = summed(Dimension.MX, entry(1, row(TESTING, 0, *hosts))).rows()
    assert {one.group: one.failed for one in rows}[OTHERS] == 7
    assert sum(one.failed for one in rows) == 10


def test_sums_of_two_halves_are_the_sum_of_all() -> None:
    entries = [entry(n, row(TESTING, n, failure(EXPIRED, n)), signer=f"s{n % 3}.example") for n in range(1, 9)]
    whole = summed(Dimension.REPORTER, *entries)
    half, other = (summed(Dimension.REPORTER, *part) for part in (entries[::2], entries[1::2]))
    half.merge(other)
    assert (half.rows(), half.overall(), half.reports) == (whole.rows(), whole.overall(), whole.reports)
    with pytest.raises(ValueError, match="cannot be added"):
        half.merge(summed(Dimension.MX))


def test_a_comparison_puts_what_became_worse_first() -> None:
    before = summed(Dimension.MX, entry(9, row(TESTING, 90, failure(EXPIRED, 10, MX1))))
    after = summed(Dimension.MX, entry(1, row(TESTING, 170, failure(EXPIRED, 10, MX1), failure(NO_TLS, 20, MX2))))
    new, better = compare(before, after)
    assert (new.group, new.before, new.points) == (MX2, None, None)
    assert (better.group, better.points) == (MX1, 10 / 200 - 10 / 100)
    (overall,) = compare_overall(before, after)
    assert overall.points == pytest.approx(0.05)


def test_days_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not by day"):
        compare(summed(Dimension.DAY), summed(Dimension.DAY))


def test_the_period_before_is_as_long_and_ends_the_day_before() -> None:
    today = NOW.date()
    assert Period(today - 6 * DAY, today).before() == Period(today - 13 * DAY, today - 7 * DAY)
    assert len(list(Period(today, today).days())) == 1
    with pytest.raises(ValueError, match="ends before it begins"):
        Period(today, today - DAY)
    with pytest.raises(OverflowError):
        Period(datetime.date(1, 1, 1), today).before()
