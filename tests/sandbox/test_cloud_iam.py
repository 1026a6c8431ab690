"""Rights in the stand-in: what a role's and a resource's documents say is what its calls may do.

The documents are the program's own, taken from its components.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError
from cloud_samples import Unique, allow, as_role, bodies, document, make_queue, make_role, trust
from deployed import Clients

from components.alert_topic import key_policy, topic_policy
from components.report_function import role_policy
from components.report_queue import queue_policy
from components.report_store import bucket_policy
from mailtls.tls_rpt.contract import Prefix
from sandbox import account
from sandbox.cloud.start import Emulator

OTHER = "of-somebody-else"


def text(document: Callable[[], pulumi.Output[str]]) -> str:
    """The value of an output that waits for nothing."""

    async def value() -> str:
        future: Awaitable[str | None] = document().future()
        found = await future
        assert found is not None
        return found

    return asyncio.run(value())


class Platform:
    """What the report function meets: bucket, queue, topic and key with the program's policies, and its own role."""

    def __init__(self, aws: Clients, emulator: Emulator, name: str) -> None:
        self._aws, self._emulator = aws, emulator
        self.bucket, self.policy_bucket = name, f"{name}-policies"
        bucket_arn = f"arn:aws:s3:::{name}"
        where = {"LocationConstraint": account.REGION}
        for bucket in (self.bucket, self.policy_bucket):
            aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        rule = f"arn:aws:ses:{account.REGION}:{account.ACCOUNT_ID}:receipt-rule-set/x:receipt-rule/y"
        policy = text(lambda: bucket_policy(bucket_arn, account.ACCOUNT_ID, rule))
        aws("s3").put_bucket_policy(Bucket=name, Policy=policy)
        self.queue, queue_arn = make_queue(aws, name, VisibilityTimeout="720")
        policy = text(lambda: queue_policy(queue_arn, bucket_arn, account.ACCOUNT_ID))
        aws("sqs").set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        policy = text(lambda: key_policy(account.REGION, account.ACCOUNT_ID))
        self.key = aws("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
        self.topic = aws("sns").create_topic(Name=name, Attributes={"KmsMasterKeyId": self.key})["TopicArn"]
        policy = text(lambda: topic_policy(self.topic, account.REGION, account.ACCOUNT_ID))
        aws("sns").set_topic_attributes(TopicArn=self.topic, AttributeName="Policy", AttributeValue=policy)
        self.log_group = f"/aws/lambda/{name}"
        aws("logs").create_log_group(logGroupName=self.log_group)
        group = f"arn:aws:logs:{account.REGION}:{account.ACCOUNT_ID}:log-group:{self.log_group}"
        args: Any = {
            "bucket_arn": bucket_arn,
            "policy_bucket": self.policy_bucket,
            "queue_arn": queue_arn,
            "topic_arn": self.topic,
            "topic_key_arn": self.key,
        }
        aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
        rights = text(lambda: role_policy(args, group))
        aws("iam").put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=rights)
        self.role = f"arn:aws:iam::{account.ACCOUNT_ID}:role/{name}"

    def as_function(self, service: str) -> Any:
        return as_role(self._emulator, self._aws, self.role, service)


@pytest.fixture(scope="module")
def platform(aws: Clients, emulator: Emulator) -> Platform:
    return Platform(aws, emulator, "platform-of-test-cloud-iam")


