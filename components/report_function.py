"""The Lambda that deals with raw mail, fed by the queue and woken every hour, with a role that can do just that."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.lambda_function import python_function, write_logs
from components.policy_documents import allow, document
from components.report_queue import BATCH_WINDOW, FUNCTION_TIMEOUT
from mailtls.mta_sts.policy import WELL_KNOWN_PATH
from mailtls.tls_rpt.contract import Environment, Prefix

HANDLER = "report_lambda.handler.handle"
MEMORY_MB = 1024
"""No mail takes more than 256 (the bounds of `message.Limits`), boto3 not counted. CPU comes in proportion: this is a
little over half a core."""
BATCH_SIZE = 10
MAX_CONCURRENCY = 5
"""Copies at work at a time. A cap on the event source lets messages wait; reserved concurrency would throttle them into
the dead letters and take from the account's pool. More copies only fight over the same alert states."""
LOG_DAYS = 90

READ = tuple(prefix for prefix in Prefix if prefix is not Prefix.QUARANTINE)
"""Prefixes that the function reads. Quarantined mail is for people."""
WRITTEN = tuple(prefix for prefix in Prefix if prefix not in (Prefix.RAW, Prefix.DOMAINS))
"""Prefixes that it writes. Never raw mail, never the domain lists: neither bug nor break-in changes the input."""

LARGEST_METRIC_COUNT = 38
"""Custom metrics that the whole platform can have when every closed word was seen once, without per-domain metrics.
At the list price of $0.30 a metric and month (first 10 free) about $8; a usual month sees a dozen of them."""
METRICS_PER_DOMAIN = 8
"""Further custom metrics of each domain with `per_domain_metrics`: up to $2.40 a domain and month. 100 domains can cost
$240 a month for what the ledger holds anyway."""


class ReportFunctionArgs(TypedDict):
    """
    region: of bucket, queue and topic as well.
    policy_bucket: name of the bucket of the policy files, whose versions tell which policies were served, and when.
    code: the archive made of report_lambda/MANIFEST. Another archive is another version of the reader: roll it out to a
    test platform first, mail that it gets wrong is quarantined, not lost.
    alert_limits: of reports/alert_limits.py, rendered; left out, its defaults.
    digest: when the weekly message is due, `1T07` for Monday, 07:00 UTC; None or left out: never.
    per_domain_metrics: True costs up to METRICS_PER_DOMAIN custom metrics per domain.
    """

    region: str
    account_id: pulumi.Input[str]
    code: pulumi.Archive
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    policy_bucket: pulumi.Input[str]
    queue_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    topic_key_arn: pulumi.Input[str]
    alert_limits: NotRequired[str]
    per_domain_metrics: NotRequired[bool]
    digest: NotRequired[str | None]


class ReportFunction(pulumi.ComponentResource):
    """The outputs are known once the role may do its work."""

    function_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ReportFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:ReportFunction", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        region = args["region"]

        function = python_function(
            name,
            {
                "region": region,
                "description": "TLS reports (RFC 8460) from raw mail to ledger, metrics and alerts",
                "may": "the TLS report function",
                "policy": lambda log_group_arn: role_policy(args, log_group_arn),
                "code": args["code"],
                "handler": HANDLER,
                "memory_mb": MEMORY_MB,
                "timeout": FUNCTION_TIMEOUT,
                "log_days": LOG_DAYS,
                "environment": environment(args),
            },
            self,
        )
        aws.lambda_.EventSourceMapping(
            f"{name}-mails",
            region=region,
            event_source_arn=args["queue_arn"],
            function_name=function.name,
            batch_size=BATCH_SIZE,
            maximum_batching_window_in_seconds=BATCH_WINDOW,
            # without it one bad mail brings back all ten
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": MAX_CONCURRENCY},
            opts=child,
        )
        # repeats, all-clears and silence have no mail to set them off
        schedule = aws.cloudwatch.EventRule(
            f"{name}-hourly",
            region=region,
            description="mailtls: alerts that repeat, end, or tell of silence",
            schedule_expression="rate(1 hour)",
            opts=child,
        )
        invoke_by_rule(f"{name}-hourly", region, schedule, function.name, function.arn, child)

        self.function_name = function.name
        self.function_arn = function.arn
        self.register_outputs({"function_name": self.function_name, "function_arn": self.function_arn})


def invoke_by_rule(
    name: str,
    region: str,
    rule: aws.cloudwatch.EventRule,
    function_name: pulumi.Input[str],
    function_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Let the one rule, and no other, invoke the function; `opts` holds the parent."""
    permission = aws.lambda_.Permission(
        f"{name}-permission",
        region=region,
        action="lambda:InvokeFunction",
        function=function_name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=opts,
    )
    aws.cloudwatch.EventTarget(
        f"{name}-target",
        region=region,
        rule=rule.name,
        arn=function_arn,
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[permission])),
    )


def environment(args: ReportFunctionArgs) -> dict[str, pulumi.Input[str]]:
    """Few on purpose: Lambda takes 4 KB in all, so domain lists are objects in the bucket."""
    digest = args.get("digest")
    return {
        Environment.BUCKET.value: args["bucket_name"],
        Environment.TOPIC_ARN.value: args["topic_arn"],
        Environment.POLICY_BUCKET.value: args["policy_bucket"],
        Environment.ALERT_LIMITS.value: args.get("alert_limits", "{}"),
        Environment.PER_DOMAIN_METRICS.value: str(args.get("per_domain_metrics", False)).lower(),
        **({Environment.DIGEST.value: digest} if digest else {}),
    }


def role_policy(args: ReportFunctionArgs, log_group_arn: pulumi.Input[str]) -> pulumi.Output[str]:
    """All that the function may do. No delete anywhere: what it wrote stays."""
    bucket = args["bucket_arn"]
    policies = pulumi.Output.concat("arn:aws:s3:::", args["policy_bucket"])
    return document(
        allow("ReadObjects", "s3:GetObject", [pulumi.Output.concat(bucket, f"/{prefix}*") for prefix in READ]),
        allow("WriteObjects", "s3:PutObject", [pulumi.Output.concat(bucket, f"/{prefix}*") for prefix in WRITTEN]),
        # no condition on the prefix: S3 answers 403 in place of 404 for a missing key to those who may not list, and
        # asks for that right without a prefix. All prefixes but quarantine are readable here anyway
        allow("TellMissingFromForbidden", "s3:ListBucket", bucket),
        # what a report says of a policy counts when it was served once
        allow("ListServedPolicies", "s3:ListBucketVersions", policies),
        allow("ReadServedPolicies", "s3:GetObjectVersion", pulumi.Output.concat(policies, f"/*{WELL_KNOWN_PATH}")),
        allow(
            "TakeMessages",
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            args["queue_arn"],
        ),
        write_logs(log_group_arn),
        allow("PublishAlerts", "sns:Publish", args["topic_arn"]),
        allow("EncryptAlerts", ["kms:GenerateDataKey", "kms:Decrypt"], args["topic_key_arn"]),
    )
