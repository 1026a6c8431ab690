"""The bytes of one file -> the reports in it as ledger entries: a mail, gzip, zip, JSON, an object of the ledger. Pure.

Who wrote a file is not judged: anybody can write a report about any domain. An entry from a file has no signer, unless
the file is one of the ledger's own. Which domains are ours is not known here either, so a report is about those that it
names; a DANE row that names an MX host belongs to the domain beside it, where there is just one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from mailtls import names
from mailtls.tls_rpt import message, mime, report
from mailtls.tls_rpt.attribution import attribute
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.header_block import first
from mailtls.tls_rpt.i_json import InvalidJson
from mailtls.tls_rpt.ledger import MAX_ENTRY_BYTES, InvalidLedgerEntry, LedgerEntry
from mailtls.tls_rpt.message_values import LIMITS, Limits, MessageError, NotAReport, TooLarge, Unreadable
from mailtls.tls_rpt.report import InvalidReport, PolicyType, Report
from mailtls.tls_rpt.unpack import Kind, Unpacker, kind_of, transfer_decode

MAX_BYTES = max(LIMITS.max_mail_bytes, MAX_ENTRY_BYTES)
"""Of one file; whoever reads one need not read more, plus one byte that shows there is more."""
_LEDGER_BEGINS = b'{"version":'


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that was not read. reason: for people; may hold a stranger's words. line: of the file, from 1, where
    that is known. meant: False for a mail that does not look like a report at all."""

    reason: str
    line: int | None = None
    meant: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """entries: one for each report and domain that it is about. notes: what was odd, for people."""

    entries: tuple[LedgerEntry, ...]
    notes: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


def read(data: bytes, place: str, limits: Limits = LIMITS) -> Read:
    """All reports in `data`. place: what it is called, for people; it becomes the entries' `mail`. Raises nothing."""
    if data.startswith(_LEDGER_BEGINS):
        return _ledger_entry(data)
    if kind_of(data) is Kind.OTHER:
        return _mail(data, place, limits)
    unpacker = Unpacker(limits)
    texts = unpacker.texts(data)
    errors = list(unpacker.errors)
    if not texts and not errors:
        errors.append(Unreadable("compressed data that holds no JSON; unpack it and name what was in it"))
    read = _reports(texts, "", data, place)
    refused = tuple(Refused(f"{error}{_help(error)}") for error in errors)
    return Read(read.entries, (*unpacker.notes, *read.notes), (*read.refused, *refused))


def _ledger_entry(data: bytes) -> Read:
    try:
        return Read((LedgerEntry.parse(data),))
    except InvalidLedgerEntry as e:
        return Read((), refused=(Refused(str(e), 1),))


def _mail(data: bytes, place: str, limits: Limits) -> Read:
    try:
        mail = message.parse(data, limits)
    except NotAReport as e:
        return Read((), refused=(Refused(str(e), _line_of_field(data, b"content-type:"), meant=False),))
    except MessageError as e:
        return Read((), refused=(Refused(f"{e}{_help(e)}", _line_of_attachment(data, limits)),))
    read = _reports(mail.reports, _announced(first(mail.headers, "tls-report-domain")), data, place)
    return Read(read.entries, (*mail.notes, *read.notes), read.refused)


def _reports(texts: tuple[bytes, ...] | list[bytes], announced: str, data: bytes, place: str) -> Read:
    entries: list[LedgerEntry] = []
    notes: list[str] = []
    refused: list[Refused] = []
    for text in texts:
        try:
            parsed = report.parse(text)
        except InvalidReport as e:
            refused.append(Refused(str(e), _line_of_fault(data, text, e)))
            continue
        notes += parsed.notes
        found, told = _by_domain(parsed, announced, place)
        notes += told
        entries += found
        if not found:
            refused.append(Refused("a report that names no domain", _line_of_fault(data, text, None)))
    return Read(tuple(entries), tuple(notes), tuple(refused))


def _by_domain(parsed: Report, announced: str, place: str) -> tuple[list[LedgerEntry], tuple[str, ...]]:
    """One entry for each domain, and what of the report belongs to none."""
    ours = {name: OwnDomain(name) for name in _subjects(parsed, announced)}
    shared = attribute(parsed, ours.get, ours.values(), announced)
    entries = [
        LedgerEntry(own.policy_domain, place, part.end_datetime, "", part) for own, part in shared.parts
    ]  # fmt: skip
    return entries, shared.notes


def _subjects(parsed: Report, announced: str) -> set[str]:
    """The domains that it is about: a DANE row may name an MX host, so its name counts where there is no other."""
    named = {row.policy_domain for row in parsed.policies if row.policy_type is not PolicyType.TLSA}
    named |= {announced}
    named.discard("")
    return named or {row.policy_domain for row in parsed.policies if row.policy_domain}


def _announced(value: str | None) -> str:
    try:
        return names.a_labels((value or "").strip())
    except names.InvalidName:
        return ""


def _help(error: MessageError) -> str:
    return "; what is larger than this is not read, by design" if isinstance(error, TooLarge) else ""


# ------------------------------------------------------------------------------------------------------- which line


def _line_of_fault(data: bytes, text: bytes, error: InvalidReport | None) -> int | None:
    """Where the JSON text stands as it is in `data`: the line of its fault. In base64 or compressed: where that begins,
    if it is a mail."""
    begins = data.find(text)
    if begins >= 0:
        cause = error.__cause__ if error else None
        place = cause.place if isinstance(cause, InvalidJson) else None
        return _line_at(data, begins + (place or 0))
    return _line_of_attachment(data, LIMITS) if kind_of(data) is Kind.OTHER else None


def _line_of_attachment(data: bytes, limits: Limits) -> int | None:
    """The line on which the first part that looks like a report begins."""
    try:
        parts = mime.walk(data, limits)
    except MessageError:
        return None
    for part in parts:
        begins = data.find(part.body) if part.body else -1
        looks = part.content_type.startswith("application/") or (
            kind_of(transfer_decode(part.body, part.encoding)) is not Kind.OTHER
        )
        if looks and begins >= 0:
            return _line_at(data, begins)
    return _line_of_field(data, b"content-type:")


def _line_of_field(data: bytes, name: bytes) -> int | None:
    """The line of the first field of that name on top of a mail."""
    top = data[: LIMITS.max_header_bytes]
    top = top[: min((at for at in (top.find(b"\n\n"), top.find(b"\r\n\r\n")) if at >= 0), default=len(top))]
    for number, line in enumerate(_lines(top), start=1):
        if line[: len(name)].lower() == name:
            return number
    return None


def _lines(data: bytes) -> Iterator[bytes]:
    return iter(data.split(b"\n"))


def _line_at(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1
