"""A domain that had reports gets none: said once, and once when they come back.

Silence proves neither health nor failure; most often it is the `_smtp._tls` record or the way in for reports that
broke. Only those who reported regularly count (reports/reporters.py). Looked at once a day: one read per domain.
"""

from datetime import timedelta

from mailtls.reports.causes import Cause, CauseKind
from mailtls.reports.reporters import fell_silent, speaking
from mailtls.reports.silence_alert import SILENT_AFTER, reports_are_back, silent
from mailtls.tls_rpt.contract import OwnDomain
from report_lambda import reporter_book
from report_lambda.alert_desk import LEAST_TIME, Desk
from report_lambda.domains import OwnDomains
from report_lambda.once import last_told, tell_once
from report_lambda.store import StoreError

HOUR = 8
"""UTC hour of the tick that looks."""
REMEMBER = timedelta(days=30)
"""A reporter that was silent for longer than this besides is not missed any more."""
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
    since = desk.now.date() - SILENT_AFTER
    cause = Cause(CauseKind.SILENCE, own.policy_domain)
    reporters = reporter_book.read(desk.store, own.policy_domain)
    back = speaking(reporters, since)
    if back is not None:
        if last_told(desk, cause) == SILENT:
            tell_once(desk, cause, BACK, lambda told: told == SILENT, reports_are_back(own, back, cause.id))
        return
    gone = fell_silent(reporters, since - REMEMBER, since)
    if gone and last_told(desk, cause) != SILENT:
        tell_once(desk, cause, SILENT, lambda told: told != SILENT, silent(own, gone, cause.id))
