"""The body of a MIME part -> the JSON texts in it: transfer encoding, gzip, zip; bounded, decided by first bytes.

Labels lie in the wild (JSON labelled gzip, gzip labelled JSON), so they are never asked. Nothing is written to disk,
names inside archives are not used (RFC 8460 section 7), checksums are verified.
"""

import binascii
import re
import struct
import zlib
from collections.abc import Iterator
from enum import Enum, auto

from mailtls.tls_rpt.message_values import Limits, MessageError, TooLarge, Unreadable

_BASE64_END = re.compile(rb"=+")
_NOT_BASE64 = bytes(
    octet for octet in range(256) if octet not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
)
_MAX_BASE64_PIECES = 100_000
_INFLATED_AT_ONCE = 256 * 1024
"""Bytes. Small, so that all of what an attempt took is counted, however it ends."""

_ZIP_END = struct.Struct("<4s4H2LH")
_ZIP_ENTRY = struct.Struct("<4s6H3L5H2L")
_ZIP_LOCAL = struct.Struct("<4s5H3L2H")
_ZIP_MAX_COMMENT = 65535
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1


class Kind(Enum):
    """What bytes are, by the first of them."""

    JSON = auto()
    GZIP = auto()
    ZIP = auto()
    OTHER = auto()


def kind_of(data: bytes) -> Kind:
    """RFC 1952 section 2.3.1; APPNOTE 4.3.7 (and 4.3.16 for an empty archive); an object in RFC 8259's terms."""
    if data.startswith(b"\x1f\x8b"):
        return Kind.GZIP
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind.ZIP
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return Kind.JSON if start.startswith(b"{") else Kind.OTHER


