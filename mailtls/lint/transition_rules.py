"""Rules over a change of specs against its base: what senders hold already does not go away with a commit.

A new rule is a function and a row of RULES. Dates are computed from what git says was written, since a rule offline
knows no more: they are estimates, and the messages say so.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mailtls.changes import Change, Served, left_out
from mailtls.lint.about import About, Group
from mailtls.lint.findings import Finding, Severity
from mailtls.mta_sts.policy import Mode, MxPattern
from mailtls.spec.model import MtaSts

DAY = 86400
WEEK = 7 * DAY
SETTLED = 2 * WEEK
"""Seconds that enforce should have run before senders are asked to hold it for longer than a week."""

Said = Iterator[tuple[str, str, Severity | None]]
"""Message and fix of each finding; a severity where it is not the rule's own."""


@dataclass(frozen=True, slots=True)
class TransitionRule:
    """finds: takes a change and the time now, UTC. answered_by: the key of `suppress` whose reason answers the rule.
    anew: only a reason that the change itself writes does."""

    about: About
    finds: Callable[[Change, datetime.datetime], Said]
    answered_by: str | None = None
    anew: bool = False

    def answered(self, change: Change) -> bool:
        if self.answered_by is None or self.answered_by not in change.spec.suppress:
            return False
        if not self.anew or change.base is None:
            return True
        return change.spec.suppress[self.answered_by] != change.base.suppress.get(self.answered_by)


def transition_findings(changes: Iterable[Change], now: datetime.datetime) -> tuple[Finding, ...]:
    """What the rules find, change by change in the order of RULES, without what a spec answers by a stated reason."""
    return tuple(
        rule.about.finding(message, change.policy_domain, change.spec.source, fix, severity)
        for change in changes
        for rule in RULES
        if not rule.answered(change)
        for message, fix, severity in rule.finds(change, now)
    )


def _spec_removed_while_live(change: Change, now: datetime.datetime) -> Said:
    if change.before is None or change.after is not None:
        return
    what = "the spec is gone" if change.head is None else "mta_sts is gone from the spec"
    live = [served for served in change.held(now) if served.mta_sts.mode is not Mode.NONE]
    if change.before.mode is not Mode.NONE:
        yield (
            f"{what}, while mode {change.before.mode} is served: senders hold the policy for up to "
            f"{_days(Served(change.before))} after it is gone, and nobody can correct it then",
            "bring the spec back with mode: none and its mx lines, merge that, and remove the spec after the day that "
            "mailtls diff names for it",
            None,
        )
    elif live or change.formerly_held(now):
        until = max([*(served.held_until(now) for served in live), *(end for end, _ in change.formerly_held(now))])
        yield (
            f"{what}, while senders may hold an earlier policy until {_moment(until)} ({_ESTIMATE})",
            f"keep the spec with mode: none until {_moment(until)}",
            None,
        )


def _mx_set_replaced(change: Change, now: datetime.datetime) -> Said:
    if _mx_replaced(change):
        yield (
            "no host of the policy that is served now is in the new one: senders that hold the one refuse the hosts of "
            "the other, so for a time nobody can deliver",
            "write the old and the new hosts together, merge, wait until the day that mailtls diff names, point MX at "
            "the new hosts, and take the old ones out last",
            _by_harm(change, now),
        )


def _mx_removed_too_early(change: Change, now: datetime.datetime) -> Said:
    gone = _names(change.mx_removed)
    if not gone or change.after is None or change.after.mode is Mode.NONE or _mx_replaced(change):
        return
    needing = [served.held_until(now) for served in change.earlier if _refuses_some(served.mta_sts, change.after)]
    if needing and max(needing) > now:
        until = _moment(max(needing))
        yield (
            f"{gone} leaves the policy, and senders may hold an earlier one until {until} ({_ESTIMATE}) that lacks a "
            "host of the new one: they need it until then",
            f"keep {gone} until {until}, and until no MX record names it",
            _by_harm(change, now),
        )
        return
    settled = _settled(change)
    if settled is None or settled <= now:
        return
    if change.earlier and change.live is not None:
        return  # the MX records are seen, and a rule of their own speaks where one names it
    if change.earlier:
        yield (
            f"{gone} leaves a policy that is served since {change.since:%Y-%m-%d} only: right if no MX record names it",
            "look at the MX records first: mailtls diff --live",
            _milder(_by_harm(change, now)),
        )
        return
    yield (
        f"{gone} leaves the policy, and senders may hold the policy before the one served now until {_moment(settled)} "
        f"({_ESTIMATE}): nobody knows which hosts it names",
        f"keep {gone} until {_moment(settled)}, and until no MX record names it",
        _by_harm(change, now),
    )


