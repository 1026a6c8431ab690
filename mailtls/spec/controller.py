"""What a spec tells the controller: the keys `rollout`, `hold`, `retire` and `adopted`. Values and their reading."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mailtls.spec.duration import seconds
from mailtls.spec.errors import Fault, quoted


@dataclass(frozen=True, slots=True)
class Rollout:
    """What has to be seen before testing becomes enforce; the defaults are those of the schema.

    manual: nothing is proposed. days: in which this very policy was served. sessions: clean ones. reporters:
    organisations that saw some. max_failure_rate: of the sessions of the last seven days, 0 to 1.
    planned_move: UTC day on which MX records move; None: no such day.
    """

    manual: bool = False
    days: int = 14
    sessions: int = 100
    reporters: int = 2
    max_failure_rate: Fraction = Fraction(0)
    planned_move: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a former host served. max_age: seconds. until: UTC, the first moment at which nobody could fetch it."""

    max_age: int
    until: datetime.datetime


@dataclass(frozen=True, slots=True)
class Controller:
    """hold: propose nothing, urgent or not. retire: the domain shall lose its policy."""

    rollout: Rollout = Rollout()
    hold: bool = False
    retire: bool = False
    adopted: Adopted | None = None


BY_DEFAULT = Controller()


def controller(data: Mapping[str, Any], faults: list[Fault]) -> Controller:
    """From a spec's data, which fits the schema. Adds what is wrong to `faults`."""
    if data.keys().isdisjoint(("rollout", "hold", "retire", "adopted")):
        return BY_DEFAULT
    adopted = _adopted(data["adopted"], faults) if "adopted" in data else None
    rollout = _rollout(data.get("rollout", {}), faults)
    return Controller(rollout, data.get("hold", False), data.get("retire", False), adopted)


def single_values(data: Mapping[str, Any], faults: list[Fault]) -> None:
    """The faults of single values in `data`, which need not be whole: `adopted` may lack a key."""
    _rollout(data.get("rollout", {}), faults)
    if "until" in data.get("adopted", {}):
        _day(data["adopted"]["until"], ("adopted", "until"), faults)


def written(spec: Controller) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and text of each value that is not the default, in the order of the schema."""
    rollout, plain = spec.rollout, Rollout()
    if rollout.manual:
        yield ("rollout",), "manual"
    for name in ("days", "sessions", "reporters"):
        if getattr(rollout, name) != getattr(plain, name):
            yield ("rollout", "after", name), str(getattr(rollout, name))
    if rollout.max_failure_rate:
        yield ("rollout", "after", "max_failure_rate"), f"{float(rollout.max_failure_rate * 100):g}%"
    if rollout.planned_move:
        yield ("rollout", "planned_move"), rollout.planned_move.isoformat()
    if spec.hold:
        yield ("hold",), "true"
    if spec.retire:
        yield ("retire",), "true"
    if spec.adopted:
        yield ("adopted", "max_age"), f"{spec.adopted.max_age} seconds"
        yield ("adopted", "until"), f"{spec.adopted.until - datetime.timedelta(days=1):%Y-%m-%d}"


def _rollout(data: Mapping[str, Any] | str, faults: list[Fault]) -> Rollout:
    if isinstance(data, str):  # the schema lets no other word than manual pass
        return Rollout(manual=True)
    after = data.get("after", {})
    plain = Rollout()
    rate = after.get("max_failure_rate", 0)
    move = data.get("planned_move")
    return Rollout(
        days=int(after.get("days", plain.days)),
        sessions=int(after.get("sessions", plain.sessions)),
        reporters=int(after.get("reporters", plain.reporters)),
        max_failure_rate=Fraction(rate[:-1]) / 100 if isinstance(rate, str) else Fraction(0),
        planned_move=_day(move, ("rollout", "planned_move"), faults) if move is not None else None,
    )


def _adopted(data: Mapping[str, Any], faults: list[Fault]) -> Adopted | None:
    for key in ("max_age", "until"):
        if key not in data:
            message = "missing; write what the former host served: adopted: {max_age: 4w, until: 2026-11-01}"
            faults.append(Fault(("adopted", key), message))
    if "max_age" not in data or "until" not in data:
        return None
    kept = seconds(data["max_age"], ("adopted", "max_age"), faults)
    last = _day(data["until"], ("adopted", "until"), faults)
    if last is None:
        return None
    midnight = datetime.datetime.combine(last, datetime.time(), datetime.UTC)
    return Adopted(kept, midnight + datetime.timedelta(days=1))


def _day(text: str, path: tuple[str, ...], faults: list[Fault]) -> datetime.date | None:
    """A day of a calendar, which a pattern cannot tell. The last years are left out: dates are added to it."""
    try:
        day = datetime.date.fromisoformat(text)
        if not 1970 <= day.year <= 9000:
            raise ValueError("year is out of range")
    except ValueError as e:
        faults.append(Fault(path, f"{quoted(text)} is not a day of the calendar: {e}; write it as in 2026-12-24"))
        return None
    return day
