"""Rules over a change beside what is live: MX records and the served policy, as `diff --live` sees them.

They speak with the names of rules that exist: the fault is the same, only seen before the merge.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator

from mailtls.changes import Change
from mailtls.lint import live, transition_rules
from mailtls.lint.findings import Finding, Severity
from mailtls.mta_sts.policy import Mode
from mailtls.observed import DnsStatus

_ABOUTS = {about.id: about for about in (*live.ABOUTS, *transition_rules.ABOUTS)}


def live_change_findings(changes: Iterable[Change], now: datetime.datetime) -> tuple[Finding, ...]:
    """What is found in the changes that somebody looked at live, change by change."""
    return tuple(
        finding for change in changes if change.live is not None for finds in _RULES for finding in finds(change, now)
    )


def _unknown(change: Change, _now: datetime.datetime) -> Iterator[Finding]:
    """No answer is no finding about the domain, and nobody may take it for a clean one."""
    live = change.live
    for answer in (live.sts, live.mx) if live else ():
        if answer is not None and answer.status is DnsStatus.FAILED:
            yield _finding(
                "dns-no-answer",
                change,
                f"{answer.name} {answer.rdtype}: {answer.failure}; so the change was not judged against it",
                severity=Severity.WARNING,
            )


def _mx(change: Change, now: datetime.datetime) -> Iterator[Finding]:
    """MX records against the policy that is served after the merge, and against those that senders hold."""
    after = change.after
    if after is None or after.mode is Mode.NONE or "mx-not-in-policy" in change.spec.suppress:
        return
    harm = Severity.ERROR if after.mode is Mode.ENFORCE else Severity.WARNING
    what = "senders refuse to deliver there" if after.mode is Mode.ENFORCE else "enforce would refuse it"
    for host in change.live.mail_hosts if change.live else ():
        if host.supposed:
            continue
        if not after.policy.allows(host.host):
            removed = change.before is not None and change.before.policy.allows(host.host)
            if removed:
                fix = f"take {host.host} out of the MX records first, wait for their TTL, then merge"
            else:
                fix = f"add {host.host} to mx; if nobody meant that MX record, remove it: a hijack looks the same"
            yield _finding(
                "mx-removed-too-early" if removed else "mx-not-in-policy",
                change,
                f"MX names {host.host}, which the policy does not allow after the merge: {what}",
                fix,
                harm,
            )
            continue
        blind = [
            held.held_until(now)
            for held in change.held(now)
            if held.mta_sts.mode is Mode.ENFORCE and not held.mta_sts.policy.allows(host.host)
        ]
        if blind:
            yield _finding(
                "mx-not-in-policy",
                change,
                f"MX names {host.host} already, and senders that hold the policy of now refuse it until "
                f"{max(blind):%Y-%m-%d %H:%M} UTC",
                f"merge soon; take {host.host} out of the MX records until then if another host can take the mail",
                Severity.WARNING,
            )


def _served(change: Change, _now: datetime.datetime) -> Iterator[Finding]:
    """What senders find now is not what the base says."""
    if change.before is None or change.served is None or change.served == change.before:
        return
    differs = [
        f"{name} {now} and not {then}"
        for name, now, then in (
            ("mode", str(change.served.mode), str(change.before.mode)),
            ("max_age", str(change.served.max_age), str(change.before.max_age)),
            ("mx", _hosts(change.served.mx), _hosts(change.before.mx)),
        )
        if now != then
    ]
    yield _finding(
        "policy-bytes-differ",
        change,
        f"what senders find now is not what the base says: {'; '.join(differs)}",
        "deploy the base, or see who changed the policy by hand; the waits here count what is live, too",
        Severity.WARNING,
    )


_RULES: tuple[Callable[[Change, datetime.datetime], Iterator[Finding]], ...] = (_mx, _served, _unknown)


def _finding(
    rule: str, change: Change, message: str, fix: str | None = None, severity: Severity | None = None
) -> Finding:
    return _ABOUTS[rule].finding(message, change.policy_domain, change.spec.source, fix, severity)


def _hosts(patterns: Iterable[object]) -> str:
    return ", ".join(map(str, patterns)) or "none"
