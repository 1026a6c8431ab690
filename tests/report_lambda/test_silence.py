"""A domain that gets no reports any more: when that is told, and when not."""

from datetime import timedelta

import pytest

from mailtls.reports.reporters import MAX_REPORTERS
from mailtls.tls_rpt.contract import OwnDomain
from report_lambda.store import StoreError


@pytest.fixture
def known(cloud, mails):
    """Google has reported about each of the last ten days; the newest is 30 November."""

    def report(signer="google.com", first=21, last=30, policy_domain="contoso.example"):
        for day in range(first, last + 1):
            about = mails.policy(**{"policy-domain": policy_domain})
            cloud.receive(mails.mail(mails.report(about, day=f"2026-11-{day:02}"), signer=signer))

    report()
    return report


def test_silence_is_told_once_and_so_is_its_end(cloud, mails, known):
    for _ in range(14 * 24):
        cloud.tick()
    assert cloud.topic.subjects == ["[warning] contoso.example: no TLS report for 7 days"]
    cloud.receive(mails.is_clean(day="2026-12-14"))
    for _ in range(48):
        cloud.tick()
    assert cloud.topic.subjects[1:] == ["[over] contoso.example: TLS reports come in again"]


def test_a_report_from_the_future_breaks_no_silence(cloud, mails, known):
    cloud.receive(mails.is_clean(day="2099-01-01"))
    for _ in range(14 * 24):
        cloud.tick()
    assert cloud.topic.subjects == ["[warning] contoso.example: no TLS report for 7 days"]
    cloud.receive(mails.is_clean(day="2026-12-16"))  # a day ahead: a reporter's clock
    for _ in range(24):
        cloud.tick()
    assert cloud.topic.subjects[1:] == ["[over] contoso.example: TLS reports come in again"]


def test_a_domain_that_had_reports_about_the_future_only_is_not_silent(cloud, mails):
    cloud.receive(mails.is_clean(day="2099-01-01"))
    for _ in range(24):
        cloud.tick()
    assert cloud.topic.messages == []


def test_one_domain_that_cannot_be_looked_at_does_not_hide_the_silence_of_others(cloud, known):
    known(policy_domain="brand01.example")
    get = cloud.store.get

    def refuse_contoso(key, limit):
        if key == "reporters/contoso.example.json":
            raise StoreError("throttled")
        return get(key, limit)

    cloud.store.get = refuse_contoso
    with pytest.raises(StoreError, match=r"contoso\.example: throttled"):
        cloud.tick(timedelta(days=10, hours=5))
    assert cloud.topic.subjects == ["[warning] brand01.example: no TLS report for 7 days"]


def test_a_stranger_that_writes_once_a_week_hides_no_silence(cloud, mails, known):
    for week in range(6):
        cloud.receive(mails.mail(mails.report(day=f"{cloud.now:%Y-%m-%d}", report_id=str(week)), signer="evil.test"))
        for _ in range(7 * 24):
            cloud.tick()
    assert cloud.topic.subjects == ["[warning] contoso.example: no TLS report for 7 days"]
    text = cloud.topic.messages[0][1]
    assert "google.com (last about 30 Nov)" in text
    assert "evil.test" not in text


def test_a_stranger_that_stops_wakes_nobody(cloud, mails):
    for day in (28, 29, 30):
        cloud.receive(mails.mail(mails.report(day=f"2026-11-{day}"), signer="evil.test"))
    for _ in range(20 * 24):
        cloud.tick()
    assert cloud.topic.messages == []


def test_one_of_two_known_reporters_is_enough(cloud, mails, known):
    known(signer="mail.ru")
    for day in range(1, 20):
        for _ in range(24):
            cloud.tick()
        cloud.receive(mails.mail(mails.report(day=f"2026-12-{day:02}"), signer="mail.ru"))
    assert cloud.topic.messages == []


def test_strangers_push_no_known_reporter_out(cloud, mails, known):
    for number in range(MAX_REPORTERS + 5):
        report = mails.report(day="2026-11-30")
        cloud.receive(mails.mail(report, signer=f"evil{number}.test"))
    assert "google.com" in cloud.store.json("reporters/contoso.example.json")["reporters"]
    assert len(cloud.store.json("reporters/contoso.example.json")["reporters"]) == MAX_REPORTERS


def test_a_damaged_list_of_reporters_is_begun_anew(cloud, mails, known):
    cloud.store.objects["reporters/contoso.example.json"] = b'{"reporters": 5}'
    cloud.receive(mails.is_clean(day="2026-12-01"))
    assert list(cloud.store.json("reporters/contoso.example.json")["reporters"]) == ["google.com"]


def test_a_domain_that_never_had_reports_is_not_silent(cloud, mails):
    cloud.own(mails.contoso, OwnDomain("new.example"))
    for _ in range(24):
        cloud.tick()
    assert cloud.topic.messages == []
