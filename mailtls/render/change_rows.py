"""What a change is in words and rows, the same in every form: what differs, what waits, what is alike."""

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailtls.changes import Change, ChangeSet, Kind, Wait, WaitFor, waits
from mailtls.lint.findings import Finding, Severity
from mailtls.mta_sts.record import Record
from mailtls.observed import DnsStatus
from mailtls.spec import alerts
from mailtls.spec.controller import written
from mailtls.spec.model import MtaSts, PolicySpec

_UNITS = ((7 * 86400, "w"), (86400, "d"), (3600, "h"), (60, "m"))
PLATFORM_RUA = "the platform's own pipeline"


@dataclass(frozen=True, slots=True)
class Row:
    """name: as the spec calls it. before, after: the values in order, () for none."""

    name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Domains that change in the same way, by name: one table tells of all of them.

    change: of the first one; the rows and waits of the others are the same but for their own name. findings: of that
    one. own_names: whether that name stands in it.
    """

    change: Change
    domains: tuple[str, ...]
    rows: tuple[Row, ...]
    waits: tuple[Wait, ...]
    findings: tuple[Finding, ...]
    own_names: bool = False

    @property
    def worst(self) -> int:
        """0 where an error was found, 3 where nothing was."""
        return min((_RANKS[finding.severity] for finding in self.findings), default=len(_RANKS))


_OWN = "<the domain's own name>"
_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def groups(change_set: ChangeSet, findings: Iterable[Finding], now: datetime.datetime) -> tuple[Group, ...]:
    """All changes, what is worst first, then by name."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.policy_domain, []).append(finding)
    alike: dict[str, list[Change]] = {}
    for change in change_set.changes:
        alike.setdefault(_likeness(change, found.get(change.policy_domain, ()), now), []).append(change)
    grouped = [_group(changes, found, now) for changes in alike.values()]
    return tuple(sorted(grouped, key=lambda group: (group.worst, group.domains)))


def _group(changes: Sequence[Change], found: dict[str, list[Finding]], now: datetime.datetime) -> Group:
    first = changes[0]
    worst_first = sorted(found.get(first.policy_domain, ()), key=lambda finding: _RANKS[finding.severity])
    domains = tuple(change.policy_domain for change in changes)
    own_names = _OWN in _likeness(first, worst_first, now)
    return Group(first, domains, rows(first), waits(first, now), tuple(worst_first), own_names)


def _likeness(change: Change, findings: Sequence[Finding], now: datetime.datetime) -> str:
    """The same text for changes that are the same but for the domain's own name, as in its own MX hosts."""
    said = [(finding.rule, str(finding.severity), finding.message) for finding in findings]
    text = repr((rows(change), waits(change, now), sorted(said), live_text(change)))
    return re.sub(rf"(?<![\w-]){re.escape(change.policy_domain)}(?![\w-])", _OWN, text)


def headline(change_set: ChangeSet, findings: Iterable[Finding], now: datetime.datetime) -> tuple[str, ...]:
    """How many domains change, what was found, and whether to merge: one part for each."""
    changed = len(change_set.changes)
    if not changed:
        return (f"none of {_count(change_set.policy_domains, 'domain')} changes",)
    severities = [finding.severity for finding in findings]
    errors, warnings = severities.count(Severity.ERROR), severities.count(Severity.WARNING)
    notes = severities.count(Severity.INFO) + sum(len(waits(change, now)) for change in change_set.changes)
    return (
        f"{changed:,} of {_count(change_set.policy_domains, 'domain')} {'changes' if changed == 1 else 'change'}",
        _count(errors, "error"),
        _count(warnings, "warning"),
        _count(notes, "note"),
        "do not merge yet" if errors else "read the warnings before you merge" if warnings else "safe to merge",
    )


