"""The sums over one domain's reports, and what is known of it beside them, as the values that its page shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from mailtls.dashboard.causes_seen import CausesSeen
from mailtls.dashboard.chart import Sessions
from mailtls.dashboard.reporter_pages import DayOfReporter, FailuresOfReporter
from mailtls.dashboard.views import (
    DomainView,
    Failure,
    NamedPolicy,
    NextStep,
    Reporter,
    SendingHost,
    ServedPolicy,
)
from mailtls.rollout.history import History
from mailtls.tls_rpt.report import PolicyType, ResultType
from mailtls.totals.period import Period
from mailtls.totals.totals import DomainTotals

NameHosts = Callable[[Sequence[str]], Mapping[str, str]]
"""Addresses to their proven host names, for those that have one."""
MAX_NAMED = 50
"""Sending addresses of one domain whose name is asked for, those with most failures first."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a domain beside its reports. history: None where nobody looked what was served. step: None where
    the controller was not asked."""

    owner: str = ""
    history: History | None = None
    step: NextStep | None = None


def domain_view(
    totals: DomainTotals,
    period: Period,
    causes: CausesSeen,
    known: Known,
    calls_itself: Mapping[str, str],
    unread: set[date],
    raw: Mapping[date, str],
    name_hosts: NameHosts = lambda _: {},
    posted: int = 0,
) -> DomainView:
    """totals: of the period and no other. calls_itself: what organisations call themselves. raw: as in DomainView."""
    sending_hosts = _sending_hosts(totals)
    hosts = name_hosts([one.address for one in sending_hosts[:MAX_NAMED]])
    history = known.history
    current = history.current if history else None
    since = history.mode_since() if history else None
    left_out = []
    if causes.left_out:
        left_out.append(f"{causes.left_out:,} sightings of further causes: only so many are told apart.")
    if totals.left_out:
        left_out.append(f"{totals.left_out:,} reports about more days than are kept.")
    return DomainView(
        policy_domain=totals.policy_domain,
        period=period,
        reports=_reports(totals),
        by_type=_by_type(totals),
        reporters=_reporters(totals, calls_itself),
        failures=_failures(totals),
        sending_hosts=[replace(one, host=hosts.get(one.address, "")) for one in sending_hosts],
        named=_named(totals),
        served=_served(history) if history else (),
        causes=causes.open(),
        owner=known.owner,
        mode=str(current.policy.mode) if current else "",
        mode_since=since.date() if since else None,
        next_step=known.step,
        unread=tuple(sorted(unread)),
        raw=raw,
        left_out=left_out,
        posted=posted,
    )


def failures_of_reporters(totals: DomainTotals) -> Iterator[FailuresOfReporter]:
    """What each organisation reports of each way to fail."""
    sums: dict[tuple[str, PolicyType, ResultType | None], int] = {}
    for key, failed in totals.failures.items():
        of = (key.organisation, key.policy_type, key.result_type)
        sums[of] = sums.get(of, 0) + failed
    return (FailuresOfReporter(*of, failed) for of, failed in sums.items())


def days_of_reporters(totals: DomainTotals) -> Iterator[DayOfReporter]:
    """What each organisation reports of each day."""
    for key, count in totals.sessions.items():
        yield DayOfReporter(key.organisation, key.day, key.policy_type, Sessions(count.successful, count.failed))


def _reports(totals: DomainTotals) -> dict[date, int]:
    reports: dict[date, int] = {}
    for (day, _), number in totals.reports.items():
        reports[day] = reports.get(day, 0) + number
    return reports


def _by_type(totals: DomainTotals) -> dict[PolicyType, dict[date, Sessions]]:
    by_type: dict[PolicyType, dict[date, Sessions]] = {}
    for key, count in totals.sessions.items():
        of_type = by_type.setdefault(key.policy_type, {})
        of_type[key.day] = of_type.get(key.day, Sessions()) + Sessions(count.successful, count.failed)
    return by_type


def _reporters(totals: DomainTotals, calls_itself: Mapping[str, str]) -> tuple[Reporter, ...]:
    """Most MTA-STS sessions first."""
    reports: dict[str, int] = {}
    last: dict[str, date] = {}
    for (day, who), number in totals.reports.items():
        reports[who] = reports.get(who, 0) + number
        last[who] = max(day, last.get(who, day))
    by_type: dict[str, dict[PolicyType, Sessions]] = {who: {} for who in reports}
    for key, count in totals.sessions.items():
        of_who = by_type[key.organisation]
        of_who[key.policy_type] = of_who.get(key.policy_type, Sessions()) + Sessions(count.successful, count.failed)
    found = [Reporter(who, calls_itself.get(who, ""), by_type[who], reports[who], last[who]) for who in reports]
    return tuple(sorted(found, key=lambda one: (-one.by_type.get(PolicyType.STS, Sessions()).total, one.organisation)))


def _failures(totals: DomainTotals) -> tuple[Failure, ...]:
    sums: dict[tuple[PolicyType, ResultType | None, str], int] = {}
    for key, failed in totals.failures.items():
        of = (key.policy_type, key.result_type, key.mx)
        sums[of] = sums.get(of, 0) + failed
    return tuple(Failure(*of, failed) for of, failed in sums.items())


def _sending_hosts(totals: DomainTotals) -> tuple[SendingHost, ...]:
    """Most failed sessions first. Of each address the larger of its policy types: they are never added up."""
    sums: dict[tuple[str, str], dict[PolicyType, int]] = {}
    last: dict[tuple[str, str], date] = {}
    for key, failed in totals.failures.items():
        if key.sending:
            of = (key.sending, key.organisation)
            by_type = sums.setdefault(of, {})
            by_type[key.policy_type] = by_type.get(key.policy_type, 0) + failed
            last[of] = max(key.day, last.get(of, key.day))
    found = [SendingHost(*of, max(by_type.values()), last[of]) for of, by_type in sums.items()]
    return tuple(sorted(found, key=lambda one: (-one.sessions, one.address, one.organisation)))


def _named(totals: DomainTotals) -> tuple[NamedPolicy, ...]:
    """The newest first."""
    found: dict[tuple[str, str], NamedPolicy] = {}
    for key, count in totals.policies.items():
        of = (key.policy.mode, key.policy.digits)
        sessions = Sessions(count.successful, count.failed)
        known = found.get(of, NamedPolicy(*of, key.day, key.day, Sessions()))
        first, last = min(known.first, key.day), max(known.last, key.day)
        found[of] = NamedPolicy(*of, first, last, known.sessions + sessions)
    return tuple(sorted(found.values(), key=lambda one: (one.last, one.first, one.digits), reverse=True))


def _served(history: History) -> tuple[ServedPolicy, ...]:
    return tuple(
        ServedPolicy(
            str(served.policy.mode),
            served.policy_id,
            served.since.date(),
            served.until.date() if served.until else None,
            tuple(pattern.text for pattern in served.policy.mx),
            served.policy.max_age,
        )
        for served in history.served
    )