def _enforce_without_testing(change: Change, _now: datetime.datetime) -> Said:
    if not _enforces(change) or (change.before is not None and change.before.mode is not Mode.NONE):
        return
    if change.served is not None and change.served.mode is Mode.ENFORCE:
        return  # seen live: a former host serves enforce already
    yield (
        "the first policy is in enforce: a host that fails gets no mail, and no report has shown yet whether one does",
        "write mode: testing, and enforce after two weeks of clean reports; where a former host served enforce, say "
        'so: under suppress write "first-in-enforce: moved here from a host that served enforce"',
        None,
    )


def _enforce_without_evidence(change: Change, _now: datetime.datetime) -> Said:
    if not _enforces(change) or change.before is None or change.before.mode is not Mode.TESTING:
        return
    stale = "enforce-without-evidence" in change.spec.suppress
    yield (
        "testing becomes enforce, and the spec does not say what shows that every host is ready"
        + ("; its reason stood there before this change, so it speaks of another day" if stale else ""),
        'under suppress write what the reports show, as in "enforce-without-evidence: two weeks of reports from three '
        'senders without a failure"',
        None,
    )


def _max_age_jump(change: Change, now: datetime.datetime) -> Said:
    before, after = change.before, change.after
    if before is None or after is None or not _enforces(change):
        return
    if after.max_age <= max(before.max_age, WEEK):
        return
    since = change.enforced_since
    young = before.mode is not Mode.ENFORCE or (since is not None and (now - since).total_seconds() < SETTLED)
    if young:
        yield (
            f"max_age goes from {before.max_age} to {after.max_age} seconds while enforce is new: what is wrong with "
            f"it stays with senders for {after.max_age // DAY} days",
            "leave it at a week until enforce has run for two weeks",
            None,
        )


def _mode_lowered(change: Change, now: datetime.datetime) -> Said:
    before, after = change.before, change.after
    if before is None or after is None or before.mode == after.mode or before.mode is Mode.NONE:
        return
    if before.mode is Mode.ENFORCE:
        enforced = [served for served in change.held(now) if served.mta_sts.mode is Mode.ENFORCE]
        until = _moment(max(served.held_until(now) for served in enforced))
        yield (
            f"enforce becomes {after.mode}: new senders deliver without TLS where a host fails, and those that hold "
            f"enforce go on refusing until {until}",
            'under suppress say why, as in "mode-lowered: the certificate of mx2 is being replaced", and take the '
            "reason out with the way back",
            None,
        )
    elif after.mode is Mode.NONE:
        yield (
            "testing becomes none: senders send no more reports about failures",
            "right where the domain retires; else leave it in testing",
            Severity.INFO,
        )


_ESTIMATE = "an estimate: from the commits, and a deployment comes later"


def _enforces(change: Change) -> bool:
    return change.after is not None and change.after.mode is Mode.ENFORCE


def _mx_replaced(change: Change) -> bool:
    """Whether the two policies allow no host together, and both ask for hosts."""
    before, after = change.before, change.after
    if before is None or after is None or Mode.NONE in (before.mode, after.mode):
        return False
    return len(change.mx_removed) == len(before.mx) and len(change.mx_added) == len(after.mx)


def _refuses_some(policy: MtaSts, after: MtaSts) -> bool:
    """Does a sender that holds `policy` refuse a host of `after`?"""
    return policy.mode is Mode.ENFORCE and bool(left_out(after.mx, policy))


def _settled(change: Change) -> datetime.datetime | None:
    """When senders have forgotten what was served before the base's policy; None where the history does not say.

    What came before the first commit is not known, so it counts as a policy that is held as long as the base's.
    """
    if change.before is None or change.since is None:
        return None
    return change.since + datetime.timedelta(seconds=Served(change.before).seconds_held)


def _by_harm(change: Change, now: datetime.datetime) -> Severity | None:
    """Where nobody enforces, mail is delivered all the same and a false failure is reported."""
    return None if change.enforced_somewhere(now) else Severity.INFO


