"""A release renames nothing, replaces nothing and changes no policy id for specs that did not change.

What the engine would take for another resource is written down for the example specs: the URN, and the inputs whose
change makes the provider replace. A line that goes or changes is a resource that every user's next `up` deletes: give
it an alias instead. `MAILTLS_WRITE_GOLDEN=1 pytest tests/component/test_release.py` writes the lines anew.
"""

import contextlib
import json
import os
import runpy
import warnings
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.provider.experimental.component import ComponentProvider
from strict_mocks import Recording, run

from components.alert_delivery import AlertDelivery
from components.alert_topic import AlertTopic
from components.certificate_events import CertificateEvents
from components.policy_host import PolicyEdge
from components.policy_store import PolicyStore
from components.report_alarms import ReportAlarms
from components.report_dashboard import ReportDashboard
from components.report_function import ReportFunction
from components.report_queue import ReportQueue
from components.report_store import ReportStore
from stacks.settings import REPOSITORY

GOLDEN = Path(__file__).parent / "golden"
EVERYWHERE = ("region", "name")
REPLACED_BY: dict[str, tuple[str, ...]] = {
    "aws:acm/certificate:Certificate": ("domainName", "validationMethod", "keyAlgorithm"),
    "aws:acm/certificateValidation:CertificateValidation": ("validationRecordFqdns",),
    "aws:cloudfront/distribution:Distribution": ("staging",),
    "aws:cloudfront/originAccessControl:OriginAccessControl": ("originAccessControlOriginType",),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": (),
    "aws:cloudwatch/dashboard:Dashboard": ("dashboardName",),
    "aws:cloudwatch/eventRule:EventRule": ("eventBusName",),
    "aws:cloudwatch/eventTarget:EventTarget": ("rule", "targetId"),
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (),
    "aws:iam/role:Role": ("path",),
    "aws:iam/rolePolicy:RolePolicy": ("role",),
    "aws:kms/key:Key": ("keyUsage", "customerMasterKeySpec", "multiRegion"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": ("eventSourceArn",),
    "aws:lambda/function:Function": ("packageType",),
    "aws:lambda/permission:Permission": ("action", "function", "principal", "sourceArn", "statementId"),
    "aws:route53/record:Record": ("zoneId", "type"),
    "aws:s3/bucket:Bucket": ("bucket", "objectLockEnabled"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("bucket",),
    "aws:s3/bucketNotification:BucketNotification": ("bucket",),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("bucket", "key"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("bucket",),
    "aws:s3/bucketPolicy:BucketPolicy": ("bucket",),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("bucket",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ("bucket",),
    "aws:s3/bucketVersioning:BucketVersioning": ("bucket",),
    "aws:ses/activeReceiptRuleSet:ActiveReceiptRuleSet": (),
    "aws:ses/domainIdentity:DomainIdentity": ("domain",),
    "aws:ses/domainIdentityVerification:DomainIdentityVerification": ("domain",),
    "aws:ses/receiptRule:ReceiptRule": ("ruleSetName", "after"),
    "aws:ses/receiptRuleSet:ReceiptRuleSet": ("ruleSetName",),
    "aws:sns/topic:Topic": ("fifoTopic",),
    "aws:sns/topicPolicy:TopicPolicy": ("arn",),
    "aws:sns/topicSubscription:TopicSubscription": ("endpoint", "protocol", "topic"),
    "aws:sqs/queue:Queue": ("fifoQueue",),
    "aws:sqs/queuePolicy:QueuePolicy": ("queueUrl",),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": ("queueUrl",),
    "cloudflare:index/dnsRecord:DnsRecord": ("zoneId", "type"),
}
"""Inputs that make the provider replace a resource, besides EVERYWHERE's (`replaceOnChanges` in its schema)."""


def check_golden(name: str, text: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("MAILTLS_WRITE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sandbox() -> Recording:
    """The program with the settings and specs that we ship."""
    config = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())["config"]

    def program() -> None:
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(REPOSITORY / "stacks"):
            patch.setattr(pulumi, "export", lambda *_: None)
            runpy.run_path("__main__.py")

    given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    return run(program, config=given, stack="sandbox")


def identities(recording: Recording) -> str:
    """One line per resource, sorted: `<types>::<name> <inputs that make it what it is>`."""
    lines = []
    for resource in recording.resources:
        about: dict[str, Any] = {}
        if resource.custom:
            keys = (*EVERYWHERE, *REPLACED_BY[resource.type])
            about = {key: resource.inputs[key] for key in keys if key in resource.inputs}
        if resource.type == "aws:s3/bucketObjectv2:BucketObjectv2" and resource.name != "domain-list":
            about = dict(resource.inputs)  # any change writes the object anew, and a new version is a new policy id
        line = resource.urn.split("::", 2)[2] + (" " + json.dumps(about, sort_keys=True) if about else "")
        lines.append(line)
    return "\n".join(sorted(lines)) + "\n"


def test_resources_of_the_example_specs_are_the_same_as_ever(sandbox: Recording) -> None:
    check_golden("sandbox_resources.txt", identities(sandbox))


def test_no_record_overwrites_or_joins_one_that_is_there(sandbox: Recording) -> None:
    records = sandbox.of("aws:route53/record:Record")
    assert records
    assert not [record.name for record in records if record.inputs.get("allowOverwrite")]


def test_no_alias_of_cloudflare_is_proxied(sandbox: Recording) -> None:
    aliases = [r for r in sandbox.of("cloudflare:index/dnsRecord:DnsRecord") if r.inputs["type"] == "CNAME"]
    assert aliases
    assert all(alias.inputs["proxied"] is False for alias in aliases)


def test_the_schema_of_components_is_the_same_as_ever() -> None:
    """Those that could be offered to other languages as they are. The rest take a DnsZone, a Policy or resources, which
    have no wire form yet."""
    portable: list[type[pulumi.ComponentResource]] = [
        *(AlertDelivery, AlertTopic, CertificateEvents, PolicyEdge, PolicyStore),
        *(ReportAlarms, ReportDashboard, ReportFunction, ReportQueue, ReportStore),
    ]
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):  # the SDK leaves a file open
        schema = json.loads(ComponentProvider(portable, "mailtls", None, "0.0.0").schema)
    offered = {"resources": schema["resources"], "types": schema["types"]}
    check_golden("schema.json", json.dumps(_without_descriptions(offered), indent=1, sort_keys=True) + "\n")


def _without_descriptions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_descriptions(item) for key, item in value.items() if key != "description"}
    return value
