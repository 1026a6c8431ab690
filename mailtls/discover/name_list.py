"""A list of names as people have it: one a line, or a table with commas or semicolons whose header names the column."""

import csv
import io

from mailtls import names

MAX_LIST_BYTES = 16 << 20
MAX_NAMES = 100_000
HEADERS = ("domain", "name", "policy_domain", "domain name", "domain_name", "zone", "host", "hostname")
"""What the column of names is called, in any case; without such a header the first column counts."""


class NameListError(ValueError):
    """The list cannot be used; one line per fault, `file:line: ...`."""


def read_names(data: bytes, shown: str) -> tuple[str, ...]:
    """The names as A-labels, each once, in their order. Blank lines and lines that begin with # are passed over.

    `data`: at most MAX_LIST_BYTES + 1 of it. shown: the file as the user typed it. Raises NameListError.
    """
    if len(data) > MAX_LIST_BYTES:
        raise NameListError(f"{shown}: larger than {MAX_LIST_BYTES} bytes; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise NameListError(f"{shown}:{data[: e.start].count(10) + 1}: not UTF-8; save it as UTF-8") from e
    found: dict[str, None] = {}
    faults: list[str] = []
    column: int | None = None
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for row in reader:
            if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
                continue
            if column is None:
                column = _column(row)
                if column is not None:
                    continue
                column = 0
            _take(row[column] if column < len(row) else "", f"{shown}:{reader.line_num}", found, faults)
    except csv.Error as e:
        raise NameListError(f"{shown}:{reader.line_num}: not a table: {e}") from e
    if not found and not faults:
        raise NameListError(f"{shown}: no names in it; write one a line")
    if faults:
        raise NameListError("\n".join(faults))
    return tuple(found)


def _column(row: list[str]) -> int | None:
    """The column of names, when `row` is a header."""
    cells = [cell.strip().lower() for cell in row]
    return next((cells.index(header) for header in HEADERS if header in cells), None)


def _take(text: str, place: str, found: dict[str, None], faults: list[str]) -> None:
    try:
        found[names.host_name(text.strip())] = None
    except names.InvalidName as e:
        faults.append(f"{place}: {text.strip()[:80]!r} is no mail domain: {e}")
    if len(found) > MAX_NAMES:
        raise NameListError(f"{place}: more than {MAX_NAMES} names; split the list")
    if len(faults) >= 20:
        raise NameListError("\n".join([*faults, "and perhaps more; only the first 20 are told"]))
