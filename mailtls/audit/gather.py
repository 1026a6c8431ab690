"""From what was read to what the pack says of one domain. Pure; one report is held at a time."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from mailtls.audit.facts import (
    Applied,
    ChangeOf,
    Failure,
    Look,
    PolicyVersion,
    Reporter,
    Reports,
    SeenCertificate,
    SpecException,
)
from mailtls.mta_sts.policy import InvalidPolicy, Policy
from mailtls.mta_sts.record import InvalidRecord, policy_id_of
from mailtls.observed import Observed
from mailtls.reports.causes import Cause, failures
from mailtls.reports.served import Stated
from mailtls.rollout.history import Version, says_the_same
from mailtls.spec.model import PolicySpec
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyType
from mailtls.totals.facts import who_reported
from mailtls.totals.period import Period

MAX_DAYS = 400
"""Of one pack: as long as policies and reports are kept."""
MAX_NAMED = 200
"""Organisations and causes of one domain that are named; further ones count as `others`."""
OTHERS = "others"
DUE_AFTER = timedelta(days=2)
"""Reports about a day come until the end of the next: they are all there two days later."""
SLACK = timedelta(minutes=10)
"""A commit may be so much later than what it led to: clocks of two machines."""


@dataclass(frozen=True, slots=True)
class SpecCommit:
    """A commit that changed the domain's files. spec: as it was then; None: there was none, or it could not be read."""

    change: ChangeOf
    spec: PolicySpec | None


def policy_versions(versions: Iterable[Version], period: Period) -> list[tuple[PolicyVersion, bytes | None]]:
    """Those in force at some moment of the period, oldest first, each with its bytes; None where nothing was served."""
    found: list[tuple[PolicyVersion, bytes | None]] = []
    until: datetime | None = None
    for one in sorted(versions, key=lambda version: version.modified, reverse=True):
        if one.modified.date() <= period.last and (until is None or until.date() >= period.first):
            found.append((_version(one, until), one.body))
        until = one.modified
    return found[::-1]


def _version(one: Version, until: datetime | None) -> PolicyVersion:
    policy = parsed(one.body)
    try:
        policy_id = policy_id_of(one.version_id)
    except InvalidRecord:
        policy_id = ""
    file = f"policies/{policy_id or hashlib.sha256(one.version_id.encode()).hexdigest()[:32]}.txt"
    return PolicyVersion(
        one.version_id,
        policy_id,
        one.modified,
        until,
        file if one.body is not None else "",
        str(policy.mode) if policy else "",
        policy.max_age if policy else None,
        tuple(pattern.text for pattern in policy.mx) if policy else (),
    )


def parsed(body: bytes | None) -> Policy | None:
    """The policy that a sender reads there, if any."""
    try:
        return Policy.parse(body) if body is not None else None
    except InvalidPolicy:
        return None


def change_of(policy: Policy | None, since: datetime, commits: Sequence[SpecCommit]) -> ChangeOf | None:
    """The commit that asked for what was served from `since` on. commits: newest first. None: no commit before it
    holds that policy, so it was not this branch that asked."""
    found: ChangeOf | None = None
    for commit in commits:
        if commit.change.at > since + SLACK:
            continue
        mta_sts = commit.spec.mta_sts if commit.spec else None
        if policy is None or mta_sts is None or not says_the_same(mta_sts.policy, policy):
            break
        found = commit.change
    return found


def exceptions(spec: PolicySpec | None, commits: Sequence[SpecCommit], period: Period) -> tuple[SpecException, ...]:
    """What the spec let pass at some moment of the period, oldest first. spec: as it is today. commits: newest first. A
    commit that has no spec of the domain, or one that could not be read, ends what stood before it."""
    found: list[SpecException] = []
    standing: dict[tuple[str, str, datetime | None], ChangeOf] = {}
    for commit in reversed(commits):
        now = _lets_pass(commit.spec)
        gone = [one for one in standing if one not in now]
        found += [_exception(one, standing.pop(one), commit.change) for one in gone]
        for one in now:
            standing.setdefault(one, commit.change)
    found += [_exception(one, since, None) for one, since in standing.items()]
    found += [_exception(one, None, None) for one in _lets_pass(spec) if one not in standing]  # not committed
    return tuple(one for one in found if _within(one, period))


