"""The other way in: reports by HTTPS POST (`rua=https:`), to a function URL that stores what it is sent.

    sender -> function URL -> small function -> raw mail in S3 -> the same queue as mail

AWS answers 429 by itself when more than CONCURRENCY requests are at work, before anything of ours runs. The function
may put objects under one prefix of the bucket, and nothing else.
"""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.lambda_function import python_function, write_logs
from components.policy_documents import allow, document
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
        region = args["region"]

        function = python_function(
            name,
            {
                "region": region,
                "description": "takes in reports by HTTPS",
                "may": "the function for reports by HTTPS",
                "policy": lambda log_group_arn: role_policy(args["bucket_arn"], log_group_arn),
                "code": args["code"],
                "handler": HANDLER,
                "memory_mb": MEMORY_MB,
                "timeout": TIMEOUT,
                "concurrency": CONCURRENCY,
                "log_days": LOG_DAYS,
                "environment": {
                    "MAILTLS_BUCKET": args["bucket_name"],
                    "MAILTLS_KEY_PREFIX": f"{Prefix.RAW}{POSTED_MAIL}",
                },
            },
            self,
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
        write_logs(log_group_arn),
    )
