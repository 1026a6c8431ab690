"""Where each object of the reports bucket lies, and how objects of ours are written. Pure.

The prefixes are in `tls_rpt/contract.py`, because lifecycle rules and IAM statements name them; what follows a prefix
matters only to those who write and read the objects.
"""

import json
from datetime import date, datetime
from typing import Any

from mailtls.tls_rpt.contract import Prefix, QuarantineReason


def disposition_key(mail_id: str) -> str:
    """What became of one raw mail."""
    return f"{Prefix.DISPOSITIONS}{mail_id}.json"


def quarantine_stem(reason: QuarantineReason, mail_id: str) -> str:
    """A mail kept apart: `<stem>.eml` is its copy, `<stem>.json` says why."""
    return f"{Prefix.QUARANTINE}{reason}/{mail_id}"


def ledger_of(policy_domain: str) -> str:
    """Prefix of the keys of all stored reports about one domain; what follows begins with the day, `2026-11-30/`."""
    return f"{Prefix.REPORTS}{policy_domain}/"


def posted_of(policy_domain: str) -> str:
    """As `ledger_of`, of the reports that came by HTTPS POST."""
    return f"{Prefix.POSTED}{policy_domain}/"


def posted_key(key: str) -> str:
    """Of a report that came by HTTPS POST. key: the one that the ledger has for such a report, of whatever content."""
    rest = key.removeprefix(Prefix.REPORTS).removeprefix(Prefix.OTHER_CONTENT)
    return f"{Prefix.POSTED}{rest}"


def ledger_day(policy_domain: str, day: date) -> str:
    """Prefix of the keys of all stored reports about one domain whose period began on `day`, UTC."""
    return f"{ledger_of(policy_domain)}{day.isoformat()}/"


def alert_states_of(policy_domain: str) -> str:
    """Prefix of the keys of the states of all alerts about one domain."""
    return f"{Prefix.ALERTS}{policy_domain}/"


def reporters_key(policy_domain: str) -> str:
    """Who reports about one domain, and how often."""
    return f"{Prefix.REPORTERS}{policy_domain}.json"


def gathering_key(gathering_id: str) -> str:
    """The domains of one team that share one fault of a host."""
    return f"{Prefix.HOSTS}{gathering_id}.json"


def alert_hour_key(moment: datetime) -> str:
    """What was sent and held back in the hour of `moment`, UTC."""
    return f"{Prefix.HOURS}{moment:%Y-%m-%dT%H}.json"


def digest_key(due: date, owner: str) -> str:
    """The sums of one owner's week, and whether they were sent. due: the day on which they are. owner: digits that
    stand for the name."""
    return f"{Prefix.DIGESTS}{due}/{owner}.json"


ACCOUNTING_KEY = f"{Prefix.ACCOUNTING}raw-mail.json"
"""How far the hourly look at the raw mail has come, and what it found."""


def to_bytes(value: object) -> bytes:
    """JSON as all our objects are written: stable order, one value per line, so that a person can read and compare."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def from_bytes(body: bytes) -> dict[str, Any]:
    """The inverse. Raises ValueError: an object of ours that is no JSON object was damaged by somebody."""
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found {type(value).__name__}")
    return value
