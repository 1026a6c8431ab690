"""State of one alert, as the object `alerts/<cause>.json` holds it. Pure: values and their JSON.

Every change is a compare-and-swap (`If-None-Match` for the first, `If-Match` afterwards), so of two invocations that
want to send the same message one loses the write and stays silent.
"""

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from mailtls.mta_sts.policy import Mode
from mailtls.reports.applied import Basis
from mailtls.reports.causes import Cause, CauseKind, Sighting, worst
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.report import PolicyType, ResultType

VERSION = 1


class InvalidAlertState(ValueError):
    """The object is not what we write. A person changed it, or a later version wrote it."""


class NoticeKind(StrEnum):
    """Which message is due."""

    OPENED = "opened"
    REPEATED = "repeated"
    SUSPECTED = "suspected"  # what an earlier message told looks like a downgrade now (downgrade_alert.py)
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that somebody has begun to send. It stands until the message is out.

    severity is what the message says. by is the invocation that sends. A claim that is older than
    alert_rules.CLAIM_LIFE belongs to one that died: whoever sees it sends in its place.
    """

    kind: NoticeKind
    at: datetime
    by: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class AlertState:
    """opened_at: when the first message was decided. None: nothing is open.

    sightings: what the stored reports say, one per report. told: the keys of those that a message has counted.
    told_at, told_failed, told_severity: of the last message. clean: (reporter, day) of the newest clean report of each
    of the reporters that saw it. clean_until: day up to which the last all-clear reached. crowded: more reporters saw
    it than are kept, so nobody can tell when the last of them is clean.
    beside: newest day with failures for which somebody else reported clean sessions. suspected: a message told of a
    possible downgrade; it stays so until the alert is over. muted: a mute of the domain held news back.
    """

    cause: Cause
    opened_at: datetime | None = None
    sightings: tuple[Sighting, ...] = ()
    told: frozenset[str] = frozenset()
    told_at: datetime | None = None
    told_failed: int = 0
    told_severity: Severity | None = None
    clean: tuple[tuple[str, date], ...] = ()
    clean_until: date | None = None
    claim: Claim | None = None
    crowded: bool = False
    beside: date | None = None
    suspected: bool = False
    muted: bool = False

    @property
    def failed(self) -> int:
        """Failed sessions of all sightings; a lower bound when one of them is `uncounted`."""
        return sum(seen.failed for seen in self.sightings)

    @property
    def last_day(self) -> date | None:
        """The newest day on which it was seen."""
        return max((seen.day for seen in self.sightings), default=None)

    @property
    def newest(self) -> tuple[Sighting, ...]:
        """The sightings of the newest day."""
        return tuple(seen for seen in self.sightings if seen.day == self.last_day)

    @property
    def failing_until(self) -> dict[str, date]:
        """The newest day on which each reporter may have seen it: of a report about a week, the last one."""
        newest: dict[str, date] = {}
        for seen in self.sightings:
            newest[seen.reporter] = max(seen.last_day or seen.day, newest.get(seen.reporter, date.min))
        return newest

    @property
    def policy_types(self) -> frozenset[PolicyType]:
        """Policy types under which it was seen."""
        return frozenset(seen.policy_type for seen in self.sightings)

    @property
    def worst(self) -> Severity:
        """Worst severity of the newest day: after a return to testing it falls."""
        return worst(seen.severity for seen in self.newest)

    @property
    def severity(self) -> Severity:
        """What the message that is being sent says."""
        return self.claim.severity if self.claim is not None else self.told_severity or self.worst

    def to_json(self) -> dict[str, Any]:
        """The object's content."""
        return {
            "version": VERSION,
            "cause": dataclasses.asdict(self.cause),
            "opened_at": _text(self.opened_at),
            "sightings": [_sighting_to_json(seen) for seen in self.sightings],
            "told": sorted(self.told),
            "told_at": _text(self.told_at),
            "told_failed": self.told_failed,
            "told_severity": self.told_severity,
            "clean": {reporter: day.isoformat() for reporter, day in self.clean},
            "clean_until": _text(self.clean_until),
            "claim": _claim_to_json(self.claim),
            "crowded": self.crowded,
            "beside": _text(self.beside),
            "suspected": self.suspected,
            "muted": self.muted,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> "AlertState":
        """The inverse. Raises InvalidAlertState."""
        try:
            if data["version"] != VERSION:
                raise InvalidAlertState(f"alert state version {data['version']!r} is not known here ({VERSION} is)")
            return AlertState(
                cause=_cause(data["cause"]),
                opened_at=_moment(data["opened_at"]),
                sightings=tuple(_sighting(seen) for seen in data["sightings"]),
                told=frozenset(data["told"]),
                told_at=_moment(data["told_at"]),
                told_failed=data["told_failed"],
                told_severity=Severity(data["told_severity"]) if data["told_severity"] else None,
                clean=tuple((who, date.fromisoformat(day)) for who, day in sorted(data["clean"].items())),
                clean_until=date.fromisoformat(data["clean_until"]) if data["clean_until"] else None,
                claim=_claim(data["claim"]),
                crowded=data.get("crowded", False),
                beside=_date(data.get("beside")),
                suspected=data.get("suspected", False),
                muted=data.get("muted", False),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            if isinstance(e, InvalidAlertState):
                raise
            raise InvalidAlertState(f"not the state of an alert: {e!r}") from e


def _cause(data: dict[str, Any]) -> Cause:
    result_type = ResultType(data["result_type"]) if data["result_type"] else None
    return Cause(CauseKind(data["kind"]), data["policy_domain"], result_type, data["host"])


def _sighting(data: dict[str, Any]) -> Sighting:
    values = {
        **data,
        "day": date.fromisoformat(data["day"]),
        "policy_type": PolicyType(data["policy_type"]),
        "mode": Mode(data["mode"]) if data["mode"] else None,
        "severity": Severity(data["severity"]),
        "addresses": tuple(data["addresses"]),
        "patterns": tuple(data["patterns"]),
        "last_day": _date(data.get("last_day")),
        "last_served": _date(data.get("last_served")),
        "basis": Basis(data.get("basis", Basis.KNOWN)),
        "result_words": tuple(data.get("result_words", ())),
        "networks": tuple(data.get("networks", ())),
    }
    return Sighting(**values)


def _sighting_to_json(seen: Sighting) -> dict[str, Any]:
    dates = {"day": seen.day, "last_day": seen.last_day, "last_served": seen.last_served}
    return {**dataclasses.asdict(seen), **{name: _text(value) for name, value in dates.items()}}


def _claim_to_json(claim: Claim | None) -> dict[str, str] | None:
    if claim is None:
        return None
    return {"kind": claim.kind, "at": claim.at.isoformat(), "by": claim.by, "severity": claim.severity}


def _claim(data: dict[str, str] | None) -> Claim | None:
    if not data:
        return None
    kind, severity = NoticeKind(data["kind"]), Severity(data.get("severity", Severity.WARNING))
    return Claim(kind, datetime.fromisoformat(data["at"]), data["by"], severity)


def _text(moment: datetime | date | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
