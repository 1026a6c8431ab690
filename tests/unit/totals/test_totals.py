import pytest
from sample_looks import DOMAIN, MX1, MX2
from sample_rollout import ago, entry, failure, policy, row

from mailtls.mta_sts.policy import Mode
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, ResultType
from mailtls.totals import totals as module
from mailtls.totals.counting import OTHERS, Count, Dimension
from mailtls.totals.period import Period
from mailtls.totals.summary import Summary
from mailtls.totals.totals import DomainTotals, FailuresKey, SessionsKey, Totals

TESTING = policy()
EXPIRED = ResultType.CERTIFICATE_EXPIRED


def no_policy(clean: int) -> PolicyResult:
    return PolicyResult(PolicyType.NO_POLICY_FOUND, "no-policy-found", (), DOMAIN, (), clean, 0)


def of(*entries: LedgerEntry) -> DomainTotals:
    totals = Totals()
    for one in entries:
        totals.add(one)
    return totals.domains[DOMAIN]


def test_a_report_counts_once_whatever_its_rows() -> None:
    two = entry(1, row(TESTING, 5), row(policy(Mode.ENFORCE), 6), no_policy(7))
    found = of(two)
    day = ago(1).date()
    assert found.sessions == {
        SessionsKey(day, PolicyType.STS, "google.com"): Count(11, 0, 1),
        SessionsKey(day, PolicyType.NO_POLICY_FOUND, "google.com"): Count(7, 0, 1),
    }
    assert found.reports == {(day, "google.com"): 1}
    assert sorted((key.policy.mode, count.successful) for key, count in found.policies.items()) == [
        ("enforce", 6),
        ("testing", 5),
    ]


def test_a_policy_is_the_same_in_any_order_of_its_lines() -> None:
    lines = row(TESTING, 1).policy_string
    turned = row(TESTING, 2, policy_string=tuple(reversed(lines)))
    other = row(policy(max_age=86401), 3)
    counted = of(entry(1, row(TESTING, 1)), entry(1, turned), entry(1, other)).policies
    assert sorted(count.successful for count in counted.values()) == [3, 3]


def test_failures_are_kept_by_host_address_and_organisation() -> None:
    detail = FailureDetail(EXPIRED, EXPIRED.value, "192.0.2.9", MX2.upper(), failed_session_count=3)
    found = of(entry(1, row(TESTING, 0, detail, failed=5)), entry(1, row(TESTING, 0, detail), signer="mail.ru"))
    day = ago(1).date()
    assert found.failures == {
        FailuresKey(day, PolicyType.STS, EXPIRED, MX2, "192.0.2.9", "google.com"): 3,
        FailuresKey(day, PolicyType.STS, EXPIRED, MX2, "192.0.2.9", "mail.ru"): 3,
        FailuresKey(day, PolicyType.STS, None, "", "", "google.com"): 2,
    }


def test_who_looks_at_policies_is_told_by_its_own_reports() -> None:
    found = of(entry(1, row(TESTING, 5)), entry(1, no_policy(5), signer="mail.ru"))
    assert found.looks_at_policies("google.com") is True
    assert found.looks_at_policies("mail.ru") is False
    assert found.looks_at_policies("stranger.example") is None
    assert found.organisations() == ("google.com", "mail.ru")


def test_memory_of_a_day_has_an_end_and_no_session_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_ORGANISATIONS", "MAX_HOSTS", "MAX_ADDRESSES", "MAX_FAILURES_OF_DAY"):
        monkeypatch.setattr(module, name, 4)
    flood = [
        entry(
            1,
            row(
                TESTING,
                1,
                FailureDetail(EXPIRED, "", f"192.0.2.{n}", f"h{n}.example.net", failed_session_count=1),
                failure(EXPIRED, 1, MX1),
            ),
            signer=f"s{n}.example",
        )
        for n in range(50)
    ]
    found = of(*flood)
    assert len(found.failures) <= 4 + 1
    assert sum(found.failures.values()) == 100
    assert len(found.sessions) == 4 + 1
    assert sum(count.successful for count in found.sessions.values()) == 50
    assert sum(found.reports.values()) == 50
    assert OTHERS in found.organisations()


def test_days_without_end_are_told_as_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DAYS", 3)
    found = of(*(entry(n, row(TESTING, 1)) for n in range(5)))
    assert (len(found.days()), found.left_out) == (3, 2)


def test_sums_of_two_halves_are_the_sum_of_all() -> None:
    entries = [
        entry(n, row(TESTING, n, failure(EXPIRED, n)), no_policy(n), signer=f"s{n % 3}.example") for n in range(9)
    ]
    half, other = of(*entries[::2]), of(*entries[1::2])
    half.merge(other)
    assert half == of(*entries)
    with pytest.raises(ValueError, match="are none of"):
        half.merge(DomainTotals("fabrikam.example"))


@pytest.mark.parametrize("by", list(Dimension))
def test_totals_and_a_summary_count_the_same(by: Dimension) -> None:
    entries = [
        entry(n, row(TESTING, n, failure(EXPIRED, n, f"mx{n % 2}.example.net"), failed=2 * n), no_policy(n))
        for n in range(9)
    ]
    period = Period(ago(6).date(), ago(2).date())
    totals, summary = Totals(), Summary(by, period)
    for one in entries:
        totals.add(one)
        summary.add(one)
    counted = {key: (n.successful, n.failed) for key, n in totals.count(by, period).items()}
    assert counted == {(one.group, one.policy_type): (one.successful, one.failed) for one in summary.rows()}


def test_a_period_leaves_out_what_is_not_its_own() -> None:
    totals = Totals(Period(ago(2).date(), ago(1).date()))
    for n in range(5):
        totals.add(entry(n, row(TESTING, 1)))
    assert totals.domains[DOMAIN].days() == (ago(2).date(), ago(1).date())
