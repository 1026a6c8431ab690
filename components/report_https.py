"""The other way in: reports by HTTPS POST (`rua=https:`), to a function URL that stores what it is sent.

    sender -> function URL -> small function -> raw mail in S3 -> the same queue as mail

AWS answers 429 by itself when more than CONCURRENCY requests are at work, before anything of ours runs. The function
may put objects under one prefix of the bucket, and nothing else.
"""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.physical_names import physical_name
from components.policy_documents import allow, document, trust
from mailtls.tls_rpt.contract import POSTED_MAIL, Prefix

HANDLER = "report_lambda.https_rua.handler.handle"
PATH = "/v1/tlsrpt"
MEMORY_MB = 256
TIMEOUT = 15
"""Seconds: two tries of one put, each at its slowest."""
CONCURRENCY = 2
"""Requests at work at a time. One takes a tenth of a second, so some 50 million a month are the most that a stranger
can have us pay for: about $10 of requests and $20 of time at the list price. What is stored has bounds of its own."""
LOG_DAYS = 30


class ReportHttpsArgs(TypedDict):
    """
    region: of the bucket. code: the archive made of report_lambda/https_rua/MANIFEST.
    bucket_name, bucket_arn: of the reports bucket.
    """

    region: str
    code: pulumi.Archive
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]


class ReportHttps(pulumi.ComponentResource):
    """rua: the URI for `_smtp._tls`. ready: what a record that names it has to wait for."""

    rua: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: ReportHttpsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:ReportHttps", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        region, function_name = args["region"], physical_name(name)

        log_group = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            region=region,
            name=f"/aws/lambda/{function_name}",
            retention_in_days=LOG_DAYS,
            opts=child,
        )
        role = aws.iam.Role(
            f"{name}-role",
            description="mailtls: what takes in reports by HTTPS may do",
            assume_role_policy=trust("lambda.amazonaws.com"),
            opts=child,
        )
        rights = aws.iam.RolePolicy(
            f"{name}-rights", role=role.name, policy=role_policy(args["bucket_arn"], log_group.arn), opts=child
        )
        function = aws.lambda_.Function(
            f"{name}-function",
            region=region,
            name=function_name,
            description="mailtls: takes in reports by HTTPS",
            role=role.arn,
            runtime="python3.13",
            architectures=["arm64"],
            handler=HANDLER,
            code=args["code"],
            memory_size=MEMORY_MB,
            timeout=TIMEOUT,
            reserved_concurrent_executions=CONCURRENCY,
            environment={
                "variables": {
                    "MAILTLS_BUCKET": args["bucket_name"],
                    "MAILTLS_KEY_PREFIX": f"{Prefix.RAW}{POSTED_MAIL}",
                }
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log_group, rights], delete_before_replace=True),
        )
        url = aws.lambda_.FunctionUrl(
            f"{name}-url", region=region, function_name=function.name, authorization_type="NONE", opts=child
        )
        # AWS asks for both since October 2025: to call the URL, and through it the function
        asked = aws.lambda_.Permission(
            f"{name}-anybody",
            region=region,
            function=function.name,
            action="lambda:InvokeFunctionUrl",
            principal="*",
            function_url_auth_type="NONE",
            opts=child,
        )
        through = aws.lambda_.Permission(
            f"{name}-through-the-url",
            region=region,
            function=function.name,
            action="lambda:InvokeFunction",
            principal="*",
            invoked_via_function_url=True,
            opts=child,
        )
        self.rua = url.function_url.apply(lambda address: f"{address.rstrip('/')}{PATH}")
        self.ready = (url, asked, through)
        self.register_outputs({"rua": self.rua})


def role_policy(bucket_arn: pulumi.Input[str], log_group_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """It may add what came by POST, and read nothing."""
    return document(
        allow("StoreReports", "s3:PutObject", pulumi.Output.concat(bucket_arn, f"/{Prefix.RAW}{POSTED_MAIL}*")),
        allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], pulumi.Output.concat(log_group_arn, ":*")),
    )