def _exception(one: tuple[str, str, datetime | None], since: ChangeOf | None, until: ChangeOf | None) -> SpecException:
    what, reason, ends = one
    return SpecException(
        what,
        reason,
        since.at if since else None,
        since.commit if since else "",
        until.at if until else None,
        until.commit if until else "",
        ends,
    )


def _within(one: SpecException, period: Period) -> bool:
    ended = min((moment.date() for moment in (one.until, one.ends) if moment), default=period.last)
    return (one.since is None or one.since.date() <= period.last) and ended >= period.first


def _lets_pass(spec: PolicySpec | None) -> list[tuple[str, str, datetime | None]]:
    """What, why, and the moment at which it ends by itself."""
    if spec is None:
        return []
    found: list[tuple[str, str, datetime | None]] = [
        (f"rule {rule} is suppressed", reason, None) for rule, reason in sorted(spec.suppress.items())
    ]
    if spec.controller.hold:
        found.append(("hold: the controller proposes nothing", "", None))
    if spec.controller.rollout.manual:
        found.append(("rollout: manual, the step to enforce is left to a person", "", None))
    if spec.mute:
        found.append(("alerts are muted", spec.mute.reason, spec.mute.until))
    return found


def look_of(observed: Observed) -> Look:
    """The first answer of the policy host that came, and what did not come."""
    answers = [look for look in observed.https if look.body is not None] or list(observed.https)
    first = answers[0] if answers else None
    seen = first.tls if first else None
    certificate = None
    if seen is not None and seen.certificate is not None:
        shown = seen.certificate
        certificate = SeenCertificate(shown.issuer, shown.not_before, shown.not_after, shown.dns_ids, seen.trouble)
    told = [*observed.unasked]
    asked = [answer for answer in (observed.sts, observed.mx) if answer is not None and answer.failure]
    told += [f"{answer.rdtype} {answer.name}: {answer.failure}" for answer in asked]
    if first is not None and first.body is None:
        told.append(f"policy at {first.address}: {first.failure or f'HTTP {first.status}'}")
    return Look(
        observed.at,
        observed.sts.values if observed.sts else (),
        hashlib.sha256(first.body).hexdigest() if first and first.body is not None else "",
        (first.header("x-amz-version-id") or "") if first else "",
        certificate,
        tuple(host.host for host in observed.mail_hosts),
        tuple(told),
    )


@dataclass(slots=True)
class _Cause:
    sessions: int
    first: date
    last: date
    seen_by: dict[str, date]
    """Each with the last day on which it did."""


