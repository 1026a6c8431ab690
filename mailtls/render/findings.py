"""Findings as text, JSON, Markdown, SARIF, and annotations of a GitHub workflow. One function; it prints nothing.

    print(render_findings(findings, "text", width=120), end="")

JSON is described by `findings.v1.schema.json`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from mailtls.lint.findings import Finding, Severity
from mailtls.render.foreign_text import annotation, annotation_property, code, markdown, plain
from mailtls.render.wrapping import wrapped

FORMATS = ("text", "json", "markdown", "sarif", "github")
SCHEMA_FILE = "findings.v1.schema.json"

_COLOURS: Mapping[Severity, str] = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_BOLD = "1"
_ANNOTATIONS: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_findings(
    findings: Sequence[Finding], output: str, *, width: int = 80, colour: bool = False, heads: bool = True
) -> str:
    """`findings` in their order, in the format `output` (one of FORMATS). Ends with a line end unless it is empty.

    Of text alone: width, in columns. colour: whether it may hold colour codes. heads: each domain's name above its own.
    """
    match output:
        case "text":
            return _text(findings, width, colour, heads)
        case "json":
            return json.dumps({"findings": findings_data(findings)}, indent=2, ensure_ascii=False) + "\n"
        case "markdown":
            return _markdown(findings)
        case "sarif":
            from mailtls.render.sarif import render_sarif

            return render_sarif(findings)
        case "github":
            return "".join(_annotation(finding) for finding in findings)
    raise ValueError(f"{output} is not one of {', '.join(FORMATS)}")


def findings_data(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Plain data, as the schema has it: for a command whose JSON holds findings beside other things."""
    return [
        {
            "rule": finding.rule,
            "severity": str(finding.severity),
            "policy_domain": finding.policy_domain,
            "location": _location_data(finding),
            "message": finding.message,
            "fix": finding.fix,
            "reference": finding.reference,
        }
        for finding in findings
    ]


def _location_data(finding: Finding) -> dict[str, Any] | None:
    source = finding.location
    return {"file": source.file, "line": source.line, "column": source.column} if source else None


def _groups(findings: Sequence[Finding]) -> Iterable[tuple[str, list[Finding]]]:
    """Neighbours about one domain, under its name; under the file's where no domain is known."""
    for head, group in groupby(findings, key=lambda f: f.policy_domain or (f.location.file if f.location else "")):
        yield head, list(group)


def _where(finding: Finding) -> str:
    """`file:line:column`, a form that terminals and editors open; "" without a file."""
    if finding.location is None:
        return ""
    column = f":{finding.location.column}" if finding.location.column else ""
    return f"{finding.location.file}:{finding.location.line}{column}"


def _text(findings: Sequence[Finding], width: int, colour: bool, heads: bool) -> str:
    blocks = []
    for head, group in _groups(findings):
        lines = [_coloured(plain(head), _BOLD, colour)] if heads else []
        for finding in group:
            severity = _coloured(str(finding.severity), _COLOURS[finding.severity], colour)
            where = plain(_where(finding))
            lines.append(f"  {severity} {plain(finding.rule)}" + (f"  {where}" if where else ""))
            lines += _wrapped(finding.message, "    ", "    ", width)
            if finding.fix:
                lines += _wrapped(finding.fix, "    Do: ", "        ", width)
            if finding.reference:
                lines += _wrapped(finding.reference, "    See: ", "         ", width)
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _wrapped(text: str, first: str, further: str, width: int) -> list[str]:
    return wrapped(plain(text), width, first, further)


def _coloured(text: str, colour_code: str, colour: bool) -> str:
    return f"\x1b[{colour_code}m{text}\x1b[0m" if colour else text


def _markdown(findings: Sequence[Finding]) -> str:
    if not findings:
        return "No findings.\n"
    lines = []
    for head, group in _groups(findings):
        lines += [f"#### {code(head)}", ""] if head else []
        for finding in group:
            where = _where(finding)
            text = f"- **{finding.severity}** {code(finding.rule)}" + (f" at {code(where)}" if where else "")
            text += f": {markdown(finding.message)}"
            text += f" **Do:** {markdown(finding.fix)}" if finding.fix else ""
            text += f" ({markdown(finding.reference)})" if finding.reference else ""
            lines.append(text)
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _annotation(finding: Finding) -> str:
    """One workflow command (https://docs.github.com/actions, "Workflow commands")."""
    properties = {}
    if finding.location:
        properties = {"file": finding.location.file, "line": str(finding.location.line)}
        if finding.location.column:
            properties["col"] = str(finding.location.column)
    about = f"{finding.rule}: {finding.policy_domain}" if finding.policy_domain else finding.rule
    properties["title"] = about
    written = ",".join(f"{name}={annotation_property(value)}" for name, value in properties.items())
    message = f"{finding.message}. Do: {finding.fix}" if finding.fix else finding.message
    return f"::{_ANNOTATIONS[finding.severity]} {written}::{annotation(message)}\n"
