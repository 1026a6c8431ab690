"""What standard output is: how wide, and whether it takes colours."""

import os
import shutil
import sys

WIDEST = 120
"""Columns: longer lines of prose are hard to read."""


def width() -> int:
    """Columns to wrap text at; 80 off a terminal, unless COLUMNS says otherwise."""
    return min(shutil.get_terminal_size((80, 24)).columns, WIDEST)


def takes_colour() -> bool:
    """Only a terminal does, and not where NO_COLOR is set (no-color.org) or the terminal is dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
