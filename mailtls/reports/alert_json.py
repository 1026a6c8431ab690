"""A message as SNS takes it: text for people, one JSON document for machines (`alert.v1.schema.json`). Pure.

SNS chooses by the subscriber's protocol (`MessageStructure: json`): `email` gets the text as it always was, everything
else the document, which holds the text, too. Alarms of CloudWatch come over the same topic in a JSON of their own.
"""

import json
from datetime import datetime
from typing import Any

from mailtls.reports.message_layout import Alert
from mailtls.tls_rpt.contract import Attribute

SCHEMA = "urn:mailtls:alert:v1"
MAX_BYTES = 240 * 1024
"""SNS takes 256 KB with all forms of a message and its attributes."""
CUT = "\n[cut: the message is longer than SNS takes]\n"


def by_protocol(alert: Alert, now: datetime) -> str:
    """The message of each protocol, as one JSON text. What is too long is cut at the end of its text."""
    text, parts = alert.text, 1
    while len((message := _rendered(alert, text, now)).encode()) > MAX_BYTES:
        parts *= 2
        text = alert.text[: len(alert.text) // parts] + CUT
    return message


def document(alert: Alert, now: datetime) -> dict[str, Any]:
    """The document for machines. now: UTC, when it is sent."""
    event = alert.event
    owners = alert.attributes.get(Attribute.OWNER, ())
    return {
        "schema": SCHEMA,
        "status": event.status,
        "dedup_key": event.dedup_key,
        "severity": alert.severity,
        "kind": event.kind,
        "possible_downgrade": event.possible_downgrade,
        "policy_domain": alert.attributes.get(Attribute.POLICY_DOMAIN),
        "result_type": event.result_type or None,
        "host": event.host or None,
        "owners": [owners] if isinstance(owners, str) else list(owners),
        "contact": event.contact or None,
        "failed_sessions": event.failed_sessions,
        "sessions": event.sessions,
        "first_day": event.first_day.isoformat() if event.first_day else None,
        "last_day": event.last_day.isoformat() if event.last_day else None,
        "reporters": list(event.reporters),
        "links": dict(event.links),
        "subject": alert.subject,
        "summary": alert.text.partition("\n")[0],
        "text": alert.text,
        "sent_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
    }


def _rendered(alert: Alert, text: str, now: datetime) -> str:
    for_machines = json.dumps({**document(alert, now), "text": text}, ensure_ascii=False, separators=(",", ":"))
    return json.dumps({"default": for_machines, "email": text}, ensure_ascii=False, separators=(",", ":"))
