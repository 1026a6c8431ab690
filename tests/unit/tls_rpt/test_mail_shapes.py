"""Mails as they really arrive: the report in each is found, byte by byte as it was packed."""

import base64
import quopri

import pytest
from mail_samples import (
    BOUNDARY,
    GOOGLE,
    MAIL_RU,
    MICROSOFT,
    PLAIN_TOP,
    TEXT,
    TOP,
    Part,
    attached,
    mail,
    packed,
    single,
    zipped,
)

from mailtls.tls_rpt import message, mime, report
from mailtls.tls_rpt.message import LIMITS, Message, NotAReport, Unreadable

JSON_GZIP, JSON_PLAIN = "application/tlsrpt+gzip", "application/tlsrpt+json"


def read(mail: bytes) -> Message:
    """By both ways, which agree."""
    found = message.parse(mail)
    assert found == message.parse_in_full(mail)
    return found


def takes_the_short_way(mail: bytes) -> bool:
    top, body = message.header_block.split(mail, LIMITS.max_header_bytes)
    return mime.cut(mail, top, body, LIMITS) is not None


# ------------------------------------------------------------------------------------------------- the usual shape


@pytest.mark.parametrize(
    "data",
    [
        mail(TEXT, attached(packed(GOOGLE))),  # Google: report-type unquoted
        mail(TEXT, attached(packed(GOOGLE)), content_type='multipart/report; report-type="tlsrpt"'),
        mail(("Content-Type: text/html; charset=us-ascii", b"<p>A report</p>"), attached(packed(GOOGLE))),  # Microsoft
        mail(TEXT, attached(packed(GOOGLE)), boundary="abc", quote=""),
        mail(TEXT, attached(GOOGLE, JSON_PLAIN)),
        mail(TEXT, attached(packed(GOOGLE))).replace(b"\r\n", b"\n"),  # bare LF: a peer refuses it
    ],
)
def test_the_shapes_of_big_senders_take_the_short_way(data: bytes) -> None:
    assert read(data).reports == (GOOGLE,)
    assert read(data).notes == ()
    assert takes_the_short_way(data)


# ------------------------------------------------------------------------------------------------ around the part

FOOTER = ("Content-Type: text/plain", b"_______________\r\nlist mailing list\r\nhttps://lists.example/")
NESTED = mail(TEXT, attached(packed(GOOGLE)), top=(), boundary="inner", content_type="multipart/mixed")


@pytest.mark.parametrize(
    "data",
    [
        single(attached(packed(GOOGLE))),  # a bare body
        single(attached(packed(GOOGLE)), PLAIN_TOP),
        single(attached(GOOGLE, JSON_PLAIN, "8bit"), PLAIN_TOP),
        single(attached(packed(GOOGLE), encoding="binary"), PLAIN_TOP),
        mail(TEXT, attached(packed(GOOGLE)), content_type="multipart/mixed"),
        mail(TEXT, attached(packed(GOOGLE)), content_type="multipart/mixed", top=PLAIN_TOP),
        mail(TEXT, attached(packed(GOOGLE)), FOOTER),
        mail(attached(packed(GOOGLE)), FOOTER, content_type="multipart/mixed"),
        mail(attached(packed(GOOGLE))),
        mail((NESTED.split(b"\r\n", 1)[0].decode(), NESTED.split(b"\r\n\r\n", 1)[1]), FOOTER),  # re-wrapped by a list
        mail(TEXT, attached(packed(GOOGLE))).removesuffix(f"--{BOUNDARY}--\r\n".encode()),  # cut off at the end
        mail(TEXT, attached(packed(GOOGLE))).replace(f"\r\n--{BOUNDARY}".encode(), f"\r\n--{BOUNDARY} \t".encode()),
        b"From noreply@reporter.test Tue Dec  1 03:12:43 2026\r\n" + mail(TEXT, attached(packed(GOOGLE))),
        mail(TEXT, attached(packed(GOOGLE))).replace(b"\r\n\r\n--", b"\r\n\r\nThis is a MIME mail.\r\n--", 1),
        mail(TEXT, attached(packed(GOOGLE))) + b"An epilogue.\r\n",
        # the headers may lie, and disagree with the body (RFC 8460 section 5.6)
        mail(TEXT, attached(packed(GOOGLE)), top=[line.replace("contoso", "elsewhere") for line in TOP]),
    ],
)  # fmt: skip
def test_the_report_is_found_wherever_it_stands(data: bytes) -> None:
    assert [text.rstrip() for text in read(data).reports] == [GOOGLE.rstrip()]


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(
    "content_type",
    [
        JSON_GZIP, JSON_PLAIN, "application/tlsrpt", "Application/TLSRPT+GZIP", "application/gzip",
        "application/x-gzip", "application/octet-stream", "application/zip", "application/json", "text/plain",
    ],
)  # fmt: skip
@pytest.mark.parametrize("data", [GOOGLE, packed(GOOGLE), zipped(GOOGLE)], ids=["json", "gzip", "zip"])
def test_the_first_bytes_decide_and_not_the_label(data: bytes, content_type: str, announced: bool) -> None:
    """Peers miss plain `application/tlsrpt`; some send JSON labelled gzip, and gzip labelled JSON."""
    top = TOP if announced else PLAIN_TOP
    found = read(mail(TEXT, attached(data, content_type), top=top, content_type="multipart/mixed"))
    assert found.reports == (GOOGLE,)
    plain = (data == packed(GOOGLE) and content_type.lower() == JSON_GZIP) or (
        data == GOOGLE and content_type == JSON_PLAIN
    )
    assert bool(found.notes) is not plain


