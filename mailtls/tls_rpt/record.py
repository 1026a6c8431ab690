"""The TXT record at `_smtp._tls.<policy domain>` (RFC 8460 section 3): "send me reports, and here is where".

>>> str(Record.parse('v=TLSRPTv1;rua=mailto:reports@example.com'))
'v=TLSRPTv1; rua=mailto:reports@example.com;'
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from mailtls import names
from mailtls.mta_sts.record import MAX_RECORD_CHARACTERS, extension_fault, join, split, split_fields
from mailtls.tls_rpt import TlsRptError, shown

__all__ = [
    "MAX_RECORD_CHARACTERS",
    "SCHEMES",
    "InvalidRecord",
    "NoRecord",
    "Record",
    "RecordError",
    "SeveralRecords",
    "find",
    "join",
    "report_uri",
]

SCHEMES = ("mailto", "https")
"""Section 3: reports go nowhere else. A URI of another scheme is in the grammar, and no sender uses it."""

TTL = 3600
"""Seconds, of the record as we publish it: where reports go changes seldom."""

_PREFIX = "v=TLSRPTv1;"
_OWN_NAMES = frozenset({"v", "rua"})
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@$&'()*+=-]|%[0-9A-Fa-f]{2})+")
"""RFC 3986 by its characters, less the three that tlsrpt-uri wants percent-encoded."""
_ADDRESS = re.compile(r"([^@]+)@([^@]+)")
_ENCODED = str.maketrans({",": "%2C", "!": "%21", ";": "%3B"})
_MAX_LOCAL_PART_OCTETS = 64  # RFC 5321 section 4.5.3.1.1


class RecordError(TlsRptError):
    """What DNS holds is no usable record: nobody sends reports. Fix DNS; the subclasses say which way."""


class NoRecord(RecordError):
    """No TXT value begins with `v=TLSRPTv1;`. Publish one, or no reports are asked for here."""


class SeveralRecords(RecordError):
    """More than one value begins with `v=TLSRPTv1;`, which counts as none (section 3). Remove all but one."""


class InvalidRecord(RecordError):
    """The value breaks the grammar of section 3, or names no place that reports can go to. The message says where."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be published.

    rua: where reports go, in order, at least one, each once, as `report_uri` has it. Senders need to use only one of
    them, and one large sender uses the first only.
    extensions: (name, value) of fields this version does not know, in order, each name once.

    Raises InvalidRecord when built from parts that have no wire form.
    """

    rua: tuple[str, ...]
    extensions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        rua = tuple(map(report_uri, self.rua))
        if not rua:
            raise InvalidRecord("a record without a rua asks for nothing")
        if len(set(rua)) < len(rua):
            raise InvalidRecord("a rua stands in the record twice")
        object.__setattr__(self, "rua", rua)
        seen = set(_OWN_NAMES)
        for name, value in self.extensions:
            if fault := extension_fault(name, value):
                raise InvalidRecord(fault)
            if name in seen:
                raise InvalidRecord(f"field {name!r} may stand in a record once")
            seen.add(name)
        if len(str(self)) > MAX_RECORD_CHARACTERS:
            raise InvalidRecord(f"a record of {len(str(self))} characters; DNS holds {MAX_RECORD_CHARACTERS}")

    def __str__(self) -> str:
        """`v=TLSRPTv1; rua=...;`: no space before a `;`, since a sender looks for the literal `v=TLSRPTv1;`."""
        fields = [("rua", ",".join(self.rua)), *self.extensions]
        return "v=TLSRPTv1; " + " ".join(f"{name}={value};" for name, value in fields)

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Read one TXT value whose character-strings are joined (`join`).

        Liberal where the RFC is: any order after the version, white space around `;` and `,`, the last `;` optional,
        several rua fields, unknown fields kept (of a repeated one the first counts). URIs of other schemes are left
        out, as senders do, unless there is no other. Raises InvalidRecord.
        """
        if len(text) > MAX_RECORD_CHARACTERS:
            raise InvalidRecord(f"a record of {len(text)} characters; DNS holds {MAX_RECORD_CHARACTERS}")
        version, *fields = split_fields(text) or [""]
        if version != "v=TLSRPTv1":  # tlsrpt-version: case-sensitive, and first
            raise InvalidRecord(f"{shown(text)} does not begin with v=TLSRPTv1;")
        uris: list[str] = []
        extensions: dict[str, str] = {}
        for field in fields:
            name, equals, value = field.partition("=")
            if not equals:
                raise InvalidRecord(f"field {shown(field)} is not of the form name=value")
            if name == "rua":
                uris += split(value, ",")
            elif fault := extension_fault(name, value):
                raise InvalidRecord(fault)
            else:
                extensions.setdefault(name, value)
        if not uris:
            raise InvalidRecord("the record has no rua; write v=TLSRPTv1; rua=...; (names are case-sensitive)")
        extensions.pop("v", None)
        return cls(tuple(dict.fromkeys(_usable(uris))), tuple(extensions.items()))


