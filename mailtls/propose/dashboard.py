"""The one issue that shows every domain and what comes next, with boxes to ask again for what was closed.

It is written anew at each run and holds no state, but for the boxes and the failures: a ticked box is a person's wish,
read at the next run, and stays ticked until it was heard; failures are told in `repeated.py`.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailtls.propose import repeated
from mailtls.propose.forges.forge import Forge, Issue
from mailtls.propose.proposal import key_of

TITLE = "mailtls: every domain and its next step"
LABEL = "mailtls"
MOST_BODY = 60_000
"""Characters; GitHub takes 65,536."""
_MOST_FAILURES = 20_000
"""Characters of it for the failures."""
_BOX = re.compile(r"^- \[[xX]\] .*<!-- again (\S+) -->\r?$", re.MULTILINE)


class RowState(StrEnum):
    """In the order in which they are shown: what wants a person comes first."""

    BLOCKED = "blocked"
    PROPOSED = "proposed"
    CLOSED_BY_YOU = "closed by you"
    WAITING = "waiting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Row:
    """One domain. words: Markdown on one line. branch: what its box asks for again, "" for no box."""

    policy_domain: str
    state: RowState
    words: str
    url: str = ""
    branch: str = ""


def find(forge: Forge) -> Issue | None:
    """The newest with our title and label, also where a person closed it. Raises ForgeError."""
    return next(iter(forge.issues(TITLE, LABEL)), None)


def asked_again(body: str) -> set[str]:
    """The branches whose box is ticked. A text of anybody: what is no branch of ours is nothing."""
    return {branch for branch in _BOX.findall(body) if key_of(branch)}


def render(rows: Sequence[Row], still_asked: Collection[str] = (), failures: Collection[repeated.Failure] = ()) -> str:
    """still_asked: boxes that stay ticked, because they were ticked while we worked. At most MOST_BODY characters."""
    memory = repeated.lines(failures, _MOST_FAILURES)
    counts = Counter(row.state for row in rows)
    summary = " · ".join(f"{counts[state]} {state}" for state in RowState if counts[state]) or "no domains"
    lines = [
        f"{len(rows)} domains: {summary}. Written by `mailtls reconcile` at each run; what you write here is lost.",
        "",
    ]
    left = MOST_BODY - len(lines[0]) - 200 - len(memory)
    shown = 0
    for state in RowState:
        of_state = sorted((row for row in rows if row.state is state), key=lambda row: row.policy_domain)
        lines_of_state = [_heading(state), ""] if of_state else []
        for row in of_state:
            line = _line(row, row.branch in still_asked)
            if left < len(line) + 1:
                break
            lines_of_state.append(line)
            left -= len(line) + 1
            shown += 1
        lines += [*lines_of_state, ""]
    if shown < len(rows):
        lines += [f"({len(rows) - shown} more domains do not fit here: `mailtls status` shows all.)", ""]
    return "\n".join([*lines, memory] if memory else lines)


def write(
    forge: Forge, rows: Sequence[Row], heard: Collection[str], failures: Collection[repeated.Failure] = ()
) -> Issue | None:
    """Written where it differs, made where there is none. None: a person closed it, and so it stays.

    heard: the boxes that this run acted upon. Read again just before: a box ticked meanwhile stays ticked.
    """
    found = find(forge)
    if found is None:
        return forge.open_issue(TITLE, render(rows, (), failures), (LABEL,))
    if not found.is_open:
        return None
    body = render(rows, asked_again(found.body) - set(heard), failures)
    if body.split() != found.body.split():
        forge.edit_issue(found.number, body)
    return found


def _heading(state: RowState) -> str:
    if state is RowState.CLOSED_BY_YOU:
        return f"### {state.capitalize()}: tick a box to be asked again"
    return f"### {state.capitalize()}"


def _line(row: Row, ticked: bool) -> str:
    words = f"**{row.policy_domain}** {' '.join(row.words.split())}" + (f" ({row.url})" if row.url else "")
    if not row.branch:
        return f"- {words}"
    return f"- [{'x' if ticked else ' '}] {words} <!-- again {row.branch} -->"
