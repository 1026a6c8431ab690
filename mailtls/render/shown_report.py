"""One report whole, and one cause from first to last sight: text, JSON."""

import json

from mailtls.render.foreign_text import plain
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import to_json
from mailtls.totals.cause_seen import CauseSeen
from mailtls.totals.facts import who_reported

FORMATS = ("text", "json")


def render_report(entry: LedgerEntry, source: str, output: str) -> str:
    """Everything that is known of it. As text, its JSON stands below a head; escapes keep it harmless."""
    report = to_json(entry.report)
    if output == "json":
        data = {"source": source, "policy_domain": entry.policy_domain, "signer": entry.signer, "mail": entry.mail}
        return json.dumps(data | {"report": report}, indent=1) + "\n"
    signed = f"signed by {entry.signer}" if entry.signer else "no signature was checked"
    lines = [
        f"{entry.policy_domain}  {entry.report.day}  {plain(who_reported(entry)) or '(no name)'}  ({plain(signed)})",
        f"from {plain(source)}",
        *(f"odd: {plain(note)}" for note in entry.report.notes),
        json.dumps(report, indent=1),
    ]
    return "\n".join([*lines, ""])


def render_cause(seen: CauseSeen, output: str) -> str:
    """seen: a cause that was seen."""
    if seen.cause is None:
        raise ValueError(f"{seen.id} was not seen")
    days = sorted(seen.days.items())
    if output == "json":
        data = {
            "cause": seen.id,
            "kind": str(seen.cause.kind),
            "policy_domain": seen.cause.policy_domain,
            "result_type": seen.cause.result_type,
            "host": seen.cause.host,
            "days": [
                {"day": str(day), "failed_sessions": n.failed, "reports": n.reports, "reporters": sorted(n.reporters)}
                for day, n in days
            ],
        }
        return json.dumps(data, indent=1) + "\n"
    at = f" at {seen.cause.host}" if seen.cause.host else ""
    failed = sum(one.failed for _, one in days)
    spread = f"{len(days)} day{'s' * (len(days) != 1)}"
    lines = [
        f"{seen.cause.policy_domain}: {seen.cause.result_type or seen.cause.kind}{at} (cause {seen.id})",
        f"first seen {days[0][0]}, last seen {days[-1][0]}, {failed:,} failed sessions on {spread}",
        "",
        *(f"{day}  {n.failed:>10,}  {plain(', '.join(sorted(n.reporters)))}" for day, n in days),
    ]
    return "\n".join([*lines, ""])
