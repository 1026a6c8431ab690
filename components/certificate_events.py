"""Certificates that do not renew: ACM's expiry events, brought from us-east-1 to the function.

CloudFront's certificates live in us-east-1 and so do the events about them, while an alarm or a rule can reach targets
of its own region only. So one rule there forwards to the platform's event bus, and a second rule here invokes the
function, which decides when a person is told. Certificates last 198 days. ACM begins to renew about 45 days before the
end, and from then on tells every day: the first events are usual, those that go on mean a renewal that does not work.
"""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.json_text import json_text
from components.policy_documents import allow, document, trust
from components.policy_host import CERTIFICATE_REGION
from components.report_function import invoke_by_rule

PATTERN = json_text(
    {
        "source": ["aws.acm"],
        "detail-type": ["ACM Certificate Approaching Expiration", "ACM Certificate Expired"],
        # the platform's own region has certificates too, which are none of ours
        "region": [CERTIFICATE_REGION],
    }
)


class CertificateEventsArgs(TypedDict):
    """region: of the function."""

    region: str
    account_id: pulumi.Input[str]
    function_name: pulumi.Input[str]
    function_arn: pulumi.Input[str]


class CertificateEvents(pulumi.ComponentResource):
    """Rule and target here, and where the platform is elsewhere also the hop from us-east-1."""

    def __init__(self, name: str, args: CertificateEventsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:CertificateEvents", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        region = args["region"]
        rule = aws.cloudwatch.EventRule(
            f"{name}-rule",
            region=region,
            description="mailtls: certificates of policy hosts that near their end",
            event_pattern=PATTERN,
            opts=child,
        )
        invoke_by_rule(name, region, rule, args["function_name"], args["function_arn"], child)
        if region != CERTIFICATE_REGION:
            self._forward(name, args, child)
        self.register_outputs({})

    def _forward(self, name: str, args: CertificateEventsArgs, child: pulumi.ResourceOptions) -> None:
        bus = pulumi.Output.concat(f"arn:aws:events:{args['region']}:", args["account_id"], ":event-bus/default")
        rule = aws.cloudwatch.EventRule(
            f"{name}-forward-rule",
            region=CERTIFICATE_REGION,
            description=f"mailtls: certificate events to {args['region']}",
            event_pattern=PATTERN,
            opts=child,
        )
        role = aws.iam.Role(
            f"{name}-forward-role",
            description=f"mailtls: certificate events to {args['region']}",
            assume_role_policy=trust(
                "events.amazonaws.com",
                {
                    "StringEquals": {"aws:SourceAccount": args["account_id"]},
                    "ArnEquals": {"aws:SourceArn": rule.arn},
                },
            ),
            opts=child,
        )
        rights = aws.iam.RolePolicy(
            f"{name}-forward-rights",
            role=role.name,
            policy=document(allow("ForwardToOneBus", "events:PutEvents", bus)),
            opts=child,
        )
        aws.cloudwatch.EventTarget(
            f"{name}-forward-target",
            region=CERTIFICATE_REGION,
            rule=rule.name,
            arn=bus,
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights]),
        )
