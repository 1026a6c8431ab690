"""Hourly: does every raw mail have a disposition? Says how many have none, and which.

    mails under raw/ = dispositions + mails on their way + dead letters

A mail on its way is younger than ON_ITS_WAY: after five tries, 18 minutes apart, its message is a dead letter. What is
older and has no disposition is counted, and the alarm takes the dead letters off that count: the rest is mail that
nothing announces any more.

Both listings come in the order of the mail ids, so they are read side by side, a page of each in memory. A pass over a
large bucket takes several hours; the state object says where it goes on and what the last whole pass found.
"""

from bisect import bisect_right
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mailtls.reports.bucket_layout import ACCOUNTING_KEY, disposition_key, from_bytes, to_bytes
from mailtls.tls_rpt.contract import MAILS_WITHOUT_DISPOSITION, Prefix
from report_lambda.alert_desk import LEAST_TIME, Desk
from report_lambda.store import Listed, ObjectStore, swap

ON_ITS_WAY = timedelta(hours=2)
PAGE = 1000
"""Objects of one call."""
PAGES_OF_AN_HOUR = 300
"""Calls of one tick, $0.0015: enough for 60,000 mails among the dispositions of 400 days."""
MAX_NAMED = 20
"""Mail ids that the log names."""


@dataclass(frozen=True, slots=True)
class Count:
    """mails: raw mails passed. on_the_way, missing: those without a disposition, younger and older than ON_ITS_WAY.
    named: some of the latter, by mail id."""

    mails: int = 0
    on_the_way: int = 0
    missing: int = 0
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pass:
    """after: the mail id up to which `now` counts, "" at the beginning. last: the last whole pass."""

    after: str = ""
    now: Count = field(default_factory=Count)
    last: Count = field(default_factory=Count)

    @property
    def missing(self) -> int:
        """What the alarm looks at: a pass under way takes nothing back of what the last one found."""
        return max(self.now.missing, self.last.missing)

    def render(self) -> bytes:
        return to_bytes({"version": 1, **asdict(self)})

    @staticmethod
    def parse(body: bytes | None) -> "Pass":
        """Begun anew where somebody damaged it."""
        try:
            data = from_bytes(body or b"{}")
            return Pass(str(data["after"]), _count(data["now"]), _count(data["last"]))
        except (ValueError, KeyError, TypeError):
            return Pass()


def look(desk: Desk) -> Pass:
    """Go on with the pass, at most one whole one, count what has no disposition, and remember. Raises StoreError."""
    stored = desk.store.get(ACCOUNTING_KEY, 64 * 1024)
    before = Pass.parse(stored.body if stored else None)
    after = _go_on(before, desk)
    swap(desk.store, ACCOUNTING_KEY, lambda _: after.render())
    desk.tally.add(MAILS_WITHOUT_DISPOSITION, after.missing)
    return after


def _go_on(state: Pass, desk: Desk) -> Pass:
    calls = 0
    while calls < PAGES_OF_AN_HOUR and desk.time_left() >= LEAST_TIME:
        # raw first: a mail that is dealt with between the two listings then counts as dealt with
        mails = desk.store.list_objects(Prefix.RAW, start_after=f"{Prefix.RAW}{state.after}", limit=PAGE)
        calls += 1
        if mails:
            dealt_with, more = _dealt_with(desk.store, mails)
            calls += more
            state = replace(state, after=_id(mails[-1]), now=_counted(state.now, mails, dealt_with, desk.now))
        if len(mails) < PAGE:
            return Pass(last=state.now)
    return state


def _dealt_with(store: ObjectStore, mails: list[Listed]) -> tuple[set[str], int]:
    """Mail ids with a disposition among those from the first to the last of `mails`, and the calls that it took."""
    found: set[str] = set()
    wanted = {_id(mail) for mail in mails}
    keys, calls = sorted(map(disposition_key, wanted)), 0  # "a-b.json" stands before "a.json"
    after = f"{Prefix.DISPOSITIONS}{_id(mails[0])}"
    while True:
        listed = store.list_objects(Prefix.DISPOSITIONS, start_after=after, limit=PAGE)
        calls += 1
        found |= wanted & {entry.key.removeprefix(Prefix.DISPOSITIONS).removesuffix(".json") for entry in listed}
        rest = bisect_right(keys, listed[-1].key) if len(listed) == PAGE else len(keys)
        if rest == len(keys):
            return found, calls
        # what lies before the next one that is wanted is not listed: old dispositions may be many times the mails
        after = max(listed[-1].key, keys[rest].removesuffix(".json"))


def _counted(count: Count, mails: list[Listed], dealt_with: set[str], now: datetime) -> Count:
    without = [mail for mail in mails if _id(mail) not in dealt_with]
    missing = [_id(mail) for mail in without if now - mail.modified > ON_ITS_WAY]
    return Count(
        count.mails + len(mails),
        count.on_the_way + len(without) - len(missing),
        count.missing + len(missing),
        (*count.named, *missing)[:MAX_NAMED],
    )


def _id(mail: Listed) -> str:
    return mail.key.removeprefix(Prefix.RAW)


def _count(data: dict[str, Any]) -> Count:
    return Count(int(data["mails"]), int(data["on_the_way"]), int(data["missing"]), tuple(map(str, data["named"])))
