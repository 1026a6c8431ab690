"""Reports that were read, one at a time, so that nothing is held: text, JSON lines, CSV."""

import json
from collections.abc import Iterator

from mailtls.render.csv_cells import csv_line
from mailtls.render.foreign_text import plain
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, to_json
from mailtls.totals.facts import who_reported

FORMATS = ("text", "json", "csv")
CSV_COLUMNS = (
    "row", "source", "organization_name", "report_id", "start", "end", "policy_domain", "policy_type", "mode",
    "policy_string", "successful_sessions", "failed_sessions", "result_type", "sending_mta_ip",
    "receiving_mx_hostname", "receiving_ip", "failure_reason_code", "additional_information",
)  # fmt: skip
"""row: `policy`, with the sessions of one policy, or `failure`, with those that failed in one way. Add up one of the
two, never both; and never policy types."""


def head(output: str) -> str:
    """What stands before the first report."""
    if output == "csv":
        return csv_line(CSV_COLUMNS)
    return "" if output == "json" else f"{'DAY':10}  {'SUCCESSFUL':>10}  {'FAILED':>8}  {'POLICY':22}  REPORT\n"


def entry_lines(entry: LedgerEntry, source: str, output: str) -> str:
    """One report about one domain."""
    if output == "json":
        data = {"source": source, "policy_domain": entry.policy_domain, "signer": entry.signer}
        return json.dumps(data | {"report": to_json(entry.report)}) + "\n"
    lines = _csv_rows(entry, source) if output == "csv" else _text_rows(entry)
    return "".join(lines)


def refused_line(place: str, line: int | None, reason: str) -> str:
    """What was not read, as `file:line: why`, the form that editors and CI know."""
    at = f"{plain(place)}:{line}" if line else plain(place)
    return f"{at}: {plain(reason)}"


def refused_json(place: str, line: int | None, reason: str) -> str:
    """The same as a JSON line."""
    return json.dumps({"source": place, "line": line, "refused": reason}) + "\n"


def _text_rows(entry: LedgerEntry) -> Iterator[str]:
    who = plain(f"{entry.policy_domain}  {who_reported(entry) or '(no name)'}  {entry.report.report_id}"[:200])
    for row in entry.report.policies:
        policy = f"{row.policy_type} {row.mode or ''}".strip()
        yield (
            f"{entry.report.day}  {_count(row.total_successful_session_count):>10}  "
            f"{_count(row.total_failure_session_count):>8}  {policy:22}  {who}\n"
        )
        for detail in row.failure_details:
            yield f"{'':10}  {'':10}  {_count(detail.failed_session_count):>8}  {_failure(detail)}\n"
    if not entry.report.policies:
        yield f"{entry.report.day}  {'?':>10}  {'?':>8}  {'no policy':22}  {who}\n"


def _failure(detail: FailureDetail) -> str:
    what = detail.result_type_text or detail.result_type
    at = f" at {detail.receiving_mx_hostname}" if detail.receiving_mx_hostname else ""
    source = f" from {detail.sending_mta_ip}" if detail.sending_mta_ip else ""
    return plain(f"{what}{at}{source}"[:200])


def _count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _csv_rows(entry: LedgerEntry, source: str) -> Iterator[str]:
    of = entry.report
    for row in of.policies:
        common = (
            source,
            of.organization_name,
            of.report_id,
            of.start_datetime.isoformat(),
            of.end_datetime.isoformat(),
        )
        policy = (
            entry.policy_domain,
            row.policy_type_text or str(row.policy_type),
            row.mode,
            "; ".join(row.policy_string),
        )
        yield csv_line(("policy", *common, *policy, *_sessions(row), *[None] * 6))
        for detail in row.failure_details:
            failed = (None, detail.failed_session_count, detail.result_type_text or str(detail.result_type))
            yield csv_line(("failure", *common, *policy, *failed, *_hosts(detail)))


def _sessions(row: PolicyResult) -> tuple[int | None, int | None]:
    return row.total_successful_session_count, row.total_failure_session_count


def _hosts(detail: FailureDetail) -> tuple[str | None, ...]:
    return (
        detail.sending_mta_ip,
        detail.receiving_mx_hostname,
        detail.receiving_ip,
        detail.failure_reason_code,
        detail.additional_information,
    )
