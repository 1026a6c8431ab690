"""Mails of every shape, put together byte by byte: the standard library's writer makes only some of them."""

import base64
import gzip
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

WILD = Path(__file__).parent / "wild"
GOOGLE, MICROSOFT, MAIL_RU = ((WILD / f"{name}.json").read_bytes() for name in ("google", "microsoft", "mail_ru"))
BOUNDARY = "=_0000000000011c26a05f17c9b0f"
REPORT_TYPE = "multipart/report; report-type=tlsrpt"

TOP = (
    "Return-Path: <noreply-smtp-tls-reporting@reporter.test>",
    "Received: from mail-f77.reporter.test (mail-f77.reporter.test [192.0.2.77])",
    " by inbound-smtp.eu-west-1.amazonaws.com with SMTP id o3vrnil0e2ic28tr",
    " for tlsrpt@reports.mailhost.example; Tue, 01 Dec 2026 03:12:43 +0000 (UTC)",
    "MIME-Version: 1.0",
    "From: noreply-smtp-tls-reporting@reporter.test",
    "To: tlsrpt@reports.mailhost.example",
    "Subject: Report Domain: contoso.example Submitter: reporter.test",
    " Report-ID: <2026.11.30T00.00.00Z+contoso.example@reporter.test>",
    "TLS-Report-Domain: contoso.example",
    "TLS-Report-Submitter: reporter.test",
)
PLAIN_TOP = TOP[:7]
"""The same without any word of a report."""
TEXT = ("Content-Type: text/plain; charset=UTF-8", b"This is an aggregate TLS report.")

Part = tuple[str, bytes]
"""Header lines (CRLF between), body as it stands."""


def packed(report: bytes) -> bytes:
    return gzip.compress(report, mtime=0)


def zipped(*reports: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, report in enumerate(reports):
            archive.writestr(f"report{number}.json", report)
    return file.getvalue()


def attached(data: bytes, content_type: str = "application/tlsrpt+gzip", encoding: str = "base64") -> Part:
    """A part as senders write it: a name, a disposition, base64 in lines of 76."""
    body = base64.encodebytes(data).replace(b"\n", b"\r\n").removesuffix(b"\r\n") if encoding == "base64" else data
    name = "reporter.test!contoso.example!1795996800!1796083199!001.json.gz"
    return (
        f'Content-Type: {content_type};\r\n\tname="{name}"\r\n'
        f'Content-Disposition: attachment;\r\n\tfilename="{name}"\r\nContent-Transfer-Encoding: {encoding}',
        body,
    )


def mail(
    *parts: Part, top: Sequence[str] = TOP, content_type: str = REPORT_TYPE, boundary: str = BOUNDARY, quote: str = '"'
) -> bytes:
    """A multipart of these parts. CRLF line ends."""
    head = "\r\n".join([*top, f"Content-Type: {content_type}; boundary={quote}{boundary}{quote}"])
    lines = [head.encode(), b""]
    for header, body in parts:
        lines += [f"--{boundary}".encode(), header.encode(), b"", body]
    return b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])


def single(part: Part, top: Sequence[str] = TOP) -> bytes:
    """A mail whose body is the part itself."""
    header, body = part
    return "\r\n".join([*top, header, "", ""]).encode() + body + b"\r\n"
