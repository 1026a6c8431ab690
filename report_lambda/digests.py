"""Once a week: the digest of each owner, when the setting says so (mailtls/reports/digest.py).

The sums of each domain are kept in a state object of the week and the owner, so that many domains may take several
hours, and a killed invocation begins with the domain that it was at. Marked as told after it was sent: killed in
between, an owner gets it twice.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from mailtls.reports.bucket_layout import digest_key, from_bytes, ledger_of, to_bytes
from mailtls.reports.digest import Digest, Line, Weeks
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import InvalidLedgerEntry, LedgerEntry
from report_lambda.alert_desk import LEAST_TIME, Desk
from report_lambda.domains import OwnDomains
from report_lambda.ledger_days import MAX_BYTES, MAX_ENTRIES
from report_lambda.store import MAX_STATE_BYTES, Listed, read_all, swap

LAG = timedelta(days=2)
"""Reports about a day come in until the end of the next one."""
SAVED_EVERY = 20
"""Domains."""
PAGE = 1_000
"""Keys that one call lists."""
_WHEN = re.compile(r"([1-7])T([01][0-9]|2[0-3])")


@dataclass(frozen=True, slots=True)
class Weekly:
    """From when on the week's digest is due. weekday: 1 is Monday. hour: UTC."""

    weekday: int
    hour: int

    @staticmethod
    def parse(text: str) -> "Weekly | None":
        """`1T07`; None for anything else: no digest."""
        found = _WHEN.fullmatch(text)
        return Weekly(int(found[1]), int(found[2])) if found else None

    def due(self, now: datetime) -> date:
        """The day since which the newest is due."""
        day = now.date() - timedelta(days=(now.isoweekday() - self.weekday) % 7)
        return day if (now.date(), now.hour) >= (day, self.hour) else day - timedelta(days=7)


def look(desk: Desk, weekly: Weekly, domains: OwnDomains) -> int:
    """Send what is due. Returns how many domains had to be left to the next hour. Raises StoreError."""
    due = weekly.due(desk.now)
    weeks = Weeks(due - LAG)
    by_owner: dict[str, list[OwnDomain]] = {}
    for own in domains.by_name.values():
        by_owner.setdefault(own.owner or "", []).append(own)
    left = 0
    for owner, owned in sorted(by_owner.items()):
        left += _look_at(desk, weeks, due, owner, owned)
    return left


def _look_at(desk: Desk, weeks: Weeks, due: date, owner: str, owned: list[OwnDomain]) -> int:
    key = digest_key(due, hashlib.sha256(owner.encode()).hexdigest()[:16])
    stored = desk.store.get(key, MAX_STATE_BYTES)
    told, lines = _read(stored.body if stored else None)
    if told:
        return 0
    waiting = [own for own in owned if own.policy_domain not in lines]
    for number, own in enumerate(waiting, 1):
        if desk.time_left() < LEAST_TIME:
            _save(desk, key, lines)
            return len(waiting) - number + 1
        lines[own.policy_domain] = _line(desk, weeks, own)
        if number % SAVED_EVERY == 0:
            _save(desk, key, lines)
    _save(desk, key, lines)
    names = {own.policy_domain for own in owned}
    desk.send_beside(Digest.of(owner, weeks, (line for name, line in lines.items() if name in names)).message())
    _save(desk, key, lines, told=True)
    return 0


def _line(desk: Desk, weeks: Weeks, own: OwnDomain) -> Line:
    line = Line(own.policy_domain, own.mode or "")
    for _, stored in read_all(desk.store, _listed(desk, weeks, line), MAX_BYTES):
        try:
            line.add(LedgerEntry.parse(stored.body), weeks, own)
        except InvalidLedgerEntry:  # a number less is better than no message
            line.whole = False
    return line


def _listed(desk: Desk, weeks: Weeks, line: Line) -> Iterator[Listed]:
    """Of each day as many as an alert about it reads. What is left out makes `line` one that is not whole."""
    prefix, of_day = ledger_of(line.policy_domain), Counter[str]()
    after, end = f"{prefix}{weeks.earliest}/", f"{prefix}{weeks.last + timedelta(days=1)}/"
    while True:
        listed = [one for one in desk.store.list_objects(prefix, start_after=after, limit=PAGE) if one.key < end]
        for one in listed:
            day = one.key.removeprefix(prefix).partition("/")[0]
            of_day[day] += 1
            if of_day[day] <= MAX_ENTRIES and one.size <= MAX_BYTES:
                yield one
            else:
                line.whole = False
        if len(listed) < PAGE:
            return
        after = listed[-1].key if of_day[day] <= MAX_ENTRIES else f"{prefix}{day}/~"  # the next day


def _save(desk: Desk, key: str, lines: dict[str, Line], *, told: bool = False) -> None:
    """With what another invocation has added meanwhile."""

    def step(body: bytes | None) -> bytes:
        was_told, before = _read(body)
        both = {**before, **lines}
        written: dict[str, Any] = {name: line.to_json() for name, line in sorted(both.items())}
        return to_bytes({"version": 1, "told": told or was_told, "lines": {} if told else written})

    swap(desk.store, key, step)


def _read(body: bytes | None) -> tuple[bool, dict[str, Line]]:
    """Begun anew where somebody damaged it."""
    try:
        data = from_bytes(body or b"{}")
        return bool(data["told"]), {name: Line.from_json(line) for name, line in data["lines"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return False, {}
