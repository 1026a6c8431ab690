"""Bucket, queue and function: what is kept for how long, what is tried how often, and that nothing notifies itself."""

import importlib
import json
import math

import pytest
from sample_pipeline import deploy
from strict_mocks import assert_well_formed, run

from components.physical_names import LONGEST, physical_name
from components.report_function import LARGEST_METRIC_COUNT, METRICS_PER_DOMAIN, environment
from components.report_store import ReportStore
from mailtls.tls_rpt.contract import METRICS, Dimension, Environment, QuarantineReason
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.report import PolicyType, ResultType

BUCKET = "reports-store-bucket-0123456"
WORDS = {
    Dimension.REASON: QuarantineReason,
    Dimension.POLICY_TYPE: PolicyType,
    Dimension.RESULT_TYPE: ResultType,
    Dimension.SEVERITY: Severity,
}


@pytest.fixture(scope="module")
def recording():
    return deploy()


def test_it_is_well_formed(recording):
    assert_well_formed(recording)


def test_every_regional_resource_lives_in_the_region_of_the_platform(recording):
    for resource in recording.resources:
        if resource.custom and not resource.type.startswith(("aws:iam/", "aws:route53/")):
            forwards = resource.name.startswith("alarms-certificates-forward")
            assert resource.inputs["region"] == ("us-east-1" if forwards else "eu-west-1"), resource.name


