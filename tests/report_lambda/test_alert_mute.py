"""A mute: quiet during planned work, with an end; failures are counted, and what is open at the end is told."""

import dataclasses
from datetime import timedelta

import pytest

from mailtls.tls_rpt.contract import LONGEST_MUTE, OwnDomain

CONTOSO = OwnDomain("contoso.example", "enforce", ("mx1.contoso.example", "mx2.contoso.example"), "mail-team")


def mute(cloud, **time):
    cloud.own(dataclasses.replace(CONTOSO, mute_until=cloud.now + timedelta(**time), mute_reason="mx2 is replaced"))


def clean(mails, day="2026-12-01"):
    return mails.mail(mails.report(mails.policy(500), day=day, report_id=f"clean-{day}"))


def test_nothing_is_told_while_it_lasts_and_all_is_counted(cloud, mails):
    mute(cloud, hours=10)
    cloud.receive(mails.fails(1100))
    for _ in range(9):
        cloud.tick()
    assert cloud.topic.messages == []
    assert len(cloud.store.under("reports/contoso.example/")) == 1
    assert cloud.metric("Failures", ResultType="certificate-expired") == 1100


def test_what_is_open_at_the_end_is_told_once_with_all_that_came_in(cloud, mails):
    mute(cloud, hours=10)
    cloud.receive(mails.fails(1100))
    cloud.receive(mails.fails(50, signer="mail.ru", report_id="second"))
    for _ in range(20):
        cloud.tick()
    [(subject, text, _)] = cloud.topic.messages
    one_line = " ".join(text.split())
    assert subject.startswith("[critical] contoso.example")
    assert "muted until 1 Dec 13:12 UTC (mx2 is replaced). This came up meanwhile and is not over." in one_line
    assert "1,150 failed sessions" in one_line


def test_what_came_and_went_meanwhile_is_told_to_nobody(cloud, mails):
    mute(cloud, hours=40)
    cloud.receive(mails.fails(1100))
    cloud.now += timedelta(days=1)
    cloud.receive(clean(mails))
    for _ in range(30):
        cloud.tick()
    assert cloud.topic.messages == []
    cloud.receive(mails.fails(1100, day="2026-12-02", report_id="anew"))
    assert cloud.topic.kinds == ["critical"]


def test_an_alert_that_is_open_already_is_quiet_too_and_its_end_is_told_afterwards(cloud, mails):
    cloud.receive(mails.fails(1100))
    mute(cloud, hours=40)
    cloud.receive(mails.fails(5000, signer="mail.ru", report_id="second"))
    cloud.now += timedelta(days=1)
    for signer in ("google.com", "mail.ru"):
        report = mails.report(mails.policy(500), day="2026-12-01", report_id=f"clean-{signer}")
        cloud.receive(mails.mail(report, signer=signer))
    cloud.tick()
    assert cloud.topic.kinds == ["critical"]
    cloud.tick(timedelta(hours=20))
    cloud.tick()
    assert cloud.topic.kinds[-1] == "over"


def test_a_lost_policy_is_held_back_too(cloud, mails):
    mute(cloud, hours=10)
    cloud.receive(mails.mail(mails.report(mails.policy(900), day="2026-11-29")))
    none = {"policy-type": "no-policy-found", "policy-string": [], "mx-host": []}
    cloud.receive(mails.mail(mails.report(mails.policy(800, **none), report_id="none")))
    assert cloud.topic.messages == []
    cloud.tick(timedelta(hours=11))
    [(subject, text, _)] = cloud.topic.messages
    assert "finds none now" in subject
    assert "NEW     alerts of this domain were muted until" in text


def test_the_certificate_of_the_policy_host_and_silence_are_no_planned_work(cloud, mails):
    mute(cloud, days=2)
    cloud.call(mails.payload("eventbridge_acm_expired"))
    assert cloud.topic.kinds == ["critical"]


def test_other_domains_are_not_muted_with_it(cloud, mails):
    brand = OwnDomain("brand01.example", "enforce", ("mx1.contoso.example", "mx2.contoso.example"))
    cloud.own(dataclasses.replace(CONTOSO, mute_until=cloud.now + timedelta(hours=10), mute_reason="x"), brand)
    cloud.receive(mails.fails(1100))
    about = {"policy-domain": "brand01.example"}
    cloud.receive(mails.mail(mails.report(mails.policy(9, (mails.failure(400),), **about), report_id="brand")))
    assert [one["policy_domain"] for one in cloud.topic.documents] == ["brand01.example"]


@pytest.mark.parametrize(("ahead", "quiet"), [(LONGEST_MUTE, True), (LONGEST_MUTE + timedelta(minutes=1), False)])
def test_a_mute_without_a_near_end_mutes_nothing(cloud, mails, ahead, quiet):
    """Whoever got such a list past the checks loses no alert."""
    cloud.own(dataclasses.replace(CONTOSO, mute_until=cloud.now + ahead, mute_reason="for ever"))
    cloud.receive(mails.fails(1100))
    assert (cloud.topic.messages == []) is quiet


def test_a_mute_that_is_over_changes_nothing(cloud, mails):
    mute(cloud, minutes=0)
    cloud.receive(mails.fails(1100))
    [(_, text, _)] = cloud.topic.messages
    assert "muted" not in text
