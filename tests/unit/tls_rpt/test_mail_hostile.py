"""Mail of a stranger: bombs, nests and floods end in a named error before they are work."""

import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from mail_samples import GOOGLE, PLAIN_TOP, TEXT, TOP, attached, mail, packed, single, zipped

from mailtls.tls_rpt import TlsRptError, message
from mailtls.tls_rpt.message import LIMITS, Limits, MessageError, NotAReport, TooLarge, Unreadable

SMALL = Limits(max_report_bytes=100_000, max_inflated_bytes=150_000, max_mail_bytes=1_000_000)
WAYS = (message.parse, message.parse_in_full)


@contextmanager
def memory_below(limit: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit


def refuse(data: bytes, error: type[MessageError], said: str, limits: Limits = LIMITS) -> None:
    for way in WAYS:
        with pytest.raises(error, match=said):
            way(data, limits)


def deflated(count: int, filler: bytes = b" ") -> bytes:
    """A gzip stream of `count` times the filler, made without having that in memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    piece = filler * 1_000_000
    stream = b"".join(packer.compress(piece) for _ in range(count // 1_000_000))
    return stream + packer.compress(filler * (count % 1_000_000)) + packer.flush()


# ------------------------------------------------------------------------------------------------------------ archives


def test_a_gzip_bomb_is_stopped_at_the_bound() -> None:
    """A hundred megabytes in a hundred kilobytes; the bound is 20."""
    bomb = mail(TEXT, attached(deflated(100_000_000)))
    with memory_below(80_000_000):
        refuse(bomb, TooLarge, r"inflates to more than 10,485,760")


def test_a_bomb_in_a_bomb_is_stopped_too() -> None:
    refuse(mail(TEXT, attached(packed(deflated(30_000_000)))), TooLarge, "inflates to more than")


def test_reports_of_exactly_the_bound_are_read() -> None:
    text = b'{"policies": [' + b" " * (100_000 - 16) + b"]}"
    assert len(text) == SMALL.max_report_bytes
    for data in (text, packed(text), zipped(text)):
        assert message.parse(mail(attached(data)), SMALL).reports == (text,)
    for data in (text + b" ", packed(text + b" "), zipped(text + b" ")):
        refuse(mail(attached(data)), TooLarge, "bytes", SMALL)


def test_the_bound_is_for_all_archives_of_a_mail() -> None:
    text = packed(GOOGLE + b" " * 60_000)
    found = message.parse(mail(*[attached(text)] * 10), SMALL)
    assert len(found.reports) == 2
    assert any("inflates to more than" in note for note in found.notes)
    assert len(message.parse(mail(attached(zipped(*[GOOGLE + b" " * 60_000] * 10))), SMALL).reports) == 2


def test_a_zip_bomb_is_stopped_by_what_it_says_and_by_what_it_does() -> None:
    honest = zipped(b" " * 30_000_000)
    refuse(mail(attached(honest)), TooLarge, "a zip member of 30,000,000 bytes")
    # the same, but its directory and its local header say 10 bytes
    lying = honest.replace(struct.pack("<L", 30_000_000), struct.pack("<L", 10))
    assert lying != honest
    refuse(mail(attached(lying)), TooLarge, "inflates to more than")
    small = zipped(GOOGLE).replace(struct.pack("<L", len(GOOGLE)), struct.pack("<L", 10))
    refuse(mail(attached(small)), Unreadable, "a zip member is damaged")


def test_a_damaged_archive_is_not_half_believed() -> None:
    """Its checksum tells, where the rest looks well."""
    for whole in (zipped(GOOGLE, method=zipfile.ZIP_STORED), packed(GOOGLE)):
        assert message.parse(mail(attached(whole))).reports == (GOOGLE,)
    stored = zipped(GOOGLE, method=zipfile.ZIP_STORED).replace(b"8911", b"0000")
    refuse(mail(attached(stored)), Unreadable, "a zip member is damaged")
    gzipped = packed(GOOGLE)
    refuse(mail(attached(gzipped[:-8] + b"\0\0\0\0" + gzipped[-4:])), Unreadable, "damaged")


def test_archives_with_many_members() -> None:
    refuse(mail(attached(zipped(*[GOOGLE] * 17))), TooLarge, "a zip archive of 17 members")
    refuse(mail(attached(packed(b"") * 17)), TooLarge, "more than 16 gzip members")
    assert len(message.parse(mail(attached(zipped(*[GOOGLE] * 16)))).reports) == 16
    assert message.parse(mail(attached(packed(b"") * 15 + packed(GOOGLE)))).reports == (GOOGLE,)


def test_nested_archives() -> None:
    twice = packed(packed(GOOGLE))
    assert message.parse(mail(attached(twice))).reports == (GOOGLE,)
    refuse(mail(attached(packed(twice))), Unreadable, "nested more than 2 deep")
    refuse(mail(attached(zipped(zipped(zipped(GOOGLE))))), Unreadable, "nested more than 2 deep")


def test_a_quine_ends() -> None:
    """An archive whose only member is (nearly) itself: the bound on depth ends it."""
    data = zipped(GOOGLE)
    for _ in range(20):
        data = zipped(data)
    refuse(mail(attached(data)), Unreadable, "nested")


ENTRY = zipped(GOOGLE)


@pytest.mark.parametrize(
    "data",
    [
        ENTRY[:20],
        ENTRY[:-1],
        ENTRY.replace(b"PK\x01\x02", b"PK\x01\x03"),
        ENTRY.replace(b"PK\x05\x06", b"PK\x05\x07"),
        ENTRY[:-22]
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 2**32 - 1, 0, 0),  # a directory before the file
        ENTRY[:-22] + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 60, 0, 0),
        ENTRY[:-22] + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0),  # no members
        zipped(),
        zipped(GOOGLE, method=zipfile.ZIP_BZIP2),
        zipped(GOOGLE, method=zipfile.ZIP_LZMA),
        ENTRY[:6] + b"\x01" + ENTRY[7:].replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"),
    ],
    ids=["cut", "end", "entry", "directory", "before", "more", "none", "empty", "bzip2", "lzma", "encrypted"],
)
def test_zip_archives_that_cannot_be_read(data: bytes) -> None:
    refuse(mail(attached(data)), Unreadable, "zip|no part is one")


# ---------------------------------------------------------------------------------------------------------------- mails


def nested(depth: int) -> bytes:
    data = mail(attached(packed(GOOGLE)), top=(), boundary="b0")
    for level in range(1, depth):
        head, body = data.split(b"\r\n\r\n", 1)
        data = mail((head.decode(), body), top=(), boundary=f"b{level}")
    return data


def test_multiparts_nested() -> None:
    for way in WAYS:
        assert way(nested(8)).reports == (GOOGLE,)
    refuse(nested(9), TooLarge, "nested more than 8 deep")
    refuse(nested(33), TooLarge, "more than 32 multiparts")
    refuse(nested(2000), TooLarge, "more than")


def test_many_parts() -> None:
    for way in WAYS:
        assert way(mail(*[TEXT] * 98, attached(packed(GOOGLE)))).reports == (GOOGLE,)
    refuse(mail(*[TEXT] * 101, attached(packed(GOOGLE))), TooLarge, "more than 100 MIME parts")
    refuse(mail(*[TEXT] * 50_000), TooLarge, "more than 200 Content-Type fields")


def test_a_mail_of_nothing_but_boundaries() -> None:
    refuse(mail(*[("X: y", b"")] * 5000), TooLarge, "more than 100 MIME parts")


def test_a_mail_of_nothing_but_lines() -> None:
    data = single(TEXT) + b"\n" * 700_000
    with memory_below(1_000_000):
        refuse(data, TooLarge, "more than 300,000 lines")


def test_a_mail_beyond_what_ses_takes() -> None:
    data = b"a" * 1_000_001
    with memory_below(100_000):
        refuse(data, TooLarge, "a mail of 1,000,001 bytes", SMALL)


@pytest.mark.parametrize("block", [b"A: b\r\n" * 100_000, b"A: " + b"b" * 300_000, b"A: b" + b"\r\n c" * 100_000])
def test_header_blocks_without_end(block: bytes) -> None:
    with memory_below(30_000_000):
        refuse(block + b"\r\n\r\n", TooLarge, "bytes of header fields")
    with pytest.raises(TooLarge):
        message.headers(block)


@pytest.mark.parametrize(
    "field",
    [
        "Content-Type: multipart/mixed" + "; a=b" * 1000,
        "Content-Type: text/plain" + ";" * 100_000,
        'Content-Type: text/plain; name="' + '\\"' * 50_000 + '"',
        "Content-Type: text/plain;\r\n" + " a*0=b;\r\n" * 20_000,
        "Content-Type: " + "(" * 100_000,
    ],
)
@pytest.mark.timeout(60)
def test_content_types_that_take_a_parser_minutes(field: str) -> None:
    """On top and in a part."""
    refuse("\r\n".join([*TOP, field, "", ""]).encode(), TooLarge, "a Content-Type field of more than 2048")
    refuse(mail(TEXT, (field, b"x")), TooLarge, "a Content-Type field of more than 2048|header fields")


@pytest.mark.timeout(60)
def test_bodies_that_take_a_decoder_minutes() -> None:
    for body in (b"=" * 500_000, b"A=" * 250_000, b"\x00" * 500_000, b"=\r\n" * 150_000, b"-" * 500_000):
        for encoding in ("base64", "quoted-printable", "7bit", "x-uuencode"):
            header = f"Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: {encoding}"
            refuse(mail(TEXT, (header, body)), MessageError, ".")


@pytest.mark.parametrize(
    "noise",
    [b"\x00" * 200, b"\xff" * 200, b"\r" * 200, b"\r\n" * 100, b":" * 200, "\u2028".encode() * 60, b"From " * 40],
)
def test_noise_on_top_is_no_report(noise: bytes) -> None:
    refuse(noise + b"\r\n\r\n" + noise, NotAReport, "no part")


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("x-none", "x-none"), ("idna", "idna"), ("rot13", "rot13"), ("zlib", "bz2"), ("\x00", "\x00")],
)
def test_charsets_and_encodings_by_strangers_names(charset: str, encoding: str) -> None:
    """Python has codecs by names that no mail should be able to call up."""
    header = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}"
    data = mail((header, "é\x80".encode("latin-1")), attached(packed(GOOGLE)))
    for way in WAYS:
        assert way(data).reports == (GOOGLE,)


def test_names_inside_archives_and_mails_are_never_used() -> None:
    data = zipped(GOOGLE).replace(b"report0.json", b"../../../etc")
    assert message.parse(mail(attached(data))).reports == (GOOGLE,)


def test_messages_of_errors_are_short_and_printable() -> None:
    evil = "multipart/report; report-type=" + "\x1b[31m" + "x" * 1000
    for data in (mail(TEXT, content_type=evil), mail(TEXT, ("Content-Type: application/tlsrpt\x07" + "y" * 900, b"?"))):
        with pytest.raises(TlsRptError) as caught:
            message.parse(data)
        assert len(str(caught.value)) < 1100
        assert str(caught.value).isprintable()


def test_the_bounds_hold_for_a_bare_mail_too() -> None:
    refuse(single(attached(deflated(30_000_000)), PLAIN_TOP), TooLarge, "inflate")
