"""A change of specs for a terminal."""

import datetime
from collections.abc import Iterable, Sequence

from mailtls.changes import ChangeSet, steps
from mailtls.lint.findings import Finding
from mailtls.render.change_rows import Group, Row, base_text, groups, headline, live_text, mode, wait_text
from mailtls.render.foreign_text import plain
from mailtls.render.wrapping import wrapped

_LABEL = 10
"""Columns of the names at the left."""
_MOST_SAME = 6
"""Unchanged values of a list that are shown; the rest is counted."""


def render_text(change_set: ChangeSet, findings: Sequence[Finding], now: datetime.datetime, *, width: int = 80) -> str:
    """One block for all domains that change alike. width: columns. Ends with a line end."""
    first, *counts = headline(change_set, findings, now)
    lines = _wrapped(f"{first}: {', '.join(counts)}." if counts else f"{first}.", "", "", width)
    lines += _wrapped(f"Against {base_text(change_set)}.", "", "", width)
    for group in groups(change_set, findings, now):
        lines += ["", *_block(group, width)]
    return "\n".join(lines) + "\n"


def _block(group: Group, width: int) -> Iterable[str]:
    change = group.change
    source = change.spec.source
    yield f"{change.policy_domain}  {mode(change)}  {plain(source.file)}:{source.line}"
    for finding in group.findings:
        yield from _wrapped(f"{finding.severity} {finding.rule}: {finding.message}", "  ", "    ", width)
        yield from _wrapped(f"Do: {finding.fix}", "    ", "        ", width)
    for row in group.rows:
        yield from _row(row, width)
    for chain in steps(change):
        yield from _labelled("order", ", then ".join(chain).replace("`", ""), width)
    if live := live_text(change):
        yield from _labelled("live", f"{live}.", width)
    for wait in group.waits:
        order, reason = wait_text(wait)
        yield from _labelled("wait", f"{order} ({reason}).", width)
    if others := group.domains[1:]:
        own = ", each with its own name" if group.own_names else ""
        yield from _labelled("the same", f"for {len(others):,} more{own}:", width)
        yield from wrapped(
            ", ".join(others),  # A-labels: not cut, as a stranger's text would be
            width,
            " " * (_LABEL + 2),
            " " * (_LABEL + 2),
        )


def _row(row: Row, width: int) -> Iterable[str]:
    if len(row.before) <= 1 and len(row.after) <= 1:
        yield from _labelled(row.name, " -> ".join("".join(v) or "nothing" for v in (row.before, row.after)), width)
        return
    before, after = set(row.before), set(row.after)
    same = [value for value in row.after if value in before]
    shown = [f"- {value}" for value in row.before if value not in after]
    shown += [f"+ {value}" for value in row.after if value not in before]
    shown += [f"= {value}" for value in same[:_MOST_SAME]]
    if not any(line[0] in "+-" for line in shown):
        shown.append("  (in another order)")
    if len(same) > _MOST_SAME:
        shown.append(f"= and {len(same) - _MOST_SAME} more, as they were")
    for number, line in enumerate(shown):
        yield from _labelled(row.name if number == 0 else "", line, width)


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _wrapped(text, f"  {label:<{_LABEL}}", " " * (_LABEL + 2), width)


def _wrapped(text: str, first: str, further: str, width: int) -> list[str]:
    return wrapped(plain(text), width, first, further)
