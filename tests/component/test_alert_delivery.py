"""Subscribers that a function brings alerts to: what it may do, what it knows, and who hears when it fails."""

import json

import pulumi
import pytest
from sample_pipeline import ACCOUNT, statement
from strict_mocks import assert_well_formed, run, secret

from components import alert_delivery
from components.alert_delivery import AlertDelivery

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
URL = "https://alerts.mailhost.example/tls?token=abc"


def deploy(**changes):
    def program():
        args = {
            "region": "eu-west-1",
            "account_id": ACCOUNT,
            "topic_arn": TOPIC,
            "code": pulumi.AssetArchive({"handler.py": pulumi.StringAsset("")}),
            "form": "webhook",
            "secret": "/mailtls/alerts/key",
            "url": URL,
            **changes,
        }
        AlertDelivery("alert-webhook-1a2b3c4d", args)

    recording = run(program)
    assert_well_formed(recording)
    return recording


def queues(recording):
    return {queue.name.rsplit("-", 1)[-1]: queue for queue in recording.of("aws:sqs/queue:Queue")}


def test_the_function_reads_one_secret_and_takes_from_one_queue():
    policy = deploy().one("aws:iam/rolePolicy:RolePolicy")
    said = json.loads(policy.inputs["policy"])["Statement"]
    assert {one["Sid"] for one in said} == {"ReadSecret", "TakeMessages", "WriteLogs"}
    assert statement(policy, "ReadSecret") == {
        "Sid": "ReadSecret",
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": "arn:aws:ssm:eu-west-1:123456789012:parameter/mailtls/alerts/key",
    }
    assert ":alert-webhook-1a2b3c4d-queue-" in statement(policy, "TakeMessages")["Resource"]


def test_no_secret_is_in_the_state_but_as_its_name():
    function = deploy().one("aws:lambda/function:Function")
    assert function.inputs["environment"] == secret(
        {
            "variables": {
                "MAILTLS_DELIVERY_FORMAT": "webhook",
                "MAILTLS_DELIVERY_SECRET": "/mailtls/alerts/key",
                "MAILTLS_DELIVERY_URL": URL,
            }
        }
    )
    chat = deploy(form="slack", url="").one("aws:lambda/function:Function")
    assert set(chat.inputs["environment"]["variables"]) == {"MAILTLS_DELIVERY_FORMAT", "MAILTLS_DELIVERY_SECRET"}


def test_only_the_topic_may_fill_the_queue_and_it_hands_over_the_bare_message():
    recording = deploy(owner="mail-team", severity=["critical"])
    policy = next(one for one in recording.of("aws:sqs/queuePolicy:QueuePolicy") if one.name.endswith("4d-policy"))
    assert statement(policy, "TopicSends")["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement(policy, "TopicSends")["Condition"] == {"ArnEquals": {"aws:SourceArn": TOPIC}}
    subscription = recording.one("aws:sns/topicSubscription:TopicSubscription")
    assert subscription.inputs["protocol"] == "sqs"
    assert subscription.inputs["rawMessageDelivery"] is True
    assert json.loads(subscription.inputs["filterPolicy"]) == {"owner": ["mail-team"], "severity": ["critical"]}
    assert recording.comes_after(subscription, policy)


@pytest.mark.parametrize("more", [{}, {"severity": ()}])
def test_without_owner_and_severity_it_gets_everything(more):
    assert "filterPolicy" not in deploy(**more).one("aws:sns/topicSubscription:TopicSubscription").inputs


def test_what_fails_is_tried_for_hours_then_kept_and_told():
    recording = deploy()
    queue, dead = queues(recording)["queue"], queues(recording)["letters"]
    redrive = json.loads(queue.inputs["redrivePolicy"])
    tries, pause = redrive["maxReceiveCount"], queue.inputs["visibilityTimeoutSeconds"]
    assert tries * pause == 6 * 3600
    assert pause >= 6 * recording.one("aws:lambda/function:Function").inputs["timeout"]
    assert queue.inputs["messageRetentionSeconds"] > tries * pause
    assert dead.inputs["messageRetentionSeconds"] == 14 * 86_400
    assert recording.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs["batchSize"] == 1
    alarm = recording.one("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert alarm.inputs["alarmActions"] == [TOPIC]
    assert "-dead-letters-" in alarm.inputs["dimensions"]["QueueName"]
    assert len(alarm.inputs["alarmDescription"]) <= 1024
    assert "/mailtls/alerts/key" in alarm.inputs["alarmDescription"]


def test_the_function_ends_before_its_steps_can_take_longer():
    from report_lambda.delivery import post

    assert 3 * post.TIMEOUT < alert_delivery.FUNCTION_TIMEOUT