def find(txt_values: Iterable[str]) -> Record:
    """The one record among all TXT values at `_smtp._tls.<policy domain>`, as a sender picks it (section 3).

    `txt_values`: one string per TXT record, its character-strings joined (`join`). Values that do not begin with
    `v=TLSRPTv1;` are discarded first; exactly one must be left and it must parse.
    Raises NoRecord, SeveralRecords, InvalidRecord.
    """
    values = list(txt_values)
    candidates = [value for value in values if value.startswith(_PREFIX)]
    if not candidates:
        near = next((v for v in values if re.match(r"""["'\s]*v\s*=\s*tls-?rpt""", v[:64], re.IGNORECASE)), None)
        hint = f"; {shown(near)} is discarded, a record begins with exactly v=TLSRPTv1;" if near is not None else ""
        raise NoRecord(f"none of {len(values)} TXT values is a TLS-RPT record{hint}")
    if len(candidates) > 1:
        raise SeveralRecords(f"{len(candidates)} TLS-RPT records, which counts as none: {shown(', '.join(candidates))}")
    return Record.parse(candidates[0])


def report_uri(text: str) -> str:
    """`text` as a record holds it, the scheme in lower case: one mail address or one HTTPS address, in ASCII.

    Shape only: whether anyone reads there is not known here. No DMARC-style size (`!10m`).
    Raises InvalidRecord with what to write instead.
    """
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in SCHEMES:
        better = f'"mailto:{text}"' if not colon and _ADDRESS.fullmatch(text) and len(text) < 80 else None
        raise InvalidRecord(f"write {better or 'a mailto: or https: URI'} (RFC 8460 section 3)")
    if scheme == "mailto" and "," in rest and rest.count("@") > 1:
        raise InvalidRecord("write one list entry for each address")
    uri = f"{scheme}:{rest}"
    if uri != (encoded := scheme + ":" + rest.translate(_ENCODED)) and _URI.fullmatch(encoded):
        raise InvalidRecord(f'"," "!" and ";" are percent-encoded here; write "{encoded[:200]}"')
    if not _URI.fullmatch(uri):
        raise InvalidRecord("nothing after the scheme, or a character that no URI has: percent-encode it")
    try:
        _check_mailto(rest) if scheme == "mailto" else _check_https(uri)
    except ValueError as e:  # names.InvalidName; what urlsplit finds
        raise e if isinstance(e, InvalidRecord) else InvalidRecord(str(e)) from e
    return uri


def _check_mailto(rest: str) -> None:
    """RFC 6068, with the one address that a list entry stands for."""
    address = _ADDRESS.fullmatch(rest.partition("?")[0])
    if not address or len(unquote_to_bytes(address[1])) > _MAX_LOCAL_PART_OCTETS:
        raise InvalidRecord("write mailto:reports@example.org")
    names.host_name(address[2])


def _check_https(uri: str) -> None:
    parts = urlsplit(uri)
    if not parts.hostname or parts.username is not None:
        raise InvalidRecord("write https://reports.example.org/tls, without a user")
    names.host_name(parts.hostname)
    if parts.port == 0:  # .port itself raises ValueError when it is no number up to 65535
        raise InvalidRecord("port 0 cannot be reached")


def _usable(uris: list[str]) -> list[str]:
    """Those that a sender could report to, in the form of `report_uri`."""
    for uri in uris:
        if not _URI.fullmatch(uri):
            raise InvalidRecord(f"rua {shown(uri)} is no URI (or has a raw '!')")
    usable = [uri for uri in uris if uri.partition(":")[0].lower() in SCHEMES]
    if not usable:
        raise InvalidRecord(f"rua {shown(uris[0])}: reports go to mailto: and https: only")
    try:
        return [report_uri(uri) for uri in usable]
    except InvalidRecord as e:
        raise InvalidRecord(f"rua {shown(', '.join(usable))}: {e}") from e
