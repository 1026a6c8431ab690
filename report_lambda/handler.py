"""What AWS calls, and the only file that touches boto3: events in, S3 and SNS behind two small interfaces.

Importing this module is cheap and calls nothing; the clients are made at the first invocation and then kept.
"""

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from mailtls.mta_sts.policy import MAX_POLICY_BYTES
from mailtls.reports.alert_limits import AlertLimits
from mailtls.reports.certificate_alert import CertificateEvent
from mailtls.reports.served import Served, Version, of_versions
from mailtls.tls_rpt.contract import Environment, policy_key
from report_lambda import accounting, certificates, silence
from report_lambda.alert_desk import Desk, Topic
from report_lambda.domains import DomainCache, OwnDomains
from report_lambda.events import QueueBatch, QueueMessage, Tick, UnknownEvent, parse_body, parse_event
from report_lambda.intake import take_in
from report_lambda.metrics import Tally
from report_lambda.store import Listed, ObjectStore, ObjectTooLarge, PolicyHistory, StoredObject, StoreError

NOT_THERE = frozenset({"NoSuchKey", "404", "NotFound"})
NOT_WRITTEN = frozenset({"PreconditionFailed", "412"})

LEAST_TIME = 90.0
"""Seconds that must be left to begin with one more mail: more than the worst one needs. A mail that is cut off by the
end of the invocation takes its batch with it."""

MAX_VERSIONS = 50
"""Of one policy file, newest first, delete markers included. What is older was replaced fifty times."""
MAX_BODIES = 500
"""Versions kept in memory; at 64 KB each they can be 32 MB."""

_domains = DomainCache()


class OutOfTime(Exception):
    """The invocation ends before the message could be dealt with."""


def handle(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]] | None:
    """Entry point (`report_lambda.handler.handle`). context: the Lambda context, of which the request's id and the time
    left are used.

    For a batch from the queue: the messages that must come again, as `ReportBatchItemFailures` wants it.
    For the schedule and for ACM's events: None. Raises for events that nobody subscribed to, and for a schedule or an
    expiry event that could not be dealt with: the invocation then counts as failed and AWS repeats it.
    """
    parsed = parse_event(event)
    new_desk = functools.partial(_desk, context)
    if isinstance(parsed, QueueBatch):
        return _handle_batch(parsed, new_desk)
    desk = new_desk()
    try:
        _handle_scheduled(parsed, desk)
    finally:  # what was sent before a failure was sent
        for line in desk.tally.lines(desk.now):
            _emit(line)
    return None


def _handle_scheduled(event: Tick | CertificateEvent, desk: Desk) -> None:
    domains = _domains.current(desk.store)
    if isinstance(event, CertificateEvent):
        certificates.watch(desk, domains, event)
        return
    failed = []
    looks: list[Callable[[OwnDomains], int]] = [desk.tick, functools.partial(silence.look, desk)]
    if digest := os.environ.get(Environment.DIGEST):
        looks.append(_digests(desk, digest))
    for look in looks:
        try:
            left = look(domains)
        except StoreError as e:
            failed.append(str(e))
        else:
            if left:
                _log("out of time", left=left)
    try:
        found = accounting.look(desk)
    except StoreError as e:
        failed.append(str(e))
    else:
        _log("accounting", now=asdict(found.now), last=asdict(found.last), after=found.after)
    if failed:
        raise StoreError("; ".join(failed))


def _digests(desk: Desk, when: str) -> Callable[[OwnDomains], int]:
    from report_lambda import digests  # here: most invocations send none

    weekly = digests.Weekly.parse(when)
    return functools.partial(digests.look, desk, weekly) if weekly else lambda domains: 0


def _handle_batch(batch: QueueBatch, new_desk: Callable[[], Desk]) -> dict[str, list[dict[str, str]]]:
    failed = []
    for queued in batch.messages:
        try:
            _handle_message(queued, new_desk)
        except Exception as e:  # noqa: BLE001  the loop's top: one bad record must not take the others with it
            _log("failed", message=queued.message_id, error=type(e).__name__, detail=str(e), body=queued.body[:2000])
            failed.append({"itemIdentifier": queued.message_id})
    return {"batchItemFailures": failed}


def _handle_message(queued: QueueMessage, new_desk: Callable[[], Desk]) -> None:
    for mail in parse_body(queued.body):
        desk = new_desk()  # its own tally: a mail that fails half-way leaves no counts in its neighbour's lines
        if desk.time_left() < LEAST_TIME:
            raise OutOfTime("left to the next invocation, which has all of its time for it")
        if mail.bucket != desk.bucket:
            raise UnknownEvent(f"an object of bucket {mail.bucket}; ours is {desk.bucket}")
        outcome = take_in(mail, desk, _domains.current(desk.store), _emit)
        if outcome is None:
            _log("seen before", mail=mail.mail_id)
        else:
            _log(
                str(outcome.disposition),
                mail=mail.mail_id,
                reason=outcome.reason,
                detail=outcome.detail,
                stored=outcome.stored,
                duplicates=outcome.duplicates,
            )


