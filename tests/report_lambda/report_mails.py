"""Reports, and mails that bring them, as SES stores those."""

import gzip
import json
from email.message import EmailMessage
from typing import Any

STS = {
    "policy-type": "sts",
    "policy-string": [
        "version: STSv1",
        "mode: enforce",
        "mx: mx1.contoso.example",
        "mx: mx2.contoso.example",
        "max_age: 604800",
    ],
    "policy-domain": "contoso.example",
    "mx-host": ["mx1.contoso.example", "mx2.contoso.example"],
}


def policy(
    successes: int = 100, failures: tuple[dict[str, Any], ...] = (), *, mode: str = "enforce", **changes: Any
) -> dict[str, Any]:
    """One entry of `policies`; failures are failure-details."""
    about = {**STS, **changes}
    about["policy-string"] = [line.replace("mode: enforce", f"mode: {mode}") for line in about["policy-string"]]
    return {
        "policy": about,
        "summary": {
            "total-successful-session-count": successes,
            "total-failure-session-count": sum(detail["failed-session-count"] for detail in failures),
        },
        "failure-details": list(failures),
    }


def failure(
    count: int = 12, result_type: str = "certificate-expired", mx: str = "mx2.contoso.example", **more: Any
) -> dict[str, Any]:
    """One failure-detail."""
    return {
        "result-type": result_type,
        "sending-mta-ip": "192.0.2.77",
        "receiving-mx-hostname": mx,
        "receiving-ip": "192.0.2.25",
        "failed-session-count": count,
        **more,
    }


def tls_report(
    *policies: dict[str, Any], day: str = "2026-11-30", organization: str = "Google Inc.", report_id: str = ""
) -> dict[str, Any]:
    """A whole report for one UTC day."""
    return {
        "organization-name": organization,
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "contact-info": "smtp-tls-reporting@google.com",
        "report-id": report_id or f"{day}T00:00:00Z_contoso.example",
        "policies": list(policies or (policy(),)),
    }


def ses_headers(signer: str = "google.com", results: str | None = None) -> list[tuple[str, str]]:
    """What SES puts on top, in its order."""
    dkim = f"dkim=pass header.i=@{signer}" if results is None else results
    return [
        ("Return-Path", f"<noreply@{signer}>"),
        (
            "Received",
            f"from mail-f77.{signer} ([192.0.2.77]) by inbound-smtp.eu-west-1.amazonaws.com with SMTP id "
            "o3vrnil0e2ic28tr for tlsrpt@reports.mailhost.example; Tue, 01 Dec 2026 03:12:43 +0000 (UTC)",
        ),
        ("X-SES-Spam-Verdict", "PASS"),
        ("X-SES-Virus-Verdict", "PASS"),
        ("Received-SPF", f"pass (spfCheck: domain of {signer} designates 192.0.2.77 as permitted sender)"),
        (
            "Authentication-Results",
            f"amazonses.com; spf=pass (spfCheck: domain of {signer} designates 192.0.2.77 as permitted sender) "
            f"client-ip=192.0.2.77; envelope-from=noreply@{signer}; helo=mail-f77.{signer}; {dkim}; "
            f"dmarc=pass header.from={signer};",
        ),
        ("X-SES-RECEIPT", "AEFBQUFBQUFBQUFHbFo0VHRSQXdEN0tl"),
        ("X-SES-DKIM-SIGNATURE", "a=rsa-sha256; q=dns/txt; b=abc=; c=relaxed/simple; s=x; d=amazonses.com; v=1;"),
    ]


def sender_headers(signer: str = "google.com", sender: str = "", tags: str = "") -> list[tuple[str, str]]:
    """What the sender's own server wrote."""
    return [
        (
            "DKIM-Signature",
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={signer}; s=20230601; t=1796094763;{tags} "
            "h=from:to:subject:date:message-id:tls-report-domain; bh=abc=; b=def=",
        ),
        ("From", sender or f"noreply-smtp-tls-reporting@{signer}"),
        ("To", "tlsrpt@reports.mailhost.example"),
        ("Subject", f"Report Domain: contoso.example Submitter: {signer} Report-ID: <2026.11.30@{signer}>"),
        ("Date", "Tue, 01 Dec 2026 03:12:40 +0000"),
        ("Message-ID", f"<2026.11.30@{signer}>"),
        ("TLS-Report-Domain", "contoso.example"),
        ("TLS-Report-Submitter", signer),
    ]


def ses_mail(
    *reports: dict[str, Any] | bytes,
    signer: str = "google.com",
    headers: list[tuple[str, str]] | None = None,
    text: str = "This is an aggregate TLS report.",
) -> bytes:
    """A mail as it lies in the bucket. bytes are attached as they are, reports as gzipped JSON."""
    body = EmailMessage()
    body.set_content(text)
    body.make_mixed()
    for report in reports:
        data = report if isinstance(report, bytes) else gzip.compress(json.dumps(report).encode())
        body.add_attachment(data, maintype="application", subtype="tlsrpt+gzip", filename="report.json.gz")
    top = headers if headers is not None else ses_headers(signer) + sender_headers(signer)
    block = "".join(f"{name}: {value}\r\n" for name, value in top)
    return block.encode("utf-8") + body.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def failing_mail(
    count: int = 12, *, signer: str = "google.com", day: str = "2026-11-30", report_id: str = "", **failure_: Any
) -> bytes:
    """A report of 100 sessions that went well and `count` that failed."""
    return ses_mail(tls_report(policy(100, (failure(count, **failure_),)), day=day, report_id=report_id), signer=signer)


def clean_mail(*, signer: str = "google.com", day: str = "2026-12-01") -> bytes:
    """A report without failures."""
    return ses_mail(tls_report(day=day), signer=signer)
