"""One raw mail -> who signed it and the reports in it, or why it is kept apart. Pure.

The one reader, of the function and of `mailtls reports reprocess`: authenticity comes before any parsing of what a
stranger attached.
"""

from collections.abc import Sequence

from mailtls.reports import authenticity
from mailtls.tls_rpt import message, report
from mailtls.tls_rpt.contract import QuarantineReason
from mailtls.tls_rpt.unpack import Unpacker

Header = tuple[str, str]


class Unfit(Exception):
    """The mail is kept apart. The text says why; headers: of the mail, as far as they could be read."""

    def __init__(self, reason: QuarantineReason, detail: str, headers: Sequence[Header] = ()) -> None:
        super().__init__(detail)
        self.reason = reason
        self.headers = headers


def believed(mail: bytes) -> tuple[message.Message, str]:
    """The mail taken apart, and the domain of its aligned signature. Raises Unfit."""
    headers: tuple[Header, ...] = ()
    try:
        headers = message.headers(mail)
        verdict = authenticity.judge(headers)
        if verdict.reason is not None:
            raise Unfit(verdict.reason, verdict.detail, headers)
        return message.parse(mail), verdict.signer
    except message.NotAReport as e:
        raise Unfit(QuarantineReason.NOT_A_REPORT, str(e), headers) from e
    except message.TooLarge as e:
        raise Unfit(QuarantineReason.TOO_LARGE, str(e), headers) from e
    except message.MessageError as e:
        raise Unfit(QuarantineReason.UNREADABLE, str(e), headers) from e


def posted(data: bytes) -> message.Message:
    """What came by HTTPS POST: a report, gzipped or not, without any header. Raises Unfit."""
    unpacker = Unpacker(message.LIMITS)
    texts = unpacker.texts(data)
    if not texts:
        said = "; ".join(map(str, unpacker.errors)) or "no JSON object in it"
        large = any(isinstance(error, message.TooLarge) for error in unpacker.errors)
        raise Unfit(QuarantineReason.TOO_LARGE if large else QuarantineReason.UNREADABLE, said)
    return message.Message((), tuple(texts), (*unpacker.notes, *map(str, unpacker.errors)))


def readable(parsed: message.Message) -> tuple[list[report.Report], list[str]]:
    """The reports that can be read, and notes. One unreadable part does not spoil its neighbours; all of them raise
    Unfit."""
    reports: list[report.Report] = []
    notes: list[str] = []
    errors: list[str] = []
    for data in parsed.reports:
        try:
            read = report.parse(data)
        except report.InvalidReport as e:
            errors.append(f"a part is no report: {e}")
        else:
            reports.append(read)
            notes.extend(read.notes)
    if not reports:
        raise Unfit(QuarantineReason.UNREADABLE, "; ".join(errors), parsed.headers)
    return reports, [*notes, *errors]
