"""The bucket that holds every report: raw mail, what became of it, the ledger, alert states, domain lists.

There is no database beside it (ADR 5), so losing it loses all evidence for promotion to `enforce`.
"""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components.policy_documents import allow, deny_without_tls, document
from components.private_bucket import private_bucket
from mailtls.tls_rpt.contract import Prefix

RAW_DAYS = 90
QUARANTINE_DAYS = 90
LEDGER_DAYS = 400
NONCURRENT_DAYS = 30


class Lifetimes(TypedDict):
    """How many days objects are kept, by prefix. Too short a time cannot be made good: S3 deletes for ever.

    raw_days: raw mail. Once it is gone, a mail that an older version of the reader got wrong cannot be read again. It
    holds addresses of people at the reporters: keep it no longer than needed. quarantine_days: the same for mail that
    was kept apart. ledger_days: stored reports, dispositions and the states of alerts; the evidence for promotion, and
    what an auditor asks for.
    """

    raw_days: NotRequired[int]
    quarantine_days: NotRequired[int]
    ledger_days: NotRequired[int]


class ReportStoreArgs(TypedDict):
    """
    region: of the bucket; SES writes only to buckets that it can reach from its own.
    account_id: the account whose SES may write.
    receipt_rule: ARN of the receipt rule that may write raw mail, or a pattern of such ARNs. Built from names, since
    SES tries to write when the rule is created, so the bucket policy has to be there before.
    lifetimes: left out, 90 days for mail and 400 for the ledger.
    force_destroy: True lets `pulumi destroy` delete the bucket with every report in it. For throw-away stacks only.
    """

    region: str
    account_id: pulumi.Input[str]
    receipt_rule: pulumi.Input[str]
    lifetimes: NotRequired[Lifetimes]
    force_destroy: NotRequired[bool]


class ReportStore(pulumi.ComponentResource):
    """bucket_policy: what the receipt rule has to wait for."""

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]
    bucket_policy: aws.s3.BucketPolicy

    def __init__(self, name: str, args: ReportStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:ReportStore", name, {}, opts)
        # versions undo a slip of a hand for a month; without them, one wrong `aws s3 rm --recursive` ends the ledger
        store = private_bucket(
            name,
            parent=self,
            lifecycle=lifecycle_rules(args.get("lifetimes", {})),
            policy=lambda arn: bucket_policy(arn, args["account_id"], args["receipt_rule"]),
            region=args["region"],
            force_destroy=args.get("force_destroy", False),
        )

        self.bucket_policy = store.policy
        self.bucket_name = store.bucket.bucket
        self.bucket_arn = store.bucket.arn
        self.register_outputs({"bucket_name": self.bucket_name, "bucket_arn": self.bucket_arn})


def bucket_policy(
    bucket_arn: pulumi.Input[str], account_id: pulumi.Input[str], receipt_rule: pulumi.Input[str]
) -> pulumi.Output[str]:
    """SES may add raw mail for the one receipt rule; the Lambda's rights stand in its own role."""
    return document(
        allow(
            "SesDeliversRawMail",
            "s3:PutObject",
            pulumi.Output.concat(bucket_arn, f"/{Prefix.RAW}*"),
            Principal={"Service": "ses.amazonaws.com"},
            # without both, any other AWS account's rule could write here in SES's name
            Condition={"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": receipt_rule}},
        ),
        deny_without_tls("s3", [bucket_arn, pulumi.Output.concat(bucket_arn, "/*")]),
    )


def lifecycle_rules(lifetimes: Lifetimes) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    """One rule per prefix that ends, and one for what is left over. Domain lists never end."""
    ledger_days = lifetimes.get("ledger_days", LEDGER_DAYS)
    days = {
        Prefix.RAW: lifetimes.get("raw_days", RAW_DAYS),
        Prefix.HOURS: lifetimes.get("raw_days", RAW_DAYS),
        Prefix.DIGESTS: lifetimes.get("raw_days", RAW_DAYS),
        Prefix.QUARANTINE: lifetimes.get("quarantine_days", QUARANTINE_DAYS),
        Prefix.REPORTS: ledger_days,
        Prefix.OTHER_CONTENT: ledger_days,
        Prefix.POSTED: ledger_days,
        Prefix.DISPOSITIONS: ledger_days,
        Prefix.REPORTERS: ledger_days,
        Prefix.HOSTS: ledger_days,
        Prefix.ACCOUNTING: ledger_days,  # written every hour
        Prefix.ALERTS: ledger_days,  # counted from the last change, so only what is long over
    }
    rules: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": f"end-of-{prefix.value.rstrip('/')}",
            "status": "Enabled",
            "filter": {"prefix": prefix.value},
            "expiration": {"days": kept},
        }
        for prefix, kept in days.items()
    ]
    rules.append(
        {
            "id": "leftovers",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
            "expiration": {"expired_object_delete_marker": True},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        }
    )
    return rules