def test_several_reports_in_one_mail() -> None:
    parts = (attached(packed(GOOGLE)), attached(MICROSOFT, JSON_PLAIN), attached(zipped(MAIL_RU, GOOGLE)))
    assert read(mail(TEXT, *parts)).reports == (GOOGLE, MICROSOFT, MAIL_RU, GOOGLE)


def test_one_broken_part_does_not_spoil_the_others() -> None:
    found = read(mail(attached(packed(GOOGLE)[:-4]), attached(packed(MICROSOFT)), attached(b"\0\0")))
    assert found.reports == (MICROSOFT,)
    assert any("ends early" in note for note in found.notes)
    assert any("neither JSON nor gzip" in note for note in found.notes)


def test_other_json_in_a_mail_is_no_report() -> None:
    """Unlabelled and unannounced, a JSON text needs at least the word "policies" in it."""
    config = attached(b'{"a": 1}', "application/json")
    assert read(mail(config, attached(packed(GOOGLE)), top=PLAIN_TOP, content_type="multipart/mixed")).reports == (
        GOOGLE,
    )
    with pytest.raises(NotAReport):
        message.parse(mail(TEXT, config, top=PLAIN_TOP, content_type="multipart/mixed"))


def test_json_that_was_announced_is_handed_on_whatever_it_says() -> None:
    """So that a report without its policies is looked at by a person. A text part is not what was announced."""
    text, data = ("Content-Type: text/plain", b'{"a": 1}'), attached(b'{"b": 2}', "application/octet-stream")
    assert read(mail(text, attached(packed(GOOGLE)))).reports == (GOOGLE,)
    assert read(mail(text, data)).reports == (b'{"b": 2}',)


# ------------------------------------------------------------------------------------------------------- encodings

BASE64 = base64.b64encode(packed(GOOGLE))


@pytest.mark.parametrize(
    "body",
    [
        BASE64,  # one line
        b"\r\n".join(BASE64[at : at + 60] for at in range(0, len(BASE64), 60)),
        b"\r\n".join(BASE64[at : at + 7] for at in range(0, len(BASE64), 7)),
        b"\r\n\r\n  " + BASE64 + b"  \r\n\r\n",
        b" \r\n ".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)),
        BASE64.rstrip(b"="),  # padding missing
        BASE64.rstrip(b"=") + b"====",
        b"".join(base64.b64encode(packed(GOOGLE)[at : at + 100]) for at in range(0, len(packed(GOOGLE)), 100)),
        BASE64 + b"\r\n-- \r\n",  # a signature below
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["base64", "BASE64", "7bit", ""])
def test_base64_with_odd_lines_and_padding(body: bytes, encoding: str) -> None:
    header = f"Content-Type: {JSON_GZIP}" + (f"\r\nContent-Transfer-Encoding: {encoding}" if encoding else "")
    assert read(mail(TEXT, (header, body))).reports == (GOOGLE,)


@pytest.mark.parametrize(
    "part",
    [
        attached(GOOGLE, JSON_PLAIN, "8bit"),
        attached(GOOGLE, JSON_PLAIN, "base64 but not"),
        (f"Content-Type: {JSON_PLAIN}\r\nContent-Transfer-Encoding: base64", GOOGLE),  # labelled so, and is not
        (f"Content-Type: {JSON_PLAIN}\r\nContent-Transfer-Encoding: quoted-printable", quopri.encodestring(GOOGLE)),
        (f"Content-Type: {JSON_PLAIN}\r\nContent-Transfer-Encoding: Quoted-Printable", quopri.encodestring(GOOGLE)),
        (f"content-type:{JSON_PLAIN}", GOOGLE),
        attached(b"\xef\xbb\xbf \r\n" + GOOGLE, JSON_PLAIN),
    ],
)
def test_other_encodings(part: Part) -> None:
    (found,) = read(mail(TEXT, part)).reports
    assert report.parse(found).policies == report.parse(GOOGLE).policies


# --------------------------------------------------------------------------------------------------------- archives