def transfer_decode(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding (RFC 2045 section 6) tolerantly; an unknown one is taken as none."""
    if encoding == "base64":
        return decode_base64(body)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    return body


def decode_base64(body: bytes) -> bytes:
    """Any line breaks, characters from elsewhere, padding missing, or in the middle (encoded piece by piece)."""
    body = body.translate(None, _NOT_BASE64)
    end = body.find(b"=")
    if end < 0 or not body[end:].strip(b"="):
        return _decode_piece(body.rstrip(b"="))
    pieces = _BASE64_END.split(body, _MAX_BASE64_PIECES)
    return b"".join(_decode_piece(piece) for piece in pieces[:_MAX_BASE64_PIECES])


def _decode_piece(piece: bytes) -> bytes:
    if len(piece) % 4 == 1:  # six bits are no octet
        piece = piece[:-1]
    return binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))


class Unpacker:
    """Takes the parts of one mail, one after the other; the bound on inflated bytes is for all of them.

    notes: what was odd. errors: what could not be read; one broken part or archive member does not spoil the others.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._room = limits.max_inflated_bytes
        self.notes: list[str] = []
        self.errors: list[MessageError] = []

    def texts(self, data: bytes) -> list[bytes]:
        """The JSON texts in `data`; none when it is neither JSON nor compressed. Raises nothing: see `errors`."""
        return list(self._texts(data, 0))

    def _texts(self, data: bytes, depth: int) -> Iterator[bytes]:
        kind = kind_of(data)
        if kind is Kind.JSON:
            if len(data) > self._limits.max_report_bytes:
                self.errors.append(TooLarge(f"a report of {len(data):,} bytes"))
            else:
                yield data
        elif kind is not Kind.OTHER:
            if depth == self._limits.max_archive_depth:
                self.errors.append(Unreadable(f"archives nested more than {depth} deep"))
                return
            try:
                for inner in (self._gunzip(data),) if kind is Kind.GZIP else self._unzip(data):
                    yield from self._texts(inner, depth + 1)
            except MessageError as e:
                self._note(e)

    def _note(self, error: MessageError) -> None:
        """Keep what it says, not the frames behind it: each holds the bytes that it worked on."""
        self.errors.append(type(error)(str(error)))

    def _inflate(self, data: bytes, window_bits: int) -> tuple[bytes, bytes]:
        """One stream, and what stands after it."""
        room = min(self._room, self._limits.max_report_bytes)
        inflater = zlib.decompressobj(window_bits)
        pieces: list[bytes] = []
        size = 0
        while not inflater.eof:
            try:
                piece = inflater.decompress(data, _INFLATED_AT_ONCE)
            except zlib.error as e:
                raise Unreadable(f"compressed data is damaged: {e}") from e
            data = inflater.unconsumed_tail
            size += len(piece)
            self._room -= len(piece)  # also when it comes to nothing: in vain it cost as much
            if size > room:
                raise TooLarge(f"compressed data that inflates to more than {room:,} bytes")
            if not piece and not data and not inflater.eof:
                raise Unreadable("compressed data ends early")
            pieces.append(piece)
        return b"".join(pieces), inflater.unused_data

    def _gunzip(self, data: bytes) -> bytes:
        """All members of a gzip stream (RFC 1952 section 2.2); what else stands after them is noted."""
        inflated = []
        for _ in range(self._limits.max_members):
            member, data = self._inflate(data, 16 + zlib.MAX_WBITS)
            inflated.append(member)
            if not data.startswith(b"\x1f\x8b"):
                if data.strip(b"\0 \t\r\n"):
                    self.notes.append(f"{len(data):,} bytes after the gzip data are not read")
                return b"".join(inflated)
        raise TooLarge(f"more than {self._limits.max_members} gzip members")

    def _unzip(self, data: bytes) -> Iterator[bytes]:
        """The members of a zip archive (APPNOTE 6.3), as its central directory lists them."""
        self.notes.append("a zip archive, which RFC 8460 does not have")
        for place in self._zip_entries(data):
            try:
                yield self._zip_member(data, place)
            except MessageError as e:
                self._note(e)

    def _zip_entries(self, data: bytes) -> Iterator[int]:
        """Where the entries of the central directory begin."""
        end = data.rfind(b"PK\x05\x06", max(0, len(data) - _ZIP_END.size - _ZIP_MAX_COMMENT))
        if end < 0 or end + _ZIP_END.size > len(data):
            raise Unreadable("a zip archive without its directory")
        _, _, _, _, count, size, _, _ = _ZIP_END.unpack_from(data, end)
        if count > self._limits.max_members:
            raise TooLarge(f"a zip archive of {count} members")
        place = end - size
        for _ in range(count):
            if place < 0 or place + _ZIP_ENTRY.size > end or not data.startswith(b"PK\x01\x02", place):
                raise Unreadable("the directory of a zip archive is damaged")
            yield place
            entry = _ZIP_ENTRY.unpack_from(data, place)
            place += _ZIP_ENTRY.size + sum(entry[10:13])  # name, extra field, comment

    def _zip_member(self, data: bytes, place: int) -> bytes:
        entry = _ZIP_ENTRY.unpack_from(data, place)
        flags, method, checksum, packed_size, size, local = (entry[i] for i in (3, 4, 7, 8, 9, 16))
        if flags & _ENCRYPTED:
            raise Unreadable("an encrypted zip member")
        # a stored one takes what its packed size says; the directory may name the same bytes many times
        taken = max(size, packed_size) if method == _STORED else size
        if taken > min(self._room, self._limits.max_report_bytes):
            raise TooLarge(f"a zip member of {taken:,} bytes")
        if local + _ZIP_LOCAL.size > len(data) or not data.startswith(b"PK\x03\x04", local):
            raise Unreadable("a zip member is not where the directory says")
        header = _ZIP_LOCAL.unpack_from(data, local)
        begin = local + _ZIP_LOCAL.size + header[9] + header[10]
        packed = data[begin : begin + packed_size]
        if method == _STORED:
            self._room -= len(packed)
            member = packed
        elif method == _DEFLATED:
            member, _ = self._inflate(packed, -zlib.MAX_WBITS)
        else:
            raise Unreadable(f"a zip member packed by method {method}")
        if len(member) != size or zlib.crc32(member) != checksum:
            raise Unreadable("a zip member is damaged")
        return member
