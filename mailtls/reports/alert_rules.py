"""When is a message due? Decisions over the state of one alert. Pure: state and time in, state or notice out.

The rules: one alert per cause; after a message six hours of quiet, unless it doubled or became more severe; over only
when each reporter that saw failures reported a later, clean day. Silence is not over.

A message goes out in three steps, so that a crash loses none: the state is written with a claim, the message is
published, the claim is replaced by what was told. Only a crash between the last two can send a message twice.
"""

import dataclasses
from datetime import date, datetime, timedelta

from mailtls.reports.alert_state import AlertState, Claim, NoticeKind
from mailtls.reports.causes import Sighting
from mailtls.tls_rpt.failures import Severity

QUIET = timedelta(hours=6)
CLAIM_LIFE = timedelta(minutes=5)
"""Longer than the function may run: a claim that is older has nobody behind it."""
KEEP = timedelta(days=14)
"""Sightings older than this (by the newest day) are dropped, but never the last one of a reporter."""
MAX_SIGHTINGS = 400
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
    return dataclasses.replace(state, sightings=_bounded((*state.sightings, sighting)))


def due(state: AlertState, now: datetime) -> NoticeKind | None:
    """The message that should go out now, or None."""
    if state.claim is not None:
        return state.claim.kind if is_dead(state.claim, now) else None
    news = [sighting for sighting in state.sightings if sighting.report not in state.told]
    if not news:
        return None
    if state.opened_at is None or state.told_at is None:
        return NoticeKind.OPENED
    quiet_is_over = now - state.told_at >= QUIET
    doubled = state.told_failed > 0 and state.failed >= 2 * state.told_failed
    worse = state.told_severity is not None and RANK[state.worst] > RANK[state.told_severity]
    return NoticeKind.REPEATED if quiet_is_over or doubled or worse else None


def is_dead(claim: Claim, now: datetime) -> bool:
    """Has the invocation that claimed the message ended without sending it?"""
    return now - claim.at >= CLAIM_LIFE


def without_dead_all_clear(state: AlertState, now: datetime) -> AlertState:
    """A first message that was never sent is still due; an all-clear is not: failures may have come since."""
    dead = state.claim is not None and state.claim.kind is NoticeKind.OVER and is_dead(state.claim, now)
    return dataclasses.replace(state, claim=None) if dead else state


def claimed(state: AlertState, kind: NoticeKind, now: datetime, by: str) -> AlertState:
    """The state that says: this message is being sent."""
    return dataclasses.replace(state, claim=Claim(kind, now, by), opened_at=state.opened_at or now)


def told(state: AlertState, sent: AlertState, now: datetime) -> AlertState:
    """The state once the message made from `sent` is out; `state` may have learned more sightings since."""
    assert sent.claim is not None  # noqa: S101  a message is never sent without a claim
    if sent.claim.kind is NoticeKind.OVER:
        late = tuple(s for s in state.sightings if s not in sent.sightings)
        after = max((s.last_day or s.day for s in sent.sightings), default=now.date()) + timedelta(days=1)
        return AlertState(state.cause, sightings=late, clean_until=after)
    return dataclasses.replace(
        state,
        told=frozenset(s.report for s in sent.sightings),
        told_at=now,
        told_failed=sent.failed,
        told_severity=sent.worst,
        claim=None,
    )


def cleared(state: AlertState, reporter: str, day: date) -> AlertState:
    """The state once `reporter` has reported successful sessions on `day` and nothing of the cause. Changes nothing for
    a reporter that never saw it, and not for a day that is no news."""
    failing_day = state.failing_until.get(reporter)
    known = dict(state.clean)
    if failing_day is None or day <= max(failing_day, known.get(reporter, date.min)):
        return state
    return dataclasses.replace(state, clean=tuple(sorted({**known, reporter: day}.items())))


def is_over(state: AlertState) -> bool:
    """Has each reporter that saw failures reported a later, clean day?"""
    if state.opened_at is None or state.claim is not None or not state.sightings:
        return False
    clean = dict(state.clean)
    return all(clean.get(who, date.min) > day for who, day in state.failing_until.items())


def _bounded(all_seen: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    """Drop what is old, then what is too much, but keep the newest sighting of each reporter: it must come clean."""
    by_day = sorted(all_seen, key=lambda sighting: (sighting.day, sighting.report))
    newest = {sighting.reporter: sighting for sighting in by_day}
    since = by_day[-1].day - KEEP
    kept = [s for s in by_day if s.day >= since or newest[s.reporter] is s]
    return tuple(kept[-MAX_SIGHTINGS:])
