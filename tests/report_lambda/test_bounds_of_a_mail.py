"""Every mail ends within 256 MiB of memory and 10 seconds of CPU, and its ledger within its bound, or in quarantine.

Each mail is taken in by a process of its own (one_mail.py), so that its largest size is what the mail made it.
"""

import base64
import gzip
import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from mailtls.tls_rpt.attribution import MAX_SHARED
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import MAX_BYTES_OF_MAIL
from mailtls.tls_rpt.message import LIMITS

HERE = Path(__file__).parent
MEBIBYTES = 256
CPU_SECONDS = 10
DOMAINS = 50

HEAD = (
    b'{"organization-name": "x", "report-id": "a", "date-range": {"start-datetime": "2026-11-30T00:00:00Z", '
    b'"end-datetime": "2026-11-30T23:59:59Z"}, '
)


def report(policies=b"", unknown=b""):
    return HEAD + unknown + b'"policies": [' + policies + b"]}"


def row(details=b"", strings=b"", hosts=b"", domain=b"contoso.example"):
    return (
        b'{"policy": {"policy-type": "sts", "policy-domain": "%s", "policy-string": [%s], "mx-host": [%s]}, "summary": '
        b'{"total-successful-session-count": 1, "total-failure-session-count": 1}, "failure-details": [%s]}'
        % (domain, strings, hosts, details)
    )


