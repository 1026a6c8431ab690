"""What comes out of a mail, the bounds of reading one, and the three ways in which it can fail."""

from dataclasses import dataclass

from mailtls.tls_rpt import TlsRptError, i_json
from mailtls.tls_rpt.header_block import Header

MEBIBYTE = 1024 * 1024


class MessageError(TlsRptError):
    """No report came out of the mail. Keep the mail; the subclasses say what to make of it."""


class NotAReport(MessageError):
    """Another kind of mail: a bounce, an automatic reply, spam. Nobody needs to hear of it."""


class TooLarge(MessageError):
    """A bound of `Limits` was reached before the mail was read: a compression bomb, or a very large sender."""


class Unreadable(MessageError):
    """Meant to be a report, but broken, or packed in a way that nobody was seen to use. A person should look."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the work that one mail may cause; each is applied before the work. Sizes in bytes.

    max_mail_bytes: SES takes 40 MB; a report of 20,000 failures, gzipped, comes in a hundredth of that.
    max_header_bytes, max_lines: of the whole mail.
    max_parts: MIME parts; max_multiparts, max_depth: of them, those that hold others, and how deep.
    max_report_bytes: one report, inflated; max_inflated_bytes: all of a mail, with the archives between, and with what
    was inflated in vain. max_values: members and elements of all its reports together.
    max_members: of one zip archive, and of one gzip stream. max_archive_depth: archives inside archives (1: none).
    """

    max_mail_bytes: int = 16 * MEBIBYTE
    max_header_bytes: int = MEBIBYTE // 4
    max_lines: int = 300_000
    max_parts: int = 100
    max_multiparts: int = 32
    max_depth: int = 8
    max_report_bytes: int = 10 * MEBIBYTE
    max_inflated_bytes: int = 20 * MEBIBYTE
    max_values: int = i_json.MAX_VALUES
    max_members: int = 16
    max_archive_depth: int = 2


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Message:
    """A mail that holds at least one report.

    headers: the top header block in order, unfolded, without control characters.
    reports: JSON texts as their sender wrote them, inflated, not yet parsed: `report.parse` may refuse each.
    notes: what was odd about the mail and what of it could not be read, for people.
    """

    headers: tuple[Header, ...]
    reports: tuple[bytes, ...]
    notes: tuple[str, ...] = ()