def denied(call: Callable[..., Any], **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as e:
        code = str(e.response["Error"]["Code"])
        assert "Denied" in code or "Unauthorized" in code or "AuthorizationError" in code, code
        return True
    return False


STATES = (Prefix.ALERTS, Prefix.REPORTERS, Prefix.HOSTS, Prefix.HOURS, Prefix.DIGESTS, Prefix.ACCOUNTING)
READ = (Prefix.RAW, Prefix.DISPOSITIONS, Prefix.REPORTS, Prefix.POSTED, Prefix.OTHER_CONTENT, Prefix.DOMAINS, *STATES)
WRITTEN = (Prefix.DISPOSITIONS, Prefix.REPORTS, Prefix.POSTED, Prefix.OTHER_CONTENT, Prefix.QUARANTINE, *STATES)


@pytest.mark.parametrize("prefix", [*Prefix, "elsewhere/", ""])
def test_the_functions_prefixes(platform: Platform, aws: Clients, prefix: str) -> None:
    key = f"{prefix}object"
    aws("s3").put_object(Bucket=platform.bucket, Key=key, Body=b"there")
    s3 = platform.as_function("s3")
    assert denied(s3.get_object, Bucket=platform.bucket, Key=key) == (prefix not in READ)
    assert denied(s3.put_object, Bucket=platform.bucket, Key=key, Body=b"") == (prefix not in WRITTEN)
    assert denied(s3.put_object, Bucket=platform.bucket, Key=f"{prefix}new", Body=b"", IfNoneMatch="*") == (
        prefix not in WRITTEN
    )
    assert denied(s3.delete_object, Bucket=platform.bucket, Key=key)


def test_the_function_copies_mail_into_quarantine_only(platform: Platform, aws: Clients) -> None:
    aws("s3").put_object(Bucket=platform.bucket, Key=f"{Prefix.RAW}mail", Body=b"raw")
    s3 = platform.as_function("s3")
    source = {"Bucket": platform.bucket, "Key": f"{Prefix.RAW}mail"}
    assert not denied(s3.copy_object, Bucket=platform.bucket, Key=f"{Prefix.QUARANTINE}mail", CopySource=source)
    assert denied(s3.copy_object, Bucket=platform.bucket, Key=f"{Prefix.DOMAINS}mail", CopySource=source)
    quarantined = {"Bucket": platform.bucket, "Key": f"{Prefix.QUARANTINE}mail"}
    assert denied(s3.copy_object, Bucket=platform.bucket, Key=f"{Prefix.REPORTS}mail", CopySource=quarantined)


def test_the_function_reads_versions_of_policies_and_nothing_else_there(platform: Platform, aws: Clients) -> None:
    policy, other = "contoso.example/.well-known/mta-sts.txt", "contoso.example/other.txt"
    bucket = platform.policy_bucket
    aws("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = {key: aws("s3").put_object(Bucket=bucket, Key=key, Body=b"text")["VersionId"] for key in (policy, other)}
    s3 = platform.as_function("s3")
    assert not denied(s3.list_object_versions, Bucket=bucket, Prefix=policy)
    assert not denied(s3.get_object, Bucket=bucket, Key=policy, VersionId=version[policy])
    assert denied(s3.get_object, Bucket=bucket, Key=other, VersionId=version[other])
    assert denied(s3.put_object, Bucket=bucket, Key=policy, Body=b"")
    assert denied(s3.delete_object, Bucket=bucket, Key=policy)


def test_the_function_tells_missing_from_forbidden(platform: Platform) -> None:
    s3 = platform.as_function("s3")
    with pytest.raises(ClientError) as missing:
        s3.get_object(Bucket=platform.bucket, Key=f"{Prefix.REPORTS}none")
    assert missing.value.response["Error"]["Code"] == "NoSuchKey"
    assert s3.list_objects_v2(Bucket=platform.bucket, Prefix=Prefix.ALERTS.value)["KeyCount"] >= 0
    assert denied(s3.list_buckets)
    assert denied(s3.put_bucket_policy, Bucket=platform.bucket, Policy="{}")


def test_the_functions_other_rights(platform: Platform, aws: Clients) -> None:
    sqs, sns = platform.as_function("sqs"), platform.as_function("sns")
    logs, kms = platform.as_function("logs"), platform.as_function("kms")
    url = platform.queue
    assert denied(sqs.send_message, QueueUrl=url, MessageBody="text")
    assert not denied(sqs.receive_message, QueueUrl=url)
    assert not denied(sqs.get_queue_attributes, QueueUrl=url)
    assert denied(sqs.purge_queue, QueueUrl=url)
    assert denied(sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    assert not denied(sns.publish, TopicArn=platform.topic, Message="text")
    assert denied(sns.publish, TopicArn=aws("sns").create_topic(Name=f"topic-{OTHER}")["TopicArn"], Message="text")
    assert denied(sns.subscribe, TopicArn=platform.topic, Protocol="email", Endpoint="a@contoso.example")
    assert not denied(kms.generate_data_key, KeyId=platform.key, KeySpec="AES_256")
    assert denied(kms.disable_key, KeyId=platform.key)
    assert not denied(logs.create_log_stream, logGroupName=platform.log_group, logStreamName="one")
    events = [{"timestamp": int(time.time() * 1000), "message": "text"}]
    assert not denied(logs.put_log_events, logGroupName=platform.log_group, logStreamName="one", logEvents=events)
    assert denied(logs.create_log_group, logGroupName=f"/aws/lambda/{OTHER}")
    assert denied(platform.as_function("iam").get_role, RoleName=platform.bucket)
    assert denied(platform.as_function("cloudwatch").put_metric_data, Namespace="n", MetricData=[{"MetricName": "m"}])


def test_the_bucket_announces_to_the_queue(platform: Platform, aws: Clients, unique: Unique) -> None:
    queue = aws("sqs").get_queue_attributes(QueueUrl=platform.queue, AttributeNames=["QueueArn"])["Attributes"]
    configuration = {"QueueConfigurations": [{"QueueArn": queue["QueueArn"], "Events": ["s3:ObjectCreated:*"]}]}
    aws("s3").put_bucket_notification_configuration(Bucket=platform.bucket, NotificationConfiguration=configuration)
    assert "s3:TestEvent" in bodies(aws, platform.queue)[0]
    other = unique(f"bucket-{OTHER}")
    where = {"LocationConstraint": account.REGION}
    aws("s3").create_bucket(Bucket=other, CreateBucketConfiguration=where)
    with pytest.raises(ClientError, match="Unable to validate"):
        aws("s3").put_bucket_notification_configuration(Bucket=other, NotificationConfiguration=configuration)


@pytest.mark.parametrize("region", [account.REGION, account.CERTIFICATE_REGION])
def test_alarms_of_the_topics_region_reach_it(platform: Platform, aws: Clients, unique: Unique, region: str) -> None:
    """The topic's policy and the key's: an alarm elsewhere cannot even be put."""
    name, cloudwatch = unique("alarm"), aws("cloudwatch", region)
    alarm = {
        "AlarmName": name,
        "Namespace": name,
        "MetricName": "m",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [platform.topic],
    }
    if region != account.REGION:
        with pytest.raises(ClientError, match="Invalid region"):
            cloudwatch.put_metric_alarm(**alarm)
        return
    cloudwatch.put_metric_alarm(**alarm)
    cloudwatch.put_metric_data(Namespace=name, MetricData=[{"MetricName": "m", "Value": 1}])
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in history] == [f"Successfully executed action {platform.topic}"]


# ------------------------------------------------------------------------------------------------------ conditions


@pytest.mark.parametrize(
    ("statements", "may"),
    [
        ([allow("sqs:SendMessage", "QUEUE")], True),
        ([allow("sqs:Send*", "arn:aws:sqs:*:*:*")], True),
        ([allow("sqs:SendMessage", "QUEUE-2")], False),
        ([allow("sqs:sendmessage", "QUEUE")], True),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], True),
        ([allow("*", "*"), allow("sqs:*", "QUEUE", Effect="Deny")], False),
        ([allow("*", "*"), allow("sqs:*", "QUEUE-2", Effect="Deny")], True),
        ([allow("sqs:*", "*", Condition={"Bool": {"aws:SecureTransport": "true"}})], True),
        ([allow("sqs:*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})], False),
        ([allow("sqs:*", "*", Condition={"StringEquals": {"aws:RequestedRegion": account.REGION}})], True),
        ([allow("sqs:*", "*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})], False),
        ([allow("sqs:*", "*", Condition={"StringEquals": {"aws:PrincipalAccount": account.ACCOUNT_ID}})], True),
        ([allow("sqs:*", "*", Condition={"Null": {"aws:SourceArn": "false"}})], False),
    ],
)
def test_a_roles_own_policy(
    aws: Clients, emulator: Emulator, unique: Unique, statements: list[dict[str, Any]], may: bool
) -> None:
    name = unique("conditions")
    url, arn = make_queue(aws, name)
    role = make_role(aws, name, *json.loads(json.dumps(statements).replace("QUEUE", arn)))
    assert denied(as_role(emulator, aws, role, "sqs").send_message, QueueUrl=url, MessageBody="text") == (not may)


# ------------------------------------------------------------------------------------------------ what is refused

GOOD = {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("{", "Syntax errors"),
        ("[]", "Syntax errors"),
        (json.dumps({"Version": "2012-10-17"}), "Syntax errors"),
        (json.dumps({"Version": "2012-10-17", "Statement": []}), "Syntax errors"),
        (json.dumps({"Version": "2020-01-01", "Statement": [GOOD]}), "valid version"),
        (json.dumps({"Version": "2012-10-17", "Statements": [GOOD]}), "Syntax errors"),
        (document({**GOOD, "Effect": "Permit"}), "Invalid effect"),
        (document({key: value for key, value in GOOD.items() if key != "Effect"}), "Missing required field Effect"),
        (document({**GOOD, "Action": "GetObject"}), "vendor"),
        (document({**GOOD, "NotAction": "s3:*"}), "must contain actions"),
        (document({**GOOD, "Resource": "bucket"}), "ARN format"),
        (document({key: value for key, value in GOOD.items() if key != "Resource"}), "must contain resources"),
        (document({**GOOD, "Principal": "*"}), "should not specify a principal"),
        (document({**GOOD, "Sid": "no blanks"}), "alpha-numeric"),
        (document(GOOD, GOOD), "unique"),
        (document({**GOOD, "Condition": {"StringIs": {"aws:SourceArn": "x"}}}), "Invalid Condition type"),
        (document({**GOOD, "Condition": {"StringEquals": {"SourceArn": "x"}}}), "Invalid condition key"),
        (document({**GOOD, "Condition": {"StringEquals": "x"}}), "Syntax errors"),
        (document({**GOOD, "Resorce": "*"}), "Syntax errors"),
    ],
)
def test_malformed_policies(aws: Clients, unique: Unique, policy: str, told: str) -> None:
    name, iam = unique("malformed"), aws("iam")
    make_role(aws, name)
    with pytest.raises(ClientError, match=told) as refused:
        iam.put_role_policy(RoleName=name, PolicyName="bad", PolicyDocument=policy)
    assert refused.value.response["Error"]["Code"] == "MalformedPolicyDocument"
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []


TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ({**TRUST, "Resource": "*"}, "prohibited field Resource"),
        ({**TRUST, "Action": "s3:GetObject"}, "STS AssumeRole actions"),
        ({**TRUST, "Principal": {"Service": "lambda"}}, "Invalid principal"),
        ({"Effect": "Allow", "Action": "sts:AssumeRole"}, "Principal"),
        ({**TRUST, "Condition": {"ArnEquals": {"aws:SourceArn": ["x" * 2000]}}}, "ACLSizePerRole"),
    ],
)
def test_trust_policies_that_are_refused(aws: Clients, unique: Unique, statement: dict[str, Any], told: str) -> None:
    name = unique("trust")
    with pytest.raises(ClientError, match=told):
        aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(statement))
    make_role(aws, name)
    with pytest.raises(ClientError, match=told):
        aws("iam").update_assume_role_policy(RoleName=name, PolicyDocument=document(statement))


def test_a_roles_policies_have_an_end(aws: Clients, unique: Unique) -> None:
    name, iam = unique("long"), aws("iam")
    make_role(aws, name)
    half = document({**GOOD, "Resource": [f"arn:aws:s3:::{'b' * 60}/{number:03}" for number in range(66)]})
    for _ in range(3):  # the same again takes no more room
        iam.put_role_policy(RoleName=name, PolicyName="one", PolicyDocument=half)
    with pytest.raises(ClientError, match="10240 bytes"):
        iam.put_role_policy(RoleName=name, PolicyName="two", PolicyDocument=half)


def test_a_key_that_nobody_could_change_again(aws: Clients) -> None:
    kms = aws("kms")
    root = {"AWS": f"arn:aws:iam::{account.ACCOUNT_ID}:root"}
    good = allow("kms:*", "*", Principal=root)
    key = kms.create_key(Policy=document(good))["KeyMetadata"]["KeyId"]
    for bad in (
        {**good, "Action": "kms:Decrypt"},
        {**good, "Principal": {"AWS": "arn:aws:iam::999999999999:root"}},
        {**good, "Principal": {"Service": "cloudwatch.amazonaws.com"}},
        {**good, "Effect": "Deny"},
    ):
        with pytest.raises(ClientError, match="update the key policy in the future"):
            kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(bad))
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy="{")
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"]) == json.loads(document(good))
