"""Checks of an account as text, JSON (`preflight.v1.schema.json`), Markdown."""

import json
import textwrap
from collections.abc import Sequence

from mailtls.preflight.check import Check, State
from mailtls.render.foreign_text import markdown, plain, table_code

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "preflight.v1.schema.json"

_COLOURS = {State.OK: "32", State.PROBLEM: "31", State.NOT_ASKED: "33"}
_COUNTED = {State.OK: "ok", State.PROBLEM: "problems", State.NOT_ASKED: "could not be asked"}


def render_preflight(checks: Sequence[Check], output: str, *, width: int = 80, colour: bool = False) -> str:
    """`checks` in their order. width: columns, of text alone. colour: whether text may hold colour codes."""
    if output == "json":
        return json.dumps(_data(checks), indent=2, ensure_ascii=False) + "\n"
    return _markdown(checks) if output == "markdown" else _text(checks, width, colour)


def _data(checks: Sequence[Check]) -> dict[str, object]:
    return {
        "ready": not any(check.state is not State.OK for check in checks),
        "checks": [
            {
                "check": check.id,
                "subject": check.subject,
                "state": str(check.state),
                "told": check.told,
                "do": check.do,
            }
            for check in checks
        ],
    }


def _text(checks: Sequence[Check], width: int, colour: bool) -> str:
    lines = []
    for check in checks:
        subject = f" {check.subject}" if check.subject else ""
        told = _wrapped(f"{check.id}{subject}: {check.told}", f"{check.state:<11}", width)
        if colour:
            told[0] = told[0].replace(str(check.state), f"\x1b[{_COLOURS[check.state]}m{check.state}\x1b[0m", 1)
        lines += told
        lines += _wrapped(check.do, " " * 11 + "Do: ", width) if check.do else []
    return "\n".join([*lines, "", _sum(checks)]) + "\n"


def _wrapped(text: str, first: str, width: int) -> list[str]:
    return textwrap.wrap(
        plain(text),
        max(width, 40),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,  # a name that is cut in two cannot be copied
        break_on_hyphens=False,
    )


def _sum(checks: Sequence[Check]) -> str:
    counts = {state: sum(check.state is state for check in checks) for state in State}
    return ", ".join(f"{counts[state]} {word}" for state, word in _COUNTED.items())


def _markdown(checks: Sequence[Check]) -> str:
    lines = [
        f"### mailtls preflight: {_sum(checks)}",
        "",
        "| | check | what was seen | what to do |",
        "|---|---|---|---|",
    ]
    for check in checks:
        name = table_code(check.id) + (f" {table_code(check.subject)}" if check.subject else "")
        lines.append(f"| {check.state} | {name} | {_cell(check.told)} | {_cell(check.do)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A `|` would end the cell, in a code span too."""
    return markdown(text).replace("|", "\\|")
