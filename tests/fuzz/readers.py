"""The readers of whole mails, reports and stored entries, each with what must hold for any octets at all.

A reader refuses in its own words or gives values; what it gives can be written, and reads the same again.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mailtls.observe.mailbox_file import mails
from mailtls.reports import reading
from mailtls.tls_rpt import report
from mailtls.tls_rpt.ledger import InvalidLedgerEntry, LedgerEntry
from mailtls.totals import report_files

MOMENT = datetime(2026, 12, 1, tzinfo=UTC)
MOST_REFUSAL = 100_000
"""Characters: a sender may break every part of its mail in another way."""


@dataclass(frozen=True, slots=True)
class Reader:
    """name: also of the corpus's folder. check: reads, and raises AssertionError for what must not be. words: what a
    mutation should be able to insert. seed: something that is read."""

    name: str
    check: Callable[[bytes], None]
    words: tuple[bytes, ...]
    seed: bytes


def stored_the_same(read: report.Report) -> None:
    """As it would stand in the ledger."""
    entry = LedgerEntry("contoso.example", "m", MOMENT, "google.com", read)
    body = entry.render()
    assert body.count(b"\n") == 1
    assert LedgerEntry.parse(body) == entry, "what is stored is not what was read"
    assert report.report_key(read, "contoso.example").startswith("reports/contoso.example/")


def said(refusal: Exception) -> None:
    """It has words, and not more than a person can look at."""
    assert 0 < len(str(refusal)) < MOST_REFUSAL


def check_report(data: bytes) -> None:
    """One JSON text."""
    try:
        read = report.parse(data)
    except report.InvalidReport as e:
        said(e)
        return
    stored_the_same(read)


def check_mail(data: bytes) -> None:
    """A raw mail, as the function meets it."""
    try:
        parsed, signer = reading.believed(data)
        reports, _ = reading.readable(parsed)
    except reading.Unfit as e:
        said(e)
        return
    assert signer
    for read in reports:
        stored_the_same(read)


def check_posted(data: bytes) -> None:
    """What came by HTTPS."""
    try:
        reports, _ = reading.readable(reading.posted(data))
    except reading.Unfit as e:
        said(e)
        return
    for read in reports:
        stored_the_same(read)


def check_file(data: bytes) -> None:
    """Whatever `mailtls reports parse` is given: it raises nothing."""
    read = report_files.read(data, "file")
    for entry in read.entries:
        assert LedgerEntry.parse(entry.render()) == entry
    for mail in mails(io.BytesIO(data), 4096):
        assert mail.data is None or len(mail.data) <= 4096


def check_entry(data: bytes) -> None:
    """An object of the ledger, which somebody may have changed."""
    try:
        entry = LedgerEntry.parse(data)
    except InvalidLedgerEntry as e:
        said(e)
        return
    assert LedgerEntry.parse(entry.render()) == entry


_REPORT = (
    b'{"organization-name":"Google Inc.","date-range":{"start-datetime":"2026-11-30T00:00:00Z","end-datetime":'
    b'"2026-11-30T23:59:59Z"},"contact-info":"a@b.example","report-id":"r","policies":[{"policy":{"policy-type":"sts",'
    b'"policy-string":["version: STSv1","mode: enforce","mx: mx.contoso.example","max_age: 86400"],"policy-domain":'
    b'"contoso.example","mx-host":["mx.contoso.example"]},"summary":{"total-successful-session-count":5,'
    b'"total-failure-session-count":3},"failure-details":[{"result-type":"certificate-expired","sending-mta-ip":'
    b'"192.0.2.7","receiving-mx-hostname":"mx.contoso.example","receiving-ip":"2001:db8::1","failed-session-count":3,'
    b'"failure-reason-code":"x"}]}]}'
)
_MAIL = (
    b"X-SES-Spam-Verdict: PASS\r\nAuthentication-Results: amazonses.com; spf=pass; dkim=pass header.i=@google.com;\r\n"
    b"DKIM-Signature: v=1; d=google.com; s=x; h=from; b=a=\r\nFrom: a@google.com\r\n"
    b"TLS-Report-Domain: contoso.example\r\n"
    b'Content-Type: multipart/report; report-type=tlsrpt; boundary="b"\r\n\r\n--b\r\n'
    b"Content-Type: application/tlsrpt+json\r\n\r\n" + _REPORT + b"\r\n--b--\r\n"
)
_ENTRY = LedgerEntry("contoso.example", "m", MOMENT, "google.com", report.parse(_REPORT)).render().rstrip(b"\n")
_JSON_WORDS = (
    b'{|}|[|]|"|,|:|null|true|-1|1e9|0.5|\\u0000|\\ud800|\xff|\xef\xbb\xbf|"policies":|"policy":|"summary":|"sts"|"tlsa"'
    b'|"failure-details":|"date-range":|2026-11-30T00:00:00Z|"no-policy-found"|"version":1|"signer":|"report":'
)
_MAIL_WORDS = (
    b"\r\n|\n|--b|--b--|\x1f\x8b\x08|PK\x03\x04|Content-Type: |Content-Transfer-Encoding: base64"
    b"|quoted-printable|=?utf-8?B?"
    b'|application/tlsrpt+gzip|multipart/mixed; boundary="c"|message/rfc822|dkim=pass|header.i=@|From: '
    b"|\xff|\x00|(|)|<|>"
)
READERS: tuple[Reader, ...] = (
    Reader("report", check_report, tuple(_JSON_WORDS.split(b"|")), _REPORT),
    Reader("mail", check_mail, tuple((_MAIL_WORDS + b"|" + _JSON_WORDS).split(b"|")), _MAIL),
    Reader("posted", check_posted, tuple((b"\x1f\x8b\x08|" + _JSON_WORDS).split(b"|")), _REPORT),
    Reader(
        "file", check_file, tuple((b"From x\n|" + _MAIL_WORDS + b"|" + _JSON_WORDS).split(b"|")), b"From x\n" + _MAIL
    ),
    Reader("ledger-entry", check_entry, tuple(_JSON_WORDS.split(b"|")), _ENTRY),
)
READER_BY_NAME = {reader.name: reader for reader in READERS}
