"""Queues of the stand-in: who may send, where dead letters go, and what is measured."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_samples import Unique, allow, as_role, bodies, by_service, document, let_in, make_queue, make_role
from deployed import Clients

from sandbox import account
from sandbox.cloud.start import Emulator


def notifies(aws: Clients, bucket: str, queue: str) -> None:
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]},
    )


def make_bucket(aws: Clients, name: str) -> str:
    """Its ARN."""
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    return f"arn:aws:s3:::{name}"


@pytest.mark.parametrize(
    "change",
    [
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::of-somebody-else"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
        {"Principal": {"Service": "sns.amazonaws.com"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Resource": f"arn:aws:sqs:{account.REGION}:{account.ACCOUNT_ID}:another"},
        {"Effect": "Deny"},
    ],
)
def test_a_bucket_that_may_not_send(aws: Clients, unique: Unique, change: dict[str, Any]) -> None:
    name = unique("closed")
    bucket, (url, arn) = make_bucket(aws, name), make_queue(aws, name)
    let_in(aws, url, by_service("s3.amazonaws.com", "sqs:SendMessage", arn, bucket) | change)
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        notifies(aws, name, arn)


def test_the_programs_policy_lets_the_one_bucket_in(aws: Clients, unique: Unique) -> None:
    name = unique("open")
    bucket, (url, arn) = make_bucket(aws, name), make_queue(aws, name)
    condition = {"StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID}, "ArnEquals": {"aws:SourceArn": bucket}}
    may_send = allow("sqs:SendMessage", arn, Principal={"Service": "s3.amazonaws.com"}, Condition=condition)
    let_in(aws, url, may_send, without_tls(arn))
    notifies(aws, name, arn)
    assert len(bodies(aws, url)) == 1
    let_in(aws, url, without_tls(arn))
    aws("s3").put_object(Bucket=name, Key="late", Body=b"")
    assert bodies(aws, url) == []


def without_tls(arn: str) -> dict[str, Any]:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn}
    return deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}


@pytest.mark.parametrize(
    ("condition", "may"),
    [
        ({"ArnEquals": {"aws:SourceArn": "TOPIC"}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{account.ACCOUNT_ID}:*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": "TOPIC-of-somebody-else"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "999999999999"}}, False),
    ],
)
def test_topics_need_leave(aws: Clients, unique: Unique, condition: dict[str, Any], may: bool) -> None:
    name, sns = unique("topic"), aws("sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    url, arn = make_queue(aws, name)
    condition = json.loads(json.dumps(condition).replace("TOPIC", topic))
    let_in(aws, url, allow("sqs:SendMessage", arn, Principal={"Service": "sns.amazonaws.com"}, Condition=condition))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="text")
    assert bool(bodies(aws, url)) == may


def test_a_deny_in_the_queues_policy_beats_the_role(aws: Clients, emulator: Emulator, unique: Unique) -> None:
    name = unique("denied")
    url, arn = make_queue(aws, name)
    role = make_role(aws, name, allow("sqs:*", arn))
    client = as_role(emulator, aws, role, "sqs")
    client.send_message(QueueUrl=url, MessageBody="text")
    let_in(aws, url, allow("sqs:SendMessage", arn, Effect="Deny", Principal={"AWS": role}))
    with pytest.raises(ClientError, match="explicit deny"):
        client.send_message(QueueUrl=url, MessageBody="text")
    client.receive_message(QueueUrl=url)


def good_policy(arn: str) -> dict[str, Any]:
    return by_service("s3.amazonaws.com", "sqs:SendMessage", arn, "arn:aws:s3:::bucket")


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "allow"},
        {"Action": "SendMessage"},
        {"Action": "s3:PutObject"},
        {"Action": []},
        {"Principal": {"Service": "s3"}},
        {"Principal": {"Services": "s3.amazonaws.com"}},
        {"Resource": "queue"},
        {"Condition": {"ArnEqual": {"aws:SourceArn": "arn:aws:s3:::bucket"}}},
        {"Condition": {"ArnEquals": {"SourceArn": "arn:aws:s3:::bucket"}}},
        {"Conditions": {}},
    ],
)
def test_malformed_policies(aws: Clients, unique: Unique, change: dict[str, Any]) -> None:
    url, arn = make_queue(aws, unique("malformed"))
    let_in(aws, url, good_policy(arn))
    with pytest.raises(ClientError, match="Policy") as refused:
        let_in(aws, url, good_policy(arn) | change)
    assert refused.value.response["Error"]["Code"] == "InvalidAttributeValue"
    with pytest.raises(ClientError, match="Policy"):
        make_queue(aws, unique("malformed"), Policy=document(good_policy(arn) | change))


def redrive(target: str, times: int = 1) -> str:
    return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": times})


def test_dead_letters(aws: Clients, unique: Unique, move_clock: Callable[[float], None]) -> None:
    name, sqs = unique("dead"), aws("sqs")
    dead, dead_arn = make_queue(aws, f"{name}-letters")
    url, arn = make_queue(aws, name, VisibilityTimeout="60", RedrivePolicy=redrive(dead_arn, 2))
    allowed = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": allowed})
    sqs.send_message(QueueUrl=url, MessageBody="fails")
    for time in (1, 2, 3):
        received = sqs.receive_message(QueueUrl=url).get("Messages", [])
        assert len(received) == (time < 3)
        move_clock(time * 90)
    assert len(sqs.receive_message(QueueUrl=dead)["Messages"]) == 1
    move_clock(600)
    sqs.start_message_move_task(SourceArn=dead_arn)
    assert bodies(aws, url) == ["fails"]
    assert bodies(aws, dead) == []


@pytest.mark.parametrize(
    "allowed",
    [
        {"redrivePermission": "denyAll"},
        {"redrivePermission": "byQueue", "sourceQueueArns": [f"arn:aws:sqs:{account.REGION}:{account.ACCOUNT_ID}:x"]},
    ],
)
def test_a_dead_letter_queue_takes_its_own_only(aws: Clients, unique: Unique, allowed: dict[str, Any]) -> None:
    name = unique("allowed")
    _, dead = make_queue(aws, f"{name}-letters", RedriveAllowPolicy=json.dumps(allowed))
    url, _ = make_queue(aws, name)
    with pytest.raises(ClientError, match="does not take dead letters"):
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive(dead)})
    with pytest.raises(ClientError, match="RedrivePolicy"):
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive(f"{dead}-gone")})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"redrivePermission": "some"}',
        '{"redrivePermission": "byQueue"}',
        '{"redrivePermission": "allowAll", "sourceQueueArns": ["arn:aws:sqs:eu-west-1:123456789012:x"]}',
        json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [f"q{number}" for number in range(11)]}),
    ],
)
def test_malformed_allow_policies(aws: Clients, unique: Unique, text: str) -> None:
    url, _ = make_queue(aws, unique("allow"))
    with pytest.raises(ClientError, match="RedriveAllowPolicy"):
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": text})


def test_the_programs_alarms_on_queues(aws: Clients, unique: Unique, move_clock: Callable[[float], None]) -> None:
    """`dead-letters` and `oldest-message`, with the program's own thresholds."""
    name, cloudwatch = unique("watched"), aws("cloudwatch")
    url, _ = make_queue(aws, name)
    common = {
        "Namespace": "AWS/SQS",
        "Dimensions": [{"Name": "QueueName", "Value": name}],
        "Statistic": "Maximum",
        "Period": 300,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    letters = {"MetricName": "ApproximateNumberOfMessagesVisible", "Threshold": 0, "EvaluationPeriods": 1}
    oldest = {"MetricName": "ApproximateAgeOfOldestMessage", "Threshold": 1800}
    oldest |= {"EvaluationPeriods": 3, "DatapointsToAlarm": 2}
    cloudwatch.put_metric_alarm(AlarmName=f"{name}-letters", **common, **letters)
    cloudwatch.put_metric_alarm(AlarmName=f"{name}-oldest", **common, **oldest)

    def states() -> list[str]:
        found = cloudwatch.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"]
        return [alarm["StateValue"] for alarm in sorted(found, key=lambda alarm: alarm["AlarmName"])]

    move_clock(60)
    assert states() == ["OK", "OK"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="waits")
    move_clock(600)
    assert states() == ["ALARM", "OK"]
    move_clock(3600)
    assert states() == ["ALARM", "ALARM"]
    assert bodies(aws, url) == ["waits"]
    move_clock(7200)
    assert states() == ["OK", "OK"]
