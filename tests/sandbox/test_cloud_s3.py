"""Bucket policies that S3 refuses, notifications, and reads that nobody signed."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import Clients, document, no_clear_text, policy_bucket, readable_by_distributions

from sandbox import account
from sandbox.cloud.start import Emulator
from sandbox.control import ControlError

ROLE = f"arn:aws:iam::{account.ACCOUNT_ID}:role/nobody"


@pytest.fixture
def s3(aws: Clients) -> Any:
    return aws("s3")


@pytest.fixture
def bucket(aws: Clients, unique: Callable[..., str]) -> str:
    return policy_bucket(aws, unique("bucket"), [])


def _put(s3: Any, bucket: str, policy: str) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def _allow(bucket: str, **other: Any) -> dict[str, Any]:
    """A statement that is in order, but for `other`; None leaves a member out."""
    statement = {
        "Sid": "SesDeliversRawMail",
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID}},
    }
    return {name: value for name, value in (statement | other).items() if value is not None}


def test_the_programs_policies_are_taken_and_read_back(s3: Any, bucket: str) -> None:
    policy = document(readable_by_distributions(bucket), _allow(bucket), no_clear_text(bucket))
    _put(s3, bucket, policy)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)
    s3.delete_bucket_policy(Bucket=bucket)
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


@pytest.mark.parametrize(
    "other",
    [
        {"Effect": "allow"},
        {"Effect": None},
        {"Principal": None},
        {"Principal": {"Service": "sess.amazonaws.com"}},
        {"Principal": {"Service": "ses.amazonaws.org"}},
        {"Principal": {"AWS": ROLE}},
        {"Principal": {"AWS": "nobody"}},
        {"Action": None},
        {"Action": "s3:PutObjects"},
        {"Action": "sqs:SendMessage"},
        {"Action": "s3:ListBucket"},  # acts on a bucket, and the resource is objects
        {"Resource": None},
        {"Resource": "arn:aws:s3:::another-bucket/*"},
        {"Resource": "*"},
        {"Condition": {"StringEqual": {"aws:SourceAccount": "1"}}},
        {"Condition": {"StringEquals": {"ses:Recipient": "1"}}},
        {"Conditions": {}},
    ],
)
def test_malformed_policies(s3: Any, bucket: str, other: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="MalformedPolicy"):
        _put(s3, bucket, document(_allow(bucket, **other)))
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_a_policy_says_its_version(s3: Any, bucket: str) -> None:
    policy = json.loads(document(_allow(bucket)))
    for version in (None, "2026-01-01"):
        wanted = {name: value for name, value in (policy | {"Version": version}).items() if value is not None}
        with pytest.raises(ClientError, match="The policy must contain a valid version string"):
            _put(s3, bucket, json.dumps(wanted))


def test_an_object_action_needs_objects(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match=r"Action does not apply to any resource\(s\) in statement"):
        _put(s3, bucket, document(_allow(bucket, Resource=f"arn:aws:s3:::{bucket}")))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"Version": "2012-10-17"}', '{"Statement": []}', "null"])
def test_texts_that_are_no_policy(s3: Any, bucket: str, text: str) -> None:
    with pytest.raises(ClientError, match=r"MalformedPolicy|MissingRequestBodyError"):
        _put(s3, bucket, text)


def test_twenty_kilobytes_are_the_most(s3: Any, bucket: str) -> None:
    room = 20 * 1024 - len(document(_allow(bucket, Sid="")))
    _put(s3, bucket, document(_allow(bucket, Sid="x" * room)))
    with pytest.raises(ClientError, match="PolicyTooLarge"):
        _put(s3, bucket, document(_allow(bucket, Sid="x" * (room + 1))))


def test_a_role_that_exists_is_a_principal(s3: Any, bucket: str, aws: Clients, unique: Callable[..., str]) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    arn = aws("iam").create_role(RoleName=unique("role"), AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    _put(s3, bucket, document(_allow(bucket, Principal={"AWS": arn})))


def test_nobody_reads_without_signing(s3: Any, bucket: str, emulator: Emulator) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"private")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{emulator.endpoint}/{bucket}/key")  # noqa: S310 our own URL


# --------------------------------------------------------------------------------------------------- notifications


def _queue(aws: Clients, name: str, *statements: dict[str, Any]) -> tuple[str, str]:
    """URL and ARN of a new queue with a policy of `statements`, their resource filled in."""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    if statements:
        policy = document(*({"Resource": arn} | statement for statement in statements))
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def _s3_may_send(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID},
            "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
        },
    }


def _notify(s3: Any, bucket: str, queue: str) -> None:
    wanted = {"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}
    prefix = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [wanted | {"Filter": prefix}]}
    )


def _messages(aws: Clients, url: str) -> list[dict[str, Any]]:
    """All that is in the queue after a moment."""
    found: list[dict[str, Any]] = []
    while (
        messages := aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages")
    ):
        found += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_a_queue_that_is_closed_to_s3_gets_no_notifications(
    s3: Any, bucket: str, aws: Clients, unique: Callable[..., str]
) -> None:
    words = "Unable to validate the following destination configurations"
    closed = _queue(aws, unique("queue"))[1]
    for_another = _queue(aws, unique("queue"), _s3_may_send("another-bucket"))[1]
    for arn in (closed, for_another, closed + "-missing"):
        with pytest.raises(ClientError, match=words) as refusal:
            _notify(s3, bucket, arn)
        assert refusal.value.response["Error"]["Code"] == "InvalidArgument"
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_an_open_queue_gets_the_test_event_and_what_is_stored(
    s3: Any, bucket: str, aws: Clients, unique: Callable[..., str]
) -> None:
    url, arn = _queue(aws, unique("queue"), _s3_may_send(bucket))
    _notify(s3, bucket, arn)
    assert [message.get("Event") for message in _messages(aws, url)] == ["s3:TestEvent"]
    version = s3.put_object(Bucket=bucket, Key="raw/a b", Body=b"mail")["VersionId"]
    s3.put_object(Bucket=bucket, Key="other/c", Body=b"no mail")
    records = [record for message in _messages(aws, url) for record in message["Records"]]
    assert [record["s3"]["object"]["key"] for record in records] == ["raw/a+b"]
    assert records[0]["eventName"] == "ObjectCreated:Put"
    assert records[0]["s3"]["object"]["versionId"] == version


# ------------------------------------------------------------------------------------------ as the service SES puts


def _put_as_ses(emulator: Emulator, bucket: str, key: str, body: bytes, source_arn: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 our own URL
        f"{emulator.endpoint}/_sandbox/as/ses.amazonaws.com/{bucket}/{key}",
        data=body,
        method="PUT",
        headers={"x-sandbox-source-arn": source_arn},
    )
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 our own URL
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as e:
        raise ControlError(f"{e.code}: {json.load(e)['error']}") from e
    return answer


def test_what_ses_stores_is_stored_by_the_buckets_policy_and_notified(
    s3: Any, bucket: str, aws: Clients, emulator: Emulator, unique: Callable[..., str]
) -> None:
    arn = f"arn:aws:ses:{account.REGION}:{account.ACCOUNT_ID}:receipt-rule-set/own:receipt-rule/store"
    condition = {"StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": arn}}
    only_raw = _allow(bucket, Resource=f"arn:aws:s3:::{bucket}/raw/*", Condition=condition)
    with pytest.raises(ControlError, match="403: the policy of bucket"):
        _put_as_ses(emulator, bucket, "raw/id/1", b"mail", arn)
    _put(s3, bucket, document(only_raw, no_clear_text(bucket)))
    url, queue = _queue(aws, unique("queue"), _s3_may_send(bucket))
    _notify(s3, bucket, queue)
    version = _put_as_ses(emulator, bucket, "raw/id/1", b"mail\r\n", arn)["version"]
    stored = s3.get_object(Bucket=bucket, Key="raw/id/1")
    assert (stored["Body"].read(), stored["VersionId"]) == (b"mail\r\n", version)
    keys = [record["s3"]["object"]["key"] for message in _messages(aws, url) for record in message.get("Records", ())]
    assert keys == ["raw/id/1"]
    for other in ({"key": "elsewhere/1"}, {"source_arn": arn + "-other"}, {"bucket": "no-such-bucket"}):
        with pytest.raises(ControlError, match="403"):
            _put_as_ses(emulator, **({"bucket": bucket, "key": "raw/2", "body": b"", "source_arn": arn} | other))
