"""What the terminal is: how wide, whether it takes colours; and a line of progress that leaves no trace."""

import os
import shutil
import sys

import click

WIDEST = 120
"""Columns: longer lines of prose are hard to read."""


def width() -> int:
    """Columns to wrap text at; 80 off a terminal, unless COLUMNS says otherwise."""
    return min(shutil.get_terminal_size((80, 24)).columns, WIDEST)


def takes_colour() -> bool:
    """Only a terminal does, and not where NO_COLOR is set (no-color.org) or the terminal is dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Progress:
    """`checking [####....] 120 of 500` on standard error while that is a terminal, else nothing.

    Call `clear` before anything else is printed.
    """

    def __init__(self, doing: str, total: int) -> None:
        self._doing, self._total, self._done = doing, total, 0
        self._shown = sys.stderr.isatty() and total > 1

    def advance(self) -> None:
        self._done += 1
        if self._shown:
            filled = 20 * self._done // self._total
            bar = f"[{'#' * filled}{'.' * (20 - filled)}]"
            click.echo(f"\r\x1b[2K{self._doing} {bar} {self._done} of {self._total}", err=True, nl=False)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[2K", err=True, nl=False)


class Counter:
    """`reading 12,300` on standard error while that is a terminal, else nothing: where nobody knows how many come.

    Call `clear` before anything else is printed.
    """

    STEP = 100

    def __init__(self, doing: str) -> None:
        self._doing, self._done = doing, 0
        self._shown = sys.stderr.isatty()

    def advance(self) -> None:
        self._done += 1
        if self._shown and self._done % self.STEP == 0:
            click.echo(f"\r\x1b[2K{self._doing} {self._done:,}", err=True, nl=False)

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[2K", err=True, nl=False)
