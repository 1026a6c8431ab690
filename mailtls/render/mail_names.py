"""Names that receive mail as a table, JSON (`discover.v1.schema.json`), CSV, Markdown."""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailtls.discover.mail_names import MailName, Route
from mailtls.names import u_labels
from mailtls.render.foreign_text import markdown, plain, table_code

FORMATS = ("text", "json", "csv", "markdown")
SCHEMA_FILE = "discover.v1.schema.json"

HEAD = ("NAME", "MAIL", "MTA-STS", "TLS-RPT", "HOST", "PROVIDER")
_CSV_HEAD = ("name", "mail", "provider", "mx", "mta_sts", "tls_rpt", "policy_host", "source", "fault")
_FORMULA = ("=", "+", "-", "@")
_MOST_LISTED = 20


@dataclass(frozen=True, slots=True)
class SpecsWritten:
    """folder: as it was typed. made, kept: paths. left_out: name to reason. faulty: those of them that need mending."""

    folder: str
    made: tuple[str, ...]
    kept: tuple[str, ...]
    left_out: Mapping[str, str]
    faulty: Sequence[str] = ()


def render_mail_names(found: Sequence[MailName], written: SpecsWritten | None, output: str) -> str:
    """`found` in their order, and what became of the specs; None: none were asked for. CSV has the names alone."""
    match output:
        case "json":
            return json.dumps(_data(found, written), indent=2, ensure_ascii=False) + "\n"
        case "csv":
            return _csv(found)
        case "markdown":
            return _markdown(found, written)
    return "\n".join([*_table(found), "", *_closing(found, written)]) + "\n"


def closing(found: Sequence[MailName], written: SpecsWritten | None) -> str:
    """The lines below the table, for whoever prints the table elsewhere."""
    return "\n".join(_closing(found, written)) + "\n"


def _data(found: Sequence[MailName], written: SpecsWritten | None) -> dict[str, object]:
    data: dict[str, object] = {
        "names": [
            {
                "name": one.name,
                "source": one.source,
                "mail": str(one.route),
                "mx": [{"preference": preference, "host": host} for preference, host in one.mx],
                "provider": one.provider,
                "mta_sts": one.mta_sts,
                "tls_rpt": one.tls_rpt,
                "policy_host": one.policy_host,
                "fault": one.fault,
            }
            for one in found
        ]
    }
    if written is not None:
        left_out = [{"name": name, "why": why} for name, why in written.left_out.items()]
        data["specs"] = {"made": list(written.made), "kept": list(written.kept), "left_out": left_out}
    return data


def _cells(one: MailName) -> tuple[str, ...]:
    has = (_short(one.mta_sts), _short(one.tls_rpt), _short(one.policy_host))
    return (plain(u_labels(one.name)), str(one.route), *has, plain(one.provider))


def _short(has: bool | None) -> str:
    return "?" if has is None else "yes" if has else "-"


def _table(found: Sequence[MailName]) -> list[str]:
    rows = [HEAD, *map(_cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _closing(found: Sequence[MailName], written: SpecsWritten | None) -> list[str]:
    receiving = [one for one in found if one.receives]
    providers = Counter(one.provider for one in receiving)
    lines = [f"{len(receiving)} of {_counted(found, 'name')} receive mail"]
    lines[0] += (
        ": " + ", ".join(f"{count} {plain(name)}" for name, count in providers.most_common(5)) if providers else ""
    )
    lines[0] += f", {len(providers) - 5} more" if len(providers) > 5 else ""
    protected = sum(one.mta_sts is True for one in receiving)
    lines.append(
        f"{protected} of these have an MTA-STS record, {sum(o.tls_rpt is True for o in receiving)} a TLS-RPT record"
    )
    lines += [f"{plain(one.name)}: {plain(one.fault)}" for one in found if one.route is Route.UNKNOWN][:_MOST_LISTED]
    if written is None:
        return lines
    lines.append(f"{_counted(written.made, 'spec')} written into {plain(written.folder)}, all in testing")
    if written.kept:
        lines.append(f"{_counted(written.kept, 'file')} kept, since they were there (--overwrite replaces them):")
        lines += _listed(written.kept)
    if written.left_out:
        lines.append("no spec for:")
        lines += _listed([f"{name}: {why}" for name, why in written.left_out.items()])
    return lines


def _listed(items: Sequence[str]) -> list[str]:
    more = [f"  and {len(items) - _MOST_LISTED} more (--format json lists all)"] if len(items) > _MOST_LISTED else []
    return [f"  {plain(item)}" for item in items[:_MOST_LISTED]] + more


def _counted(items: Sequence[object], noun: str) -> str:
    return f"1 {noun}" if len(items) == 1 else f"{len(items)} {noun}s"


def _csv(found: Sequence[MailName]) -> str:
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(_CSV_HEAD)
    for one in found:
        mx = " ".join(f"{preference}:{host}" for preference, host in one.mx)
        has = ("" if value is None else str(value).lower() for value in (one.mta_sts, one.tls_rpt, one.policy_host))
        table.writerow(map(_csv_cell, (one.name, str(one.route), one.provider, mx, *has, one.source, one.fault)))
    return lines.getvalue()


def _csv_cell(text: str) -> str:
    """A spreadsheet computes what begins like a formula; a quote in front makes it text."""
    text = plain(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _markdown(found: Sequence[MailName], written: SpecsWritten | None) -> str:
    lines = ["| " + " | ".join(head.lower() for head in HEAD) + " |", "|" + "---|" * len(HEAD)]
    for one in found:
        name, *cells = _cells(one)
        lines.append(
            f"| {table_code(name)} | " + " | ".join(markdown(cell).replace("|", "\\|") for cell in cells) + " |"
        )
    return "\n".join([*lines, "", *(markdown(line) + "  " for line in _closing(found, written))]) + "\n"