@dataclass(slots=True)
class ReportsTally:
    """Filled by `add`, in any order. versions: of the policy object, to tell who applied which."""

    own: OwnDomain
    versions: Sequence[PolicyVersion] = ()
    _count: int = 0
    _days: set[date] = field(default_factory=set)
    _by_type: dict[str, tuple[int, int]] = field(default_factory=dict)
    _reporters: dict[str, Reporter] = field(default_factory=dict)
    _reported: dict[str, set[date]] = field(default_factory=dict)
    _causes: dict[Cause, _Cause] = field(default_factory=dict)
    _applied: dict[tuple[str, str], Applied] = field(default_factory=dict)
    left_out: int = 0

    def add(self, entry: LedgerEntry) -> None:
        """Count one report."""
        day, who = entry.report.day, self._named(who_reported(entry))
        self._count += 1
        self._days.add(day)
        self._reported.setdefault(who, set()).add(day)
        good = bad = 0
        for row in entry.report.policies:
            successful, failed = row.total_successful_session_count or 0, row.total_failure_session_count or 0
            before = self._by_type.get(row.policy_type, (0, 0))
            self._by_type[str(row.policy_type)] = (before[0] + successful, before[1] + failed)
            if row.policy_type is PolicyType.STS:
                good, bad = good + successful, bad + failed
                self._apply(row.policy_string, who, day, successful + failed)
        reporter = self._reporters.get(who, Reporter(who, 0, 0, 0))
        self._reporters[who] = Reporter(who, reporter.reports + 1, reporter.successful + good, reporter.failed + bad)
        for cause, found in failures(entry.report, self.own).items():
            self._saw(cause, who, day, found.counted[1])

    def reports(self, unread: Iterable[date], file: str, period: Period, made: date) -> Reports:
        """unread: days that could not be read whole. file: where the entries lie in the pack. made: the day on which
        it is, UTC: senders report about a day until the end of the next one."""
        unread = set(unread)
        until = min(period.last, made - DUE_AFTER)
        due = {day for day in period.days() if day <= until} - unread
        reporters = sorted(self._reporters.values(), key=lambda one: (-one.reports, one.organisation))
        by_type = dict(sorted(self._by_type.items()))
        missing = len(due - self._days)
        return Reports(
            self._count, len(self._days), len(due), missing, tuple(sorted(unread)), by_type, tuple(reporters), file
        )

    def failures(self) -> tuple[Failure, ...]:
        """Most sessions first."""
        found = [
            Failure(
                cause.id,
                str(cause.result_type or cause.kind),
                cause.host or "",
                seen.first,
                seen.last,
                seen.sessions,
                tuple(sorted(seen.seen_by)),
                self._clean_since(seen),
            )
            for cause, seen in self._causes.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.sessions, one.cause)))

    def _clean_since(self, seen: _Cause) -> date | None:
        """Of those without a name nobody knows whether the clean ones are the same."""
        clean = [
            min((day for day in self._reported[who] if day > last and who != OTHERS), default=None)
            for who, last in seen.seen_by.items()
        ]
        days = [day for day in clean if day is not None]
        return max(days) if len(days) == len(clean) else None

    def applied(self, version: PolicyVersion) -> PolicyVersion:
        """With the organisations whose reports repeat it while it, or the one before it, was in force."""
        names = [applied for (version_id, _), applied in self._applied.items() if version_id == version.version_id]
        return replace(version, applied_by=tuple(sorted(names, key=lambda one: (-one.sessions, one.organisation))))

    def _named(self, who: str) -> str:
        return who if who in self._reporters or len(self._reporters) < MAX_NAMED else OTHERS

    def _apply(self, policy_string: tuple[str, ...], who: str, day: date, sessions: int) -> None:
        stated = Stated.of(policy_string)
        for version in reversed(self.versions):
            if version.since.date() <= day and _is(stated, version):
                before = self._applied.get((version.version_id, who), Applied(who, day, day, 0))
                first, last = min(before.first, day), max(before.last, day)
                self._applied[version.version_id, who] = Applied(who, first, last, before.sessions + sessions)
                return

    def _saw(self, cause: Cause, who: str, day: date, sessions: int) -> None:
        seen = self._causes.get(cause)
        if seen is None:
            if len(self._causes) >= MAX_NAMED:
                self.left_out += 1
                return
            seen = self._causes[cause] = _Cause(0, day, day, {})
        seen.sessions += sessions
        seen.first, seen.last = min(seen.first, day), max(seen.last, day)
        seen.seen_by[who] = max(seen.seen_by.get(who, day), day)


def _is(stated: Stated, version: PolicyVersion) -> bool:
    """Does the report repeat this very policy?"""
    return (
        bool(version.mode)
        and stated.mode == version.mode
        and stated.max_age == str(version.max_age)
        and set(stated.mx) == set(version.mx)
    )
