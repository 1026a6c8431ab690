"""Queues that set off functions of the stand-in: what comes again, what does not, and whose rights it takes."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_samples import (
    RECEIVE,
    Unique,
    allow,
    bodies,
    by_service,
    document,
    let_in,
    make_function,
    make_queue,
    make_role,
    metric_sum,
    soon,
)
from deployed import Clients

from sandbox import account

WORKS = """
import json

def handle(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        if body.get("raise"):
            raise RuntimeError("all of them")
        if "answer" in body:
            return body["answer"]
        if body.get("fails"):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""


def fed(
    aws: Clients, name: str, *, visible: int = 43_200, code: str = WORKS, rights: list[str] | None = None, **more: Any
) -> tuple[str, str]:
    """A function and the queue that feeds it: URL and ARN of the queue."""
    url, arn = make_queue(aws, name, VisibilityTimeout=str(visible))
    rights = RECEIVE if rights is None else rights
    make_function(aws, name, make_role(aws, name, *([allow(rights, arn)] if rights else [])), code)
    aws("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, **{"FunctionResponseTypes": ["ReportBatchItemFailures"], **more}
    )
    return url, arn


def counts(aws: Clients, url: str) -> tuple[int, int]:
    """Waiting, in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def send(aws: Clients, url: str, *messages: object) -> None:
    entries = [{"Id": str(number), "MessageBody": json.dumps(one)} for number, one in enumerate(messages)]
    aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def test_only_what_failed_comes_again(aws: Clients, unique: Unique, move_clock: Callable[[float], None]) -> None:
    url, _ = fed(aws, unique("partial"), visible=60, ScalingConfig={"MaximumConcurrency": 2})
    send(aws, url, {"mail": 1}, {"mail": 2, "fails": True}, {"mail": 3})
    assert soon(lambda: counts(aws, url) == (0, 1))
    name = url.rsplit("/")[-1]
    before = metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name)
    move_clock(90)
    assert soon(lambda: metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name) > before)
    assert soon(lambda: counts(aws, url) == (0, 1))


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ({"answer": None}, 0),
        ({"answer": {}}, 0),
        ({"answer": {"batchItemFailures": None}}, 0),
        ({"answer": {"batchItemFailures": []}}, 0),
        ({"answer": {"statusCode": 200}}, 0),
        ({"answer": "ok"}, 1),
        ({"answer": [1]}, 1),
        ({"answer": {"batchItemFailures": {"itemIdentifier": "x"}}}, 1),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": ""}]}}, 1),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": None}]}}, 1),
        ({"answer": {"batchItemFailures": [{"messageId": "x"}]}}, 1),
        ({"answer": {"batchItemFailures": ["x"]}}, 1),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": "of-no-message-of-this-batch"}]}}, 1),
        ({"raise": True}, 1),
    ],
)
def test_answers_to_a_batch(aws: Clients, unique: Unique, message: object, left: int) -> None:
    """Lambda guide, "Reporting batch item failures for Lambda functions with an Amazon SQS trigger"."""
    name = unique("answer")
    url, _ = fed(aws, name)
    send(aws, url, message)
    assert soon(lambda: metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name) == 1)
    assert soon(lambda: counts(aws, url) == (0, left))


def test_without_report_batch_item_failures_an_answer_says_nothing(aws: Clients, unique: Unique) -> None:
    url, _ = fed(aws, unique("whole"), FunctionResponseTypes=[])
    send(aws, url, {"fails": True})
    assert soon(lambda: counts(aws, url) == (0, 0))


def test_what_fails_for_good_joins_the_dead_letters(
    aws: Clients, unique: Unique, move_clock: Callable[[float], None]
) -> None:
    name = unique("dead")
    dead, dead_arn = make_queue(aws, f"{name}-letters")
    url, _ = fed(aws, name, visible=60)
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    send(aws, url, {"raise": True})
    for tries in (1, 2):
        assert soon(lambda tries=tries: metric_sum(aws, "AWS/Lambda", "Errors", tries * 90, FunctionName=name) == tries)
        move_clock(tries * 90)
    assert soon(lambda: counts(aws, dead) == (1, 0))
    assert counts(aws, url) == (0, 0)


def test_event_sources_that_are_refused(aws: Clients, unique: Unique) -> None:
    name, client = unique("source"), aws("lambda")
    _, arn = make_queue(aws, name, VisibilityTimeout="60")
    _, short = make_queue(aws, f"{name}-short", VisibilityTimeout="9")
    function = make_function(aws, name, make_role(aws, name, allow(RECEIVE, [arn, short])), WORKS)
    for source, more, told in (
        (f"{arn}-gone", {}, "NonExistentQueue"),
        (short, {}, "Queue visibility timeout: 9 seconds is less than Function timeout: 10 seconds"),
        (arn.replace("eu-west-1", "us-east-1"), {}, "same region"),
        (arn, {"BatchSize": 11}, "Maximum batch window"),
    ):
        with pytest.raises(ClientError, match=told) as refused:
            client.create_event_source_mapping(EventSourceArn=source, FunctionName=function, **more)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(ClientError) as unknown:
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName=f"{name}-gone")
    assert unknown.value.response["Error"]["Code"] == "ResourceNotFoundException"
    made = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    with pytest.raises(ClientError, match="already exists"):
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    client.update_function_configuration(FunctionName=name, Timeout=90)
    with pytest.raises(ClientError, match="less than Function timeout: 90"):
        client.update_event_source_mapping(UUID=made["UUID"], BatchSize=5)


@pytest.mark.parametrize("missing", RECEIVE)
def test_the_role_must_be_able_to_read_the_queue(aws: Clients, unique: Unique, missing: str) -> None:
    name = unique("unable")
    with pytest.raises(ClientError, match=f"does not have permissions to call {missing[4:]} on SQS"):
        fed(aws, name, rights=[right for right in RECEIVE if right != missing])


def test_a_role_that_loses_its_rights_gets_no_more(aws: Clients, unique: Unique) -> None:
    name = unique("losing")
    url, arn = fed(aws, name)
    aws("iam").delete_role_policy(RoleName=name, PolicyName="rights")
    send(aws, url, {"mail": 1})
    assert not soon(lambda: counts(aws, url) != (1, 0), 1.5)
    aws("iam").put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document(allow(RECEIVE, arn)))
    assert soon(lambda: counts(aws, url) == (0, 0))


def test_s3_to_queue_to_function(aws: Clients, unique: Unique) -> None:
    """The way of a report, with the rights that the program gives."""
    name, s3 = unique("way"), aws("s3")
    code = """
import boto3, json
from urllib.parse import unquote_plus

def handle(event, context):
    s3 = boto3.client("s3")
    for record in event["Records"]:
        for one in json.loads(record["body"]).get("Records", []):
            bucket, key = one["s3"]["bucket"]["name"], unquote_plus(one["s3"]["object"]["key"])
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            s3.put_object(Bucket=bucket, Key="reports/" + key.removeprefix("raw/"), Body=body.upper())
"""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    bucket = f"arn:aws:s3:::{name}"
    url, arn = make_queue(aws, name, VisibilityTimeout="60")
    without_tls = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn}
    without_tls["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    let_in(aws, url, by_service("s3.amazonaws.com", "sqs:SendMessage", arn, bucket), without_tls)
    configuration = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    configuration["Filter"] = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}}
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    assert [json.loads(body)["Event"] for body in bodies(aws, url)] == ["s3:TestEvent"]
    rights = [
        allow("s3:GetObject", f"{bucket}/raw/*"),
        allow("s3:PutObject", f"{bucket}/reports/*"),
        allow(RECEIVE, arn),
    ]
    make_function(aws, name, make_role(aws, name, *rights), code, MemorySize=256)
    aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    s3.put_object(Bucket=name, Key="raw/mail 1+2", Body=b"a report")
    assert soon(lambda: s3.list_objects_v2(Bucket=name, Prefix="reports/")["KeyCount"] == 1)
    assert s3.get_object(Bucket=name, Key="reports/mail 1+2")["Body"].read() == b"A REPORT"
    assert metric_sum(aws, "AWS/Lambda", "Errors", FunctionName=name) == 0
