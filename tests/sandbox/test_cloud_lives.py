"""The provider plugin's resource types against the stand-in: made, found as they were made, changed, found, deleted.

For services whose stand-in is patched; the engine's own tests go through a few of them as programs.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cloud_samples import (
    RECEIVE,
    Unique,
    allow,
    by_service,
    document,
    make_function,
    make_queue,
    make_role,
    trust,
    zipped,
)
from deployed import Clients

from sandbox import account
from sandbox.cloud.start import Emulator
from sandbox.providers.aws.provider import provider
from sandbox.providers.protocol.driver import Driver
from sandbox.providers.protocol.wire import Archive


@pytest.fixture(scope="module")
def driver(emulator: Emulator) -> Iterator[Driver]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in account.environment(emulator.endpoint).items():
            patched.setenv(name, value)
        with Driver(provider(), {"region": account.REGION}) as one:
            yield one


@dataclass
class Life:
    """replaces: there is no update."""

    token: str
    made: dict[str, Any]
    changed: dict[str, Any]
    replaces: bool = False


def lives(aws: Clients, name: str, code: Path) -> Iterator[Life]:
    queue_url, queue = make_queue(aws, f"{name}-queue", VisibilityTimeout="60")
    role = make_role(aws, f"{name}-role", allow(RECEIVE, queue))
    function = make_function(aws, f"{name}-fed", role, "def handle(event, context): pass")
    topic = aws("sns").create_topic(Name=f"{name}-topic")["TopicArn"]
    rule = aws("events").put_rule(Name=f"{name}-rule", ScheduleExpression="rate(1 hour)")["RuleArn"]
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    other_key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    root = {"AWS": f"arn:aws:iam::{account.ACCOUNT_ID}:root"}
    tags = {"made-by": "test"}
    more = {"made-by": "another test"}

    days = {"name": f"/aws/lambda/{name}", "retentionInDays": 90, "tags": tags}
    yield Life("aws:cloudwatch/logGroup:LogGroup", days, days | {"retentionInDays": 30, "tags": more})
    plain = {
        "name": f"{name}-plain",
        "alarmDescription": "DO 1 Look.",
        "namespace": "AWS/SQS",
        "metricName": "ApproximateAgeOfOldestMessage",
        "dimensions": {"QueueName": name},
        "statistic": "Maximum",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 1800,
        "period": 300,
        "evaluationPeriods": 3,
        "datapointsToAlarm": 2,
        "treatMissingData": "notBreaching",
        "alarmActions": [topic],
        "okActions": [topic],
        "tags": tags,
    }
    alarm = "aws:cloudwatch/metricAlarm:MetricAlarm"
    yield Life(alarm, plain, plain | {"threshold": 900, "okActions": [], "tags": more})
    metric = {"namespace": "Mailtls", "metricName": "MailsReceived", "period": 86_400, "stat": "Sum"}
    queries = [
        {"id": "received", "metric": metric},
        {"id": "kept", "metric": metric | {"dimensions": {"Reason": "junk"}}},
        {"id": "share", "label": "per cent", "expression": "100 * kept / received", "returnData": True},
    ]
    common = ("alarmDescription", "comparisonOperator", "threshold", "evaluationPeriods", "treatMissingData")
    math = {key: plain[key] for key in common} | {"name": f"{name}-math", "metricQueries": queries}
    changed = [*queries[:2], queries[2] | {"expression": "IF(received > 9, kept / received)"}]
    yield Life(alarm, math, math | {"metricQueries": changed})
    percentile = {key: value for key, value in plain.items() if key != "statistic"} | {"name": f"{name}-p90"}
    yield Life(alarm, percentile | {"extendedStatistic": "p90"}, percentile | {"extendedStatistic": "p99"})

    widgets = {"widgets": [{"type": "text", "properties": {"markdown": "one"}}]}
    page = {"dashboardName": f"{name}-page", "dashboardBody": json.dumps(widgets)}
    yield Life("aws:cloudwatch/dashboard:Dashboard", page, page | {"dashboardBody": json.dumps({"widgets": []})})

    schedule = {"name": f"{name}-hourly", "scheduleExpression": "rate(1 hour)", "description": "hourly", "tags": tags}
    yield Life("aws:cloudwatch/eventRule:EventRule", schedule, schedule | {"scheduleExpression": "rate(2 hours)"})
    events = {"name": f"{name}-acm", "eventPattern": json.dumps({"source": ["aws.acm"]})}
    other = events | {"eventPattern": json.dumps({"source": ["aws.acm", "aws.ses"]}), "state": "DISABLED"}
    yield Life("aws:cloudwatch/eventRule:EventRule", events, other)
    target = {"rule": f"{name}-rule", "arn": function}
    yield Life("aws:cloudwatch/eventTarget:EventTarget", target, target | {"input": '{"tick": true}'})

    trusting = {"name": f"{name}-new", "description": "a role", "assumeRolePolicy": trust("lambda.amazonaws.com")}
    other = {"description": "another", "assumeRolePolicy": trust("events.amazonaws.com"), "tags": tags}
    yield Life("aws:iam/role:Role", trusting, trusting | other)
    rights = {"name": "more", "role": f"{name}-role", "policy": document(allow("s3:GetObject", "arn:aws:s3:::b/*"))}
    other = {"policy": document(allow("s3:PutObject", "arn:aws:s3:::b/*"))}
    yield Life("aws:iam/rolePolicy:RolePolicy", rights, rights | other)
    policy = document(allow("kms:*", "*", Principal=root))
    new_key = {"description": "a key", "policy": policy, "deletionWindowInDays": 7, "enableKeyRotation": True}
    wider = document(
        allow("kms:*", "*", Principal=root),
        allow("kms:Decrypt", "*", Principal={"Service": "cloudwatch.amazonaws.com"}),
    )
    yield Life("aws:kms/key:Key", new_key, new_key | {"policy": wider, "description": "the key", "tags": tags})
    alias = {"name": f"alias/{name}", "targetKeyId": key}
    yield Life("aws:kms/alias:Alias", alias, alias | {"targetKeyId": other_key})

    new_function = {
        "name": f"{name}-new",
        "role": role,
        "runtime": "python3.13",
        "handler": "index.handle",
        "architectures": ["arm64"],
        "memorySize": 512,
        "timeout": 20,
        "environment": {"variables": {"BUCKET": "b"}},
        "tags": tags,
    }
    code.write_bytes(zipped("def handle(event, context): pass"))
    new_function["code"] = Archive(path=str(code))
    changed_function = new_function | {"timeout": 30, "environment": {"variables": {"BUCKET": "c"}}, "tags": more}
    yield Life("aws:lambda/function:Function", new_function, changed_function)
    permission = {
        "statementId": "rule",
        "function": f"{name}-fed",
        "action": "lambda:InvokeFunction",
        "principal": "events.amazonaws.com",
        "sourceArn": rule,
    }
    other = {"sourceArn": f"{rule}-2"}
    yield Life("aws:lambda/permission:Permission", permission, permission | other, replaces=True)
    mapping = {
        "eventSourceArn": queue,
        "functionName": f"{name}-fed",
        "batchSize": 10,
        "maximumBatchingWindowInSeconds": 0,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": 5},
    }
    other = {"batchSize": 5, "scalingConfig": {"maximumConcurrency": 2}}
    yield Life("aws:lambda/eventSourceMapping:EventSourceMapping", mapping, mapping | other)

    new_topic = {"name": f"{name}-new", "kmsMasterKeyId": key, "tags": tags}
    yield Life("aws:sns/topic:Topic", new_topic, new_topic | {"displayName": "Mail", "tags": more})
    publishes = by_service("cloudwatch.amazonaws.com", "sns:Publish", topic, "arn:aws:cloudwatch:x")
    topic_policy = {"arn": topic, "policy": document(publishes)}
    other = {"policy": document({**publishes, "Sid": "Other"})}
    yield Life("aws:sns/topicPolicy:TopicPolicy", topic_policy, topic_policy | other)
    mail = {"topic": topic, "protocol": "email", "endpoint": "a@contoso.example"}
    filtered = {"filterPolicy": json.dumps({"owner": ["mail-team"]}), "filterPolicyScope": "MessageAttributes"}
    subscription = "aws:sns/topicSubscription:TopicSubscription"
    yield Life(subscription, mail | filtered, mail | filtered | {"filterPolicy": '{"owner": ["brand-team"]}'})
    hook = {"topic": topic, "protocol": "https", "endpoint": "https://alerts.mailhost.example/mailtls"}
    yield Life(subscription, hook, hook | filtered)

    new_queue = {
        "name": f"{name}-new",
        "visibilityTimeoutSeconds": 720,
        "messageRetentionSeconds": 345_600,
        "sqsManagedSseEnabled": True,
        "redrivePolicy": json.dumps({"deadLetterTargetArn": queue, "maxReceiveCount": 5}),
        "tags": tags,
    }
    yield Life("aws:sqs/queue:Queue", new_queue, new_queue | {"visibilityTimeoutSeconds": 60, "tags": more})
    sends = by_service("s3.amazonaws.com", "sqs:SendMessage", queue, "arn:aws:s3:::bucket")
    queue_policy = {"queueUrl": queue_url, "policy": document(sends)}
    yield Life(
        "aws:sqs/queuePolicy:QueuePolicy", queue_policy, queue_policy | {"policy": document({**sends, "Sid": "x"})}
    )
    allowed = {"queueUrl": queue_url, "redriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})}
    by_queue = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [f"{queue}-2"]})
    yield Life("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", allowed, allowed | {"redriveAllowPolicy": by_queue})


STAY = ("aws:sns/topicSubscription:TopicSubscription", "aws:sns/topicPolicy:TopicPolicy")
"""SNS deletes no subscription that nobody has confirmed, and a topic is never without a policy."""


def test_lives(driver: Driver, aws: Clients, unique: Unique, tmp_path: Path) -> None:
    for life in lives(aws, unique("lives"), tmp_path / "code.zip"):
        assert driver.check(life.token, life.made), life.token
        resource = driver.create(life.token, life.made)
        found = driver.refresh(resource)
        assert found is not None, life.token
        assert driver.diff(found, life.made).kinds == {}, life.token
        assert driver.diff(found, life.changed).kinds != {}, life.token
        if life.replaces:
            driver.delete(found)
            found = driver.create(life.token, life.changed)
        else:
            found = driver.update(found, life.changed)
        found = driver.refresh(found)
        assert found is not None, life.token
        assert driver.diff(found, life.changed).kinds == {}, life.token
        driver.delete(found)
        if life.token not in STAY:
            assert driver.refresh(found) is None, life.token
