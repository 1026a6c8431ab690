"""A reporter that applied our enforced policy a few days ago and finds none now. Pure: who asks reads the days.

Whoever can keep a sender from the TXT record or from the policy host turns MTA-STS off for it once its cache runs out
(RFC 8461 section 10.2), and such a sender reports plain successes. The event is the change: a reporter that has not
applied the policy within LOOK_BACK days, or one that was told of, sets off nothing.

Senders for whom only `enforce` counts report no policy after a return to testing. So this looks at domains that are in
enforce, and only where no other mode was served during the report's period.
"""

from collections.abc import Callable
from datetime import timedelta

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports.applied import Basis, Judge
from mailtls.reports.causes import Cause, CauseKind, Sighting, last_day_of
from mailtls.reports.evidence import LOOK_BACK, Days
from mailtls.reports.sender_text import clean
from mailtls.reports.served import History
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyResult, PolicyType, Report


def cause_of(own: OwnDomain) -> Cause:
    """One alert for the domain, whoever sees it."""
    return Cause(CauseKind.POLICY_LOST, own.policy_domain, None, policy_host(own.policy_domain))


def look(key: str, entry: LedgerEntry, own: OwnDomain, ledger: Days, history: Callable[[], History]) -> Sighting | None:
    """What the ledger entry at `key` says of a lost policy; None when it does not. `failed` are sessions that met no
    policy; they count under sts, since only a session that meets the policy shows that it is found again.

    history: what was served; asked only when all else speaks for it. What reading the ledger raises comes through.
    """
    lost = sum(_sessions(row) for row in entry.report.policies if row.policy_type is PolicyType.NO_POLICY_FOUND)
    if own.mode != Mode.ENFORCE or not lost or _applies(entry.report) or not _applied_before(entry, own, ledger):
        return None
    if _another_mode(entry.report, history()):
        return None
    last_day = last_day_of(entry.report)
    return Sighting(
        report=key,
        reporter=entry.signer,
        organization=clean(entry.report.organization_name, 40),
        day=entry.report.day,
        policy_type=PolicyType.STS,
        failed=lost,
        uncounted=False,
        mode=None,
        severity=Severity.WARNING,
        last_day=last_day if last_day != entry.report.day else None,
    )


def _applied_before(entry: LedgerEntry, own: OwnDomain, ledger: Days) -> bool:
    """Did it apply the deployed policy on the newest earlier day of which it reported, and nowhere on this one?"""

    def theirs(days: int) -> list[Report]:
        heard = ledger.day(own, entry.report.day - timedelta(days=days)).reports
        return [h.entry.report for h in heard if h.entry.signer == entry.signer and h.entry.report != entry.report]

    before = next(filter(None, map(theirs, range(1, LOOK_BACK + 1))), [])
    # another report of the same day may say that only some of its servers find none
    return any(_applies_enforced(report, own) for report in before) and not any(map(_applies, theirs(0)))


def _applies(report: Report) -> bool:
    return any(row.policy_type is PolicyType.STS and _sessions(row) for row in report.policies)


def _applies_enforced(report: Report, own: OwnDomain) -> bool:
    judge = Judge(report, own)
    rows = (judge.applied(row) for row in report.policies if row.policy_type is PolicyType.STS and _sessions(row))
    return any(applied.basis is Basis.KNOWN and applied.mode is Mode.ENFORCE for applied in rows)


def _another_mode(report: Report, history: History) -> list[Mode]:
    return [
        served.policy.mode
        for served in history
        if served.policy.mode is not Mode.ENFORCE
        and served.since <= report.end_datetime
        and (served.until is None or served.until >= report.start_datetime)
    ]


def _sessions(row: PolicyResult) -> int:
    return (row.total_successful_session_count or 0) + (row.total_failure_session_count or 0)
