"""Domains are verified by DNS, and a receipt rule is taken only where mail would arrive."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import Clients, document, policy_bucket

from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer

HOUR = 3600


@pytest.fixture
def ses(aws: Clients) -> Any:
    return aws("ses")


def _status(ses: Any, domain: str) -> str | None:
    found = ses.get_identity_verification_attributes(Identities=[domain])["VerificationAttributes"]
    return found[domain]["VerificationStatus"] if domain in found else None


def _verified(ses: Any, names: NameServer, domain: str) -> str:
    token = ses.verify_domain_identity(Domain=domain)["VerificationToken"]
    names.add(f"_amazonses.{domain}", "TXT", f'"{token}"')
    assert _status(ses, domain) == "Success"
    return domain


# -------------------------------------------------------------------------------------------------------- identities


def test_a_domain_is_pending_until_dns_shows_its_token(ses: Any, names: NameServer, unique: Callable[..., str]) -> None:
    domain = f"{unique()}.example"
    assert _status(ses, domain) is None
    token = ses.verify_domain_identity(Domain=domain)["VerificationToken"]
    assert _status(ses, domain) == "Pending"
    names.add(f"_amazonses.{domain}", "TXT", '"something else"')
    assert _status(ses, domain) == "Pending"
    names.add(f"_amazonses.{domain}", "TXT", '"something else"', f'"{token}"')
    assert _status(ses, domain) == "Success"
    assert ses.verify_domain_identity(Domain=domain)["VerificationToken"] == token
    assert _status(ses, domain) == "Success"
    ses.delete_identity(Identity=domain)
    assert _status(ses, domain) is None


def test_regions_have_tokens_and_identities_of_their_own(
    ses: Any, aws: Clients, names: NameServer, unique: Callable[..., str]
) -> None:
    domain = _verified(ses, names, f"{unique()}.example")
    elsewhere = aws("ses", "us-east-1")
    assert _status(elsewhere, domain) is None
    here = ses.verify_domain_identity(Domain=domain)["VerificationToken"]
    assert elsewhere.verify_domain_identity(Domain=domain)["VerificationToken"] != here
    assert _status(elsewhere, domain) == "Pending"


def test_after_72_hours_verification_has_failed(
    ses: Any, unique: Callable[..., str], move_clock: Callable[[float], None]
) -> None:
    domain = f"{unique()}.example"
    ses.verify_domain_identity(Domain=domain)
    move_clock(71 * HOUR)
    assert _status(ses, domain) == "Pending"
    move_clock(73 * HOUR)
    assert _status(ses, domain) == "Failed"


# --------------------------------------------------------------------------------------------------------- rule sets


def test_a_region_that_does_not_receive_has_no_rule_sets(aws: Clients, unique: Callable[..., str]) -> None:
    north = aws("ses", "eu-north-1")
    for call in (
        lambda: north.create_receipt_rule_set(RuleSetName=unique("rules")),
        lambda: north.describe_active_receipt_rule_set(),
        lambda: north.set_active_receipt_rule_set(),
    ):
        with pytest.raises(ClientError, match="Unavailable Operation") as refusal:
            call()
        assert refusal.value.response["Error"]["Code"] == "InvalidAction"
    assert north.list_identities()["Identities"] == []


def test_the_active_rule_set_cannot_be_deleted(ses: Any, unique: Callable[..., str]) -> None:
    name = unique("rules")
    ses.create_receipt_rule_set(RuleSetName=name)
    ses.set_active_receipt_rule_set(RuleSetName=name)
    assert ses.describe_active_receipt_rule_set()["Metadata"]["Name"] == name
    with pytest.raises(ClientError, match="CannotDelete"):
        ses.delete_receipt_rule_set(RuleSetName=name)
    ses.set_active_receipt_rule_set()
    assert "Metadata" not in ses.describe_active_receipt_rule_set()
    ses.delete_receipt_rule_set(RuleSetName=name)
    with pytest.raises(ClientError, match="RuleSetDoesNotExist"):
        ses.describe_receipt_rule_set(RuleSetName=name)


@pytest.mark.parametrize("name", ["with.dot", "-begins", "x" * 65])
def test_names_that_no_rule_set_has(ses: Any, name: str) -> None:
    with pytest.raises(ClientError, match="Not a valid ruleSetName"):
        ses.create_receipt_rule_set(RuleSetName=name)


# ------------------------------------------------------------------------------------------------------------- rules


class Receiving:
    """A rule set, a verified domain and a bucket that SES may write below `raw/`, for rule `store`."""

    def __init__(self, aws: Clients, names: NameServer, unique: Callable[..., str]) -> None:
        self.ses, self.s3 = aws("ses"), aws("s3")
        self.rule_set = unique("rules")
        self.ses.create_receipt_rule_set(RuleSetName=self.rule_set)
        self.domain = _verified(self.ses, names, f"{unique('reports')}.example")
        self.bucket = policy_bucket(aws, unique("mail"), [])
        self.open()

    def open(self, rule: str = "store") -> None:
        arn = f"arn:aws:ses:{account.REGION}:{account.ACCOUNT_ID}:receipt-rule-set/{self.rule_set}:receipt-rule/{rule}"
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "ses.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/raw/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account.ACCOUNT_ID}, "ArnLike": {"aws:SourceArn": arn}},
        }
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=document(allow))

    def rule(self, **other: Any) -> dict[str, Any]:
        store = {"S3Action": {"BucketName": self.bucket, "ObjectKeyPrefix": "raw/"}}
        rule = {"Name": "store", "Enabled": True, "Recipients": [f"tls@{self.domain}"], "Actions": [store]}
        return rule | other

    def create(self, after: str | None = None, **other: Any) -> None:
        where = {"After": after} if after else {}
        self.ses.create_receipt_rule(RuleSetName=self.rule_set, Rule=self.rule(**other), **where)

    def rules(self) -> list[str]:
        return [rule["Name"] for rule in self.ses.describe_receipt_rule_set(RuleSetName=self.rule_set).get("Rules", [])]

    def keys(self) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def refused(self, code: str, **other: Any) -> str:
        with pytest.raises(ClientError) as refusal:
            self.create(**other)
        assert refusal.value.response["Error"]["Code"] == code
        assert self.rules() == []
        assert self.keys() == []
        return str(refusal.value.response["Error"]["Message"])


@pytest.fixture
def receiving(aws: Clients, names: NameServer, unique: Callable[..., str]) -> Receiving:
    return Receiving(aws, names, unique)


def test_a_rule_is_made_read_changed_and_removed(receiving: Receiving) -> None:
    receiving.create()
    assert receiving.keys() == ["raw/AMAZON_SES_SETUP_NOTIFICATION"]
    read = receiving.ses.describe_receipt_rule
    found = read(RuleSetName=receiving.rule_set, RuleName="store")["Rule"]
    assert found == receiving.rule(TlsPolicy="Optional", ScanEnabled=False)
    changed = receiving.rule(Recipients=[receiving.domain], TlsPolicy="Require")
    receiving.ses.update_receipt_rule(RuleSetName=receiving.rule_set, Rule=changed)
    assert read(RuleSetName=receiving.rule_set, RuleName="store")["Rule"] == changed | {"ScanEnabled": False}
    receiving.ses.delete_receipt_rule(RuleSetName=receiving.rule_set, RuleName="store")
    assert receiving.rules() == []


def test_the_bucket_must_be_there_and_let_this_rule_write(receiving: Receiving) -> None:
    missing = [{"S3Action": {"BucketName": "no-such-bucket", "ObjectKeyPrefix": "raw/"}}]
    assert receiving.refused("InvalidS3Configuration", Actions=missing) == "Could not write to bucket: no-such-bucket"
    elsewhere = [{"S3Action": {"BucketName": receiving.bucket, "ObjectKeyPrefix": "other/"}}]
    receiving.refused("InvalidS3Configuration", Actions=elsewhere)
    receiving.open("another-rule")
    receiving.refused("InvalidS3Configuration")
    receiving.s3.delete_bucket_policy(Bucket=receiving.bucket)
    receiving.refused("InvalidS3Configuration")


def test_recipients_are_of_verified_domains(receiving: Receiving, unique: Callable[..., str]) -> None:
    pending = f"{unique()}.example"
    receiving.ses.verify_domain_identity(Domain=pending)
    for recipient in ("other.example", f"tls@{pending}", f"x{receiving.domain}"):
        assert "not a verified identity" in receiving.refused("InvalidParameterValue", Recipients=[recipient])
    receiving.create(Recipients=[f"tls@sub.{receiving.domain}", f".{receiving.domain}"])


@pytest.mark.parametrize(
    ("code", "actions"),
    [
        (
            "InvalidParameterValue",
            [{"BounceAction": {"SmtpReplyCode": "550", "Message": "no", "Sender": "a@b.example"}}],
        ),
        ("InvalidParameterValue", [{"S3Action": {"BucketName": "b", "KmsKeyArn": "arn:aws:kms:::key/1"}}]),
        ("InvalidSnsTopic", [{"S3Action": {"BucketName": "b", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:none"}}]),
        ("LimitExceeded", [{"S3Action": {"BucketName": "b"}}] * 11),
    ],
)
def test_actions_that_are_refused(receiving: Receiving, code: str, actions: list[dict[str, Any]]) -> None:
    receiving.refused(code, Actions=actions)


def test_a_refused_update_changes_nothing(receiving: Receiving) -> None:
    receiving.create()
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        receiving.ses.update_receipt_rule(
            RuleSetName=receiving.rule_set, Rule=receiving.rule(Recipients=["other.example"])
        )
    with pytest.raises(ClientError, match="RuleDoesNotExist"):
        receiving.ses.update_receipt_rule(RuleSetName=receiving.rule_set, Rule=receiving.rule(Name="other"))
    found = receiving.ses.describe_receipt_rule(RuleSetName=receiving.rule_set, RuleName="store")["Rule"]
    assert found["Recipients"] == [f"tls@{receiving.domain}"]


def test_rules_have_an_order(receiving: Receiving) -> None:
    for name in ("one", "two"):
        receiving.create(Name=name, Actions=[{"StopAction": {"Scope": "RuleSet"}}])
    receiving.create(Name="three", Actions=[{"StopAction": {"Scope": "RuleSet"}}], after="two")
    assert receiving.rules() == ["two", "three", "one"]
    move = receiving.ses.set_receipt_rule_position
    move(RuleSetName=receiving.rule_set, RuleName="two", After="one")
    assert receiving.rules() == ["three", "one", "two"]
    move(RuleSetName=receiving.rule_set, RuleName="one")
    assert receiving.rules() == ["one", "three", "two"]
