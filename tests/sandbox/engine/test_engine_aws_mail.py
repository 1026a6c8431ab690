"""SES identities, receipt rule sets and rules through their lives, with the real engine."""

from collections.abc import Callable

import pulumi
import pulumi_aws
import pytest
from deployed import Clients
from inline_stack import InlineStack, begin

from components.dns_zones.route53 import Route53Zone
from components.report_intake import ReportIntake, RuleSet, RuleSetChoice, active_rule_set
from sandbox.cloud.emulator.name_server import NameServer


@pytest.fixture
def receiving(names: NameServer, unique: Callable[..., str]) -> Callable[[int], None]:
    """A program with all that it takes to receive mail. The domain's token is shown in DNS as soon as it is known."""
    domain, other = f"{unique('one')}.example", f"{unique('two')}.example"
    rule_set = unique("rules")

    def show(domain: str, token: str) -> None:
        names.add(f"_amazonses.{domain}", "TXT", f'"{token}"')

    def program(stage: int) -> None:
        name = domain if stage < 3 else other
        identity = pulumi_aws.ses.DomainIdentity("identity", domain=name)
        shown = identity.verification_token.apply(lambda token: show(name, token))
        verified = pulumi_aws.ses.DomainIdentityVerification(
            "verification",
            domain=pulumi.Output.all(identity.domain, shown).apply(lambda values: str(values[0])),
            opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="30s")),
        )
        rules = pulumi_aws.ses.ReceiptRuleSet("rules", rule_set_name=rule_set if stage < 3 else f"{rule_set}-b")
        bucket = pulumi_aws.s3.Bucket("bucket", force_destroy=True)
        allowed = pulumi_aws.s3.BucketPolicy(
            "bucket-policy",
            bucket=bucket.bucket,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "ses.amazonaws.com"},
                            "Action": "s3:PutObject",
                            "Resource": pulumi.Output.concat(bucket.arn, "/*"),
                            "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
                        }
                    ],
                }
            ),
        )
        rule = pulumi_aws.ses.ReceiptRule(
            "rule",
            name="reports" if stage < 3 else "other-reports",
            rule_set_name=rules.rule_set_name,
            recipients=[f"tlsrpt@{name}"],
            enabled=True,
            scan_enabled=stage == 1,
            tls_policy="Optional",
            s3_actions=[
                {"bucket_name": bucket.bucket, "object_key_prefix": "raw/" if stage == 1 else "mail/", "position": 1}
            ],
            opts=pulumi.ResourceOptions(depends_on=[verified, allowed]),
        )
        pulumi_aws.ses.ActiveReceiptRuleSet(
            "active", rule_set_name=rules.rule_set_name, opts=pulumi.ResourceOptions(depends_on=[rule])
        )

    return program


def test_receiving(stack: InlineStack, receiving: Callable[[int], None], aws: Clients) -> None:
    made = begin(stack, receiving)
    assert stack.up(lambda: receiving(2)).operations == {"rule": "update"}
    rule = aws("ses").describe_active_receipt_rule_set()["Rules"][0]
    assert rule["Actions"][0]["S3Action"]["ObjectKeyPrefix"] == "mail/"
    stack.assert_settled()
    assert stack.up(lambda: receiving(3)).operations == {
        "identity": "replace",
        "verification": "replace",
        "rules": "replace",
        "rule": "replace",
        "active": "update",
    }
    assert stack.destroy().operations == dict.fromkeys(made, "delete")
    assert "Metadata" not in aws("ses").describe_active_receipt_rule_set()


def test_what_was_switched_off_by_hand_is_switched_on_again(
    stack: InlineStack, receiving: Callable[[int], None], aws: Clients
) -> None:
    stack.up(lambda: receiving(1))
    ses = aws("ses")
    active = ses.describe_active_receipt_rule_set()
    ses.set_active_receipt_rule_set()
    rule = active["Rules"][0] | {"Enabled": False}
    ses.update_receipt_rule(RuleSetName=active["Metadata"]["Name"], Rule=rule)
    assert stack.refresh() == {"active": "delete", "rule": "update"}
    assert stack.up(lambda: receiving(1)).operations == {"active": "create", "rule": "update"}
    stack.assert_settled()


def test_a_domain_without_its_record_is_not_waited_for_longer_than_told(
    stack: InlineStack, unique: Callable[..., str]
) -> None:
    domain = f"{unique()}.example"

    def program() -> None:
        identity = pulumi_aws.ses.DomainIdentity("identity", domain=domain)
        pulumi_aws.ses.DomainIdentityVerification(
            "verification",
            domain=identity.domain,
            opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s")),
        )

    said = stack.fails(program)
    assert f"timeout while waiting for SES to verify {domain} (last state: 'Pending', after 1 s)" in said


def test_the_active_rule_set_can_be_looked_up(stack: InlineStack, aws: Clients, unique: Callable[..., str]) -> None:
    def program() -> None:
        found = pulumi_aws.ses.get_active_receipt_rule_set_output(region="eu-west-1")
        pulumi.export("name", found.rule_set_name)
        pulumi.export("arn", found.arn)

    ses, name = aws("ses"), unique("live")
    assert "empty result" in stack.fails(program)
    ses.create_receipt_rule_set(RuleSetName=name)
    ses.set_active_receipt_rule_set(RuleSetName=name)
    try:
        outputs = stack.up(program).outputs
    finally:
        ses.set_active_receipt_rule_set()
        ses.delete_receipt_rule_set(RuleSetName=name)
    assert outputs == {"name": name, "arn": f"arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/{name}"}


def test_a_rule_set_of_others_has_to_be_active(stack: InlineStack, aws: Clients, unique: Callable[..., str]) -> None:
    choice = RuleSetChoice(RuleSet.EXTERNAL)

    def program() -> None:
        intake = ReportIntake(
            "intake",
            {
                "region": "eu-west-1",
                "reports_domain": "reports.contoso.example",
                "local_part": "tlsrpt",
                "rule_set": choice,
                "activate": False,
                "active_rule_set": active_rule_set(choice, "eu-west-1"),
                "rule_set_name": "ours",
                "rule_name": "ours",
                "zone": Route53Zone("contoso.example", "Z1"),
                "bucket_name": "reports",
                "ready": (),
            },
        )
        pulumi.export("name", intake.rule_set_name)

    ses, name = aws("ses"), unique("theirs")
    said = stack.fails(program)
    assert "reports.rule_set: external, but no receipt rule set is active in eu-west-1" in said
    assert "Traceback" not in said
    ses.create_receipt_rule_set(RuleSetName=name)
    ses.set_active_receipt_rule_set(RuleSetName=name)
    try:
        assert stack.up(program).outputs == {"name": name}
    finally:
        ses.set_active_receipt_rule_set()
        ses.delete_receipt_rule_set(RuleSetName=name)
