"""Alarms, logs, queues, topics and schedules live on the emulator's clock, which the sandbox moves."""

import json
import time
from time import struct_time
from types import ModuleType
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs, eventbridge, s3, sns, sqs

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, PatchDoesNotFit, replace
from sandbox.cloud.emulator.probe import Probe

_AHEAD = 3600.0
_PAST_RETENTION = 5 * 86_400.0
"""A queue keeps a message for four days."""


class MovedTime:
    """The module `time`, on the emulator's clock. Waiting and measuring stay real."""

    def gmtime(self, seconds: float | None = None) -> struct_time:
        return time.gmtime(CLOCK.now() if seconds is None else seconds)

    def time(self) -> float:
        return CLOCK.now()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _move() -> None:
    for module in (cloudwatch, cloudwatch_logs, eventbridge, s3, sns, sqs):
        if not isinstance(getattr(module, "time", None), ModuleType):
            raise PatchDoesNotFit(f"{module.__name__} does not use the module time")
        replace(module, "time", lambda _: MovedTime())


def _prove(probe: Probe) -> None:
    client = probe.client("sqs")
    url = client.create_queue(QueueName=probe.name(), Attributes={"VisibilityTimeout": "1800"})["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="once more")
    probe.holds(client.receive_message(QueueUrl=url).get("Messages"), "a message is received")
    probe.holds(not client.receive_message(QueueUrl=url).get("Messages"), "a message in flight is not received")
    probe.move_clock(_AHEAD)
    probe.holds(client.receive_message(QueueUrl=url).get("Messages"), "it comes again after its visibility timeout")
    client.purge_queue(QueueUrl=url)
    arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    client.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allowed]})}
    )
    probe.move_clock(_PAST_RETENTION)
    storage, bucket = probe.client("s3"), probe.name()
    storage.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": storage.meta.region_name})
    told = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    storage.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
    client.purge_queue(QueueUrl=url)
    storage.put_object(Bucket=bucket, Key="late", Body=b"")
    found = client.receive_message(QueueUrl=url).get("Messages", ())
    probe.holds(
        any("late" in one["Body"] for one in found), "word of a new object is as young as the queue's clock says"
    )


PATCHES: tuple[Patch, ...] = (
    Patch(
        "services-live-on-the-moved-clock",
        "Alarm periods, visibility timeouts, retention and schedules pass in real time only, so nothing that takes an "
        "hour or a week can be seen; and what S3 tells a queue was older than the queue keeps a message.",
        _move,
        _prove,
    ),
)
