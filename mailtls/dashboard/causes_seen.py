"""Which causes the reports of a domain name, from first to last sight, and which of them are open."""

from dataclasses import dataclass
from datetime import date, timedelta

from mailtls.dashboard.views import OpenCause
from mailtls.reports.causes import Cause, CauseKind, failures
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import explain
from mailtls.tls_rpt.ledger import LedgerEntry

OPEN_DAYS = 3
"""A cause is open while a report about one of the domain's newest days names it. Silence is not over: where reports
stop, the newest days are those of the last ones."""
MAX_CAUSES = 1000
"""Of one domain: a stranger may name hosts without end."""


@dataclass(slots=True)
class _Seen:
    sessions: int
    first: date
    last: date


class CausesSeen:
    """Takes the entries of one domain."""

    def __init__(self, own: OwnDomain) -> None:
        self._own = own
        self._seen: dict[Cause, _Seen] = {}
        self._newest = date.min
        self.left_out = 0

    def add(self, entry: LedgerEntry) -> None:
        """In any order of days."""
        day = entry.report.day
        self._newest = max(self._newest, day)
        for cause, found in failures(entry.report, self._own).items():
            sessions = found.counted[1]
            seen = self._seen.get(cause)
            if seen is not None:
                seen.sessions += sessions
                seen.first, seen.last = min(seen.first, day), max(seen.last, day)
            elif len(self._seen) < MAX_CAUSES:
                self._seen[cause] = _Seen(sessions, day, day)
            else:
                self.left_out += 1

    def open(self) -> tuple[OpenCause, ...]:
        """Most sessions first."""
        since = self._newest - timedelta(days=OPEN_DAYS - 1) if self._newest > date.min else date.min
        found = [
            OpenCause(_what(cause), cause.host, seen.sessions, seen.first, seen.last)
            for cause, seen in self._seen.items()
            if seen.last >= since
        ]
        return tuple(sorted(found, key=lambda one: (-one.sessions, one.what, one.host)))


def _what(cause: Cause) -> str:
    if cause.kind is CauseKind.MX_OUTSIDE_POLICY:
        return "an MX host that the policy does not name"
    if cause.result_type is None:
        return str(cause.kind)
    return f"{cause.result_type}: {explain(cause.result_type).meaning}"