def bombs(count, size=9 * 1024 * 1024, *, damaged=False):
    """An archive of members that all inflate to `size`; their checksums are wrong where `damaged` is set."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}.json", b"{" + bytes(size))
    data = buffer.getvalue()
    if damaged:
        checksum = zlib.crc32(b"{" + bytes(size)).to_bytes(4, "little")
        data = data.replace(checksum, b"\1\2\3\4")
    return data


def one_place(member, count=16):
    """A zip archive whose directory names one stored member `count` times."""
    checksum, size = zlib.crc32(member), len(member)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, checksum, size, size, 0, 0) + member
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, checksum, size, size, 0, 0, 0, 0, 0, 0, 0)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entry) * count, len(local), 0)
    return local + entry * count + end


def attached(*bodies, mails):
    """A mail of google.com with these parts, put together by hand: the library writes slower than it reads."""
    block = "".join(f"{name}: {value}\r\n" for name, value in mails.ses_headers() + mails.sender_headers())
    parts = [
        b"--b\r\nContent-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(body).replace(b"\n", b"\r\n")
        for body in bodies
    ]
    multipart = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    return block.encode() + multipart + b"".join(parts) + b"--b--\r\n"


def plain(body, mails, content_type="application/tlsrpt+json"):
    block = "".join(f"{name}: {value}\r\n" for name, value in mails.ses_headers() + mails.sender_headers())
    return f"{block}Content-Type: {content_type}\r\n\r\n".encode() + body


def shared_mx(rows, failed=1):
    """DANE rows about an MX host that all domains share."""
    details = b'{"result-type": "tlsa-invalid", "failed-session-count": 1}' * failed
    one = row(details, domain=b"mx1.contoso.example").replace(
        b'failure-session-count": 1', b'failure-session-count": %d' % failed
    )
    return report(b",".join([one.replace(b'"sts"', b'"tlsa"')] * rows))


def unannounced(*reports, mails):
    """A mail that names no domain itself."""
    return attached(*map(gzip.compress, reports), mails=mails).replace(b"TLS-Report-Domain", b"X-Report-Domain", 1)


def escaped_arrays():
    """JSON arrays inside strings of policy-string, with commas that only their own decoder sees."""
    inner = rb"[" + rb"\"\"\u002c" * 5_000 + rb"\"\"]"
    return b",".join([b'"' + inner + b'"'] * 180)


def failing_everywhere(count):
    """Reports of different names, each of which fails at some hosts of each domain."""
    details = b",".join(
        b'{"result-type": "certificate-expired", "receiving-mx-hostname": "mx%d.contoso.example", '
        b'"failed-session-count": 5}' % n
        for n in range(3)
    )
    rows = b",".join(row(details, domain=b"d%d.example" % n) for n in range(DOMAINS))
    return [gzip.compress(report(rows).replace(b'"report-id": "a"', b'"report-id": "a%d"' % n)) for n in range(count)]


MAILS = {
    "case D01": lambda mails: (HERE / "cases" / "D01.0.eml").read_bytes(),
    "case D02": lambda mails: (HERE / "cases" / "D02.0.eml").read_bytes(),
    "empty rows": lambda mails: attached(gzip.compress(report(b"{}," * 124_000 + b"{}")), mails=mails),
    "empty details": lambda mails: attached(gzip.compress(report(row(b"{}," * 124_000 + b"{}"))), mails=mails),
    "details with strange members": lambda mails: attached(
        gzip.compress(report(row(b",".join(b'{"a%d": []}' % n for n in range(80_000))))), mails=mails
    ),
    "one member many times": lambda mails: attached(
        gzip.compress(report(row(b"{" + b",".join([b'"a": 1'] * 200_000) + b"}"))), mails=mails
    ),
    "rows of all domains beside a large strange member": lambda mails: attached(
        gzip.compress(
            report(
                b",".join(row(domain=b"d%d.example" % n) for n in range(DOMAINS)),
                b'"x": "' + b"a" * 5_000_000 + b'", ',
            )
        ),
        mails=mails,
    ),
    "rows of all domains and many notes": lambda mails: attached(
        gzip.compress(
            report(
                b",".join(row(domain=b"d%d.example" % n) for n in range(DOMAINS)),
                b",".join(b'"k%d": [1]' % n for n in range(100_000)) + b", ",
            )
        ),
        mails=mails,
    ),
    "reports about all domains, each with failures": lambda mails: attached(*failing_everywhere(39), mails=mails),
    "as many as fit": lambda mails: attached(*failing_everywhere(3), mails=mails),
    "control characters": lambda mails: attached(
        gzip.compress(report(row(strings=b'"' + b"\x01" * 10_000_000 + b'"'))), mails=mails
    ),
    "escapes": lambda mails: attached(
        gzip.compress(report(row(strings=b'"' + rb"\ud800" * 1_700_000 + b'"'))), mails=mails
    ),
    "arrays in strings": lambda mails: attached(gzip.compress(report(row(strings=escaped_arrays()))), mails=mails),
    "hosts": lambda mails: attached(
        gzip.compress(
            report(
                row(
                    b",".join(
                        b'{"result-type": "certificate-expired", "receiving-mx-hostname": "h%d.example", '
                        b'"failed-session-count": 1, "receiving-ip": "192.0.2.25"}' % n
                        for n in range(45_000)
                    )
                )
            )
        ),
        mails=mails,
    ),
    "patterns and hosts": lambda mails: attached(
        gzip.compress(
            report(
                row(
                    b",".join(
                        b'{"result-type": "validation-failure", "receiving-mx-hostname": "h%d.example"}' % n
                        for n in range(40_000)
                    ),
                    hosts=b",".join(b'"p%d.example"' % n for n in range(100_000)),
                )
            )
        ),
        mails=mails,
    ),
    "a shared MX in many rows": lambda mails: unannounced(shared_mx(2_000), mails=mails),
    "parts of bombs": lambda mails: attached(*[bombs(16)] * 70, mails=mails),
    "parts of damaged bombs": lambda mails: attached(*[bombs(16, damaged=True)] * 70, mails=mails),
    "one stored member many times": lambda mails: attached(
        one_place(one_place(report(unknown=b'"x": "' + b"a" * 9_000_000 + b'", '))), mails=mails
    ),
    "nothing inflated many times": lambda mails: attached(
        one_place(one_place(gzip.compress(b"")[:10] + b"\0\0\0\xff\xff" * 1_800_000)), mails=mails
    ),
    "a signature without an end": lambda mails: plain(report(), mails).replace(
        b"DKIM-Signature: ", b"DKIM-Signature: i=" + b"a" * 200_000 + b"<; ", 1
    ),
    "bombs in a bomb": lambda mails: attached(gzip.compress(bombs(16)), mails=mails),
    "a hundred damaged streams": lambda mails: attached(
        *[gzip.compress(b"{" + bytes(9_000_000))[:-8] + b"12345678"] * 99, mails=mails
    ),
    "a hundred streams that end early": lambda mails: attached(
        *[gzip.compress(b"{" + bytes(9_000_000))[:-20]] * 99, mails=mails
    ),
    "lines": lambda mails: plain(b"\n" * 290_000 + b"a" * 10_000_000, mails, "text/plain"),
    "boundary lines": lambda mails: plain(b"--b\r\n" * 290_000, mails, "multipart/mixed; boundary=b"),
    "multiparts": lambda mails: plain(
        b"".join(b"--b\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n\r\n" % (n, n) for n in range(30))
        + b"x" * 10_000_000,
        mails,
        "multipart/mixed; boundary=b",
    ),
    "text": lambda mails: plain(b"a" * (LIMITS.max_mail_bytes - 10_000), mails, "text/plain"),
    "base64 of text": lambda mails: attached(bytes(11_000_000), mails=mails),
    "padding between pieces": lambda mails: plain(
        b"H4sI=" * 3_000_000, mails, "application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64"
    ),
    "quoted-printable": lambda mails: plain(
        b"=7B" * 5_000_000, mails, "application/tlsrpt+json\r\nContent-Transfer-Encoding: quoted-printable"
    ),
    "header fields": lambda mails: b"A: b\r\n" * 2_000_000,
    "a mail over the bound": lambda mails: plain(b"a" * LIMITS.max_mail_bytes, mails),
}


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_ends_within_its_bounds(mails, name):
    command = [sys.executable, str(HERE / "one_mail.py"), str(CPU_SECONDS), str(DOMAINS)]
    ran = subprocess.run(command, input=MAILS[name](mails), capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()[-2000:] or f"ended by signal {-ran.returncode}"
    told = json.loads(ran.stdout)
    assert told["mebibytes"] <= MEBIBYTES, told
    assert told["ledger"] <= MAX_BYTES_OF_MAIL, told
    assert told["sent"] <= 60, told
    assert told["disposition"] in ("stored", "quarantined"), told


def test_many_reports_about_a_shared_mx_take_a_bounded_number_of_places(cloud, mails):
    """In each of 90 reports a row that is about all 50 domains."""
    cloud.own(*(OwnDomain(f"d{n}.example", "testing", ("mx1.contoso.example",)) for n in range(DOMAINS)))
    one = shared_mx(1, failed=0)
    disposition = cloud.receive(
        unannounced(*(one.replace(b'"a"', b'"r%d"' % number) for number in range(90)), mails=mails)
    )
    assert any("too often" in note for note in disposition["notes"])
    assert DOMAINS < len(cloud.store.under("reports/")) <= MAX_SHARED + 90