def _milder(severity: Severity | None) -> Severity:
    """A warning where it would be an error."""
    return severity or Severity.WARNING


def _names(patterns: Iterable[MxPattern]) -> str:
    texts = [pattern.text for pattern in patterns]
    shown = ", ".join(texts[:3])
    return shown + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def _moment(at: datetime.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _days(served: Served) -> str:
    days = -(-served.seconds_held // DAY)
    return "a day" if days == 1 else f"{days} days"


def _about(rule: str, severity: Severity, why: str, fix: str, reference: str) -> About:
    return About(rule, severity, Group.TRANSITION, why, fix, reference)


HISTORY_UNAVAILABLE = _about(
    "history-unavailable",
    Severity.ERROR,
    "A shallow clone does not hold the base, so no rule about a change could run. Nothing is said rather than half of "
    "it: the command ends with exit code 2.",
    'Fetch the history: git fetch --unshallow; fetch-depth: 0 for actions/checkout; GIT_DEPTH: "0" on GitLab.',
    "https://git-scm.com/docs/git-fetch",
)
"""Told by `mailtls.observe.git`, before there is a change to look at."""

RULES: tuple[TransitionRule, ...] = (
    TransitionRule(
        _about(
            "spec-removed-while-live",
            Severity.ERROR,
            "Senders keep a policy for max_age after it is gone. A host that changes in that time gets no mail from "
            "those that enforce, and no new policy can tell them.",
            "Retire first: mode: none with the mx lines, wait until the longest earlier max_age has passed, then "
            "remove the spec.",
            "RFC 8461 section 8.3",
        ),
        _spec_removed_while_live,
    ),
    TransitionRule(
        _about(
            "mx-set-replaced",
            Severity.ERROR,
            "The old and the new hosts have none in common. Whatever MX says, one half of the senders refuses it until "
            "max_age has passed.",
            "Publish both sets together, wait, move MX, and take the old set out last.",
            "RFC 8461 section 8.1",
        ),
        _mx_set_replaced,
    ),
    TransitionRule(
        _about(
            "mx-removed-too-early",
            Severity.ERROR,
            "While a sender may hold an earlier policy, or an MX record names the host, mail still goes there; a "
            "sender with the new policy refuses it.",
            "Keep the host until the date in the message and until no MX record names it.",
            "RFC 8461 section 8.1",
        ),
        _mx_removed_too_early,
    ),
    TransitionRule(
        _about(
            "enforce-without-testing",
            Severity.ERROR,
            "In enforce a host that fails gets no mail, and only testing shows beforehand whether one does.",
            "Publish testing, and enforce after two weeks of clean reports. A domain that moves here from a host that "
            "served enforce says so with the reason first-in-enforce.",
            "RFC 8461 section 5",
        ),
        _enforce_without_testing,
        answered_by="first-in-enforce",
    ),
    TransitionRule(
        _about(
            "enforce-without-evidence",
            Severity.ERROR,
            "A commit cannot show reports, so whoever promotes a domain writes down what they show, and a reviewer "
            "reads it. A reason that stood in the spec before the change speaks of another day.",
            "Under suppress, write what the reports show, in a sentence that a reviewer can check.",
            "RFC 8461 section 5",
        ),
        _enforce_without_evidence,
        answered_by="enforce-without-evidence",
        anew=True,
    ),
    TransitionRule(
        _about(
            "max-age-jump",
            Severity.WARNING,
            "Senders hold a policy for max_age and cannot be called back. A mistake that shows in the first weeks of "
            "enforce would last as long.",
            "Stay at a week until enforce has run for two weeks, then raise it.",
            "RFC 8461 section 10.2",
        ),
        _max_age_jump,
        answered_by="max-age-jump",
    ),
    TransitionRule(
        _about(
            "mode-lowered",
            Severity.WARNING,
            "Protection ends for every sender that asks anew, while senders that hold enforce go on refusing bad hosts "
            "until max_age has passed.",
            "Under suppress, say why. Take the reason out with the way back.",
            "RFC 8461 sections 5 and 8.3",
        ),
        _mode_lowered,
        answered_by="mode-lowered",
    ),
)

ABOUTS: tuple[About, ...] = (*(rule.about for rule in RULES), HISTORY_UNAVAILABLE)
