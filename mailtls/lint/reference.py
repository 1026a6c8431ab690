"""docs/rules.md, rendered from the catalogue.

    python -m mailtls.lint.reference            # to stdout
    python -m mailtls.lint.reference --write    # into docs/rules.md

A test fails when the page is stale.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from mailtls.generated_page import print_or_write
from mailtls.lint.about import About, Group
from mailtls.lint.catalogue import may_be_silenced, rule_address, rules
from mailtls.lint.sender_habits import AS_OF, HABITS, habits_about

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"

_INTRODUCTION = """\
# Rules

Rendered from `mailtls/lint/`; do not edit. After a change of a rule: `python -m mailtls.lint.reference --write` (or
`make docs`). `mailtls explain RULE` prints one entry.

error: it fails, or mail is lost. warning: it works today and is unwise. info: worth knowing. What an entry calls
`suppress` silences the rule in one spec, with a reason; a reason that is gone should take its line with it. An error
can be silenced only where its entry says so.
"""

_TITLES = {
    Group.SPEC: "Specs, offline",
    Group.TRANSITION: "A change of specs against its base",
    Group.LIVE: "What is live",
}
_NOTES = {
    Group.SPEC: "`mailtls validate` applies them, and `pulumi up` refuses what is an error here. The first ones are\n"
    "kept by the loader, which names line and column.",
    Group.TRANSITION: "`mailtls diff --base` and `mailtls validate --base` apply them.",
    Group.LIVE: "`mailtls check` applies them.",
}

_LEFT_OUT = """\
## What is no rule here

- An MX list for a domain that receives nothing (null MX): a spec does not say what DNS holds; `mailtls check` looks.
- An owner whom nobody knows: no list of teams exists that a spec could be held against.
- A silenced rule whose time is over: `suppress` has a reason and no date.
- A domain without a configured zone: zones are a setting of a stack, so `pulumi preview` says it.
- A wildcard of a provider's shared name (`*.amazonaws.com`), and most public suffixes of two labels: the list of names
  under which everybody can get a host changes weekly, and an old copy would be wrong in both directions.
"""


def render() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for group in Group:
        entries = [about for about in rules().values() if about.group is group]
        if entries:
            parts.append(f"## {_TITLES[group]}\n\n{_NOTES[group]}\n")
            parts += [_entry(about) for about in entries]
    parts.append(_LEFT_OUT)
    parts.append("\n".join(_habits()))
    return "\n".join(parts).rstrip() + "\n"


def _entry(about: About) -> str:
    reference, address = about.reference.partition(";")[0], rule_address(about)
    lines = [
        f"### `{about.id}`",
        "",
        f"**{about.severity}.** {about.why}",
        "",
        f"- Do: {about.fix}",
        f"- Reference: {f'[{reference}]({address})' if address else f'`{reference}`'}",
    ]
    if may_be_silenced(about):
        lines.append(f'- Silence: `suppress: {{{about.id}: "the reason"}}`')
    if senders := sorted({habit.sender for habit in habits_about(about.id)}):
        lines.append(f"- Senders: {', '.join(senders)} ([what they do](#what-senders-do))")
    return "\n".join(lines) + "\n"


def _habits() -> Iterator[str]:
    yield "## What senders do"
    yield ""
    yield f"Where the RFCs leave room or are not kept; read in the senders' sources and reports, {AS_OF}."
    yield ""
    yield "| sender | habit | so |"
    yield "|---|---|---|"
    for habit in HABITS:
        yield f"| {habit.sender} | {habit.does} | {habit.so} |"


if __name__ == "__main__":
    sys.exit(print_or_write("mailtls.lint.reference", PAGE, render))
