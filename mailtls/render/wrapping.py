"""Text for a terminal, in lines: names are never cut, since a name that is cut in two cannot be copied."""

import textwrap

LEAST_COLUMNS = 40
"""A narrower terminal breaks the lines by itself."""


def wrapped(text: str, width: int, first: str = "", further: str = "") -> list[str]:
    """`text` in lines of `width` columns. first, further: what stands before the first line and before the others."""
    return textwrap.wrap(
        text,
        max(width, LEAST_COLUMNS),
        initial_indent=first,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )
