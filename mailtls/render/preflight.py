"""Checks of an account as text, JSON (`preflight.v1.schema.json`), Markdown."""

import json
from collections.abc import Sequence

from mailtls.preflight.check import Check, State
from mailtls.render.foreign_text import markdown, plain, table_code
from mailtls.render.wrapping import wrapped

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "preflight.v1.schema.json"

_COLOURS = {State.OK: "32", State.PROBLEM: "31", State.NOT_ASKED: "33"}
_FEW = 3
"""Checks of one name that are told one by one where all is well; from so many on, together."""
_MOST_NAMED = 10


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
    for check in _folded(checks):
        subject = f" {check.subject}" if check.subject else ""
        told = _wrapped(f"{check.id}{subject}: {check.told}", f"{check.state:<11}", width)
        if colour:
            told[0] = told[0].replace(str(check.state), f"\x1b[{_COLOURS[check.state]}m{check.state}\x1b[0m", 1)
        lines += told
        lines += _wrapped(check.do, " " * 11 + "Do: ", width) if check.do else []
    return "\n".join([*lines, "", _sum(checks)]) + "\n"


def _folded(checks: Sequence[Check]) -> list[Check]:
    """The checks, with those that are well and have one name told in one where they are many: forty zones that are as
    they should be are no news."""
    well: dict[str, list[Check]] = {}
    for check in checks:
        if check.state is State.OK and not check.do:
            well.setdefault(check.id, []).append(check)
    many = {name: same for name, same in well.items() if len(same) >= _FEW}
    folded: list[Check] = []
    for check in checks:
        same = many.get(check.id, [])
        if check not in same:
            folded.append(check)
        elif check is same[0]:
            subjects = [one.subject for one in same]
            more = f" and {len(same) - _MOST_NAMED} more" if len(same) > _MOST_NAMED else ""
            told = f"all is well at {', '.join(subjects[:_MOST_NAMED])}{more}"
            folded.append(Check(check.id, f"({len(same)})", State.OK, told))
    return folded


def _wrapped(text: str, first: str, width: int) -> list[str]:
    return wrapped(plain(text), width, first, " " * len(first))


def _sum(checks: Sequence[Check]) -> str:
    counts = {state: sum(check.state is state for check in checks) for state in State}
    problems = "1 problem" if counts[State.PROBLEM] == 1 else f"{counts[State.PROBLEM]} problems"
    return f"{counts[State.OK]} ok, {problems}, {counts[State.NOT_ASKED]} could not be asked"


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
