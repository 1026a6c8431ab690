"""Cells of a CSV that a spreadsheet opens without running anything in them."""

import csv
import io
from collections.abc import Iterable

from mailtls.render.foreign_text import plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is a formula to spreadsheets, quoted or not; `'` in front makes it text."""


def csv_line(cells: Iterable[str | int | None]) -> str:
    """One line with its end. None: an empty cell. Control characters of a text are shown as escapes."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(cell: str | int | None) -> str:
    if cell is None or isinstance(cell, int):
        return "" if cell is None else str(cell)
    return f"'{plain(cell)}" if cell.startswith(_FORMULA) else plain(cell)
