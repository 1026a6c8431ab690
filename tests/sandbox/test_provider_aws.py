"""The AWS stand-in itself: where it talks to, regions, tags, and its checks before it asks the cloud."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from deployed import Clients

from sandbox import account
from sandbox.cloud.start import Emulator
from sandbox.providers.aws.cloud import Aws, local_endpoint
from sandbox.providers.aws.provider import provider
from sandbox.providers.protocol.driver import Driver, Refused
from sandbox.providers.protocol.resource_type import ProviderError
from sandbox.providers.protocol.wire import UNKNOWN, Asset, Properties

QUEUE = "aws:sqs/queue:Queue"
BUCKET = "aws:s3/bucket:Bucket"


@pytest.fixture
def environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in account.environment(emulator.endpoint).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def driver(environment: None) -> Iterator[Driver]:
    with Driver(provider(), {"region": account.REGION}) as ready:
        yield ready


# ---------------------------------------------------------------------------------------------------- configuration


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "http://[::1]:4566"])
def test_an_endpoint_on_this_machine_is_taken(url: str) -> None:
    assert local_endpoint(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://sqs.eu-west-1.amazonaws.com",
        "http://sqs.eu-west-1.amazonaws.com",
        "http://127.0.0.1.evil.example:4566",
        "http://user@192.0.2.1:4566",
        "http://127.0.0.1@192.0.2.1/",
        "http://localhost:4566",  # a name may lead anywhere
        "https://127.0.0.1:4566",
        "127.0.0.1:4566",
    ],
)
def test_any_other_endpoint_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(grpc.RpcError) as refused:
        Driver(provider(), {"region": account.REGION})
    assert "it talks to this machine only" in str(refused.value.details())


def test_an_endpoint_of_one_service_is_refused_too(environment: None) -> None:
    with pytest.raises(ProviderError, match="it talks to this machine only"):
        Aws({"region": account.REGION, "endpoints": [{"s3": "https://s3.amazonaws.com"}]})


def test_a_provider_without_a_region_is_refused(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ProviderError, match="no AWS region"):
        Aws({})
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert Aws({}).region == "eu-central-1"
    assert Aws({"region": "us-east-1"}).region == "us-east-1"


def test_a_proxy_of_the_environment_is_passed_by(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert driver.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == account.ACCOUNT_ID


def test_a_cloud_that_does_not_answer_is_an_error_not_a_hang(
    environment: None, monkeypatch: pytest.MonkeyPatch, unique: Callable[..., str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with Driver(provider(), {"region": account.REGION}) as nobody, pytest.raises(grpc.RpcError) as failed:
        nobody.create(QUEUE, {"name": unique()})
    assert "Could not connect to the endpoint" in str(failed.value.details())


# ----------------------------------------------------------------------------------------------------------- regions


def test_a_resource_is_in_its_own_region_or_in_the_providers(
    driver: Driver, aws: Clients, unique: Callable[..., str]
) -> None:
    here = driver.create(QUEUE, {"name": unique()})
    there = driver.create(QUEUE, {"name": unique(), "region": "us-east-1"})
    assert here.outputs["arn"].split(":")[3] == here.outputs["region"] == account.REGION
    assert there.outputs["arn"].split(":")[3] == there.outputs["region"] == "us-east-1"
    assert there.outputs["url"] in aws("sqs", "us-east-1").list_queues()["QueueUrls"]
    seen = driver.refresh(there)
    assert seen is not None
    assert seen.inputs == there.inputs
    assert driver.diff(here, {"name": here.inputs["name"], "region": "us-east-1"}).replaces == ("region",)
    for queue in (here, there):
        driver.delete(queue)
        assert driver.refresh(queue) is None


def test_look_ups_tell_where_and_who_we_are(driver: Driver) -> None:
    assert driver.invoke("aws:index/getRegion:getRegion")["region"] == account.REGION
    assert driver.invoke("aws:index/getPartition:getPartition")["partition"] == "aws"
    identity = driver.invoke("aws:index/getCallerIdentity:getCallerIdentity")
    assert identity["arn"].startswith(f"arn:aws:iam::{account.ACCOUNT_ID}:")


# -------------------------------------------------------------------------------------------------------------- tags

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TAGGED: list[tuple[str, Properties]] = [
    (QUEUE, {}),
    (BUCKET, {}),
    ("aws:sns/topic:Topic", {}),
    ("aws:kms/key:Key", {}),
    ("aws:cloudwatch/logGroup:LogGroup", {}),
    ("aws:cloudwatch/eventRule:EventRule", {"scheduleExpression": "rate(1 hour)"}),
    ("aws:iam/role:Role", {"assumeRolePolicy": json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})}),
]


@pytest.mark.parametrize(("token", "inputs"), TAGGED, ids=[token for token, _ in TAGGED])
def test_default_tags_are_on_every_resource_and_are_no_drift(
    environment: None, token: str, inputs: Properties, unique: Callable[..., str]
) -> None:
    config: Properties = {"region": account.REGION, "defaultTags": {"tags": {"owner": "us", "project": "mailtls"}}}
    with Driver(provider(), config) as tagging:
        made = tagging.create(token, inputs | {"tags": {"owner": "them"}}, name=unique())
        assert made.outputs["tagsAll"] == {"owner": "them", "project": "mailtls"}
        assert made.outputs["tags"] == {"owner": "them"}
        seen = tagging.refresh(made)
        assert seen is not None
        assert seen.inputs == made.inputs
        bare = tagging.update(seen, inputs)
        assert bare.outputs["tagsAll"] == {"owner": "us", "project": "mailtls"}
        tagging.delete(bare)


# ------------------------------------------------------------------------------------------------------------ checks


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (QUEUE, {"visibilityTimeout": 60}, r"visibilityTimeout is no property of it \(did you mean"),
        (QUEUE, {"fifoQueue": True}, "fifoQueue is known to the provider, but its stand-in does not act on it yet"),
        (QUEUE, {"delaySeconds": "5"}, "delaySeconds expected an integer"),
        (BUCKET, {"policy": "{}"}, "policy is known to the provider, but its stand-in does not act on it yet"),
        (
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            {"bucket": "b", "rules": [{"id": "a", "status": "On"}]},
            "rules.status is 'On'; it must be one of Enabled, Disabled",
        ),
        (
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            {"bucket": "b", "rules": [{"id": "a", "status": "Enabled", "expiration": {"day": 1}}]},
            r"rules\[0\].expiration.day is no property of it",
        ),
        (
            "aws:s3/bucketObjectv2:BucketObjectv2",
            {"bucket": "b", "key": "k", "content": "one", "source": Asset(text="two")},
            "source conflicts with content",
        ),
        (
            "aws:route53/record:Record",
            {"zoneId": "Z1", "name": "_mta-sts.a.example", "type": "TXT", "ttl": 300, "records": ['"v=STSv1"']},
            "the provider adds the outer quotes of TXT data itself",
        ),
        (
            "aws:route53/record:Record",
            {"zoneId": "Z1", "name": "a.example", "type": "TXT", "records": ["v=STSv1"]},
            "ttl is required with records",
        ),
        (
            "aws:route53/record:Record",
            {"zoneId": "Z1", "name": "a.example", "type": "TXT"},
            "one of records and aliases",
        ),
        (
            "aws:acm/certificate:Certificate",
            {"domainName": "mta-sts.a.example."},
            "domainName cannot end with a period",
        ),
        (
            "aws:cloudwatch/logGroup:LogGroup",
            {"retentionInDays": 91},
            "retentionInDays is 91; it must be one of 0, 1, 3",
        ),
        (
            "aws:sns/topicSubscription:TopicSubscription",
            {"topic": "t", "protocol": "https", "endpoint": "http://a.example"},
            "endpoint 'http://a.example' must begin with https://",
        ),
        (
            "aws:lambda/function:Function",
            {"role": "r", "runtime": "python3.13", "handler": "h"},
            "one of code and s3Bucket is required",
        ),
        (
            "aws:cloudwatch/metricAlarm:MetricAlarm",
            {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "metricQueries": [{"id": "a"}]},
            "exactly one must have returnData set, 0 have",
        ),
        ("aws:cloudwatch/eventRule:EventRule", {}, "one of eventPattern and scheduleExpression is required"),
    ],
)
def test_wrong_inputs_are_refused_before_anything_is_made(
    driver: Driver, token: str, inputs: Properties, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        driver.check(token, inputs)


@pytest.mark.parametrize("token", sorted(kind.token for kind in provider()._types.values()))
def test_a_preview_of_anything_works_while_everything_is_unknown(driver: Driver, token: str) -> None:
    """The required inputs unknown, as in the first preview of a program."""
    schema = provider()._schemas.of(token)
    inputs: dict[str, Any] = dict.fromkeys(schema.inputs["required"], UNKNOWN)
    if refusal := _refusal(driver, token, inputs):
        assert "is required" in refusal  # one of several inputs is, which the schema cannot say
        return
    assert set(schema.outputs) <= set(driver.preview(token, inputs))


def _refusal(driver: Driver, token: str, inputs: Properties) -> str:
    try:
        driver.check(token, inputs)
    except Refused as e:
        return str(e)
    return ""


def test_a_missing_resource_is_no_error_of_a_refresh_or_a_deletion(driver: Driver, unique: Callable[..., str]) -> None:
    queue = driver.create(QUEUE, {"name": unique()})
    driver.delete(queue)
    driver.delete(queue)
    assert driver.refresh(queue) is None


def test_an_error_of_aws_keeps_its_code_and_words(driver: Driver, unique: Callable[..., str]) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        driver.create(
            "aws:s3/bucketVersioning:BucketVersioning",
            {"bucket": unique("no-such-bucket"), "versioningConfiguration": {"status": "Enabled"}},
        )
    assert "NoSuchBucket" in str(failed.value.details())
