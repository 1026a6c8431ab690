"""An hour brings no more messages than its limit; what is above is told in one message when the hour is over."""

import json
from datetime import timedelta

import pytest

from mailtls.tls_rpt.contract import OwnDomain
from report_lambda.handler import message_attribute
from report_lambda.store import StoreError


@pytest.fixture
def crowded(cloud, mails, monkeypatch):
    """Forty domains of one team, each with a host of its own that fails for its own reason; six messages an hour."""
    monkeypatch.setenv("MAILTLS_ALERT_LIMITS", '{"per_hour":6}')
    domains = [OwnDomain(f"d{n:02}.example", "enforce", (f"mx.d{n:02}.example",), "mail-team") for n in range(40)]
    cloud.own(*domains)

    def fail(number, count=200, **about):
        own = domains[number]
        lines = ["version: STSv1", "mode: enforce", f"mx: {own.mx[0]}", "max_age: 604800"]
        policy = mails.policy(
            1000,
            (mails.failure(count, mx=own.mx[0]),),
            **{"policy-domain": own.policy_domain, "policy-string": lines, "mx-host": list(own.mx), **about},
        )
        cloud.receive(mails.mail(mails.report(policy, report_id=str(number))))

    return fail


def test_nothing_passes_the_limit_and_the_rest_is_told_together(cloud, crowded):
    for number in range(40):
        crowded(number)
    assert len(cloud.topic.messages) == 6
    cloud.tick(timedelta(hours=1))
    assert len(cloud.topic.messages) == 7
    subject, text, attributes = cloud.topic.messages[-1]
    assert subject == "[critical] 34 more alerts than an hour may bring"
    assert "(34 critical)" in text
    assert sum(f"d{number:02}.example" in text for number in range(40)) == 34
    assert attributes["owner"] == ("mail-team",)
    assert message_attribute(attributes["owner"]) == {"DataType": "String.Array", "StringValue": '["mail-team"]'}
    assert message_attribute(attributes["severity"]) == {"DataType": "String", "StringValue": "critical"}
    cloud.tick(timedelta(hours=1))
    assert len(cloud.topic.messages) == 7


def test_the_last_third_is_for_what_is_critical(cloud, crowded):
    for number in range(20):
        crowded(number, count=1)  # warnings
    assert cloud.topic.kinds == ["warning"] * 4
    crowded(20)
    crowded(21)
    crowded(22)
    assert cloud.topic.kinds == ["warning"] * 4 + ["critical"] * 2
    cloud.tick(timedelta(hours=1))
    lines = cloud.topic.messages[-1][1].splitlines()
    assert lines[0] == "[critical] 17 more alerts than an hour may bring"
    assert [line.split("]")[0].strip() for line in lines if ".example:" in line] == ["[critical"] + ["[warning"] * 16


def test_the_next_hour_has_room_again(cloud, crowded):
    for number in range(6):
        crowded(number)
    cloud.now += timedelta(hours=1)
    crowded(6)
    assert cloud.topic.kinds == ["critical"] * 7


def test_a_message_that_sums_up_and_is_not_sent_is_sent_an_hour_later(cloud, crowded):
    for number in range(8):
        crowded(number)
    publish = cloud.topic.publish

    def refuse(*message):
        raise StoreError("planned")

    cloud.topic.publish = refuse
    with pytest.raises(StoreError):
        cloud.tick(timedelta(hours=1))
    cloud.topic.publish = publish
    cloud.tick(timedelta(hours=1))
    assert [subject for subject in cloud.topic.subjects if "than an hour may bring" in subject] == [
        "[critical] 2 more alerts than an hour may bring"
    ]


def test_a_damaged_hour_is_begun_anew(cloud, crowded):
    crowded(0)
    [key] = cloud.store.under("hours/")
    cloud.store.objects[key] = b"\xff not JSON"
    crowded(1)
    assert cloud.topic.kinds == ["critical"] * 2
    assert json.loads(cloud.store.objects[key])["sent"] == 1


def test_what_is_held_after_its_hour_was_summed_up_is_told_an_hour_later(cloud, crowded):
    """An invocation that began before the full hour still works after it."""
    for number in range(7):
        crowded(number)
    start = cloud.now
    cloud.tick(timedelta(hours=1))
    cloud.now = start
    crowded(7)
    cloud.tick(timedelta(hours=2))
    told = [(subject, text) for subject, text, _ in cloud.topic.messages if "than an hour may bring" in subject]
    assert [subject for subject, _ in told] == ["[critical] 1 more alert than an hour may bring"] * 2
    assert "d06.example" in told[0][1]
    assert "d07.example" in told[1][1]
