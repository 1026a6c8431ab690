"""SQS and SNS through their lives, with the real engine."""

import json

import pulumi
import pulumi_aws
from deployed import Clients
from inline_stack import InlineStack, begin, prove


def statement(action: str, resource: pulumi.Input[str], sid: str = "One") -> pulumi.Output[str]:
    return pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": sid,
                    "Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"},
                    "Action": action,
                    "Resource": resource,
                }
            ],
        }
    )


def queues(stage: int) -> None:
    dead = pulumi_aws.sqs.Queue(
        "dead",
        name="dead-letters" if stage < 3 else "other-dead-letters",
        message_retention_seconds=1209600,
        tags={"stage": "1" if stage == 1 else "2"},
    )
    queue = pulumi_aws.sqs.Queue(
        "queue",
        name="reports",  # another queue would not be named by the policy below until it exists
        visibility_timeout_seconds=60 if stage == 1 else 90,
        redrive_policy=pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3}),
        sqs_managed_sse_enabled=True,
    )
    pulumi_aws.sqs.QueuePolicy(
        "policy", queue_url=queue.url, policy=statement("sqs:SendMessage", queue.arn, "One" if stage == 1 else "Two")
    )
    pulumi_aws.sqs.RedriveAllowPolicy(
        "redrive-allow",
        queue_url=dead.url,
        redrive_allow_policy=pulumi.Output.json_dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}),
    )


def test_queues(stack: InlineStack) -> None:
    made = begin(stack, queues)
    assert stack.up(lambda: queues(2)).operations == dict.fromkeys(("dead", "queue", "policy"), "update")
    stack.assert_settled()
    replaced = stack.up(lambda: queues(3)).operations
    assert replaced == {"dead": "replace", "queue": "update", "redrive-allow": "replace"}
    assert stack.destroy().operations == dict.fromkeys(made, "delete")


def topics(stage: int) -> None:
    queue = pulumi_aws.sqs.Queue("listener")
    topic = pulumi_aws.sns.Topic(
        "topic",
        display_name="Mail" if stage == 1 else "Mail TLS",
        name="alerts" if stage < 3 else "b",
        signature_version=2,
    )
    pulumi_aws.sns.TopicPolicy(
        "topic-policy", arn=topic.arn, policy=statement("sns:Publish", topic.arn, "One" if stage == 1 else "Two")
    )
    pulumi_aws.sns.TopicSubscription(
        "subscription",
        topic=topic.arn,
        protocol="sqs",
        endpoint=queue.arn,
        filter_policy=json.dumps({"severity": ["critical"] if stage == 1 else ["critical", "warning"]}),
    )


def test_topics(stack: InlineStack) -> None:
    three = {"topic", "topic-policy", "subscription"}
    prove(stack, topics, updated=three, replaced=three)


def test_what_was_changed_by_hand_is_seen_and_mended(stack: InlineStack, aws: Clients) -> None:
    stack.up(lambda: queues(1))
    sqs = aws("sqs")
    url = sqs.get_queue_url(QueueName="reports")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "7", "Policy": ""})
    assert stack.refresh() == {"queue": "update", "policy": "delete"}
    assert stack.up(lambda: queues(1)).operations == {"queue": "update", "policy": "create"}
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"] == "60"