def base_text(change_set: ChangeSet) -> str:
    """What the change is measured against."""
    base = change_set.base
    text = f"{base.ref}, merge base {base.commit[:12]} of {base.at:%Y-%m-%d}"
    if sum(change.kind is Kind.ADDED for change in change_set.changes) == change_set.policy_domains:
        text += "; no spec was there, so each counts as new"
    if base.newer:
        commits = "commit that changes" if base.newer == 1 else "commits that change"
        text += f"; {base.ref} has {base.newer} newer {commits} specs: merge it into this branch to see both"
    return text


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def rows(change: Change) -> tuple[Row, ...]:
    """What differs, in a fixed order."""
    before, after = _values(change.base), _values(change.head)
    return tuple(Row(name, before[name], after[name]) for name in before if before[name] != after[name])


def mode(change: Change) -> str:
    """`testing`, `testing → enforce`, `none → gone`."""
    before, after = _mode(change.base), _mode(change.head)
    return after if before == after else f"{before} → {after}"


def duration(seconds: int) -> str:
    """As a spec would write it: `2w`, `1d`, `90m`; what fits no unit in seconds."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds} s"


def live_text(change: Change) -> str:
    """What is live now, in one line; "" where nobody looked."""
    live = change.live
    if live is None:
        return ""
    hosts = tuple(host.host for host in live.mail_hosts)
    unanswered = live.mx is not None and live.mx.status is DnsStatus.FAILED
    if unanswered or any(host.supposed for host in live.mail_hosts):
        mail = "MX unknown, DNS gave no answer"
    else:
        mail = f"MX {_some(hosts)}" if hosts else "no MX takes mail"
    record = live.read_record()
    if record is None:
        return f"{mail}; whether a policy is announced is unknown"
    served = change.served
    if not isinstance(record, Record):
        policy = "no policy is announced"
    elif served is None:
        policy = f"id {record.policy_id}, and senders can fetch no policy"
    else:
        same = "the policy of the base" if served == change.before else _policy_text(served)
        policy = f"id {record.policy_id}, senders find {same}"
    return f"{mail}; {policy}"


def _policy_text(policy: MtaSts) -> str:
    hosts = tuple(pattern.text for pattern in policy.mx)
    return f"mode {policy.mode}, max_age {duration(policy.max_age)}, mx {_some(hosts) or 'none'}"


def wait_text(wait: Wait) -> tuple[str, str]:
    """The order, and its reason."""
    until = f"{wait.until:%Y-%m-%d %H:%M} UTC"
    held = f"{duration(wait.seconds)}: the longest policy that senders may still hold"
    match wait.what:
        case WaitFor.MX:
            return f"Do not point MX at {_some(wait.hosts)} before {until}", held
        case WaitFor.ENFORCE_ENDS:
            return f"Senders that hold enforce go on refusing until {until}", held
        case WaitFor.REMOVAL:
            return f"Keep this spec until {until}; then it may be removed", held


def _some(hosts: tuple[str, ...]) -> str:
    return ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")


def _mode(spec: PolicySpec | None) -> str:
    if spec is None:
        return "no spec"
    return str(spec.mta_sts.mode) if spec.mta_sts else "TLS-RPT only"


def _values(spec: PolicySpec | None) -> dict[str, tuple[str, ...]]:
    policy = spec.mta_sts if spec else None
    return {
        "mode": (str(policy.mode),) if policy else (),
        "mx": tuple(pattern.text for pattern in policy.mx) if policy else (),
        "max_age": (duration(policy.max_age),) if policy else (),
        "rua": (spec.tls_rpt.rua or (PLATFORM_RUA,)) if spec and spec.tls_rpt else (),
        "records": _records(spec),
        "owner": (spec.owner,) if spec and spec.owner else (),
        "contact": (spec.contact,) if spec and spec.contact else (),
        "suppress": tuple(f"{rule}: {reason}" for rule, reason in spec.suppress.items()) if spec else (),
        "alerts": tuple(f"{'.'.join(path)}: {text}" for path, text in alerts.written(spec.mute)) if spec else (),
        "controller": tuple(f"{'.'.join(path)}: {text}" for path, text in written(spec.controller)) if spec else (),
    }


def _records(spec: PolicySpec | None) -> tuple[str, ...]:
    policy = ("_mta-sts TXT", "mta-sts CNAME") if spec and spec.mta_sts else ()
    return policy + (("_smtp._tls TXT",) if spec and spec.tls_rpt else ())