def _desk(context: Any) -> Desk:
    bucket = os.environ[Environment.BUCKET]
    return Desk(
        store=_store(bucket),
        topic=_topic(os.environ[Environment.TOPIC_ARN]),
        policies=_policies(os.environ[Environment.POLICY_BUCKET]),
        bucket=bucket,
        invocation=str(context.aws_request_id),
        tally=Tally(per_domain=os.environ.get(Environment.PER_DOMAIN_METRICS) == "true"),
        now=_now(),
        limits=_limits(os.environ.get(Environment.ALERT_LIMITS, "{}")),
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _emit(line: str) -> None:
    print(line, flush=True)


def _log(what: str, **members: object) -> None:
    """One JSON line; never with `_aws`, so never a metric."""
    print(json.dumps({"event": what, **members}), flush=True)


@functools.cache
def _limits(text: str) -> AlertLimits:
    return AlertLimits.parse(text)


@functools.cache
def _store(bucket: str) -> ObjectStore:
    return _S3Store(bucket)


@functools.cache
def _topic(arn: str) -> Topic:
    return _SnsTopic(arn)


@functools.cache
def _policies(bucket: str) -> PolicyHistory:
    return _PolicyVersions(bucket)


@functools.cache
def _client(service: str) -> Any:
    """Made when it is first used: most mails set off no alert, and then nothing waits for a client of SNS."""
    import boto3  # here, not on top: importing it costs more than all of ours together
    from botocore.config import Config

    # bounded, so that a call that hangs leaves time to say so before the function's own time is up
    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
    return boto3.client(service, config=config)


@functools.cache
def _aws_errors() -> tuple[type[Exception], ...]:
    """What boto3 raises when the service refuses, and when there is no answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    return ClientError, BotoCoreError


class _S3Store:
    """`ObjectStore` on one bucket. The role needs s3:ListBucket without conditions: else a missing key answers 403."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._s3 = _client("s3")

    def get(self, key: str, limit: int) -> StoredObject | None:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            with answer["Body"] as body:
                if answer["ContentLength"] > limit:
                    raise ObjectTooLarge(key, answer["ContentLength"])
                return StoredObject(body.read(), answer["ETag"])
        except _aws_errors() as e:
            if _code(e) in NOT_THERE:
                return None
            raise StoreError(f"get {key}: {e}") from e

    def put_if_absent(self, key: str, body: bytes, content_type: str) -> bool:
        return self._put(key, body, content_type, IfNoneMatch="*")

    def put_if_match(self, key: str, body: bytes, content_type: str, etag: str) -> bool:
        return self._put(key, body, content_type, IfMatch=etag)

    def _put(self, key: str, body: bytes, content_type: str, **condition: str) -> bool:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, **condition)
        except _aws_errors() as e:
            # 404 on If-Match: deleted since it was read. 409 (a write in between) is no answer: try the record again
            if _code(e) in NOT_WRITTEN or ("IfMatch" in condition and _code(e) in NOT_THERE):
                return False
            raise StoreError(f"put {key}: {e}") from e
        return True

    def list_objects(self, prefix: str, *, start_after: str = "", limit: int = 1000) -> list[Listed]:
        found: list[Listed] = []
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": prefix}
        if start_after:
            request["StartAfter"] = start_after
        try:
            while len(found) < limit:
                answer = self._s3.list_objects_v2(**request, MaxKeys=min(1000, limit - len(found)))
                found += [_listed(entry) for entry in answer.get("Contents", ())]
                if not answer.get("IsTruncated"):
                    break
                request["ContinuationToken"] = answer["NextContinuationToken"]
        except _aws_errors() as e:
            raise StoreError(f"list {prefix}: {e}") from e
        return found

    def copy(self, source: str, target: str) -> None:
        try:
            self._s3.copy_object(Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source})
        except _aws_errors() as e:
            raise StoreError(f"copy {source}: {e}") from e


class _SnsTopic:
    """`Topic` on one SNS topic."""

    def __init__(self, arn: str) -> None:
        self._arn = arn

    def publish(self, subject: str, message: str, attributes: Mapping[str, str | tuple[str, ...]]) -> None:
        values = {name: message_attribute(value) for name, value in attributes.items()}
        try:
            _client("sns").publish(
                TopicArn=self._arn,
                Subject=subject,
                Message=message,
                MessageStructure="json",
                MessageAttributes=values,
            )
        except _aws_errors() as e:
            raise StoreError(f"publish: {e}") from e


class _PolicyVersions:
    """`PolicyHistory` from the object versions of the policy bucket, which keeps each for 400 days. Versions never
    change, so each is read once in the life of the process."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._s3 = _client("s3")
        self._bodies: dict[str, bytes | None] = {}

    def history(self, policy_domain: str) -> tuple[Served, ...]:
        key = policy_key(policy_domain)
        try:
            answer = self._s3.list_object_versions(Bucket=self._bucket, Prefix=key, MaxKeys=MAX_VERSIONS)
            written = [(v, v["Size"] <= MAX_POLICY_BYTES) for v in answer.get("Versions", ()) if v["Key"] == key]
            deleted = [(marker, False) for marker in answer.get("DeleteMarkers", ()) if marker["Key"] == key]
            return of_versions(
                Version(version["LastModified"], self._body(key, version["VersionId"]) if readable else None)
                for version, readable in written + deleted
            )
        except _aws_errors() as e:  # the alert matters more than its wording
            _log("policy versions unread", policy_domain=policy_domain, error=str(e))
            return ()

    def _body(self, key: str, version: str) -> bytes | None:
        if len(self._bodies) > MAX_BODIES:
            self._bodies.clear()
        if (key + version) not in self._bodies:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=version)
            with answer["Body"] as body:
                self._bodies[key + version] = body.read()
        return self._bodies[key + version]


def message_attribute(value: str | tuple[str, ...]) -> dict[str, str]:
    """As SNS wants it. A filter policy fits an array when it fits one of its elements."""
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    return {"DataType": "String.Array", "StringValue": json.dumps(value)}


def _listed(entry: Mapping[str, Any]) -> Listed:
    return Listed(entry["Key"], entry["ETag"], entry["Size"], entry["LastModified"])


def _code(error: Exception) -> str:
    """S3's error code; "" for an error that never reached S3."""
    response: Mapping[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
