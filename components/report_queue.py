"""From "a raw mail is stored" to the Lambda: S3 notifies a queue; what fails five times waits with the dead letters.

S3 notifies at least once and in no order; the Lambda's dispositions make repeats harmless.
"""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.policy_documents import allow, deny_without_tls, document
from components.queue_with_dead_letters import queue_with_dead_letters
from mailtls.tls_rpt.contract import Prefix

DAY = 86_400
FUNCTION_TIMEOUT = 180
"""Seconds. A usual mail takes a tenth of one. The worst that a sender can think of takes a minute; the function begins
with a mail only when it has 90 seconds for it. Alerts treat an invocation as dead after five minutes."""
BATCH_WINDOW = 0
"""Seconds. Reports are few: waiting to fill a batch would delay alerts and save nothing."""
VISIBILITY_TIMEOUT = 6 * FUNCTION_TIMEOUT + BATCH_WINDOW
"""Seconds, as the Lambda guide asks for: shorter, and a message comes again while its first try is still at work."""
MAX_RECEIVE_COUNT = 5
"""Tries before a message joins the dead letters: an hour of outage of S3 or SNS passes without a loss."""
RETENTION = 4 * DAY
DEAD_LETTER_RETENTION = 14 * DAY
"""The longest that SQS allows, counted from the first arrival. Afterwards only the raw mail is left, without a
disposition: docs/mail-not-taken-in.md tells how to find it and have it read again."""


class ReportQueueArgs(TypedDict):
    """region: of bucket and queue, S3 notifies no other. account_id: the account that owns the bucket."""

    region: str
    account_id: pulumi.Input[str]
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]


class ReportQueue(pulumi.ComponentResource):
    """notification: once it stands, each new raw mail reaches the queue."""

    queue_arn: pulumi.Output[str]
    queue_url: pulumi.Output[str]
    queue_name: pulumi.Output[str]
    dead_letter_queue_arn: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]
    dead_letter_queue_name: pulumi.Output[str]
    notification: aws.s3.BucketNotification

    def __init__(self, name: str, args: ReportQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:ReportQueue", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        region = args["region"]

        queue, dead_letters = queue_with_dead_letters(
            name,
            {
                "region": region,
                "visibility_timeout": VISIBILITY_TIMEOUT,
                "retention": RETENTION,
                "dead_letter_retention": DEAD_LETTER_RETENTION,
                "tries": MAX_RECEIVE_COUNT,
            },
            child,
        )
        policy = aws.sqs.QueuePolicy(
            f"{name}-policy",
            region=region,
            queue_url=queue.url,
            policy=queue_policy(queue.arn, args["bucket_arn"], args["account_id"]),
            opts=child,
        )
        # S3 sends a test message when this is created, and refuses when the queue's policy does not let it
        self.notification = aws.s3.BucketNotification(
            f"{name}-notification",
            region=region,
            bucket=args["bucket_name"],
            queues=[
                {
                    "id": "raw-mail",
                    "queue_arn": queue.arn,
                    "events": ["s3:ObjectCreated:*"],
                    # the Lambda writes to the same bucket: notified of its own objects, it would never come to rest
                    "filter_prefix": Prefix.RAW.value,
                }
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

        self.queue_arn, self.queue_url, self.queue_name = queue.arn, queue.url, queue.name
        self.dead_letter_queue_arn = dead_letters.arn
        self.dead_letter_queue_url = dead_letters.url
        self.dead_letter_queue_name = dead_letters.name
        self.register_outputs({"queue_url": self.queue_url, "dead_letter_queue_url": self.dead_letter_queue_url})


def queue_policy(
    queue_arn: pulumi.Input[str], bucket_arn: pulumi.Input[str], account_id: pulumi.Input[str]
) -> pulumi.Output[str]:
    """S3 may announce objects of the one bucket. The Lambda's right to receive stands in its role."""
    return document(
        allow(
            "BucketAnnouncesRawMail",
            "sqs:SendMessage",
            queue_arn,
            Principal={"Service": "s3.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": account_id}, "ArnEquals": {"aws:SourceArn": bucket_arn}},
        ),
        deny_without_tls("sqs", queue_arn),
    )
