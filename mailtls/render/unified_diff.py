"""Two texts of a file as a diff that `git apply` and `patch` take."""

import difflib
from collections.abc import Iterator

_NO_LINE_END = "\\ No newline at end of file\n"


def unified_diff(name: str, before: str, after: str) -> str:
    """The diff in git's form. name: the file from the root of the repository, with slashes. Only a line feed ends a
    line, so a carriage return before it is part of the line."""
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
    return "".join(_ended(lines))


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\n", "\n\0").split("\0") if line]


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if not line.endswith("\n"):
            yield "\n" + _NO_LINE_END
