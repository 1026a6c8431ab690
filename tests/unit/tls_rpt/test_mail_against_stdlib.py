"""The short way through MIME is judged by the standard library's email package, on mails that nobody would write.

Two claims. What `message` finds in a mail that is well formed is what the email package finds there. And for any mail
at all, however broken: where `mime.cut` answers, the full reader gives the same answer, so that no mail means one thing
to us and another to the server that checked it.
"""

import email
import gzip
import re
import zlib
from email.message import Message

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mail_samples import BOUNDARY, GOOGLE, MAIL_RU, MICROSOFT, TEXT, TOP, attached, mail, packed, zipped

from mailtls.tls_rpt import header_block, message, mime, report
from mailtls.tls_rpt.message import LIMITS, MessageError

# --------------------------------------------------------------------------------------------- mails that are in order

reports = st.sampled_from([GOOGLE, MICROSOFT, MAIL_RU])
fillers = st.sampled_from(
    [
        TEXT,
        ("Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable", b"<p>caf=C3=A9</p>=\r\n"),
        ("Content-Type: text/plain; charset=utf-8; format=flowed", "Grüße\r\n\r\n-- \r\nme".encode()),
        ("Content-Type: image/png\r\nContent-Transfer-Encoding: base64", b"iVBORw0KGgo="),
        ("Content-Type: text/plain", b""),
        ("Content-Type: message/rfc822", b"Subject: inner\r\n\r\nbody"),
    ]
)
attachments = st.one_of(
    st.builds(lambda report: attached(packed(report)), reports),
    st.builds(lambda report: attached(report, "application/tlsrpt+json"), reports),
    st.builds(lambda report: attached(report.strip(), "application/tlsrpt+json", "8bit"), reports),
)
tops = st.lists(st.sampled_from((*TOP[4:7], "X-Folded: a\r\n b\r\n\tc", "X-Long: " + "x" * 2000, "X:")), max_size=4)
well_formed = st.builds(
    lambda parts, top, content_type, boundary, quote, line_end: mail(
        *parts,
        top=[*TOP, *top],
        content_type=content_type,
        boundary=boundary,
        quote=quote,
    ).replace(b"\r\n", line_end),
    st.lists(attachments | fillers, min_size=1, max_size=4),
    tops,
    st.sampled_from(
        ["multipart/report; report-type=tlsrpt", "multipart/mixed", "Multipart/REPORT;\r\n\tReport-Type=TLSRPT"]
    ),
    st.sampled_from([BOUNDARY, "a", "b'c", "0.1_2-3+4"]),
    st.sampled_from(['"', ""]),
    st.sampled_from([b"\r\n", b"\n"]),
)


def found_by_stdlib(data: bytes) -> list[bytes]:
    """Parts labelled application/tlsrpt*, decoded and inflated, attached mails left alone."""
    found = []
    ahead: list[Message] = [email.message_from_bytes(data)]
    while ahead:
        part = ahead.pop(0)
        if part.get_content_maintype() == "message":
            continue
        if part.is_multipart():
            ahead = [child for child in part.get_payload() if isinstance(child, Message)] + ahead
        elif part.get_content_type().startswith("application/tlsrpt"):
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            found.append(gzip.decompress(payload) if payload[:2] == b"\x1f\x8b" else payload)
    return found


@given(well_formed)
def test_the_reports_are_those_that_the_email_package_finds(data: bytes) -> None:
    expected = found_by_stdlib(data)
    event(f"{len(expected)} reports")
    try:
        found = list(message.parse(data).reports)
    except MessageError:
        found = []
    assert found == expected


@given(well_formed)
def test_headers_are_those_that_the_email_package_finds(data: bytes) -> None:
    ours = [(name, value) for name, value in message.headers(data)]
    theirs = [(name, str(value)) for name, value in email.message_from_bytes(data).items()]
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    for (_, value), (_, raw) in zip(ours, theirs, strict=True):
        assert value.split() == raw.split()


# ----------------------------------------------------------------------------------------------- mails that are broken

