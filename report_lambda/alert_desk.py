"""Carries out what alert_rules.py decides: reads and writes the state objects, publishes the messages.

Commit points, in order: (1) the state with the sighting and, when a message is due, with a claim: from here on the
failure is known and the message will go out, by us, by the retry of this mail, or by the hourly tick; (2) the message;
(3) the state with what was told. A crash before (2) delays the message until the claim is old; a crash between (2) and
(3) sends it twice, the one thing that a topic without deduplication cannot prevent.

The words of messages are imported where one is sent: most mails set off none, and each cold start would wait for them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from mailtls.reports import alert_rules, downgrade, lost_policy, shared_hosts
from mailtls.reports.alert_limits import AlertLimits
from mailtls.reports.alert_state import AlertState, NoticeKind
from mailtls.reports.applied import Judge
from mailtls.reports.bucket_layout import alert_states_of, from_bytes, to_bytes
from mailtls.reports.causes import (
    MAX_CAUSES,
    MAX_CAUSES_OF_SIGNER,
    Cause,
    CauseKind,
    Failures,
    Sighting,
    failures,
    is_at_own_host,
    largest,
    last_day_of,
    sighting,
    together,
)
from mailtls.reports.evidence import gather, succeeded
from mailtls.reports.message_layout import Alert
from mailtls.reports.served import Served
from mailtls.reports.shared_hosts import Gathering
from mailtls.tls_rpt.contract import ALERTS_SENT, OwnDomain, Prefix
from mailtls.tls_rpt.ledger import LedgerEntry
from report_lambda import gatherings, hour
from report_lambda.domains import OwnDomains
from report_lambda.ledger_days import LedgerDays
from report_lambda.metrics import Tally
from report_lambda.store import MAX_STATE_BYTES, ObjectStore, PolicyHistory, StoreError, swap

ALIVE = alert_rules.KEEP
"""A state that was not written for longer counts for nothing in MAX_CAUSES."""
WATCHED = timedelta(days=60)
"""The hourly look passes over states that were not written for longer: nothing came in all that time."""
MAX_STATES = 20_000
LEAST_TIME = 30.0
"""Seconds that must be left to begin with one more alert."""


class Topic(Protocol):
    """Where messages go. Raises StoreError when it cannot take one now."""

    def publish(self, subject: str, message: str, attributes: Mapping[str, str | tuple[str, ...]]) -> None:
        """Send one message, a JSON text by protocol; attributes are for subscriptions' filter policies."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What sending an alert needs.

    bucket: its name, for links in messages. invocation: who we are, for claims. time_left: seconds that the invocation
    still has.
    """

    store: ObjectStore
    topic: Topic
    policies: PolicyHistory
    bucket: str
    invocation: str
    tally: Tally
    now: datetime
    time_left: Callable[[], float]
    limits: AlertLimits
    ledger: LedgerDays = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ledger", LedgerDays(self.store))

    def saw(self, key: str, entry: LedgerEntry, own: OwnDomain) -> int:
        """A report is in the ledger at `key`: enter its failures, send what is due, note what it finds clean.

        Doing it again changes nothing. Returns how many of its causes have no alert of their own, because there are too
        many: one alert tells of them together.
        """
        if not alert_rules.is_news(last_day_of(entry.report), self.now):
            return 0
        found = failures(entry.report, own)
        alive = self._alive(own)
        told = self._with_own_alert(found, alive, entry.signer, own)
        rest = [failed for cause, failed in found.items() if cause not in told]
        if rest:
            told[Cause(CauseKind.FURTHER, own.policy_domain)] = together(rest)
        judge = self._judge(entry, own)
        for cause, failed in told.items():
            self._saw_failures(cause, sighting(key, entry, failed, judge), own)
        lost = lost_policy.look(key, entry, own, self.ledger, lambda: self._history(own))
        if lost is not None:
            self._saw_failures(lost_policy.cause_of(own), lost, own)
        self._saw_success(entry, alive - {cause.key for cause in found})
        return len(rest)

    def _judge(self, entry: LedgerEntry, own: OwnDomain) -> Judge:
        """Knows what was served where the report names another policy than the deployed one, and not else: that is the
        rare case, and costs a listing and the versions."""
        judge = Judge(entry.report, own)
        return Judge(entry.report, own, self._history(own)) if judge.needs_history() else judge

    def _history(self, own: OwnDomain) -> tuple[Served, ...]:
        """Nothing where time is short: a mail may name all domains, and its alerts matter more than their wording."""
        return self.policies.history(own.policy_domain) if self.time_left() >= LEAST_TIME else ()

    def tick(self, domains: OwnDomains) -> int:
        """Hourly: what the hour before held back, messages whose quiet time is over or whose sender died, all-clears.

        One cause that fails does not hold up the others. Returns how many had to be left to the next hour for want of
        time; each hour begins at another one. Raises StoreError at the end, naming those that failed.
        """
        listed = self.store.list_objects(Prefix.ALERTS, limit=MAX_STATES)
        watched = [entry for entry in listed if self.now - entry.modified < WATCHED]
        first = len(watched) * self.now.hour // 24
        failed = []
        for look in (
            partial(hour.sum_up, self.store, self.now, self._send),
            partial(gatherings.tell_news, self.store, self.now, self.publish),
        ):
            try:
                look()
            except StoreError as e:
                failed.append(str(e))
        left = len(watched)
        for entry in watched[first:] + watched[:first]:
            if self.time_left() < LEAST_TIME:
                break
            left -= 1
            try:
                self._tick_one(entry.key, domains)
            except StoreError as e:
                failed.append(f"{entry.key}: {e}")
        if failed:
            raise StoreError("; ".join(failed))
        return left

    def change(self, cause: Cause, step: Callable[[AlertState], AlertState]) -> AlertState | None:
        """Compare-and-swap: apply `step` to the newest state until the write wins. None: nothing had to change."""
        changed: AlertState | None = None

        def swapped(body: bytes | None) -> bytes | None:
            nonlocal changed
            # a state that somebody damaged is begun anew: better to hear of a cause twice than never again
            before = (_read(body) if body is not None else None) or AlertState(cause)
            after = step(before)
            changed = after if after != before else None
            return to_bytes(after.to_json()) if changed is not None else None

        swap(self.store, cause.key, swapped)
        return changed

    def publish(self, message: Alert, *, certain: bool = True) -> None:
        """Send and count, unless the hour is full: then it is told with others when the hour is over (hour.py).

        certain: it is about a host that is ours.
        """
        if hour.may_go_out(self.store, self.now, self.limits.per_hour, message, certain=certain):
            self._send(message)

    def send_beside(self, message: Alert) -> None:
        """What is no alert: it counts into no hour, and no hour holds it back."""
        self._send(message)

    def _send(self, message: Alert) -> None:
        from mailtls.reports.alert_json import by_protocol

        self.topic.publish(message.subject, by_protocol(message, self.now), message.attributes)
        self.tally.add(ALERTS_SENT, 1, message.severity)

    def _alive(self, own: OwnDomain) -> set[str]:
        """Keys of the domain's states that were written lately."""
        listed = self.store.list_objects(alert_states_of(own.policy_domain), limit=MAX_STATES)
        return {entry.key for entry in listed if self.now - entry.modified < ALIVE}

    def _with_own_alert(
        self, found: dict[Cause, Failures], alive: set[str], signer: str, own: OwnDomain
    ) -> dict[Cause, Failures]:
        """The causes of one report that the limits let have an alert of their own. alive: keys of those that have."""
        chosen = largest(found)
        new = [cause for cause in chosen if cause.key not in alive and not is_at_own_host(cause, own)]
        room = self._room(alive, signer, own) if new else 0
        for cause in new[room:]:
            del chosen[cause]
        return chosen

    def _room(self, alive: set[str], signer: str, own: OwnDomain) -> int:
        """How many causes more `signer` may open at hosts that anybody could invent."""
        of_domain = of_signer = 0
        for state in self._states(alive):
            if not is_at_own_host(state.cause, own):
                of_domain += 1
                of_signer += any(seen.reporter == signer for seen in state.sightings)
        return max(0, min(MAX_CAUSES - of_domain, MAX_CAUSES_OF_SIGNER - of_signer))

    def _states(self, keys: set[str]) -> Iterator[AlertState]:
        """One at a time: a sender's reports decide how large each is."""
        for key in sorted(keys):
            stored = self.store.get(key, MAX_STATE_BYTES)
            state = _read(stored.body) if stored else None
            if state is not None:
                yield state

    def _saw_failures(self, cause: Cause, seen: Sighting, own: OwnDomain) -> None:
        self._send_claimed(self.change(cause, lambda state: self._decided(alert_rules.seen(state, seen), own)), own)

    def _saw_success(self, entry: LedgerEntry, others: set[str]) -> None:
        """Note in the states `others` that this reporter is clean, without a word: the hourly look says `over`, once
        all of the hour's reports are in."""
        for state in self._states(others):
            if succeeded(entry.report, state.policy_types):
                self.change(state.cause, partial(alert_rules.cleared, reporter=entry.signer, day=entry.report.day))

    def _tick_one(self, key: str, domains: OwnDomains) -> None:
        stored = self.store.get(key, MAX_STATE_BYTES)
        state = _read(stored.body) if stored else None
        own = domains.by_name.get(state.cause.policy_domain) if state is not None else None
        if state is None or own is None:
            return
        decided = partial(self._decided_hourly, own=own, suspected=self._is_suspected_now(state, own))
        if decided(state) != state:
            self._send_claimed(self.change(state.cause, decided), own)

    def _is_suspected_now(self, state: AlertState, own: OwnDomain) -> bool:
        """Does what was told without it look like a downgrade, now that others' reports are in?"""
        if own.is_muted(self.now):
            return False
        return downgrade.may_be_new(state) and downgrade.one_path(state, gather(self.ledger, state, own)) is not None

    def _decided(self, state: AlertState, own: OwnDomain) -> AlertState:
        if own.is_muted(self.now):
            return alert_rules.held_back(state)
        state = alert_rules.without_dead_all_clear(state, self.now)
        kind = alert_rules.due(state, self.now, self.limits)
        return self._claimed(state, kind) if kind is not None else state

    def _decided_hourly(self, state: AlertState, *, own: OwnDomain, suspected: bool) -> AlertState:
        decided = self._decided(alert_rules.without_what_passed(state), own)
        if decided.claim is not None or own.is_muted(self.now):
            return decided
        if alert_rules.is_over(decided):
            return self._claimed(decided, NoticeKind.OVER)
        if not downgrade.may_be_new(decided):
            return decided
        return self._claimed(decided, NoticeKind.SUSPECTED) if suspected else alert_rules.looked_at(decided)

    def _claimed(self, state: AlertState, kind: NoticeKind) -> AlertState:
        return alert_rules.claimed(state, kind, self.now, self.invocation, self.limits)

    def _send_claimed(self, written: AlertState | None, own: OwnDomain) -> None:
        """Send when the state just written is our own claim; a write without one, or none, means silence."""
        if written is None or written.claim is None or written.claim.by != self.invocation:
            return
        also = self._shared_with(written, own)
        suspected = written.claim.kind is NoticeKind.SUSPECTED  # also where another domain's message tells of it
        if also is not None:
            from mailtls.reports.alert_text import compose

            evidence = gather(self.ledger, written, own)
            suspected = downgrade.one_path(written, evidence) is not None
            message = compose(written.claim.kind, written, evidence, own, self.now, self.bucket, also)
            self.publish(message, certain=is_at_own_host(written.cause, own))
        self.change(written.cause, lambda state: alert_rules.told(state, written, self.now, suspected=suspected))

    def _shared_with(self, written: AlertState, own: OwnDomain) -> str | None:
        """The paragraph about domains with the same fault at the same host, "" for none; None: this message does not go
        out by itself, a message about the host tells of it (gatherings.py)."""
        from mailtls.reports import shared_alert

        gathering = shared_hosts.of_cause(written.cause, own)
        if gathering is None:
            return ""
        paragraph = ""

        def step(before: Gathering) -> tuple[Gathering, bool]:
            nonlocal paragraph
            after, speaks = shared_hosts.entered(before, written, own, self.now)
            paragraph = shared_alert.others(after, own.policy_domain)
            return after, speaks

        return paragraph if gatherings.change(self.store, gathering, step) else None


def _read(body: bytes) -> AlertState | None:
    """The state, or None where none can be read: silence and certificates keep states of another shape (once.py)."""
    try:
        return AlertState.from_json(from_bytes(body))
    except ValueError:  # InvalidAlertState is one
        return None
