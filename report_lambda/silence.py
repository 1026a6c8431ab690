"""A domain that had reports gets none: said once, and once when they come back.

Silence proves neither health nor failure; most often it is the `_smtp._tls` record or the way in for reports that
broke. Looked at once a day, because it costs a listing per domain: 300 domains are 9,000 listings a month, about
0.05 USD.
"""

from datetime import date, timedelta

from mailtls.reports.alert_rules import AHEAD
from mailtls.reports.bucket_layout import ledger_day, ledger_of
from mailtls.reports.causes import Cause, CauseKind
from mailtls.reports.silence_alert import SILENT_AFTER, reports_are_back, silent
from mailtls.tls_rpt.contract import OwnDomain
from report_lambda.alert_desk import LEAST_TIME, Desk
from report_lambda.domains import OwnDomains
from report_lambda.once import last_told, tell_once
from report_lambda.store import StoreError

HOUR = 8
"""UTC hour of the tick that looks."""
REMEMBER = timedelta(days=30)
"""A domain without any report in this time before is not one that had reports."""
SILENT, BACK = "silent", "back"
"""Steps of the state (once.py)."""


def look(desk: Desk, domains: OwnDomains) -> int:
    """On the tick of HOUR: tell of each domain that fell silent or speaks again.

    One that fails does not hold up the others. Returns how many were not looked at for want of time; each day begins at
    another one. Raises StoreError at the end, naming those that failed.
    """
    if desk.now.hour != HOUR:
        return 0
    names = sorted(domains.by_name)
    first = desk.now.toordinal() * len(names) // 7 % len(names) if names else 0
    failed = []
    for done, name in enumerate(names[first:] + names[:first]):
        if desk.time_left() < LEAST_TIME:
            return len(names) - done
        try:
            _look_at(desk, domains.by_name[name])
        except StoreError as e:
            failed.append(f"{name}: {e}")
    if failed:
        raise StoreError("; ".join(failed))
    return 0


def _look_at(desk: Desk, own: OwnDomain) -> None:
    today = desk.now.date()
    cause = Cause(CauseKind.SILENCE, own.policy_domain)
    recent = _first_day(desk, own, today - SILENT_AFTER)
    if recent is not None:
        if last_told(desk, cause) == SILENT:
            tell_once(desk, cause, BACK, lambda told: told == SILENT, reports_are_back(own, recent, cause.id))
    elif _first_day(desk, own, today - SILENT_AFTER - REMEMBER) is not None and last_told(desk, cause) != SILENT:
        last = _last_day(desk, own, today)
        tell_once(desk, cause, SILENT, lambda told: told != SILENT, silent(own, last, cause.id))


def _first_day(desk: Desk, own: OwnDomain, since: date) -> date | None:
    """The oldest day since `since` that a report is about, unless it lies in the future: its sender chose it."""
    prefix = ledger_of(own.policy_domain)
    listed = desk.store.list_objects(prefix, start_after=f"{prefix}{since.isoformat()}", limit=1)
    oldest = date.fromisoformat(listed[0].key.removeprefix(prefix)[:10]) if listed else None
    return oldest if oldest is not None and oldest <= desk.now.date() + AHEAD else None


def _last_day(desk: Desk, own: OwnDomain, today: date) -> date:
    """The newest day that a report is about: a listing goes forwards only, so ask day by day, once per silence."""
    days = (today - SILENT_AFTER - timedelta(days=back) for back in range(1, REMEMBER.days + 1))
    return next(
        (d for d in days if desk.store.list_objects(ledger_day(own.policy_domain, d), limit=1)),
        today - SILENT_AFTER - REMEMBER,
    )
