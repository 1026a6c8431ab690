"""How the demo speaks: chapters and steps with their time, a live line on a terminal, plain lines elsewhere."""

import json
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

WIDTH = 80
"""Columns of a terminal."""


class DemoError(Exception):
    """Something that the demo promises did not come true. The text says what was expected and what was seen."""


def expect(condition: object, message: str) -> None:
    """Raise DemoError with `message` unless `condition` holds."""
    if not condition:
        raise DemoError(message)


@dataclass(slots=True)
class Story:
    """Prints the story and keeps its facts. `facts` ends up in summary.json, `proofs` in the closing table."""

    console: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    facts: dict[str, Any] = field(default_factory=dict)
    proofs: list[tuple[str, str]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def chapter(self, number: int, title: str) -> None:
        self.console.print()
        self._print(f"{number}. ", title, "bold")

    def say(self, text: str) -> None:
        """One plain line, indented under its chapter."""
        self._print("   ", text)

    def quote(self, text: str) -> None:
        """Somebody else's words, as they came."""
        for line in text.rstrip().splitlines():
            self._print("   │ ", line, after="   │     ")

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Work that takes a while: a spinner on a terminal, one line with the seconds when it is done."""
        began = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(f"{escape(text)} …"):
                yield
        else:
            yield
        self._print("   ✓ ", f"{text} ({time.monotonic() - began:.1f} s)")

    def proved(self, claim: str, evidence: str) -> None:
        """A promise that came true, with what was seen; printed now and again in the closing table."""
        self.proofs.append((claim, evidence))
        self._print("   ✓ ", f"{claim}: {evidence}")

    def failed(self, text: str, logs: Path) -> None:
        """A promise that did not come true ends the story."""
        for number, line in enumerate(text.splitlines()):
            self._print("     " if number else "   ✗ ", line)
        self.console.print(f"logs: {logs}")

    def _print(self, head: str, text: str, style: str = "", after: str = "") -> None:
        """Within WIDTH; what is longer goes on below, under `after` or as far in as `head`. Nothing is cut."""
        indent = len(text) - len(text.lstrip())
        lines = textwrap.wrap(
            text,
            WIDTH,
            initial_indent=head,
            subsequent_indent=after or " " * (len(head) + indent),
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )
        for line in lines or [head.rstrip()]:
            self.console.print(escape(line), style=style or None)

    def close(self, path: Path) -> None:
        """The closing table and summary.json."""
        seconds = time.monotonic() - self.started
        table = Table(width=WIDTH, title=f"what was seen in {seconds:.0f} s", title_justify="left", show_lines=False)
        table.add_column("promise")
        table.add_column("evidence", overflow="fold")
        for claim, evidence in self.proofs:
            table.add_row(escape(claim), escape(evidence))
        self.console.print()
        self.console.print(table)
        path.parent.mkdir(parents=True, exist_ok=True)
        summary = {
            "seconds": round(seconds, 1),
            "proofs": [{"promise": claim, "evidence": evidence} for claim, evidence in self.proofs],
            **self.facts,
        }
        path.write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n")
        self.console.print(f"summary: {path}")
