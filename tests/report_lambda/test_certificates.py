"""The end of a policy host's certificate: which days are told, and whose certificates."""

from datetime import timedelta


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
    assert told == [30, 14, 7]
    assert cloud.topic.kinds == ["warning", "warning", "critical"]
    cloud.call({**mails.payload("eventbridge_acm_expired"), "time": (cloud.now + timedelta(days=45)).isoformat()})
    assert cloud.topic.kinds[3:] == ["critical"]
    # a year later another certificate of the same host
    event["time"] = (cloud.now + timedelta(days=400)).isoformat()
    event["detail"]["DaysToExpiry"] = 13
    cloud.call(event)
    assert cloud.topic.kinds[4:] == ["warning"]


def test_another_teams_certificate_is_none_of_our_business(cloud, mails):
    event = mails.payload("eventbridge_acm_approaching_expiration")
    for name in ("www.contoso.example", "mta-sts.elsewhere.example", "*.contoso.example", "not a name"):
        event["detail"]["CommonName"] = name
        cloud.call(event)
    assert cloud.topic.messages == []
