"""Who hears of what."""

import json

import pytest
from sample_pipeline import ACCOUNT, EVERYONE
from strict_mocks import assert_well_formed, run, secret

from components.alert_topic import AlertTopic, filter_policy
from mailtls.tls_rpt.contract import Attribute
from mailtls.tls_rpt.failures import Severity

SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
WEBHOOK = {"protocol": "https", "endpoint": "https://alerts.mailhost.example/mailtls"}


def deploy(subscriptions):
    def program():
        AlertTopic("reports-alerts", {"region": "eu-west-1", "account_id": ACCOUNT, "subscriptions": subscriptions})

    return run(program)


@pytest.mark.parametrize(
    ("more", "policy"),
    [
        ({}, {}),
        ({"owner": "mail-team"}, {"owner": ["mail-team"]}),
        ({"severity": ["critical", "warning"]}, {"severity": ["critical", "warning"]}),
        ({"owner": "mail-team", "severity": ["critical"]}, {"owner": ["mail-team"], "severity": ["critical"]}),
        ({"severity": []}, {}),
    ],
)
def test_a_team_subscribes_to_its_own(more, policy):
    assert filter_policy({**WEBHOOK, **more}) == policy


def test_filter_policies_name_attributes_that_the_function_sends():
    policy = filter_policy({**WEBHOOK, "owner": "mail-team", "severity": ["critical"]})
    assert set(policy) <= {str(attribute) for attribute in Attribute}
    assert set(policy["severity"]) <= {str(severity) for severity in Severity}


def test_subscriptions_as_sns_gets_them():
    recording = deploy([{**WEBHOOK, "owner": "mail-team", "severity": ["critical"]}, EVERYONE])
    assert_well_formed(recording)
    by_protocol = {s.inputs["protocol"]: s.inputs for s in recording.of(SUBSCRIPTION)}
    assert json.loads(by_protocol["https"]["filterPolicy"]) == {"owner": ["mail-team"], "severity": ["critical"]}
    assert by_protocol["https"]["filterPolicyScope"] == "MessageAttributes"
    assert by_protocol["https"]["endpoint"] == secret(WEBHOOK["endpoint"])
    # the alarms of the pipeline carry no attributes: any filter would shut them out
    assert "filterPolicy" not in by_protocol["email"]
    assert all(s["topic"].endswith(":reports-alerts-topic-0123456") for s in by_protocol.values())


def test_a_new_line_in_the_settings_replaces_no_other_subscription():
    alone = {s.urn for s in deploy([EVERYONE]).of(SUBSCRIPTION)}
    below = {s.urn for s in deploy([WEBHOOK, EVERYONE]).of(SUBSCRIPTION)}
    assert alone < below


def test_an_endpoint_is_not_part_of_a_name():
    (subscription,) = deploy([{**WEBHOOK, "endpoint": "https://h.example/tokenabc"}]).of(SUBSCRIPTION)
    assert "token" not in subscription.name


@pytest.mark.parametrize(
    ("subscriptions", "warned"),
    [
        ([], True),
        ([{**WEBHOOK, "severity": ["critical"]}], True),
        ([{**WEBHOOK, "severity": ["critical"]}, EVERYONE], False),
    ],
)
def test_warns_when_nobody_would_hear_of_the_pipeline(caplog, subscriptions, warned):
    with caplog.at_level("WARNING"):
        deploy(subscriptions)
    assert ("will reach nobody" in caplog.text) is warned


def test_messages_are_signed_with_sha256():
    assert deploy([WEBHOOK]).one("aws:sns/topic:Topic").inputs["signatureVersion"] == 2
