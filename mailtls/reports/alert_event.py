"""What a message is about, for machines: the values behind its words. Pure.

`alert_json.py` writes them down; the schema is `alert.v1.schema.json` beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Status(StrEnum):
    """What has become of the cause. A closed set."""

    OPENED = "opened"
    """The first message."""
    REPEATED = "repeated"
    """It goes on, is worse, or more is known."""
    OVER = "over"
    """It has ended: an incident with the same key can be resolved."""
    NOTE = "note"
    """Tells something that has no end of its own."""


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One message.

    dedup_key: the same for all messages about one thing, so that they are one incident: the cause's id, or the id of
    what several domains share. kind: a CauseKind, `shared-host` or `held-back`.
    result_type, host: as in the reports; "" where there is none. failed_sessions, sessions: of the newest day, None
    where no number is known; first_day, last_day: UTC, with failures. reporters: proven signing domains of that day.
    links: by name (`report`, `runbook`, `dashboard`, `spec`), addresses or paths. contact: of the spec.
    """

    status: Status
    kind: str
    dedup_key: str
    result_type: str = ""
    host: str = ""
    possible_downgrade: bool = False
    failed_sessions: int | None = None
    sessions: int | None = None
    first_day: date | None = None
    last_day: date | None = None
    reporters: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""
