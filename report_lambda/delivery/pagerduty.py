"""An alert as PagerDuty's Events API v2 takes it. Pure.

https://developer.pagerduty.com/docs/events-api-v2/overview/
"""

from collections.abc import Mapping
from typing import Any

ADDRESS = "https://events.pagerduty.com/v2/enqueue"
"""Of accounts in the US region; those in the EU have another host."""
LONGEST_SUMMARY = 1024
DETAILS = ("policy_domain", "failed_sessions", "sessions", "first_day", "last_day", "reporters", "possible_downgrade")


def is_event(alert: Mapping[str, Any]) -> bool:
    """Nobody is called for the digest of a week."""
    return bool(alert["kind"] != "digest")


def body(alert: Mapping[str, Any], routing_key: str) -> dict[str, Any]:
    """alert: a document of alert.v1. routing_key: of the service's integration; it is the secret."""
    links = [
        {"href": address, "text": name} for name, address in alert["links"].items() if address.startswith("https://")
    ]
    return {
        "routing_key": routing_key,
        "event_action": "resolve" if alert["status"] == "over" else "trigger",
        "dedup_key": alert["dedup_key"],
        "client": "mailtls",
        "payload": {
            "summary": alert["summary"][:LONGEST_SUMMARY],
            "source": alert["policy_domain"] or alert["host"] or "mailtls",
            "severity": alert["severity"],
            "timestamp": alert["sent_at"],
            "component": alert["host"],
            "group": ", ".join(alert["owners"]) or None,
            "class": alert["result_type"] or alert["kind"],
            "custom_details": {"text": alert["text"], **{name: alert[name] for name in DETAILS}},
        },
        "links": links,
    }
