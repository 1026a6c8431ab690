"""The header fields on top of a mail or of a MIME part (RFC 5322 section 2.2), read from bytes.

Lines end in CRLF or LF. A bare CR ends none: the mail servers on the way did not take it for a line end, and a reader
that does sees header fields that nobody signed. In a value it becomes a space, as every control character does.
"""

import re

Header = tuple[str, str]
"""Name as written; value unfolded, without white space around it, without control characters."""

_NAME = "[!-9;-~]+"
_VALUE = r"[^\n]*+(?:\n[ \t][^\n]*+)*+"
_FIELDS = re.compile(rf"(?:{_NAME}:{_VALUE}(?:\n|\Z))*+".encode("ascii"))
_FIELD = re.compile(f"({_NAME}):({_VALUE})")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class BlockTooLarge(ValueError):
    """There is more of it than the caller is ready to read."""


def split(mail: bytes, limit: int) -> tuple[tuple[Header, ...], int]:
    """The fields in order, and where the body begins.

    The block ends with the first empty line, or before a line that is no field, as mail readers have it. Skipped on
    top: an mbox `From ` line, and what looks like the continuation of a field before the first.
    limit: bytes that are looked at. Raises BlockTooLarge.
    """
    place = _line_end(mail, 0, limit) if mail.startswith(b"From ") else 0
    while mail.startswith((b" ", b"\t"), place) and place < limit:
        place = _line_end(mail, place, limit)
    fields = _FIELDS.match(mail, place, limit)
    assert fields is not None  # noqa: S101  it matches nothing, too
    text = mail[place : fields.end()].decode("utf-8", "backslashreplace")
    headers = tuple((name, _value(value)) for name, value in _FIELD.findall(text))
    place = fields.end()
    if place >= limit and len(mail) > limit:
        raise BlockTooLarge(f"more than {limit:,} bytes of header fields")
    if mail.startswith(b"\r\n", place):
        return headers, place + 2
    return headers, place + mail.startswith(b"\n", place)


def _line_end(mail: bytes, place: int, limit: int) -> int:
    """Where the next line begins."""
    found = mail.find(b"\n", place, limit)
    return min(limit, len(mail)) if found < 0 else found + 1


def _value(folded: str) -> str:
    if "\n" in folded:
        folded = folded.replace("\r\n", "").replace("\n", "")
    text = folded.strip()
    return text if text.isprintable() else _CONTROL.sub(" ", text).strip()


def first(headers: tuple[Header, ...], name: str) -> str | None:
    """The value of the first field of that name, in any letter case."""
    name = name.lower()
    for have, value in headers:
        if have.lower() == name:
            return value
    return None
