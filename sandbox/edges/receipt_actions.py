"""What a receipt rule does with a mail, done: it is put into the bucket as SES does it, and the bucket may refuse."""

import http.client
import json
import logging
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from sandbox.edges.receipt_rules import Rule

STORE_SECONDS = 60
LARGEST_MAIL = 40 * 1024 * 1024
"""Octets that the S3 action takes, SES's headers included."""
NOT_PLAYED = frozenset({"TopicArn", "KmsKeyArn", "IamRoleArn"})
"""What an S3 action can have besides, and the sandbox does not do."""

LOG = logging.getLogger(__name__)


class Bounced(Exception):
    """The mail is not taken. reply: SMTP's, for the sender; the text says why, for the log."""

    def __init__(self, reply: str, why: str) -> None:
        super().__init__(why)
        self.reply = reply


def run(rules: Iterable[Rule], mail: bytes, message_id: str, ses_headers: dict[bool, bytes], endpoint: str) -> None:
    """Every rule's actions in order, until one stops the rule set.

    ses_headers: what SES puts on top, for rules that scan (True) and that do not. endpoint: of the emulator.
    Raises Bounced.
    """
    added = b""
    for rule in rules:
        for action in rule.actions:
            ((kind, settings),) = action.items()
            match kind:
                case "S3Action" if not (unknown := NOT_PLAYED & settings.keys()):
                    key = settings.get("ObjectKeyPrefix", "") + message_id
                    _store(endpoint, rule, settings["BucketName"], key, ses_headers[rule.scans] + added + mail)
                case "S3Action":
                    raise Bounced(_FAILED, f"rule {rule.name}: the sandbox does not play {', '.join(unknown)}")
                case "AddHeaderAction":
                    added += f"{settings['HeaderName']}: {settings['HeaderValue']}\r\n".encode()
                case "StopAction":
                    return
                case _:
                    raise Bounced(_FAILED, f"rule {rule.name}: the sandbox does not play {kind}")


_FAILED = "451 4.3.0 Requested action aborted: local error in processing"


def _store(endpoint: str, rule: Rule, bucket: str, key: str, body: bytes) -> None:
    if len(body) > LARGEST_MAIL:
        raise Bounced("552 5.3.4 Message too long", f"rule {rule.name}: {len(body)} octets with SES's headers")
    where = urlsplit(endpoint)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=STORE_SECONDS)
    path = f"/_sandbox/as/ses.amazonaws.com/{quote(bucket)}/{quote(key)}"
    try:
        connection.request("PUT", path, body, {"x-sandbox-source-arn": rule.arn})
        answer = connection.getresponse()
        said = answer.read()
    except (http.client.HTTPException, OSError) as e:
        raise Bounced(_FAILED, f"rule {rule.name}: the emulator does not answer: {e}") from e
    finally:
        connection.close()
    if answer.status >= 300:
        why = f"rule {rule.name}: s3://{bucket}/{key}: {answer.status} {_reason(said)}"
        raise Bounced(_FAILED, why)
    LOG.info("%s stored s3://%s/%s", rule.name, bucket, key)


def _reason(said: bytes) -> str:
    try:
        return str(json.loads(said)["error"])
    except (ValueError, LookupError, TypeError):
        return said[:500].decode("utf-8", "replace")