def test_archives_in_every_form() -> None:
    whole = packed(GOOGLE)
    assert read(mail(attached(packed(GOOGLE[:100]) + packed(GOOGLE[100:])))).reports == (GOOGLE,)  # two gzip members
    assert read(mail(attached(whole + b"\0" * 512))).reports == (GOOGLE,)  # padded
    assert read(mail(attached(packed(whole)))).reports == (GOOGLE,)  # packed twice
    assert read(mail(attached(zipped(whole)))).reports == (GOOGLE,)
    assert read(mail(attached(zipped(GOOGLE, method=0)))).reports == (GOOGLE,)
    trailing = read(mail(attached(whole + b"more")))
    assert trailing.reports == (GOOGLE,)
    assert any("4 bytes after the gzip data" in note for note in trailing.notes)


# ------------------------------------------------------------------------------------------------- no report at all

BOUNCED = ("Content-Type: message/rfc822", mail(TEXT, attached(packed(GOOGLE)), boundary="inner"))


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", NotAReport, "no part"),
        (b"\r\n", NotAReport, "no part"),
        (b"Subject: hello\r\n\r\nworld\r\n", NotAReport, "no part"),
        (mail(TEXT, top=PLAIN_TOP, content_type="multipart/alternative"), NotAReport, "no part"),
        # a bounce is signed by the server that sends it, and quotes whatever a stranger mailed there
        (mail(TEXT, BOUNCED, content_type="multipart/report; report-type=delivery-status"), NotAReport, "bounce"),
        (mail(TEXT, BOUNCED, top=PLAIN_TOP, content_type="multipart/mixed"), NotAReport, "no part"),
        (mail(TEXT, content_type='multipart/report; report-type="feedback-report"'), NotAReport, "feedback-report"),
        (mail(TEXT, attached(packed(GOOGLE)), top=("Auto-Submitted: auto-replied", *TOP)), NotAReport, "automatic"),
        (single(TEXT, ("Subject: Cron <root@host> backup",)), NotAReport, "no part"),
        # announced, but there is none: a person should look
        (mail(TEXT), Unreadable, "no part is one"),
        (mail(TEXT, attached(b"")), Unreadable, "neither"),
        (mail(TEXT, attached(b"%PDF-1.4", "application/pdf")), Unreadable, "no part is one"),
        (mail(TEXT, attached(packed(b"not json"))), Unreadable, "no part is one"),
        (mail(TEXT, attached(packed(GOOGLE)[:-1])), Unreadable, "ends early"),
        (mail(TEXT, attached(packed(GOOGLE)[:50])), Unreadable, "ends early"),
        (mail(TEXT, attached(b"\x1f\x8b\x08\x00" + b"\xff" * 50)), Unreadable, "damaged"),
        (mail(TEXT, attached(b"\x1f\x8b")), Unreadable, "ends early"),
    ],
)
def test_mail_that_holds_no_report(data: bytes, error: type[Exception], said: str) -> None:
    for way in (message.parse, message.parse_in_full):
        with pytest.raises(error, match=said):
            way(data)


# ---------------------------------------------------------------------------------------------------------- headers


def test_headers_in_order_unfolded_and_without_controls() -> None:
    data = (
        b"Received: from a\r\n\tby b\r\n  for c\r\nSubject: caf\xc3\xa9 \x1b[31m\x00x\r\nX-Bad: \xff\xfe\r\n"
        b"X-Empty:\r\nX-CR: a\rEvil: b\r\nreceived:again\r\n\r\nBody: no\r\n"
    )
    assert message.headers(data) == (
        ("Received", "from a\tby b  for c".replace("\t", " ")),
        ("Subject", "café  [31m x"),
        ("X-Bad", "\\xff\\xfe"),
        ("X-Empty", ""),
        ("X-CR", "a Evil: b"),
        ("received", "again"),
    )


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nC: 3\r\n", ["A", "B"]),
        (b"A: 1\nB: 2\n\nC: 3\n", ["A", "B"]),
        (b"A: 1\r\nB: 2", ["A", "B"]),
        (b"A: 1\r\nno field\r\nC: 3\r\n\r\n", ["A"]),  # the block ends where readers of mail end it
        (b"A: 1\r\nB : 2\r\nC: 3\r\n\r\n", ["A"]),
        (b" a continuation of nothing\r\nA: 1\r\n\r\n", ["A"]),
        (b"From a@b.example Tue Dec 1\r\nA: 1\r\n\r\n", ["A"]),
        (b"From: a@b.example\r\nA: 1\r\n\r\n", ["From", "A"]),
        (b"A: 1\r\n \r\nB: 2\r\n\r\nC: 3", ["A", "B"]),  # white space alone continues a field
        (b": 1\r\nA: 1\r\n\r\n", []),
        (b"\r\nA: 1\r\n\r\n", []),
        (b"", []),
        (b"A:\xff\r\n\xc3\xa9: 1\r\n\r\n", ["A"]),
    ],
)
def test_where_the_header_block_ends(data: bytes, names: list[str]) -> None:
    assert [name for name, _ in message.headers(data)] == names
