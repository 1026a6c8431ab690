"""What the queue of one subscriber calls: each message is rendered for it and sent by one POST.

The secret is read at each call, so that a new one counts at once, and is written nowhere. What cannot be delivered
raises: the message returns to the queue and comes again for six hours, then it lies among the dead letters.
"""

import functools
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from report_lambda.delivery import notice, pagerduty, signature, slack, teams
from report_lambda.delivery.post import post

USER_AGENT = "mailtls-alerts/1"
NOTHING_SENT = 0
"""In place of a status: the message is none for this subscriber."""


def handle(event: Mapping[str, Any], _context: Any) -> None:
    """Entry point (`report_lambda.delivery.handler.handle`). event: a batch of SQS with raw messages of SNS.

    Raises NotDelivered, NoKey, or what reading the secret raises.
    """
    for record in event["Records"]:
        message_id = str(record["messageId"])
        status = deliver(message_id, str(record["body"]), _now())
        print(json.dumps({"event": "delivered", "message": message_id, "status": status}), flush=True)


def deliver(message_id: str, message: str, now: datetime) -> int:
    """Send one message to where the environment says. Returns the HTTP status, or NOTHING_SENT."""
    alert = notice.document(message, now)
    secret = _secret(os.environ["MAILTLS_DELIVERY_SECRET"])
    headers = {"content-type": "application/json", "user-agent": USER_AGENT}
    match os.environ["MAILTLS_DELIVERY_FORMAT"]:
        case "slack":
            return post(secret, _json(slack.body(alert)), headers)
        case "teams":
            return post(secret, _json(teams.body(alert)), headers)
        case "pagerduty" if not pagerduty.is_event(alert):
            return NOTHING_SENT
        case "pagerduty":
            url = os.environ.get("MAILTLS_DELIVERY_URL", pagerduty.ADDRESS)
            return post(url, _json(pagerduty.body(alert, secret)), headers)
        case _:
            body = _json(alert)
            signed = signature.headers(secret, message_id, int(now.timestamp()), body)
            return post(os.environ["MAILTLS_DELIVERY_URL"], body, headers | signed)


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _now() -> datetime:
    return datetime.now(UTC)


def _secret(name: str) -> str:
    answer = _client().get_parameter(Name=name, WithDecryption=True)
    return str(answer["Parameter"]["Value"]).strip()


@functools.cache
def _client() -> Any:
    import boto3  # here, not on top: importing it costs more than all of ours together
    from botocore.config import Config

    config = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "max_attempts": 2})
    return boto3.client("ssm", config=config)
