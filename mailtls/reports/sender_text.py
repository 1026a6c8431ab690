"""Text that the sender of a report chose: bounded and stripped before any person or terminal sees it. Pure."""

import unicodedata

LOOKED_AT = 16
"""Times the limit."""
QUOTES = str.maketrans(dict.fromkeys('"\u201c\u201d\u201e\u201f\uff02\u00ab\u00bb', "'"))
"""Whatever could pass for the end of a quotation."""


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


def quoted(cleaned: str) -> str:
    """The text as a message shows it: in quotes that it cannot close."""
    return f'"{cleaned.translate(QUOTES)}"'
