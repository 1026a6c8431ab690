"""A mail's bytes -> the reports in it (RFC 8460 section 5.3), whatever shape the sender chose.

Authenticity is not judged here: whoever acts on a report first judges the mail by `headers`.

>>> parse(b"Subject: hello\\r\\n\\r\\nworld\\r\\n")
Traceback (most recent call last):
mailtls.tls_rpt.message_values.NotAReport: no part of the mail is a report
"""

import re

from mailtls.tls_rpt import header_block, mime, shown
from mailtls.tls_rpt.header_block import Header
from mailtls.tls_rpt.i_json import count_values
from mailtls.tls_rpt.message_values import LIMITS, Limits, Message, MessageError, NotAReport, TooLarge, Unreadable
from mailtls.tls_rpt.unpack import Kind, Unpacker, decode_base64, kind_of, transfer_decode

__all__ = [
    "LIMITS",
    "Header",
    "Limits",
    "Message",
    "MessageError",
    "NotAReport",
    "TooLarge",
    "Unreadable",
    "headers",
    "parse",
    "parse_in_full",
]

_REPORT_TYPE = re.compile(r""";\s*report-type\s*=\s*"?([^";\s]+)""", re.IGNORECASE)
_COMPRESSED_IN_BASE64 = (b"H4sI", b"UEsD")  # how gzip and zip begin there
_POLICIES = b'"policies"'


def headers(mail: bytes, limits: Limits = LIMITS) -> tuple[Header, ...]:
    """The top header block in order: name as written, value unfolded and without control characters.

    Raises TooLarge.
    """
    return _header_block(mail, limits)[0]


def parse(mail: bytes, limits: Limits = LIMITS) -> Message:
    """The reports in a mail. Raises NotAReport, TooLarge, Unreadable, and nothing else.

    A report that can be read is returned even when something else in the mail is broken; that is then noted.
    """
    top, body = _header_block(mail, limits)
    parts = mime.cut(mail, top, body, limits)
    return _message(top, mime.walk(mail, limits) if parts is None else parts, limits)


def parse_in_full(mail: bytes, limits: Limits = LIMITS) -> Message:
    """`parse` without its short way for the shape that big senders use: same result, several times the time."""
    top, _ = _header_block(mail, limits)
    return _message(top, mime.walk(mail, limits), limits)


def _header_block(mail: bytes, limits: Limits) -> tuple[tuple[Header, ...], int]:
    if len(mail) > limits.max_mail_bytes:
        raise TooLarge(f"a mail of {len(mail):,} bytes")
    try:
        return header_block.split(mail, limits.max_header_bytes)
    except header_block.BlockTooLarge as e:
        raise TooLarge(str(e)) from e


def _message(top: tuple[Header, ...], parts: tuple[mime.Part, ...], limits: Limits) -> Message:
    meant = _is_meant_as_report(top)
    unpacker = Unpacker(limits)
    reports: list[bytes] = []
    for number, part in enumerate(parts, start=1):
        labelled = part.content_type.startswith("application/tlsrpt")
        data = _content(part, labelled)
        found = [
            text
            for text in unpacker.texts(data)
            if labelled or (meant and not part.content_type.startswith("text/")) or _POLICIES in text
        ]
        reports += found
        if found:
            unpacker.notes += _about_label(number, part.content_type, kind_of(data))
        elif labelled and kind_of(data) is Kind.OTHER:
            unpacker.errors.append(Unreadable(f"part {number}, {shown(part.content_type)}, is neither JSON nor gzip"))
    if sum(map(count_values, reports)) > limits.max_values:
        raise TooLarge(f"reports of more than {limits.max_values:,} values")
    if not reports:
        raise _nothing_found(
            unpacker.errors, meant or any(p.content_type.startswith("application/tlsrpt") for p in parts)
        )
    notes = [*unpacker.notes, *(f"not read: {error}" for error in unpacker.errors)]
    return Message(top, tuple(reports), tuple(notes))


def _is_meant_as_report(top: tuple[Header, ...]) -> bool:
    """Whether the top headers announce a TLS report. Raises NotAReport where they announce something else."""
    content_type = header_block.first(top, "content-type") or ""
    report_type = _REPORT_TYPE.search(content_type)
    if report_type and content_type.lower().startswith("multipart/report") and report_type[1].lower() != "tlsrpt":
        raise NotAReport(f"a report of type {shown(report_type[1])}: a bounce, a receipt or a complaint")
    auto_submitted = header_block.first(top, "auto-submitted") or ""
    if auto_submitted.lower().startswith("auto-replied"):  # RFC 3834 section 5: it quotes what it answers
        raise NotAReport("an automatic reply")
    return report_type is not None or header_block.first(top, "tls-report-domain") is not None


def _content(part: mime.Part, labelled: bool) -> bytes:
    """The part's bytes, decoded as it says, or else as it looks."""
    decoded = transfer_decode(part.body, part.encoding)
    if kind_of(decoded) is not Kind.OTHER:
        return decoded
    bare = part.body.lstrip()
    if kind_of(bare) is not Kind.OTHER:  # labelled base64, but it is not
        return bare
    if labelled or bare.startswith(_COMPRESSED_IN_BASE64):  # base64, but not labelled so
        return decode_base64(part.body)
    return decoded


def _about_label(number: int, content_type: str, kind: Kind) -> list[str]:
    if content_type == "application/tlsrpt+gzip" and kind is Kind.GZIP:
        return []
    if content_type == "application/tlsrpt+json" and kind is Kind.JSON:
        return []
    return [f"part {number} is {kind.name} and labelled {shown(content_type)}"]


def _nothing_found(errors: list[MessageError], meant: bool) -> MessageError:
    """The one error that says most."""
    too_large = [error for error in errors if isinstance(error, TooLarge)]
    if too_large:
        return too_large[0]
    if meant:
        return errors[0] if errors else Unreadable("announced as a TLS report, but no part is one")
    what = f" ({errors[0]})" if errors else ""
    return NotAReport(f"no part of the mail is a report{what}")
