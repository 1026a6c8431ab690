"""A domain that gets no reports any more: when that is told, and when not."""

from datetime import timedelta

import pytest

from mailtls.tls_rpt.contract import OwnDomain
from report_lambda.store import StoreError


def test_silence_is_told_once_and_so_is_its_end(cloud, mails):
    cloud.receive(mails.is_clean(day="2026-11-30"))
    for _ in range(14 * 24):
        cloud.tick()
    assert cloud.topic.subjects == ["[warning] contoso.example: no TLS report for 7 days"]
    cloud.receive(mails.is_clean(day="2026-12-14"))
    for _ in range(48):
        cloud.tick()
    assert cloud.topic.subjects[1:] == ["[over] contoso.example: TLS reports come in again"]


def test_a_report_from_the_future_breaks_no_silence(cloud, mails):
    cloud.receive(mails.is_clean(day="2026-11-30"))
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


def test_one_domain_that_cannot_be_looked_at_does_not_hide_the_silence_of_others(cloud, mails):
    for policy_domain in ("contoso.example", "brand01.example"):
        report = mails.report(mails.policy(**{"policy-domain": policy_domain}), day="2026-11-30")
        cloud.receive(mails.mail(report))
    listing = cloud.store.list_objects

    def refuse_contoso(prefix, **more):
        if prefix == "reports/contoso.example/":
            raise StoreError("throttled")
        return listing(prefix, **more)

    cloud.store.list_objects = refuse_contoso
    with pytest.raises(StoreError, match=r"contoso\.example: throttled"):
        cloud.tick(timedelta(days=10, hours=5))
    assert cloud.topic.subjects == ["[warning] brand01.example: no TLS report for 7 days"]


def test_a_domain_that_never_had_reports_is_not_silent(cloud, mails):
    cloud.own(mails.contoso, OwnDomain("new.example"))
    for _ in range(24):
        cloud.tick()
    assert cloud.topic.messages == []
