"""The week of one owner's domains in plain words: what needs a look, what is well, what nobody reported. Pure.

"Nothing to do" is a message too: whoever gets it each week knows that the way from sender to reader is open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.causes import CauseKind, failures
from mailtls.reports.message_layout import Alert, day, mail_subject, section
from mailtls.tls_rpt.contract import Attribute, OwnDomain
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyType

DAYS = 7
SEVERITY = "digest"
"""What a subscription filters by: no alert, and no word about one."""
MAX_CAUSES = 3
"""Of one domain, in the message."""
MAX_KEPT = 50
"""Of one domain and week: a sender may name hosts without end."""
MAX_DOMAINS = 40
"""Named under one heading."""


@dataclass(frozen=True, slots=True)
class Weeks:
    """Seven days, UTC, and the seven before them. last: the last day of the first seven."""

    last: date

    @property
    def first(self) -> date:
        return self.last - timedelta(days=DAYS - 1)

    @property
    def earliest(self) -> date:
        return self.first - timedelta(days=DAYS)

    def of(self, when: date) -> int | None:
        """0: the week, 1: the one before. None: neither."""
        if not self.earliest <= when <= self.last:
            return None
        return 0 if when >= self.first else 1


@dataclass(slots=True)
class Week:
    """successful, failed: sessions of senders that applied an MTA-STS policy."""

    reports: int = 0
    successful: int = 0
    failed: int = 0

    @property
    def sessions(self) -> int:
        return self.successful + self.failed


@dataclass(slots=True)
class Line:
    """One domain. mode: as it is deployed; "" where only reports are asked for. causes: what failed and where, with
    sessions, of the week itself. whole: False: there are reports that were not read."""

    policy_domain: str
    mode: str
    now: Week = field(default_factory=Week)
    before: Week = field(default_factory=Week)
    causes: dict[str, int] = field(default_factory=dict)
    whole: bool = True

    def add(self, entry: LedgerEntry, weeks: Weeks, own: OwnDomain) -> None:
        """Count one stored report; of other days nothing."""
        which = weeks.of(entry.report.day)
        if which is None:
            return
        week = self.before if which else self.now
        week.reports += 1
        for row in entry.report.policies:
            if row.policy_type is PolicyType.STS:
                week.successful += row.total_successful_session_count or 0
                week.failed += row.total_failure_session_count or 0
        if which == 0:
            for cause, found in failures(entry.report, own).items():
                outside = cause.kind is CauseKind.MX_OUTSIDE_POLICY
                what = "not in the policy" if outside else str(cause.result_type or cause.kind)
                name = f"{what} at {cause.host}" if cause.host else what
                if name in self.causes or len(self.causes) < MAX_KEPT:
                    self.causes[name] = self.causes.get(name, 0) + found.counted[1]

    def to_json(self) -> dict[str, Any]:
        """The inverse of `from_json`."""
        weeks = [[week.reports, week.successful, week.failed] for week in (self.now, self.before)]
        return {
            "policy_domain": self.policy_domain,
            "mode": self.mode,
            "weeks": weeks,
            "causes": self.causes,
            "whole": self.whole,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Line":
        """Raises ValueError, KeyError, TypeError."""
        now, before = (Week(*map(int, week)) for week in data["weeks"])
        return Line(
            str(data["policy_domain"]), str(data["mode"]), now, before, dict(data["causes"]), bool(data["whole"])
        )


@dataclass(frozen=True, slots=True)
class Digest:
    """lines: of one owner, by name."""

    owner: str
    weeks: Weeks
    lines: tuple[Line, ...]

    @staticmethod
    def of(owner: str, weeks: Weeks, lines: Iterable[Line]) -> "Digest":
        return Digest(owner, weeks, tuple(sorted(lines, key=lambda line: line.policy_domain)))

    @property
    def failing(self) -> tuple[Line, ...]:
        """Most failed sessions first."""
        found = [line for line in self.lines if line.now.failed or line.causes]
        return tuple(sorted(found, key=lambda line: (-line.now.failed, line.policy_domain)))

    @property
    def silent(self) -> tuple[Line, ...]:
        """Those that had reports in the week before, and none since."""
        return tuple(line for line in self.lines if not line.now.reports and line.before.reports)

    @property
    def unheard(self) -> tuple[Line, ...]:
        """Those without a report in both weeks."""
        return tuple(line for line in self.lines if not line.now.reports and not line.before.reports)

    @property
    def well(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.now.reports and not line.now.failed and not line.causes)

    def headline(self) -> str:
        """What the week comes to, in one line."""
        count = len(self.failing) + len(self.silent)
        needs = f"{count} of {_domains(len(self.lines))} need{'s' if count == 1 else ''} a look"
        what = needs if count else "nothing to do"
        whose = f"{self.owner}: " if self.owner else ""
        return f"[digest] {whose}{what}, week to {day(self.weeks.last)}"

    def text(self) -> str:
        """For mail: paragraphs of at most 100 characters a line."""
        total = sum(line.now.sessions for line in self.lines)
        before = sum(line.before.sessions for line in self.lines)
        parts = [
            self.headline(),
            section(
                "WEEK",
                f"{day(self.weeks.first)} to {day(self.weeks.last)} (UTC), {_domains(len(self.lines))}: {total:,} "
                f"sessions of senders that apply an MTA-STS policy; the week before {before:,}.",
            ),
            _listed("LOOK", [_failing(line) for line in self.failing]),
            _listed("SILENT", [_silent(line) for line in self.silent]),
            section("WELL", _well(self.well)),
            section("UNHEARD", _unheard(self.unheard)),
            section("NOT ALL", _not_all([line for line in self.lines if not line.whole])),
            section("DO", self._do()),
        ]
        return "\n".join(part for part in parts if part) + "\n"

    def message(self) -> Alert:
        """As it goes to the topic."""
        year, week, _ = self.weeks.last.isocalendar()
        event = AlertEvent(Status.NOTE, "digest", f"digest-{year}-W{week:02}-{self.owner or 'nobody'}")
        attributes: dict[str, str | tuple[str, ...]] = {str(Attribute.SEVERITY): SEVERITY}
        if self.owner:
            attributes[str(Attribute.OWNER)] = self.owner
        return Alert(mail_subject(self.headline()), self.text(), Severity.INFO, event, attributes)

    def _do(self) -> str:
        if self.failing:
            return (
                "What each failure means and what helps: mailtls explain RESULT-TYPE. The alerts of the week said it "
                "when it began; the dashboard shows who saw it, and since when."
            )
        if self.silent:
            return "Silence proves neither health nor failure: mailtls check NAME shows whether reports are asked for."
        return "Nothing to do."


def _failing(line: Line) -> str:
    share = f"{100 * line.now.failed / line.now.sessions:.1f} %" if line.now.sessions else "no count"
    earlier = f"{100 * line.before.failed / line.before.sessions:.1f} %" if line.before.sessions else "no sessions"
    causes = sorted(line.causes.items(), key=lambda item: (-item[1], item[0]))
    named = "; ".join(f"{what}: {count:,}" for what, count in causes[:MAX_CAUSES])
    more = f"; {len(causes) - MAX_CAUSES} more" if len(causes) > MAX_CAUSES else ""
    return (
        f"{line.policy_domain} ({line.mode or 'reports only'}): {line.now.failed:,} of {line.now.sessions:,} sessions "
        f"failed, {share}, the week before {earlier}. {named}{more}"
    ).rstrip()


def _silent(line: Line) -> str:
    return f"{line.policy_domain} ({line.mode or 'reports only'}): no report, {line.before.reports} the week before"


def _well(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    sessions = sum(line.now.sessions for line in lines)
    modes = ", ".join(f"{count} in {mode}" for mode, count in _modes(lines))
    return f"{_domains(len(lines))}, {sessions:,} sessions, none failed ({modes})."


def _modes(lines: Sequence[Line]) -> list[tuple[str, int]]:
    modes = [line.mode or "no policy" for line in lines]
    return sorted((mode, modes.count(mode)) for mode in set(modes))


def _unheard(lines: Sequence[Line]) -> str:
    return f"no report in two weeks about {_named(lines)}. Small domains get few." if lines else ""


def _not_all(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    return (
        f"the numbers of {_named(lines)} leave out reports: a day had too many to read here, or one cannot be read. "
        "mailtls reports summary counts all."
    )


def _named(lines: Sequence[Line]) -> str:
    named = ", ".join(line.policy_domain for line in lines[:MAX_DOMAINS])
    return f"{named} and {len(lines) - MAX_DOMAINS} more" if len(lines) > MAX_DOMAINS else named


def _listed(label: str, items: Sequence[str]) -> str:
    shown = [section(label if number == 0 else "", item) for number, item in enumerate(items[:MAX_DOMAINS])]
    more = len(items) - MAX_DOMAINS
    return "\n".join([*shown, *([section("", f"and {more} more")] if more > 0 else [])])


def _domains(count: int) -> str:
    return f"{count} domain{'s' if count != 1 else ''}"
