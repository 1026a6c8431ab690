"""Text that the sender of a report chose: bounded and stripped before any person or terminal sees it. Pure."""

import unicodedata

LOOKED_AT = 16
"""Times the limit."""


def clean(text: str | None, limit: int) -> str:
    """At most `limit` characters on one line, without control, format and surrogate characters.

    Format characters (category Cf) go too: they turn the direction of a line around or hide part of it. Of a very long
    text only the beginning is looked at.
    """
    text = (text or "")[: LOOKED_AT * limit]
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            " " if char.isspace() else char for char in text if char.isspace() or unicodedata.category(char)[0] != "C"
        )
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
