"""When is a message due? Decisions over the state of one alert. Pure: state and time in, state or notice out.

The rules: one alert per cause; after a message six hours of quiet, unless it became more severe, or doubled by a
number that matters; over only when each reporter that saw failures reported a later, clean day. Silence is not over.

A message goes out in three steps, so that a crash loses none: the state is written with a claim, the message is
published, the claim is replaced by what was told. Only a crash between the last two can send a message twice.
"""

import dataclasses
from datetime import date, datetime, timedelta

from mailtls.reports.alert_limits import AlertLimits
from mailtls.reports.alert_state import AlertState, Claim, NoticeKind
from mailtls.reports.causes import Sighting
from mailtls.reports.downgrade import could_be
from mailtls.tls_rpt.failures import Severity

QUIET = timedelta(hours=6)
CLAIM_LIFE = timedelta(minutes=5)
"""Longer than the function may run: a claim that is older has nobody behind it."""
DOUBLED_QUIET = timedelta(hours=1)
DOUBLED_BY = 100
"""Failed sessions more than were told. From one to two is a doubling, too."""
KEEP = timedelta(days=14)
"""Sightings older than this (by the newest day) are dropped, but never the last one of a reporter."""
MAX_SIGHTINGS = 400
MAX_REPORTERS = 200
"""Whose newest sighting is always kept. Those that came first stay: a crowd of strangers pushes nobody out, and once
somebody had to be left out the alert is not over by reports any more."""
OLD_NEWS = timedelta(days=7)
"""A report about a day further back opens no alert: it is in the ledger, and nobody should be woken for it."""
AHEAD = timedelta(days=1)
"""Reporters' clocks and days differ; a report about a day further ahead than this is from the future, so no evidence of
anything."""

RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def is_news(day: date, now: datetime) -> bool:
    """Should a report about `day` reach a person? Neither weeks old nor from the future."""
    return now.date() - OLD_NEWS <= day <= now.date() + AHEAD


def seen(state: AlertState, sighting: Sighting) -> AlertState:
    """The state with the sighting in it. Applying the same report again changes nothing."""
    if any(known.report == sighting.report for known in state.sightings):
        return state
    if state.clean_until is not None and (sighting.last_day or sighting.day) < state.clean_until:
        return state  # a late report about days that the all-clear has dealt with
    reporters = {known.reporter for known in state.sightings}
    if sighting.reporter not in reporters and len(reporters) >= MAX_REPORTERS:
        return dataclasses.replace(state, crowded=True)
    return dataclasses.replace(state, sightings=_bounded((*state.sightings, sighting)))


def severity(state: AlertState, limits: AlertLimits) -> Severity:
    """How soon a person should look: what the failures mean, and whether there are so many."""
    harmful = [seen for seen in state.newest if seen.severity is Severity.CRITICAL]
    if not harmful:
        return state.worst
    return Severity.CRITICAL if _is_reached(harmful, limits) else Severity.WARNING


def _is_reached(harmful: list[Sighting], limits: AlertLimits) -> bool:
    """By some of the reporters together, those with the largest share first: nobody makes less of what the others saw
    by reporting millions of sessions that went well."""
    by_reporter: dict[str, list[Sighting]] = {}
    for seen in harmful:
        by_reporter.setdefault(seen.reporter, []).append(seen)
    counts = sorted((_counts(seen) for seen in by_reporter.values()), key=lambda count: -count[0] / (count[1] or 1))
    failed = sessions = 0
    unknown = False
    for reporters, (of_reporter, all_of_reporter) in enumerate(counts, 1):
        failed += of_reporter
        sessions += all_of_reporter
        unknown = unknown or not all_of_reporter
        if limits.are_reached(failed, 0 if unknown else sessions, reporters):
            return True
    return False


def _counts(seen: list[Sighting]) -> tuple[int, int]:
    """Failed sessions of one reporter, and all of them; 0 where a report gives no count."""
    failed = sum(one.at_most for one in seen)
    if not all(one.sessions and not one.uncounted for one in seen):
        return failed, 0
    return failed, sum(max(one.sessions, one.at_most) for one in seen)


def due(state: AlertState, now: datetime, limits: AlertLimits) -> NoticeKind | None:
    """The message that should go out now, or None."""
    if state.claim is not None:
        return state.claim.kind if is_dead(state.claim, now) else None
    news = [sighting for sighting in state.sightings if sighting.report not in state.told]
    if not news:
        return None
    if state.opened_at is None or state.told_at is None:
        return NoticeKind.OPENED
    quiet = now - state.told_at
    more = state.failed - state.told_failed
    doubled = quiet >= DOUBLED_QUIET and more >= max(DOUBLED_BY, state.told_failed)
    worse = state.told_severity is not None and RANK[severity(state, limits)] > RANK[state.told_severity]
    return NoticeKind.REPEATED if quiet >= QUIET or doubled or worse else None


def is_dead(claim: Claim, now: datetime) -> bool:
    """Has the invocation that claimed the message ended without sending it?"""
    return now - claim.at >= CLAIM_LIFE


def without_dead_all_clear(state: AlertState, now: datetime) -> AlertState:
    """A first message that was never sent is still due; an all-clear is not: failures may have come since."""
    dead = state.claim is not None and state.claim.kind is NoticeKind.OVER and is_dead(state.claim, now)
    return dataclasses.replace(state, claim=None) if dead else state


def claimed(state: AlertState, kind: NoticeKind, now: datetime, by: str, limits: AlertLimits) -> AlertState:
    """The state that says: this message is being sent. Whoever was told must also hear that it is over."""
    of_message = severity(state, limits)
    if kind is NoticeKind.OVER:
        of_message = state.told_severity or of_message
    return dataclasses.replace(state, claim=Claim(kind, now, by, of_message), opened_at=state.opened_at or now)


def told(state: AlertState, sent: AlertState, now: datetime, *, suspected: bool = False) -> AlertState:
    """The state once the message made from `sent` is out; `state` may have learned more sightings since.

    suspected: the message told of a possible downgrade."""
    assert sent.claim is not None  # noqa: S101  a message is never sent without a claim
    if sent.claim.kind is NoticeKind.OVER:
        late = tuple(s for s in state.sightings if s not in sent.sightings)
        return AlertState(state.cause, sightings=late, clean_until=_day_after(sent))
    return dataclasses.replace(
        state,
        told=frozenset(s.report for s in sent.sightings),
        told_at=now,
        told_failed=sent.failed,
        told_severity=sent.claim.severity,
        claim=None,
        suspected=state.suspected or suspected,
        muted=False,
    )


def cleared(state: AlertState, reporter: str, day: date) -> AlertState:
    """The state once `reporter` has reported successful sessions on `day` and nothing of the cause.

    Of a reporter that never saw the cause only the day is noted, and only where it is the newest one with failures and
    an attack could look like it. Changes nothing for a day that is no news."""
    if day == state.last_day and could_be(state) and all(seen.reporter != reporter for seen in state.newest):
        state = dataclasses.replace(state, beside=day)
    failing_day = state.failing_until.get(reporter)
    known = dict(state.clean)
    if failing_day is None or day <= max(failing_day, known.get(reporter, date.min)):
        return state
    return dataclasses.replace(state, clean=tuple(sorted({**known, reporter: day}.items())))


def looked_at(state: AlertState) -> AlertState:
    """The state once the clean reports beside it were looked at, and made nothing suspicious: the next one is looked at
    again, these are not each hour."""
    return dataclasses.replace(state, beside=None)


def is_over(state: AlertState) -> bool:
    """Has each reporter that saw failures reported a later, clean day?"""
    return state.opened_at is not None and _has_ended(state)


def held_back(state: AlertState) -> AlertState:
    """The state while the domain is muted: what is new waits until the mute ends."""
    has_news = any(seen.report not in state.told for seen in state.sightings)
    return dataclasses.replace(state, muted=True) if has_news else state


def without_what_passed(state: AlertState) -> AlertState:
    """After a mute: what came and went meanwhile is told to nobody."""
    if not state.muted or state.opened_at is not None or not _has_ended(state):
        return state
    return AlertState(state.cause, clean_until=_day_after(state))


def _has_ended(state: AlertState) -> bool:
    if state.claim is not None or not state.sightings or state.crowded:
        return False
    clean = dict(state.clean)
    return all(clean.get(who, date.min) > day for who, day in state.failing_until.items())


def _day_after(state: AlertState) -> date:
    """The first day that the all-clear of `state` says nothing about."""
    return max(seen.last_day or seen.day for seen in state.sightings) + timedelta(days=1)


def _bounded(all_seen: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    """Drop what is old, then what is too much, but keep the newest sighting of each reporter: it must come clean."""
    by_day = sorted(all_seen, key=lambda sighting: (sighting.day, sighting.report))
    newest = {sighting.reporter: sighting for sighting in by_day}
    since = by_day[-1].day - KEEP
    kept = [s for s in by_day if s.day >= since or newest[s.reporter] is s]
    too_many = len(kept) - MAX_SIGHTINGS
    if too_many > 0:
        older = {id(s) for s in [s for s in kept if newest[s.reporter] is not s][:too_many]}
        kept = [s for s in kept if id(s) not in older]
    return tuple(kept)
