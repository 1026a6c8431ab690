"""Least privilege, as written. Whether it is enough for the Lambda to work is what the emulated cloud enforces."""

import functools
import json
import re

import pytest
from sample_pipeline import ACCOUNT, deploy, listed, policies, statement, statements
from strict_mocks import Recording, Registration

FILES = {
    "own": {},
    "external": {"rule_set": "external", "activate": False, "active_rule_set": "theirs"},
    "us-east-1": {"region": "us-east-1"},
}


@functools.cache
def deployed(how: str = "own") -> Recording:
    return deploy(**FILES[how])


def is_administration_of_a_key(resource: Registration, found: dict) -> bool:
    """AWS asks for this one statement, and calls the key `*` in its own policy."""
    return resource.type == "aws:kms/key:Key" and found["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


@pytest.mark.parametrize("how", FILES)
def test_no_statement_allows_any_action_or_any_resource(how):
    seen = 0
    for resource, found in statements(deployed(how)):
        if found["Effect"] == "Deny" or is_administration_of_a_key(resource, found):
            continue
        seen += 1
        for action in listed(found["Action"]):
            # KMS names two data key actions by one prefix; everything else is spelt out
            assert "*" not in action or action == "kms:GenerateDataKey*", (resource.name, found)
        for target in listed(found.get("Resource", "none")):
            if resource.type == "aws:kms/key:Key":
                continue  # the key itself, see above
            assert not target.startswith("*"), (resource.name, found)
            assert re.match(r"arn:aws:[a-z0-9]+:[a-z0-9-]*:[0-9]*:[A-Za-z0-9/_-]{5,}", target) or target == "none"
        assert "NotAction" not in found
        assert "NotResource" not in found
        assert "NotPrincipal" not in found
    assert seen >= 12


@pytest.mark.parametrize("how", FILES)
def test_a_service_is_let_in_for_this_account_only(how):
    services = []
    for resource, found in statements(deployed(how)):
        principal = found.get("Principal")
        if isinstance(principal, dict) and "Service" in principal and principal["Service"] != "lambda.amazonaws.com":
            services.append(principal["Service"])
            assert found["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}, resource.name
        if found["Effect"] == "Allow":
            assert principal != "*", resource.name
            assert principal != {"AWS": "*"}, resource.name
    assert {"ses.amazonaws.com", "s3.amazonaws.com", "cloudwatch.amazonaws.com"} <= set(services)


def test_every_document_is_of_the_current_version_and_every_statement_has_its_own_sid():
    for resource, _, document in policies(deployed()):
        if "Statement" in document:
            assert document["Version"] == "2012-10-17"
            sids = [found["Sid"] for found in document["Statement"]]
            assert len(set(sids)) == len(sids), resource.name
            assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids), resource.name


@pytest.mark.parametrize(
    ("type_token", "name", "action"),
    [
        ("aws:s3/bucketPolicy:BucketPolicy", "reports-store-policy", "s3:*"),
        ("aws:sqs/queuePolicy:QueuePolicy", "reports-queue-policy", "sqs:*"),
        ("aws:sqs/queuePolicy:QueuePolicy", "reports-queue-dead-letters-policy", "sqs:*"),
        ("aws:sns/topicPolicy:TopicPolicy", "reports-alerts-policy", "sns:Publish"),
    ],
)
def test_nothing_is_done_without_tls(type_token, name, action):
    found = statement(deployed().one(type_token, name), "NothingWithoutTls")
    assert (found["Effect"], found["Principal"], found["Action"]) == ("Deny", "*", action)
    assert found["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_role_of_the_function():
    recording = deployed()
    rights = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy", "reports-function-rights").inputs["policy"])
    bucket = "arn:aws:s3:::reports-store-bucket-0123456"
    states = ("alerts", "reporters", "hosts", "hours", "digests", "accounting")
    read = ("raw", "dispositions", "reports", "other-content", "posted", "domains", *states)
    written = ("dispositions", "reports", "other-content", "posted", "quarantine", *states)
    regional = f"eu-west-1:{ACCOUNT}"
    granted = {
        (action, target) for found in rights["Statement"] for action in listed(found["Action"])
        for target in listed(found["Resource"])
    }  # fmt: skip
    assert granted == {
        *(("s3:GetObject", f"{bucket}/{p}/*") for p in read),
        *(("s3:PutObject", f"{bucket}/{p}/*") for p in written),
        ("s3:ListBucket", bucket),
        ("s3:ListBucketVersions", "arn:aws:s3:::policies"),
        ("s3:GetObjectVersion", "arn:aws:s3:::policies/*/.well-known/mta-sts.txt"),
        ("sqs:ReceiveMessage", f"arn:aws:sqs:{regional}:reports-queue-queue-0123456"),
        ("sqs:DeleteMessage", f"arn:aws:sqs:{regional}:reports-queue-queue-0123456"),
        ("sqs:GetQueueAttributes", f"arn:aws:sqs:{regional}:reports-queue-queue-0123456"),
        ("logs:CreateLogStream", f"arn:aws:logs:{regional}:log-group:/aws/lambda/mailtls-test-reports-function:*"),
        ("logs:PutLogEvents", f"arn:aws:logs:{regional}:log-group:/aws/lambda/mailtls-test-reports-function:*"),
        ("sns:Publish", f"arn:aws:sns:{regional}:reports-alerts-topic-0123456"),
        ("kms:GenerateDataKey", f"arn:aws:kms:{regional}:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("kms:Decrypt", f"arn:aws:kms:{regional}:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    }


def test_ses_may_write_raw_mail_for_the_one_rule():
    recording = deployed()
    found = statement(recording.one("aws:s3/bucketPolicy:BucketPolicy"), "SesDeliversRawMail")
    rule = recording.one("aws:ses/receiptRule:ReceiptRule").inputs
    assert found["Resource"] == "arn:aws:s3:::reports-store-bucket-0123456/raw/*"
    assert found["Condition"]["ArnLike"] == {
        "aws:SourceArn": f"arn:aws:ses:eu-west-1:{ACCOUNT}:receipt-rule-set/{rule['ruleSetName']}"
        f":receipt-rule/{rule['name']}"
    }


def test_with_an_external_rule_set_any_rule_of_the_account_may_write():
    found = statement(deployed("external").one("aws:s3/bucketPolicy:BucketPolicy"), "SesDeliversRawMail")
    assert found["Condition"]["ArnLike"] == {
        "aws:SourceArn": f"arn:aws:ses:eu-west-1:{ACCOUNT}:receipt-rule-set/*:receipt-rule/*"
    }


def test_alarms_may_use_the_key_of_the_topic():
    key = deployed().one("aws:kms/key:Key")
    assert key.inputs["enableKeyRotation"] is True
    assert statement(key, "AlarmsEncrypt")["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert (
        deployed()
        .one("aws:sns/topic:Topic")
        .inputs["kmsMasterKeyId"]
        .endswith(":key/" + "1234abcd-12ab-34cd-56ef-1234567890ab")
    )
