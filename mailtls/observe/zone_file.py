"""A zone file (RFC 1035 section 5) into records, by dnspython's reader.

The file may be anybody's, so size and number of records are bounded, and nothing in it opens another file or makes
records by the million: `$INCLUDE` and `$GENERATE` are refused.
"""

from collections.abc import Callable
from typing import Any

import dns.exception
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
import dns.zonefile

from mailtls.discover.mail_names import ZoneRecord

MAX_FILE_BYTES = 32 << 20
MAX_RECORDS = 1_000_000
_DEFAULT_TTL = 3600
_NO_ORIGIN = dns.name.from_text("relative-name-without-origin.invalid.")
"""In place of an origin that is not known; a name below it shows that one was needed."""
_LONGEST_WORDS = 200


class ZoneFileError(ValueError):
    """The file cannot be read; the text is `file:line: ...`, and what to do."""


def read_zone_file(data: bytes, shown: str, origin: str | None) -> tuple[ZoneRecord, ...]:
    """All records, in their order. `data`: at most MAX_FILE_BYTES + 1 of it. shown: the file as the user typed it.

    origin: what `@` and relative names stand under until the file says it itself; None: the file has to. Raises
    ZoneFileError.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ZoneFileError(f"{shown}: larger than {MAX_FILE_BYTES} bytes; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise ZoneFileError(f"{shown}:{data[: e.start].count(10) + 1}: not UTF-8; save it as UTF-8") from e
    taken = _Taken()
    tokens = dns.tokenizer.Tokenizer(f"{text}\n", filename=shown)
    reader = dns.zonefile.Reader(
        tokens,
        dns.rdataclass.IN,
        taken,  # type: ignore[arg-type]  # what the reader needs of a transaction, and no more
        allow_directives=("$ORIGIN", "$TTL"),
        default_ttl=_DEFAULT_TTL,
    )
    reader.current_origin = reader.last_name = dns.name.from_text(origin) if origin else _NO_ORIGIN
    try:
        reader.read()
    except ZoneFileError as e:
        raise ZoneFileError(f"{shown}:{tokens.where()[1] - 1}: {e}") from e  # the record's line end is read already
    except dns.exception.SyntaxError as e:
        raise ZoneFileError(_told(str(e))) from e
    except (dns.exception.DNSException, ValueError, UnicodeError) as e:
        raise ZoneFileError(f"{shown}:{tokens.where()[1]}: {_told(str(e) or type(e).__name__)}") from e
    if not taken.records:
        raise ZoneFileError(f"{shown}: no records in it")
    return tuple(taken.records)


class _Taken:
    """The part of dnspython's transaction that its reader calls: collects, and judges nothing."""

    def __init__(self) -> None:
        self.manager = self
        self.records: list[ZoneRecord] = []

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return dns.name.root, False, dns.name.root

    def check_put_rdataset(self, _check: Callable[..., None]) -> None:
        """Conflicts inside the zone are its owner's affair."""

    def _set_origin(self, _origin: dns.name.Name) -> None:
        """Names are kept in full."""

    def add(self, name: dns.name.Name, _ttl: int, rdata: Any) -> None:
        if len(self.records) >= MAX_RECORDS:
            raise ZoneFileError(f"more than {MAX_RECORDS} records; split the file")
        value = _value(rdata)
        if name.is_subdomain(_NO_ORIGIN) or _NO_ORIGIN.to_text() in f"{value}.":
            raise ZoneFileError("a relative name, and the file says no $ORIGIN; name the zone with --origin")
        self.records.append(ZoneRecord(_text(name), dns.rdatatype.to_text(rdata.rdtype), value))


def _value(rdata: Any) -> str:
    """As ZoneRecord has it."""
    if rdata.rdtype == dns.rdatatype.TXT:
        return b"".join(rdata.strings).decode("ascii", "replace")
    if rdata.rdtype == dns.rdatatype.MX:
        return f"{rdata.preference} {_text(rdata.exchange)}"
    if rdata.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.NS):
        return _text(rdata.target)
    return ""


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _told(words: str) -> str:
    """dnspython's words, with what to do where that is known."""
    words = " ".join(words.split())[:_LONGEST_WORDS]
    for word, do in (
        ("$INCLUDE", "; put the included file's records here, or name that file too"),
        ("$GENERATE", "; write its records out (named-compilezone does)"),
        ("unknown rdatatype", "; take the line out, it is no record of the DNS"),
    ):
        if word in words:
            return words + do
    return words
