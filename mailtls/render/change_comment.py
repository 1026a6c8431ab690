"""A change of specs as the comment of a pull request, in Markdown.

GitHub takes 65,536 characters. What is worst comes first, domains that change alike share one table, and what does not
fit is counted and named as far as there is room: never cut in the middle, never left out in silence.
"""

import datetime
from collections.abc import Iterable, Sequence

from mailtls.changes import ChangeSet, steps
from mailtls.lint.findings import Finding
from mailtls.render.change_rows import Group, base_text, groups, headline, live_text, mode, wait_text
from mailtls.render.foreign_text import code, markdown, table_code

MOST = 60_000
"""Octets of the whole comment, which are never fewer than characters. The rest is left for what a workflow adds."""
_FOR_THE_REST = 4_000
_MOST_VALUES = 12
"""Values in one cell; the rest is counted."""
_MOST_NAMES = 200
"""Names of domains that share a table."""


def render_comment(change_set: ChangeSet, findings: Sequence[Finding], now: datetime.datetime) -> str:
    """The whole comment, at most MOST octets. Ends with a line end."""
    head = f"### mailtls: {' · '.join(headline(change_set, findings, now))}\n"
    foot = (
        f"<sub>Against {markdown(base_text(change_set))}. The column `now served` is what the specs say there.</sub>\n"
    )
    left = MOST - _size(head) - _size(foot) - _FOR_THE_REST
    sections: list[str] = []
    rest: list[Group] = []
    for group in groups(change_set, findings, now):
        section = _section(group)
        if rest or _size(section) > left:
            rest.append(group)
        else:
            sections.append(section)
            left -= _size(section)
    parts = [head, *sections]
    if rest:
        parts.append(_summary(rest, change_set))
    return "\n".join([*parts, foot])


def _section(group: Group) -> str:
    change, source = group.change, group.change.spec.source
    lines = [f"**{change.policy_domain}** · {mode(change)} · {code(f'{source.file}:{source.line}')}"]
    if len(group.domains) > 1:
        lines[0] += f" · and {len(group.domains) - 1:,} more"
    lines += [_finding(finding) for finding in group.findings]
    if group.rows:
        lines += ["", "| | now served | after merge |", "|---|---|---|"]
        lines += [
            f"| {row.name} | {_cell(row.before, row.after, '~~')} | {_cell(row.after, row.before, '**')} |"
            for row in group.rows
        ]
        lines.append("")
    lines += [f"Order: {' → '.join(chain)}.  " for chain in steps(change)]
    if live := live_text(change):
        lines.append(f"Live: {markdown(live)}.  ")
    for wait in group.waits:
        order, reason = wait_text(wait)
        lines.append(f"**{markdown(order)}** ({markdown(reason)}).  ")
    if len(group.domains) > 1:
        own = ", each with its own name" if group.own_names else ""
        lines += [
            "",
            f"<details><summary>the same for {len(group.domains) - 1:,} more{own}</summary>",
            "",
            _names(group.domains[1:], _MOST_NAMES),
            "",
            "</details>",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _finding(finding: Finding) -> str:
    return (
        f"- **{finding.severity}** {code(finding.rule)}: {markdown(finding.message)}. **Do:** {markdown(finding.fix)}."
    )


def _cell(values: Sequence[str], others: Iterable[str], mark: str) -> str:
    """The values of one side, those that the other side has not in `mark` and first where not all are shown."""
    if not values:
        return "nothing"
    others = set(others)
    shown = values
    if len(values) > _MOST_VALUES:
        shown = [*(v for v in values if v not in others), *(v for v in values if v in others)][:_MOST_VALUES]
    cells = [table_code(value) if value in others else f"{mark}{table_code(value)}{mark}" for value in shown]
    if len(values) > len(shown):
        cells.append(f"and {len(values) - len(shown)} more")
    return ", ".join(cells)


def _summary(rest: Sequence[Group], change_set: ChangeSet) -> str:
    """What there is no room for: counted, and named as far as there is."""
    domains = [domain for group in rest for domain in group.domains]
    errors = sum(len(group.domains) for group in rest if group.worst == 0)
    warnings = sum(len(group.domains) for group in rest if group.worst == 1)
    text = (
        f"**{len(domains):,} more domains change**, {errors:,} of them with an error and {warnings:,} with a warning; "
        f"there is no room for their tables. {code(f'mailtls diff --base {change_set.base.ref}')} shows all.\n"
    )
    names = ""
    for number, domain in enumerate(domains):
        longer = names + (", " if names else "") + code(domain)
        if _size(text) + _size(longer) > _FOR_THE_REST - 200:
            return f"{text}\n{names} and {len(domains) - number:,} more\n"
        names = longer
    return f"{text}\n{names}\n"


def _names(domains: Sequence[str], most: int) -> str:
    named = ", ".join(code(domain) for domain in domains[:most])
    return named + (f" and {len(domains) - most:,} more" if len(domains) > most else "")


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
