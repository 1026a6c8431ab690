"""A queue and the one for what failed too often, both encrypted, the second for the first alone.

A plain function, no component: the resources belong to the component that asks for them, and so does the policy of
the first queue, which says who sends.
"""

from typing import TypedDict

import pulumi
import pulumi_aws as aws

from components.json_text import json_output
from components.policy_documents import deny_without_tls, document


class QueueArgs(TypedDict):
    """visibility_timeout, retention, dead_letter_retention: seconds. tries: before a message joins the dead letters."""

    region: str
    visibility_timeout: int
    retention: int
    dead_letter_retention: int
    tries: int


def queue_with_dead_letters(
    name: str, args: QueueArgs, opts: pulumi.ResourceOptions
) -> tuple[aws.sqs.Queue, aws.sqs.Queue]:
    """The queue, and its dead letters. `opts` holds the parent."""
    region = args["region"]
    dead_letters = aws.sqs.Queue(
        f"{name}-dead-letters",
        region=region,
        message_retention_seconds=args["dead_letter_retention"],
        sqs_managed_sse_enabled=True,
        opts=opts,
    )
    queue = aws.sqs.Queue(
        f"{name}-queue",
        region=region,
        visibility_timeout_seconds=args["visibility_timeout"],
        message_retention_seconds=args["retention"],
        sqs_managed_sse_enabled=True,
        redrive_policy=json_output({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": args["tries"]}),
        opts=opts,
    )
    aws.sqs.RedriveAllowPolicy(
        f"{name}-redrive-allow",
        region=region,
        queue_url=dead_letters.url,
        redrive_allow_policy=json_output({"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}),
        opts=opts,
    )
    aws.sqs.QueuePolicy(
        f"{name}-dead-letters-policy",
        region=region,
        queue_url=dead_letters.url,
        policy=document(deny_without_tls("sqs", dead_letters.arn)),
        opts=opts,
    )
    return queue, dead_letters