TOKENS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b" ", b"\t", b":", b";", b'"', b"\\", b"--", b"\0", b"\xff", b"=",
    b"\x0b", b"\x0c", b"\x1c", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"From ", b"From a\n", b"(comment)", b"--a\r\n",
    f"--{BOUNDARY}".encode(), f"--{BOUNDARY}--".encode(), f"\r\n--{BOUNDARY}\r\n".encode(),
    f"\r\n--{BOUNDARY}--\r\n".encode(), f"\n--{BOUNDARY} \n".encode(), f"\r\n--{BOUNDARY}x\r\n".encode(),
    b"boundary=a", b"; boundary=a", b"; boundary*=us-ascii''a", b"; boundary*0=a", b"=?utf-8?q?a?=", b"base64",
    b"\r\nContent-Type: text/plain\r\n", b"\r\nContent-Type: multipart/mixed; boundary=a\r\n",
    b"\r\nContent-Type: message/rfc822\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n",
    b"\r\nMIME-Version: 1.0\r\n", b"multipart/digest", b"message/rfc822", b"Content-Type", b"content-type : a/b",
    b"x-uuencode",
)  # fmt: skip


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A mail with pieces put in, taken out and doubled, most often where structure is."""
    data = draw(well_formed)
    for _ in range(draw(st.integers(1, 4))):
        marks = [found.start() for found in re.finditer(rb'[\r\n:;"-]', data)]
        at = draw(st.sampled_from(marks)) if marks and draw(st.booleans()) else draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.sampled_from([0, 0, 0, 1, 2, 5, 40, 400])))
        again = draw(st.sampled_from([b"", b"", data[at:to]]))
        data = data[:at] + draw(st.sampled_from(TOKENS) | st.binary(max_size=3) | st.just(b"")) + again + data[to:]
    return data


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(broken())
def test_what_the_short_way_takes_the_full_reader_reads_the_same(data: bytes) -> None:
    top, body = header_block.split(data, LIMITS.max_header_bytes)
    parts = mime.cut(data, top, body, LIMITS)
    event("taken" if parts is not None else "left to the full reader")
    if parts is not None:
        assert parts == mime.walk(data, LIMITS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'boundary="a"', b"boundary=a&"),
        (b'boundary="a"', b"boundary=a#b"),
        (b'boundary="a"', b'boundary="a"\x00'),
        (b'boundary="a"', b"boundary=a; boundary*0=a"),
        (b'boundary="a"', b"boundary=" + b"a" * 71),
        (b"multipart/report; ", b"multipart/report;\x1a "),
        # a bare CR or LF is a line end to one reader, and none to another
        (b"MIME-Version: 1.0", b"MIME-Version: 1.0\rContent-Type: text/plain"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.0\nContent-Type: text/plain"),
        (b"This is an", b"This\n--a\nis an"),
        (b"This is an", b"This\r--a\ris an"),
        (b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: ba\x0cse64"),
        (b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: ba\tse64"),
        (b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: base64\r\n\tcharset=utf-8"),
        (b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: base64"),
    ],
)
def test_what_readers_once_disagreed_about(before: bytes, after: bytes) -> None:
    """Found by longer runs of the test above, each."""
    plain = mail(TEXT, attached(packed(GOOGLE)), boundary="a")
    data = plain.replace(before, after)
    assert data != plain
    top, body = header_block.split(data, LIMITS.max_header_bytes)
    assert mime.cut(data, top, body, LIMITS) is None
    assert mime.cut(plain, *header_block.split(plain, LIMITS.max_header_bytes), LIMITS) == mime.walk(plain, LIMITS)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(broken())
def test_both_ways_come_to_the_same_end(data: bytes) -> None:
    assert outcome(message.parse, data) == outcome(message.parse_in_full, data)


def outcome(way: object, data: bytes) -> object:
    try:
        return way(data)  # type: ignore[operator]
    except MessageError as e:
        return type(e), str(e)


@given(broken(), st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_message_error(data: bytes, noise: bytes) -> None:
    for candidate in (data, noise, b"Content-Type: multipart/report; boundary=a\r\n\r\n--a\r\n" + noise):
        outcome(message.parse, candidate)
        outcome(message.headers, candidate)


@given(st.sampled_from([packed(GOOGLE), zipped(GOOGLE, MAIL_RU), zlib.compress(GOOGLE), GOOGLE]), st.data())
def test_any_damage_to_an_archive_is_a_message_error(archive: bytes, data: st.DataObject) -> None:
    """Or nothing that counts was hit, and the report is whole; or it is none that the reader of reports takes."""
    at = data.draw(st.integers(0, len(archive)))
    noise = data.draw(st.binary(max_size=4))
    to = at + data.draw(st.integers(0, 4))
    damaged = archive[:at] + noise + archive[to:]
    try:
        found = message.parse(mail(TEXT, attached(damaged))).reports
    except MessageError:
        return
    if archive != GOOGLE:
        for text in set(found) - {GOOGLE, MAIL_RU}:  # a `{` put in front makes it no archive, and no report either
            assert text.startswith(b"{")
            with pytest.raises(report.InvalidReport):
                report.parse(text)
