"""A mail -> its leaf parts (RFC 2045, 2046), by two ways that must agree.

`cut` knows one shape, a flat multipart with plain headers, which is how all big senders mail reports, and refuses
whatever is not exactly that. `walk` reads any mail with the standard library's parser, which takes nine tenths of the
time of reading a report. Tests hold the two together; what `cut` takes, `walk` reads the same way.

Attached mails (message/*) are not entered: a bounce is signed by the server that sends it, and holds whatever a
stranger mailed to that server.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as ParsedMail

from mailtls.tls_rpt import header_block
from mailtls.tls_rpt.header_block import Header
from mailtls.tls_rpt.message_values import Limits, TooLarge, Unreadable

MAX_CONTENT_TYPE_BYTES = 2048
"""Of one field. The standard library's reader of parameters takes quadratic time."""
MAX_PART_HEADER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf. content_type: `type/subtype`, lower case. encoding: Content-Transfer-Encoding, lower case, "" if none."""

    content_type: str
    encoding: str
    body: bytes


# ------------------------------------------------------------------------------------------------------ any mail

# They begin with letters and find a few more than there are: so the search is fast.
_BOUNDARY_PARAMETER = re.compile(rb"boundary[*0-9]*\s{0,8}=")
_CONTENT_TYPE_FIELD = re.compile(rb"content-type:[^\r\n]*(?:(?:\r\n|\r|\n)[ \t][^\r\n]*)*")


def walk(mail: bytes, limits: Limits) -> tuple[Part, ...]:
    """The leaf parts of any mail, in order. Raises TooLarge, Unreadable."""
    _check_bounds(mail, limits)
    try:
        root = email.message_from_bytes(mail)  # the default policy, compat32, is the one that is fast and never raises
        return tuple(_leaves(root, limits))
    except (ValueError, LookupError, RecursionError) as e:
        if isinstance(e, TooLarge | Unreadable):
            raise
        raise Unreadable(f"the mail's MIME structure cannot be read: {e!r}") from e


def _check_bounds(mail: bytes, limits: Limits) -> None:
    """All that the parser spends time or memory on, counted before it runs."""
    if mail.count(b"\n") + mail.count(b"\r") > 2 * limits.max_lines:
        raise TooLarge(f"a mail of more than {limits.max_lines:,} lines")
    lower = mail.lower()
    if len(_BOUNDARY_PARAMETER.findall(lower)) > limits.max_multiparts:
        raise TooLarge(f"more than {limits.max_multiparts} multiparts")
    fields = _CONTENT_TYPE_FIELD.findall(lower)
    if len(fields) > 2 * limits.max_parts:
        raise TooLarge(f"more than {2 * limits.max_parts} Content-Type fields")
    if any(len(field) > MAX_CONTENT_TYPE_BYTES for field in fields):
        raise TooLarge(f"a Content-Type field of more than {MAX_CONTENT_TYPE_BYTES} bytes")


def _leaves(root: "ParsedMail[str, str]", limits: Limits) -> Iterator[Part]:
    ahead = [(root, 0)]
    seen = 0
    while ahead:
        part, depth = ahead.pop()
        seen += 1
        if seen > limits.max_parts:
            raise TooLarge(f"more than {limits.max_parts} MIME parts")
        if part.get_content_maintype() == "message":
            continue
        if part.is_multipart():
            if depth == limits.max_depth:
                raise TooLarge(f"MIME parts nested more than {depth} deep")
            inner = [child for child in part.get_payload() if isinstance(child, ParsedMail)]
            ahead.extend((child, depth + 1) for child in reversed(inner))
            continue
        encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
        del part["content-transfer-encoding"]  # the body as it stands: decoding is ours (`unpack`)
        body = part.get_payload(decode=True)
        yield Part(part.get_content_type(), encoding, body if isinstance(body, bytes) else b"")


# ------------------------------------------------------------------------------------------------- the plain shape

_TOKEN = r"[a-z0-9!#$&^_.+-]+"  # noqa: S105  RFC 2045's word for it
_PARAMETER = rf';[ \t]*[a-z-]+=(?:{_TOKEN}|"[^"\\]*")'
_PLAIN_ENCODING = re.compile(_TOKEN, re.IGNORECASE)
_PLAIN_TYPE = re.compile(rf"({_TOKEN}/{_TOKEN})((?:{_PARAMETER})*)", re.IGNORECASE)
_BOUNDARY = re.compile(
    r""";[ \t]*boundary=(?:"([0-9a-z'()+_,./:=?-]{1,70})"|([0-9a-z'+_.-]{1,70})(?![^; \t]))""", re.IGNORECASE
)
_CONTROLS = bytes({*range(32), 127} - {*b"\t\r\n"})
_HAS_BOUNDARY = re.compile("boundary", re.IGNORECASE)


def cut(mail: bytes, headers: tuple[Header, ...], body: int, limits: Limits) -> tuple[Part, ...] | None:
    """What `walk` returns, cut at the boundary lines; None when the mail is not of the plain shape.

    headers, body: what `header_block.split` found on top of `mail`. Linear in the size of the mail.
    """
    line_end = b"\r\n" if b"\r" in mail else b"\n"
    if line_end == b"\r\n" and not mail.count(b"\r") == mail.count(b"\n") == mail.count(b"\r\n"):
        return None
    if not _is_plain_block(mail[:body], line_end):
        return None
    boundary = _boundary(headers)
    if boundary is None:
        return None
    before, *sections = mail[body:].split(b"--" + boundary)
    if (before and not before.endswith(line_end)) or not 2 <= len(sections) <= limits.max_parts:
        return None
    last = sections.pop()
    if last != b"--" and not last.startswith(b"--" + line_end):
        return None
    parts = [_plain_part(section, line_end) for section in sections]
    return tuple(part for part in parts if part is not None) if all(parts) else None


def _is_plain_block(block: bytes, line_end: bytes) -> bool:
    """Whether header fields end in an empty line, and the first line is a field, all in visible ASCII: then no reader
    can see other fields in it than `header_block` does."""
    return (
        block.endswith(line_end + line_end)
        and not block.startswith((b"From ", b" ", b"\t"))
        and block.isascii()
        and len(block.translate(None, _CONTROLS)) == len(block)
    )


def _boundary(headers: tuple[Header, ...]) -> bytes | None:
    """The boundary of a multipart whose Content-Type stands there once, in plain words."""
    values = [value for name, value in headers if name.lower() == "content-type"]
    if len(values) != 1 or len(values[0]) > MAX_CONTENT_TYPE_BYTES or not values[0].lower().startswith("multipart/"):
        return None
    found: list[tuple[str, str]] = _BOUNDARY.findall(values[0])
    if len(found) != 1 or len(_HAS_BOUNDARY.findall(values[0])) != 1 or not _PLAIN_TYPE.fullmatch(values[0]):
        return None
    return (found[0][0] or found[0][1]).encode("ascii")


def _plain_part(section: bytes, line_end: bytes) -> Part | None:
    """What stands between two boundaries: rest of the boundary line, header fields, empty line, body, line end."""
    if not section.startswith(line_end) or not section.endswith(line_end):
        return None
    part = section[len(line_end) : -len(line_end)]
    try:
        headers, body = header_block.split(part, MAX_PART_HEADER_BYTES)
    except header_block.BlockTooLarge:
        return None
    if not _is_plain_block(part[:body], line_end):
        return None
    fields = {name.lower(): value for name, value in headers}
    content_type = fields.get("content-type", "")
    encoding = fields.get("content-transfer-encoding", "")
    if len(fields) < len(headers) or len(content_type) > MAX_CONTENT_TYPE_BYTES:
        return None
    if encoding and not _PLAIN_ENCODING.fullmatch(encoding):
        return None
    plain = _PLAIN_TYPE.fullmatch(content_type)
    if plain is None or plain[1].lower().startswith(("multipart/", "message/")):
        return None
    return Part(plain[1].lower(), encoding.lower(), part[body:])
