"""TXT data as character-strings (RFC 1035 section 3.3.14): at most 255 octets each, quoted as in a zone file."""

import re

LIMIT = 255
"""Octets that one character-string holds."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(\d{3}|.)")


def quoted(text: str) -> tuple[str, ...]:
    """`text` as quoted character-strings, one or more. It must be ASCII, as all records of RFC 8460 and 8461 are."""
    text.encode("ascii")
    pieces = [text[start : start + LIMIT] for start in range(0, len(text), LIMIT)] or [""]
    return tuple('"' + piece.replace("\\", r"\\").replace('"', r"\"") + '"' for piece in pieces)


def unquoted(data: str) -> str:
    """The text of quoted character-strings, joined without spaces (RFC 8461 section 3.1)."""
    return "".join(_ESCAPED.sub(_unescape, piece) for piece in _QUOTED.findall(data))


def _unescape(found: re.Match[str]) -> str:
    escaped = found[1]
    return chr(int(escaped)) if escaped.isdigit() and len(escaped) == 3 else escaped
