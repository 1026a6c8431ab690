"""A change of one spec that a command made, as text, JSON (`spec_change.v1.schema.json`) or Markdown."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailtls.render.foreign_text import markdown
from mailtls.render.wrapping import wrapped

FORMATS = ("text", "json", "markdown")
SCHEMA_FILE = "spec_change.v1.schema.json"


class Outcome(StrEnum):
    """What became of the change."""

    UNCHANGED = "unchanged"
    PRINTED = "printed"
    WRITTEN = "written"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class Proposed:
    """result: `opened`, `updated`, `taken over by you`, ... words, url: "" for none."""

    branch: str
    result: str
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class SpecChange:
    """told: the outcome in one sentence. file: as the user named it. diff: "" where nothing changes. steps: what to do,
    in order. then: what follows. never: what not to do."""

    command: str
    policy_domain: str
    outcome: Outcome
    told: str
    file: str
    diff: str = ""
    steps: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    proposal: Proposed | None = None


def render_json(change: SpecChange) -> str:
    return json.dumps(_data(change), indent=1, ensure_ascii=False) + "\n"


def render_markdown(change: SpecChange) -> str:
    """The diff stands in a fence that it cannot close."""
    parts = [f"### mailtls {change.command}: {markdown(change.told)}\n"]
    if change.diff:
        fence = "`" * max(3, _longest_run(change.diff) + 1)
        parts.append(f"{fence}diff\n{change.diff}{fence}\n")
    steps = "\n".join(f"{number}. {markdown(step)}" for number, step in enumerate(change.steps, 1))
    parts += [f"**Do**\n\n{steps}\n"] if steps else []
    for heading, sentences in (("Then", change.then), ("Not", change.never)):
        if sentences:
            parts.append(f"**{heading}**\n\n" + "\n".join(f"- {markdown(one)}" for one in sentences) + "\n")
    return "\n".join(parts)


def blocks(change: SpecChange, width: int) -> Iterator[str]:
    """DO, THEN, NOT in lines, the heading in the margin: what stands beside the diff on a terminal."""
    for heading, texts in (("DO", change.steps), ("THEN", change.then), ("NOT", change.never)):
        for number, text in enumerate(texts, 1):
            item = f"{number} " if heading == "DO" else ""
            first = f"{heading if number == 1 else '':<6}{item}"
            yield from wrapped(text, width, first, " " * (6 + len(item)))


def _data(change: SpecChange) -> dict[str, Any]:
    proposal = change.proposal
    return {
        "command": change.command,
        "policy_domain": change.policy_domain,
        "outcome": str(change.outcome),
        "told": change.told,
        "file": change.file,
        "diff": change.diff,
        "do": list(change.steps),
        "then": list(change.then),
        "not": list(change.never),
        "proposal": proposal
        and {"branch": proposal.branch, "result": proposal.result, "words": proposal.words, "url": proposal.url},
    }


def _longest_run(text: str) -> int:
    """Of backticks."""
    longest = run = 0
    for char in text:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