def test_the_bucket_is_private_encrypted_and_versioned(recording):
    block = recording.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert all(
        block[key] is True
        for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    )
    encryption = recording.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs
    assert encryption["rules"] == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    ownership = recording.one("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs
    assert ownership["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    versioning = recording.one("aws:s3/bucketVersioning:BucketVersioning").inputs
    assert versioning["versioningConfiguration"] == {"status": "Enabled"}


def lifecycle(recording) -> dict[str, int | None]:
    rules = recording.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert all(rule["status"] == "Enabled" for rule in rules)
    return {rule["filter"]["prefix"]: rule["expiration"].get("days") for rule in rules}


def test_mail_ends_after_90_days_and_the_ledger_after_400(recording):
    ledger = dict.fromkeys(
        ("reports/", "other-content/", "posted/", "dispositions/", "alerts/", "reporters/", "hosts/", "accounting/"),
        400,
    )
    kept = {"raw/": 90, "hours/": 90, "digests/": 90, "quarantine/": 90, **ledger, "": None}
    assert lifecycle(recording) == kept


def store(**settings):
    def program():
        rule = "arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/s:receipt-rule/r"
        ReportStore(
            "reports-store", {"region": "eu-west-1", "account_id": "123456789012", "receipt_rule": rule, **settings}
        )

    return run(program)


def test_lifetimes_are_settings():
    changed = store(lifetimes={"raw_days": 30, "quarantine_days": 14, "ledger_days": 800})
    ledger = dict.fromkeys(
        ("reports/", "other-content/", "posted/", "dispositions/", "alerts/", "reporters/", "hosts/", "accounting/"),
        800,
    )
    kept = {"raw/": 30, "hours/": 30, "digests/": 30, "quarantine/": 14, **ledger, "": None}
    assert lifecycle(changed) == kept


@pytest.mark.parametrize(("asked", "done"), [({"force_destroy": True}, True), ({}, False)])
def test_a_bucket_with_reports_in_it_is_deleted_only_when_told_to(asked, done):
    assert store(**asked).one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is done


def test_only_raw_mail_is_announced(recording):
    notification = recording.one("aws:s3/bucketNotification:BucketNotification").inputs
    assert notification["bucket"] == BUCKET
    assert [(queue["filterPrefix"], queue["events"]) for queue in notification["queues"]] == [
        ("raw/", ["s3:ObjectCreated:*"])
    ]


def test_visibility_outlasts_six_runs_and_the_window(recording):
    function = recording.one("aws:lambda/function:Function").inputs
    queue = recording.one("aws:sqs/queue:Queue", "reports-queue-queue").inputs
    mapping = recording.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    least = 6 * function["timeout"] + mapping["maximumBatchingWindowInSeconds"]
    assert queue["visibilityTimeoutSeconds"] >= least


def test_a_message_is_tried_five_times_before_retention_ends(recording):
    queue = recording.one("aws:sqs/queue:Queue", "reports-queue-queue").inputs
    redrive = json.loads(queue["redrivePolicy"])
    dead_letters = recording.one("aws:sqs/queue:Queue", "reports-queue-dead-letters")
    assert redrive == {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:reports-queue-dead-letters-0123456",
        "maxReceiveCount": 5,
    }
    assert redrive["maxReceiveCount"] * queue["visibilityTimeoutSeconds"] < queue["messageRetentionSeconds"]
    assert dead_letters.inputs["messageRetentionSeconds"] == 14 * 86_400
    # the days in the queue count in the dead letters too
    assert queue["messageRetentionSeconds"] < dead_letters.inputs["messageRetentionSeconds"]
    assert queue["sqsManagedSseEnabled"] is dead_letters.inputs["sqsManagedSseEnabled"] is True


def test_dead_letters_come_from_the_one_queue(recording):
    allowed = json.loads(recording.one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy").inputs["redriveAllowPolicy"])
    assert allowed == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": ["arn:aws:sqs:eu-west-1:123456789012:reports-queue-queue-0123456"],
    }


def test_one_bad_mail_does_not_bring_back_the_batch(recording):
    mapping = recording.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["scalingConfig"] == {"maximumConcurrency": 5}


def test_the_function(recording):
    function = recording.one("aws:lambda/function:Function")
    assert function.inputs["runtime"] == "python3.13"
    assert function.inputs["architectures"] == ["arm64"]
    assert function.inputs["handler"] == "report_lambda.handler.handle"
    assert "reservedConcurrentExecutions" not in function.inputs
    assert recording.comes_after(function, recording.one("aws:cloudwatch/logGroup:LogGroup"))
    assert recording.comes_after(function, recording.one("aws:iam/rolePolicy:RolePolicy", "reports-function-rights"))


def test_its_handler_exists(recording):
    module, _, function = recording.one("aws:lambda/function:Function").inputs["handler"].rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def test_its_log_group_is_the_one_that_lambda_writes_to_and_has_an_end(recording):
    logs = recording.one("aws:cloudwatch/logGroup:LogGroup").inputs
    function = recording.one("aws:lambda/function:Function").inputs
    assert logs["name"] == f"/aws/lambda/{function['name']}"
    assert logs["retentionInDays"] == 90


def test_its_environment_is_the_contract_and_fits(recording):
    variables = recording.one("aws:lambda/function:Function").inputs["environment"]["variables"]
    assert variables == {
        Environment.BUCKET: BUCKET,
        Environment.TOPIC_ARN: "arn:aws:sns:eu-west-1:123456789012:reports-alerts-topic-0123456",
        Environment.POLICY_BUCKET: "policies",
        Environment.ALERT_LIMITS: "{}",
        Environment.PER_DOMAIN_METRICS: "false",
    }
    assert set(variables) == {str(name) for name in Environment} - {Environment.DIGEST}  # where the setting says so
    assert sum(len(key) + len(value) for key, value in variables.items()) < 4096


def test_the_weekly_message_is_switched_on_by_the_setting():
    asked = {"bucket_name": "b", "topic_arn": "t", "policy_bucket": "p", "digest": "1T07"}
    assert environment(asked)[Environment.DIGEST] == "1T07"


def test_metrics_per_domain_are_switched_on_by_the_setting():
    asked = {"bucket_name": "b", "topic_arn": "t", "policy_bucket": "p", "per_domain_metrics": True}
    assert environment(asked)[Environment.PER_DOMAIN_METRICS] == "true"


def test_the_hourly_schedule_invokes_the_function(recording):
    rule = recording.one("aws:cloudwatch/eventRule:EventRule", "reports-function-hourly")
    target = recording.one("aws:cloudwatch/eventTarget:EventTarget", "reports-function-hourly-target")
    permission = recording.one("aws:lambda/permission:Permission", "reports-function-hourly-permission")
    assert rule.inputs["scheduleExpression"] == "rate(1 hour)"
    assert target.inputs["arn"] == "arn:aws:lambda:eu-west-1:123456789012:function:mailtls-test-reports-function"
    assert permission.inputs["principal"] == "events.amazonaws.com"
    assert permission.inputs["sourceArn"].endswith(":rule/reports-function-hourly-0123456")
    assert recording.comes_after(target, permission)


def test_a_preview_registers_the_same_resources(recording):
    preview = deploy(preview=True)
    assert {r.urn for r in preview.resources} == {r.urn for r in recording.resources}


def test_the_price_of_metrics_is_told_as_the_contract_has_it():
    in_all = sum(
        math.prod(len(WORDS[dimension]) for dimension in dimensions)
        for metric in METRICS
        for dimensions in metric.dimensions
    )
    per_domain = sum(
        math.prod(len(WORDS[dimension]) for dimension in dimensions)
        for metric in METRICS
        if metric.per_domain
        for dimensions in metric.dimensions
    )
    assert (in_all, per_domain) == (LARGEST_METRIC_COUNT, METRICS_PER_DOMAIN)


@pytest.mark.parametrize(
    "stack", ["test", "a.dotted_stack", "a-stack-with-a-name-that-is-much-longer-than-aws-likes-it"]
)
def test_physical_names_fit_the_services(stack):
    names = []
    run(lambda: names.extend([physical_name("reports-function"), physical_name("reports-functions")]), stack=stack)
    assert len(set(names)) == 2
    for name in names:
        assert len(name) <= LONGEST
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
        assert name[0].isalnum()
        assert name[-1].isalnum()
