"""What a function URL calls: one POST with one report (RFC 8460 section 5.4). Bounded, stored raw, answered.

Whoever posts proves nothing about itself. The key of the object says that it came this way, and whoever reads it later
knows. Nothing is parsed here: a stranger's bytes meet the one reader, behind the queue, with its bounds.
"""

import base64
import binascii
import functools
import hashlib
import ipaddress
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PATH = "/v1/tlsrpt"
TYPES = frozenset({"application/tlsrpt+gzip", "application/tlsrpt+json"})
ALSO = frozenset({"application/gzip", "application/x-gzip", "application/json", "application/octet-stream"})
"""What senders write in their place."""
MAX_BYTES = 512 * 1024
"""Of one report as it is sent; the largest that were seen have less than half of it. AWS lets 6 MB through."""
MAX_BYTES_OF_HOUR = 64 * 1024 * 1024
MAX_REPORTS_OF_HOUR = 2_000
"""That one copy of the function stores in an hour; beyond either a sender is asked to come later."""
SHARE = 8
"""A source address gets that part of both, so that one alone cannot fill the hour."""
LATER = {"retry-after": "3600"}


@dataclass(slots=True)
class Hour:
    """Reports and octets that this copy stored in one hour, of all sources and of each. Copies are few: the function's
    concurrency is reserved. There are never more sources than reports."""

    name: str = ""
    all: tuple[int, int] = (0, 0)
    of_source: dict[str, tuple[int, int]] = field(default_factory=dict)

    def has_room(self, source: str, octets: int) -> bool:
        """For one report more."""
        return all(
            reports < MAX_REPORTS_OF_HOUR // part and stored + octets <= MAX_BYTES_OF_HOUR // part
            for part, (reports, stored) in ((1, self.all), (SHARE, self.of_source.get(source, (0, 0))))
        )

    def add(self, source: str, octets: int) -> None:
        reports, stored = self.of_source.get(source, (0, 0))
        self.of_source[source] = (reports + 1, stored + octets)
        self.all = (self.all[0] + 1, self.all[1] + octets)


_this_hour = Hour()


def handle(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    """Entry point (`report_lambda.https_rua.handler.handle`). event: a request of a function URL, payload 2.0.

    Answers 200 for what is stored, also when it was before; 4xx with a line of text for what never will be; 429 and 503
    with Retry-After for what may be sent again.
    """
    refused = _refused(event)
    if refused is not None:
        return refused
    try:
        body = _body(event)
    except binascii.Error:
        return _answer(400, "the body is no base64")
    if len(body) > MAX_BYTES:
        return _too_large()
    if not _looks_like_a_report(body):
        return _answer(400, "neither gzip nor a JSON object")
    hour, source = _hour(), _source(event)
    if not hour.has_room(source, len(body)):
        return _answer(429, "too much for this hour", LATER)
    key = os.environ["MAILTLS_KEY_PREFIX"] + hashlib.sha256(body).hexdigest()[:40]
    try:
        fresh = _put(key, body)
    except _aws_errors() as e:
        print(json.dumps({"event": "not stored", "key": key, "error": str(e)}), flush=True)
        return _answer(503, "not stored, send it again", LATER)
    if fresh:
        hour.add(source, len(body))
    print(json.dumps({"event": "stored" if fresh else "seen before", "key": key, "bytes": len(body)}), flush=True)
    return _answer(200, "stored")


def _refused(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """By what the head of the request says, before its body is looked at."""
    http, headers = event["requestContext"]["http"], event.get("headers", {})
    if event.get("rawPath") != PATH:
        return _answer(404, "there is nothing here")
    if http["method"] != "POST":
        return _answer(405, "reports come by POST", {"allow": "POST"})
    media_type = str(headers.get("content-type", "")).partition(";")[0].strip().lower()
    if media_type not in TYPES | ALSO:
        return _answer(415, f"a report is {' or '.join(sorted(TYPES))}")
    if "body" not in event:
        return _answer(400, "there is no body")
    declared = str(headers.get("content-length", "0"))
    if not declared.isdecimal() or int(declared[:10]) > MAX_BYTES or len(event["body"]) > 2 * MAX_BYTES:
        return _too_large()
    return None


def _body(event: Mapping[str, Any]) -> bytes:
    if event.get("isBase64Encoded"):
        return base64.b64decode(event["body"], validate=True)
    return str(event["body"]).encode("utf-8", "surrogatepass")


def _looks_like_a_report(body: bytes) -> bool:
    return body.startswith(b"\x1f\x8b") or body[:64].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def _hour() -> Hour:
    global _this_hour  # one for each copy of the function
    name = time.strftime("%Y-%m-%dT%H", time.gmtime())
    if _this_hour.name != name:
        _this_hour = Hour(name)
    return _this_hour


def _source(event: Mapping[str, Any]) -> str:
    """The address that AWS saw; of IPv6 the network, for whoever has one address has them all."""
    said = str(event["requestContext"]["http"].get("sourceIp", ""))
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        return ""
    return said if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def _too_large() -> dict[str, Any]:
    return _answer(413, f"a report may have {MAX_BYTES:,} bytes; compress it")


def _answer(status: int, words: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "text/plain", **(headers or {})}, "body": words + "\n"}


def _put(key: str, body: bytes) -> bool:
    """False: the very same bytes are there already."""
    from botocore.exceptions import ClientError

    try:
        _client().put_object(
            Bucket=os.environ["MAILTLS_BUCKET"],
            Key=key,
            Body=body,
            ContentType="application/octet-stream",
            IfNoneMatch="*",
        )
    except ClientError as e:
        if e.response.get("Error", {}).get("Code") in ("PreconditionFailed", "412"):
            return False
        raise
    return True


@functools.cache
def _client() -> Any:
    import boto3  # here: importing it costs more than all of ours together
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "max_attempts": 2})
    return boto3.client("s3", config=config)


@functools.cache
def _aws_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return ClientError, BotoCoreError
