"""How many report mails a second, beside the least that any reader on the standard library must do, and parsedmarc.

    python bench/mail_to_report.py [--mails 2000] [--rows 3]

The mails have the shape that the largest sender uses, as SES stores them: 5 KB, most of it header fields, a text part,
a gzipped report in base64; each another report. The floor does four steps and checks nothing: MIME, base64, inflate,
JSON. All contestants read the same bytes in one run on one core, timed by the processor's clock: the ratios hold from
machine to machine, the rates do not. More rows move them towards the JSON's share.
"""

import argparse
import base64
import email
import gzip
import json
import random
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mailtls.tls_rpt import message, report
from sandbox.engine.environments import environment

PEERS = Path(__file__).parent / "peers"

ROUNDS = 5
"""The best of these counts: the others were disturbed."""


def main() -> int:
    """Write the mails, time the contestants, print the table."""
    parser = argparse.ArgumentParser(description="time the way from mail to report")
    parser.add_argument("--mails", type=int, default=2_000, help="how many (default 2000)")
    parser.add_argument("--rows", type=int, default=3, help="failure-details in each report (default 3)")
    options = parser.parse_args()
    mails = write_mails(options.mails, options.rows)
    contestants = {
        "message_from_bytes, base64, inflate, json.loads, nothing checked (the floor)": floor,
        "mailtls to the same point: message.parse, json.loads": ours_to_json,
        "mailtls: message.parse, report.parse": ours,
        "mailtls without its short way through MIME": ours_in_full,
    }
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(ROUNDS):
        for name, read in contestants.items():
            best[name] = min(best[name], seconds(mails, read))
    best["parsedmarc, offline"] = parsedmarc_seconds(mails[: len(mails) // 4]) * 4
    floor_seconds = next(iter(best.values()))
    size = sum(map(len, mails)) / len(mails) / 1000
    print(f"| {len(mails):,} mails of {size:.1f} KB, {options.rows} rows | mails/s | of the floor |\n|---|---:|---:|")
    for name, took in best.items():
        print(f"| {name} | {len(mails) / took:,.0f} | {floor_seconds / took:.2f} |")
    return 0


def parsedmarc_seconds(mails: Sequence[bytes]) -> float:
    """Of the peer, in an environment of its own, over the same mails, by the same clock."""
    python = environment("peers", PEERS / "requirements.txt")
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"".join(struct.pack(">I", len(mail)) + mail for mail in mails))
        file.flush()
        command = [str(python), str(PEERS / "parsedmarc_reader.py"), file.name, str(ROUNDS)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if told["failed"] != [FAILED]:
        raise SystemExit("parsedmarc lost rows")
    return float(told["seconds"])


def floor(mail: bytes) -> int:
    """What cannot be saved with the standard library's mail parser. This and its rivals return the sessions failed."""
    for part in email.message_from_bytes(mail).walk():
        if part.get_content_type() == "application/tlsrpt+gzip":
            text = part.get_payload()
            assert isinstance(text, str)  # noqa: S101  for the type checker
            return _failed(json.loads(zlib.decompress(base64.b64decode(text), 16 + zlib.MAX_WBITS)))
    raise SystemExit("no report in a mail of ours")


def ours_to_json(mail: bytes) -> int:
    """The floor's way and end, by our reader of mails."""
    [text] = message.parse(mail).reports
    return _failed(json.loads(text))


def ours(mail: bytes) -> int:
    """As the Lambda does it: every value checked, nothing dropped."""
    [text] = message.parse(mail).reports
    return sum(detail.failed_session_count or 0 for detail in report.parse(text).policies[0].failure_details)


def ours_in_full(mail: bytes) -> int:
    """As the Lambda does it for mails that are not of the usual shape."""
    [text] = message.parse_in_full(mail).reports
    return sum(detail.failed_session_count or 0 for detail in report.parse(text).policies[0].failure_details)


def _failed(data: Any) -> int:
    return sum(detail["failed-session-count"] for detail in data["policies"][0]["failure-details"])


def seconds(mails: Sequence[bytes], read: Callable[[bytes], int]) -> float:
    """Processor time to read them all."""
    began = time.process_time()
    failed = [read(mail) for mail in mails]
    took = time.process_time() - began
    if failed != [FAILED] * len(mails):  # a reader that loses rows is fast and useless
        raise SystemExit(f"{read.__name__} lost rows")
    return took


# --------------------------------------------------------------------------------------------------------- the mails

FAILED = 1234
"""Sessions, in each report."""
RESULT_TYPES = ("certificate-expired", "starttls-not-supported", "validation-failure", "certificate-host-mismatch")


def write_mails(count: int, rows: int = 3) -> list[bytes]:
    """`count` mails with reports of `rows` failure-details, the same in each run."""
    chance = random.Random(8460)  # noqa: S311  sample data
    return [_mail(f"domain{number:05}.example", rows, chance) for number in range(count)]


def _mail(domain: str, rows: int, chance: random.Random) -> bytes:
    packed = base64.encodebytes(gzip.compress(json.dumps(_report(domain, rows, chance)).encode(), mtime=0)).decode()
    lines = [
        "Return-Path: <noreply-smtp-tls-reporting@reporter.test>",
        "Received: from mail-f77.reporter.test (mail-f77.reporter.test [192.0.2.77])",
        " by inbound-smtp.eu-west-1.amazonaws.com with SMTP id o3vrnil0e2ic28tr",
        " for tlsrpt@reports.mailhost.example; Tue, 01 Dec 2026 03:12:43 +0000 (UTC)",
        "X-SES-Spam-Verdict: PASS",
        "X-SES-Virus-Verdict: PASS",
        "Received-SPF: pass (spfCheck: domain of reporter.test designates 192.0.2.77 as permitted sender)",
        " client-ip=192.0.2.77; envelope-from=noreply-smtp-tls-reporting@reporter.test;",
        "Authentication-Results: amazonses.com; spf=pass (spfCheck: domain of reporter.test designates 192.0.2.77)",
        " client-ip=192.0.2.77; envelope-from=noreply-smtp-tls-reporting@reporter.test;",
        " dkim=pass header.i=@reporter.test; dmarc=pass header.from=reporter.test;",
        f"X-SES-RECEIPT: {_noise(chance, 510)}",
        f"X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; b={_noise(chance, 172)}; c=relaxed/simple;",
        " s=shh3fegwg5fppqsuzphvschd53n6ihuv; d=amazonses.com; t=1796094764; v=1; bh=abc=;",
        "Received: by mail-f77.reporter.test with SMTP id 5b1f17b1804b1-4a3f00000000.1",
        " for <tlsrpt@reports.mailhost.example>; Mon, 30 Nov 2026 19:12:43 -0800 (PST)",
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=reporter.test; s=20230601; t=1796094763;",
        "        h=to:from:subject:message-id:tls-report-submitter:tls-report-domain:date:mime-version:from;",
        *(f"        {_noise(chance, 68)}" for _ in range(6)),
        "X-Reporter-DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=relay.test; s=20230601; t=1796094763;",
        *(f"        {_noise(chance, 68)}" for _ in range(6)),
        f"X-Reporter-Message-State: {_noise(chance, 110)}",
        f"X-Reporter-Smtp-Source: {_noise(chance, 90)}",
        "MIME-Version: 1.0",
        "Date: Mon, 30 Nov 2026 23:59:59 -0800",
        f"Message-ID: <2026.11.30T00.00.00Z+{domain}@reporter.test>",
        f"Subject: Report Domain: {domain} Submitter: reporter.test Report-ID: <2026.11.30+{domain}@reporter.test>",
        "From: noreply-smtp-tls-reporting@reporter.test",
        "To: tlsrpt@reports.mailhost.example",
        f"TLS-Report-Domain: {domain}",
        "TLS-Report-Submitter: reporter.test",
        'Content-Type: multipart/report; boundary="00000000000011c26a05f17c9b0f"; report-type=tlsrpt',
        "",
        "--00000000000011c26a05f17c9b0f",
        "Content-Type: text/plain; charset=UTF-8; format=flowed; delsp=yes",
        "Content-Transfer-Encoding: base64",
        "",
        *base64.encodebytes(b"This is an aggregate TLS report. The report is attached to this message.\n" * 8)
        .decode()
        .splitlines(),
        "",
        "--00000000000011c26a05f17c9b0f",
        "Content-Type: application/tlsrpt+gzip;",
        f'        name="reporter.test!{domain}!1795996800!1796083199!001.json.gz"',
        "Content-Disposition: attachment;",
        f'        filename="reporter.test!{domain}!1795996800!1796083199!001.json.gz"',
        "Content-Transfer-Encoding: base64",
        "",
        *packed.splitlines(),
        "--00000000000011c26a05f17c9b0f--",
        "",
    ]
    return "\r\n".join(lines).encode()


def _noise(chance: random.Random, length: int) -> str:
    return base64.b64encode(chance.randbytes(length)).decode()[:length]


def _report(domain: str, rows: int, chance: random.Random) -> dict[str, object]:
    details = [
        {
            "result-type": chance.choice(RESULT_TYPES),
            "sending-mta-ip": f"2001:db8::{chance.randrange(2**64):x}",
            "receiving-mx-hostname": f"mx{chance.randrange(9)}.{domain}",
            "receiving-ip": f"192.0.2.{chance.randrange(256)}",
            "failed-session-count": FAILED // rows + (FAILED % rows if row == 0 else 0),
        }
        for row in range(rows)
    ]
    policy = {
        "policy-type": "sts",
        "policy-string": ["version: STSv1", "mode: testing", f"mx: *.{domain}", "max_age: 86400"],
        "policy-domain": domain,
        "mx-host": [f"*.{domain}"],
    }
    summary = {"total-successful-session-count": chance.randrange(10**6), "total-failure-session-count": FAILED}
    return {
        "organization-name": "Reporter Inc.",
        "date-range": {"start-datetime": "2026-11-30T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"},
        "contact-info": "smtp-tls-reporting@reporter.test",
        "report-id": f"2026-11-30T00:00:00Z_{domain}",
        "policies": [{"policy": policy, "summary": summary, "failure-details": details}],
    }


if __name__ == "__main__":
    sys.exit(main())
