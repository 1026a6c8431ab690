"""The end of a policy host's certificate: which days are told, and whose certificates."""

from datetime import date, timedelta

import pytest

from mailtls.reports.certificate_alert import lifetime, rungs


def test_certificate_ladder_tells_each_rung_once(cloud, mails):
    event = mails.payload("eventbridge_acm_approaching_expiration")
    told = []
    for days in range(45, 0, -1):
        event["detail"]["DaysToExpiry"] = days
        event["time"] = (cloud.now + timedelta(days=45 - days)).isoformat()
        before = len(cloud.topic.messages)
        cloud.call(event)
        cloud.call(event)  # EventBridge delivers at least once
        told += [days] * (len(cloud.topic.messages) - before)
    assert told == [33, 16, 8]
    assert cloud.topic.kinds == ["warning", "warning", "critical"]
    cloud.call({**mails.payload("eventbridge_acm_expired"), "time": (cloud.now + timedelta(days=45)).isoformat()})
    assert cloud.topic.kinds[3:] == ["critical"]
    # a year later another certificate of the same host
    event["time"] = (cloud.now + timedelta(days=400)).isoformat()
    event["detail"]["DaysToExpiry"] = 13
    cloud.call(event)
    assert cloud.topic.kinds[4:] == ["warning"]


@pytest.mark.parametrize(
    ("ends", "days", "told"),
    [
        (date(2026, 9, 1), 395, (0, 16, 32)),  # a sixth is left before anybody could call the renewal late
        (date(2027, 1, 15), 198, (0, 8, 16, 33)),
        (date(2027, 9, 1), 100, (0, 4, 8, 16)),
        (date(2029, 6, 1), 47, (0, 1, 3, 7)),
    ],
)
def test_the_ladder_is_in_shares_of_the_lifetime_that_the_end_tells(ends, days, told):
    assert lifetime(ends) == days
    assert rungs(ends) == told


def test_a_state_of_the_ladder_in_fixed_days_goes_on(cloud, mails):
    """What was told at 30 days is not told again at 33, and the next rung is."""
    event = mails.payload("eventbridge_acm_approaching_expiration")
    event["detail"]["DaysToExpiry"] = 33
    cloud.call(event)
    [key] = cloud.store.under("alerts/")
    assert b"/33" in cloud.store.objects[key]
    cloud.store.objects[key] = cloud.store.objects[key].replace(b"/33", b"/30")
    cloud.call(event)
    event["detail"]["DaysToExpiry"] = 16
    cloud.call(event)
    assert len(cloud.topic.messages) == 2


def test_another_teams_certificate_is_none_of_our_business(cloud, mails):
    event = mails.payload("eventbridge_acm_approaching_expiration")
    for name in ("www.contoso.example", "mta-sts.elsewhere.example", "*.contoso.example", "not a name"):
        event["detail"]["CommonName"] = name
        cloud.call(event)
    assert cloud.topic.messages == []
