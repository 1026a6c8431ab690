"""The headers that SES puts on top of a mail it receives, in SES's order.

After the developer guide, "Email-receiving authentication and malware scanning", and copies of stored mails. What the
sender said in HELO and MAIL FROM stands in them as it came: a reader must not take it for SES's word.
"""

import base64
import email.utils
import hashlib
import secrets
import string
from dataclasses import dataclass
from datetime import datetime

from sandbox.edges.mail_authentication import DkimResult, SpfResult

SPAM_TEST = b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL"
VIRUS_TEST = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE"
"""Scanning finds these, the test texts of scanners, and nothing else."""
_ALPHABET = string.ascii_lowercase + string.digits
ID_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Reception:
    """One mail's way in. client: IP address. helo, mail_from: as the client said them. from_domain: of the From."""

    message_id: str
    region: str
    when: datetime
    client: str
    helo: str
    mail_from: str
    recipients: tuple[str, ...]
    spf: SpfResult
    dkim: tuple[DkimResult, ...]
    dmarc: str
    from_domain: str


def new_message_id() -> str:
    """In the shape of SES's; never the same twice."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))


def headers(reception: Reception, mail: bytes, scans: bool) -> bytes:
    """The lines, each with its CRLF. scans: the rule has ScanEnabled."""
    r = reception
    spf = (
        f"{r.spf.result} ({r.spf.why}) client-ip={r.client}; envelope-from={r.mail_from or 'postmaster@' + r.helo}; "
        f"helo={r.helo};"
    )
    dkim = [f"dkim={one.result} header.i={one.identity};" for one in r.dkim] or ["dkim=none;"]
    results = ["amazonses.com;", f"spf={spf}", *dkim, f"dmarc={r.dmarc} header.from={r.from_domain};"]
    lines = [
        f"Return-Path: <{r.mail_from}>",
        f"Received: from {r.helo} ({r.helo} [{r.client}])",
        f" by inbound-smtp.{r.region}.amazonaws.com with SMTP id {r.message_id}",
        f" for {', '.join(r.recipients)};",
        f" {email.utils.format_datetime(r.when)} (UTC)",
        *(_verdicts(mail) if scans else ()),
        f"Received-SPF: {spf}",
        "Authentication-Results: " + "\r\n ".join(results),
        f"X-SES-RECEIPT: {base64.b64encode(secrets.token_bytes(60)).decode()}",
        f"X-SES-DKIM-SIGNATURE: {_signature(r, mail)}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


def _verdicts(mail: bytes) -> tuple[str, str]:
    return (
        f"X-SES-Spam-Verdict: {'FAIL' if SPAM_TEST in mail else 'PASS'}",
        f"X-SES-Virus-Verdict: {'FAIL' if VIRUS_TEST in mail else 'PASS'}",
    )


def _signature(reception: Reception, mail: bytes) -> str:
    """In the shape of SES's own signature; nobody can verify it, for the key is Amazon's."""
    body = base64.b64encode(hashlib.sha256(mail.partition(b"\r\n\r\n")[2]).digest()).decode()
    return (
        f"a=rsa-sha256; q=dns/txt; b={base64.b64encode(secrets.token_bytes(128)).decode()}; c=relaxed/simple;\r\n"
        f" s=sandbox; d=amazonses.com; t={int(reception.when.timestamp())}; v=1; bh={body};\r\n"
        " h=From:To:Cc:Bcc:Subject:Date:Message-ID:MIME-Version:Content-Type:X-SES-RECEIPT;"
    )
