"""A change of specs as text, JSON and Markdown. Takes values, returns strings; prints nothing.

JSON is described by `changes.v1.schema.json`.
"""

import datetime
import json
from collections.abc import Sequence
from typing import Any

from mailtls.changes import Change, ChangeSet, steps, waits
from mailtls.lint.findings import Finding
from mailtls.mta_sts.record import Record
from mailtls.render.change_comment import render_comment
from mailtls.render.change_text import render_text
from mailtls.render.findings import findings_data
from mailtls.spec import alerts
from mailtls.spec.controller import written
from mailtls.spec.model import MtaSts, PolicySpec

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "changes.v1.schema.json"


def render_changes(
    change_set: ChangeSet, findings: Sequence[Finding], now: datetime.datetime, output: str, *, width: int = 80
) -> str:
    """All changes and findings in the format `output` (one of FORMATS). width: columns, of text alone."""
    match output:
        case "text":
            return render_text(change_set, findings, now, width=width)
        case "markdown":
            return render_comment(change_set, findings, now)
        case "json":
            return json.dumps(_data(change_set, findings, now), indent=2, ensure_ascii=False) + "\n"
    raise ValueError(f"{output} is not one of {', '.join(FORMATS)}")


def _data(change_set: ChangeSet, findings: Sequence[Finding], now: datetime.datetime) -> dict[str, Any]:
    base = change_set.base
    return {
        "base": {"ref": base.ref, "merge_base": base.commit, "at": _time(base.at), "newer_commits": base.newer},
        "at": _time(now),
        "policy_domains": change_set.policy_domains,
        "changes": [_change(change, now) for change in change_set.changes],
        "findings": findings_data(findings),
    }


def _change(change: Change, now: datetime.datetime) -> dict[str, Any]:
    source = change.spec.source
    return {
        "policy_domain": change.policy_domain,
        "change": str(change.kind),
        "location": {"file": source.file, "line": source.line},
        "live": _live(change),
        "before": _spec(change.base),
        "after": _spec(change.head),
        "order": [[step.replace("`", "") for step in chain] for chain in steps(change)],
        "waits": [
            {"what": str(wait.what), "hosts": list(wait.hosts), "until": _time(wait.until), "seconds": wait.seconds}
            for wait in waits(change, now)
        ],
    }


def _live(change: Change) -> dict[str, Any] | None:
    """policy_id, mta_sts: null where senders find none. failures: why something is not known."""
    live = change.live
    if live is None:
        return None
    record = live.read_record()
    served = change.served
    answers = (live.sts, live.mx, live.host_a, live.host_aaaa)
    failures = [f"{answer.name} {answer.rdtype}: {answer.failure}" for answer in answers if answer and answer.failure]
    failures += [f"{look.address}: {look.failure}" for look in live.https if look.failure]
    return {
        "at": _time(live.at),
        "mx_hosts": [host.host for host in live.mail_hosts],
        "policy_id": record.policy_id if isinstance(record, Record) else None,
        "mta_sts": served and _policy(served),
        "failures": [*failures, *live.unasked],
    }


def _policy(policy: MtaSts) -> dict[str, Any]:
    return {"mode": str(policy.mode), "mx": [pattern.text for pattern in policy.mx], "max_age": policy.max_age}


def _spec(spec: PolicySpec | None) -> dict[str, Any] | None:
    """mta_sts: null where no policy is served. rua: null where no reports are asked for, [] for the platform's own."""
    if spec is None:
        return None
    policy = spec.mta_sts
    return {
        "mta_sts": policy and _policy(policy),
        "rua": list(spec.tls_rpt.rua) if spec.tls_rpt else None,
        "owner": spec.owner,
        "contact": spec.contact,
        "suppress": dict(spec.suppress),
        "alerts": {".".join(path): text for path, text in alerts.written(spec.mute)},
        "controller": {".".join(path): text for path, text in written(spec.controller)},
    }


def _time(at: datetime.datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
