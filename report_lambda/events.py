"""What AWS hands to the function, parsed. Pure: a dict goes in, values come out, nothing is looked up.

Three sources (shapes: the Amazon S3, SQS and EventBridge guides; one real payload of each stands in the tests):
a batch of queue messages whose bodies are S3 notifications, the hourly schedule, and ACM's expiry events, which
EventBridge forwards from us-east-1.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from mailtls.reports.certificate_alert import CertificateEvent
from mailtls.tls_rpt.contract import Prefix


class UnknownEvent(ValueError):
    """Nothing that we subscribed to. Permanent: the queue's dead letters, or the function's error metric, show it."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One SQS message. message_id goes into `batchItemFailures` when the message has to come again."""

    message_id: str
    body: str


@dataclass(frozen=True, slots=True)
class QueueBatch:
    """What the event source mapping delivers in one invocation."""

    messages: tuple[QueueMessage, ...]


@dataclass(frozen=True, slots=True)
class RawMail:
    """A raw mail that S3 says it has stored. key begins with `raw/`."""

    bucket: str
    key: str

    @property
    def mail_id(self) -> str:
        """SES's message id: the key without its prefix. A name of ours, safe to put into other keys."""
        return self.key.removeprefix(Prefix.RAW)


@dataclass(frozen=True, slots=True)
class Tick:
    """The hourly schedule."""

    time: datetime


def parse_event(event: Mapping[str, Any]) -> QueueBatch | Tick | CertificateEvent:
    """Tell the sources apart. Raises UnknownEvent."""
    try:
        if "Records" in event:
            return QueueBatch(tuple(_queue_message(record) for record in event["Records"]))
        match event.get("source"), event.get("detail-type"):
            case "aws.events" | "aws.scheduler", _:
                return Tick(_time(event["time"]))
            case "aws.acm", "ACM Certificate Approaching Expiration":
                return _certificate(event, expired=False)
            case "aws.acm", "ACM Certificate Expired":
                return _certificate(event, expired=True)
    except (KeyError, TypeError, ValueError, IndexError) as e:
        raise UnknownEvent(f"a known kind of event, but not of its shape: {e!r}") from e
    raise UnknownEvent(f"source {event.get('source')!r}, detail-type {event.get('detail-type')!r}: not subscribed to")


def parse_body(body: str) -> tuple[RawMail, ...]:
    """Raw mails that one queue message announces; none for S3's test message and for events of no concern.

    Accepts every 2.x event version. Keys arrive form-URL-encoded. Raises UnknownEvent.
    """
    try:
        notification = json.loads(body)
        if notification.get("Event") == "s3:TestEvent":
            return ()  # S3 sends it when the notification is configured; it has no Records
        return tuple(
            RawMail(record["s3"]["bucket"]["name"], key)
            for record in notification["Records"]
            if record["eventName"].startswith("ObjectCreated:")
            # our own writes are in other prefixes: should the bucket ever notify about them, they must not loop
            and (key := unquote_plus(record["s3"]["object"]["key"])).startswith(Prefix.RAW)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise UnknownEvent(f"message body is no S3 notification: {e!r}") from e


def _queue_message(record: Mapping[str, Any]) -> QueueMessage:
    if record["eventSource"] != "aws:sqs":
        raise UnknownEvent(f"records of {record['eventSource']!r}: the function is fed by its queue only")
    return QueueMessage(record["messageId"], record["body"])


def _certificate(event: Mapping[str, Any], *, expired: bool) -> CertificateEvent:
    detail = event["detail"]
    return CertificateEvent(
        time=_time(event["time"]),
        arn=event["resources"][0],
        common_name=str(detail["CommonName"]),
        days_left=0 if expired else int(detail["DaysToExpiry"]),
        expired=expired,
    )


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
