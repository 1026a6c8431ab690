"""Reports that were once handled wrongly, each through the whole of the intake: what a person hears and what counts."""

from pathlib import Path

import pytest

from mailtls.tls_rpt.contract import OwnDomain

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def case(cloud):
    """Takes in the mails of a case in their order; returns the messages, each text on one line."""

    def take_in(name):
        for path in sorted(CASES.glob(f"{name}.*.eml")):
            assert cloud.receive(path.read_bytes())["disposition"] == "stored"
        return [(subject, " ".join(text.split())) for subject, text, _ in cloud.topic.messages]

    return take_in


def test_d03_sessions_without_starttls_reach_somebody_where_no_policy_was_found(cloud, case):
    cloud.own(OwnDomain("tlsonly.example"))
    [(subject, text)] = case("D03")
    assert subject == "[warning] tlsonly.example: no STARTTLS on mx1.tlsonly.example"
    assert "342 failed sessions" in text
    assert "Senders found no policy" in text


def test_d04_a_reporter_that_no_longer_finds_the_enforced_policy_reaches_somebody(case):
    [(subject, text)] = case("D04")
    assert subject == "[warning] contoso.example: a sender that applied the MTA-STS policy finds none now"
    assert "8,800 sessions on 30 Nov" in text
    assert "reporter.example" in text
    assert "failed" not in text


def test_d05_no_share_and_no_zero_where_the_report_gives_no_count(case):
    [(subject, text)] = case("D05")
    assert "certificate of mx1.contoso.example expired" in subject
    assert "%" not in text
    assert 'SEEN BY reporter.example ("Google Inc.") (no count).' in text
    assert "42 failed sessions" in text  # of the summary


def test_d06_a_summary_of_failures_whose_only_detail_counts_none_reaches_somebody(case):
    [(subject, text)] = case("D06")
    assert "certificate of mx2.contoso.example is not trusted" in subject
    assert "5 failed sessions" in text


def test_d07_an_mx_that_the_applied_policy_does_not_list_is_called_that_whatever_the_result_type(case):
    [(subject, text)] = case("D07")
    assert subject == "[critical] contoso.example: MX backup.isp.example is not in the MTA-STS policy"
    assert "certificate-not-trusted at backup.isp.example" in text


def test_d08_sessions_of_a_tlsa_and_an_sts_row_count_once(cloud, case):
    [(_, text)] = case("D08")
    assert "7 failed sessions" in text
    assert cloud.metric("Failures", ResultType="starttls-not-supported") == 7


def test_d09_the_senders_own_result_type_stands_in_the_message(case):
    [(_, text)] = case("D09")
    assert '"tls-version-too-old"' in text


def test_d10_a_weekly_report_that_ended_yesterday_is_news(case):
    [(subject, text)] = case("D10")
    assert subject.startswith("[critical] contoso.example: certificate of mx2.contoso.example expired")
    assert "500 failed sessions from 23 to 29 Nov" in text


def test_d10_a_weekly_report_is_over_after_a_later_one_and_not_after_one_of_its_own_days(cloud, case, mails):
    case("D10")
    cloud.receive(mails.is_clean(signer="stalwart.example", day="2026-11-25"))
    cloud.tick()
    assert cloud.topic.kinds == ["critical"]
    cloud.receive(mails.is_clean(signer="stalwart.example", day="2026-11-30"))
    cloud.tick()
    assert cloud.topic.kinds == ["critical", "over"]


def test_d11_a_mode_that_the_report_does_not_name_is_told_as_a_guess(case):
    [(subject, text)] = case("D11")
    assert subject == "[warning] contoso.example: certificate of mx2.contoso.example expired, senders may hold mail"
    assert "does not say which policy" in text
    assert "did NOT deliver" not in text


def test_d12_a_tlsa_row_about_a_shared_mx_belongs_to_both_domains(cloud, case):
    shared = OwnDomain("brand01.example", "testing", ("mx1.contoso.example",))
    cloud.own(
        OwnDomain("contoso.example", "enforce", ("mx1.contoso.example", "mx2.contoso.example"), "mail-team"), shared
    )
    messages = case("D12")
    assert sorted(subject.split()[1] for subject, _ in messages) == ["brand01.example:", "contoso.example:"]
    assert len(cloud.store.under("reports/")) == 2


def test_d14_failures_without_a_detail_are_mentioned(case):
    [(_, text)] = case("D14")
    assert "4 failed sessions" in text
    assert "For 6 failed sessions more" in text
    assert "No sender reports a failure" not in text  # the six may be mx2's


def test_d18_a_reason_that_names_the_mx_outside_is_understood_without_a_host(case):
    [(subject, text)] = case("D18")
    assert subject == "[warning] contoso.example: an MX is not in the MTA-STS policy"  # one session
    assert "MX-HOST" not in text
    assert "unnamed" not in text


def test_d19_an_ipv4_address_in_ipv6_clothes_is_shown_as_ipv4(case):
    [(_, text)] = case("D19")
    assert "(198.51.100.7)" in text
    assert "::ffff" not in text


def test_d20_one_failed_session_of_thousands_is_told_and_wakes_nobody(case):
    [(subject, text)] = case("D20")
    assert subject == "[warning] contoso.example: TLS to mx2.contoso.example fails validation, senders hold some mail"
    assert "1 failed session on 30 Nov, under 1 % of all 5,001 reported for the domain" in text
