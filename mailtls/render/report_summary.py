"""A summary, and two periods held against each other: text, JSON, CSV."""

import json
from collections.abc import Sequence
from typing import Any

from mailtls.render.csv_cells import csv_line
from mailtls.render.foreign_text import plain
from mailtls.totals.summary import Change, Row, Summary, compare, compare_overall

FORMATS = ("text", "json", "csv")
NOTE = "Sessions, not reports, are counted. Policy types count the same session twice: never add them up."
_ALL = "all"
_UNNAMED = "(not named)"
_WIDEST = 60


def render_summary(summary: Summary, before: Summary | None, output: str) -> str:
    """before: the period to compare with."""
    if output == "json":
        return json.dumps(_data(summary, before), indent=1) + "\n"
    return _csv(summary) if output == "csv" else _text(summary, before)


def share(rate: float | None) -> str:
    """In per cent, cut and not rounded: 99.999 % is not 100 %. `-`: there is no rate."""
    if rate is None:
        return "-"
    cut = int(rate * 10_000 + 1e-9) / 100
    return "<0.01 %" if rate > 0 and not cut else f"{cut:.2f} %"


def _text(summary: Summary, before: Summary | None) -> str:
    head = f"{summary.reports:,} reports"
    if before is None:
        table = _table(summary)
    else:
        head += f"; {before.reports:,} in the {summary.period.length} days before"
        table = _changes(before, summary)
    return "\n".join([head, "", *_aligned(table), "", NOTE, ""])


def _table(summary: Summary) -> list[tuple[str, ...]]:
    success = summary.by.counts_success
    sessions = "SUCCESSFUL" if success else "OF SESSIONS"
    head = (str(summary.by).upper(), "POLICY TYPE", sessions, "FAILED", "FAILED SHARE", "REPORTS")
    named = [*((_ALL, row) for row in summary.overall()), *((_name(row.group), row) for row in summary.rows())]
    cells = [
        (name, str(row.policy_type), f"{row.successful if success else row.of:,}", f"{row.failed:,}", share(row.rate))
        for name, row in named
    ]
    return [head, *((*cell, f"{row.reports:,}") for cell, (_, row) in zip(cells, named, strict=True))]


def _changes(before: Summary, after: Summary) -> list[tuple[str, ...]]:
    head = (str(after.by).upper(), "POLICY TYPE", "FAILED BEFORE", "FAILED NOW", "SHARE BEFORE", "SHARE NOW")
    overall = [(_ALL, change) for change in compare_overall(before, after)]
    return [
        head,
        *(_change(name, one) for name, one in [*overall, *((_name(c.group), c) for c in compare(before, after))]),
    ]


def _change(name: str, change: Change) -> tuple[str, ...]:
    pair = (change.before, change.after)
    failed = ("no report" if row is None else f"{row.failed:,}" for row in pair)
    return (name, str(change.policy_type), *failed, *(share(row.rate if row else None) for row in pair))


def _name(group: str) -> str:
    name = plain(group) or _UNNAMED
    return name if len(name) <= _WIDEST else name[: _WIDEST - 3] + "..."


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        padded = zip(row, widths, strict=True)
        lines.append(
            "  ".join(cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(padded))
        )
    return [line.rstrip() for line in lines]


def _csv(summary: Summary) -> str:
    head = (str(summary.by), "policy_type", "successful_sessions", "failed_sessions", "of_sessions", "reports")
    lines = [csv_line(head)]
    for row in summary.rows():
        successful = row.successful if summary.by.counts_success else None
        lines.append(csv_line((row.group, str(row.policy_type), successful, row.failed, row.of, row.reports)))
    return "".join(lines)


def _data(summary: Summary, before: Summary | None) -> dict[str, Any]:
    data = {"by": str(summary.by), **_sums(summary)}
    return data if before is None else data | {"before": _sums(before)}


def _sums(summary: Summary) -> dict[str, Any]:
    return {
        "reports": summary.reports,
        "overall": [_row(row, True) for row in summary.overall()],
        "rows": [_row(row, summary.by.counts_success) for row in summary.rows()],
    }


def _row(row: Row, success: bool) -> dict[str, Any]:
    return {
        "group": row.group,
        "policy_type": str(row.policy_type),
        "successful_sessions": row.successful if success else None,
        "failed_sessions": row.failed,
        "of_sessions": row.of,
        "failed_share": row.rate,
        "reports": row.reports,
    }
