"""What came over the topic, as one document (`alert.v1.schema.json`): an alert, an alarm, or a text. Pure.

Alerts are documents already. Alarms of CloudWatch are turned into such, so that a receiver has one form to read.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

SCHEMA = "urn:mailtls:alert:v1"
STATUS = {"ALARM": "opened", "OK": "over"}
"""By CloudWatch's state. INSUFFICIENT_DATA is neither."""
LONGEST_SUBJECT = 99
NOT_KNOWN = ("policy_domain", "result_type", "host", "contact", "failed_sessions", "sessions", "first_day", "last_day")
"""Members that only an alert has."""


def document(message: str, now: datetime) -> dict[str, Any]:
    """The document of one message. now: UTC. A message of no known form is told as the text that it is."""
    try:
        read = json.loads(message)
    except ValueError:
        read = None
    if isinstance(read, dict) and read.get("schema") == SCHEMA:
        return read
    if isinstance(read, dict) and "AlarmName" in read:
        return _alarm(read, now)
    return _plain("note", "message", "info", message, now)


def _alarm(alarm: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    name, state = str(alarm["AlarmName"]), str(alarm.get("NewStateValue", ""))
    status = STATUS.get(state, "note")
    head = f"[{'over' if status == 'over' else 'warning'}] mailtls pipeline: {name} is {state}"
    told = (head, str(alarm.get("AlarmDescription") or ""), str(alarm.get("NewStateReason") or ""))
    key = hashlib.sha256(str(alarm.get("AlarmArn", name)).encode()).hexdigest()[:12]
    return _plain(status, key, "warning", "\n".join(filter(None, told)), now)


def _plain(status: str, key: str, severity: str, text: str, now: datetime) -> dict[str, Any]:
    """A document about no domain."""
    first = text.strip().partition("\n")[0]
    return {
        "schema": SCHEMA,
        "status": status,
        "dedup_key": key,
        "severity": severity,
        "kind": "pipeline",
        "possible_downgrade": False,
        **dict.fromkeys(NOT_KNOWN),
        "owners": [],
        "reporters": [],
        "links": {},
        "subject": first.encode("ascii", "replace").decode()[:LONGEST_SUBJECT],
        "summary": first,
        "text": text,
        "sent_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
    }
