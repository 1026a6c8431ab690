"""Mails in the shapes that TLS reports really have, made from their description alone and not with the program's code.

Each says what must become of it: which entries in the ledger, or which reason in quarantine.
"""

import base64
import gzip
import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

DAY = datetime.now(UTC).date() - timedelta(days=1)
"""Reports come on the day after."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a ledger entry must say: sessions that went well and that failed, per policy row added up."""

    policy_domain: str
    successful: int
    failed: int


@dataclass(frozen=True, slots=True)
class SampleMail:
    """shape: what is special about it. sender: a sending site of the outside world, whose domain stands in From.

    signer: whose key signs it, the sender's own as a rule; None: nobody. length_tag: the signature has l=.
    tampered: a byte of the body changes after signing.
    expected: the ledger entries; reason: why it goes to quarantine; neither: all its reports were there already.
    """

    shape: str
    sender: str
    body: bytes
    expected: tuple[Counted, ...] = ()
    reason: str | None = None
    signer: str | None = field(default="")
    length_tag: bool = False
    tampered: bool = False


def report(organization: str, report_id: str, *policies: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A report as RFC 8460 section 4.4 has it, with `changes` over it."""
    return {
        "organization-name": organization,
        "date-range": {"start-datetime": f"{DAY}T00:00:00Z", "end-datetime": f"{DAY}T23:59:59Z"},
        "contact-info": f"tls-reports@{organization}",
        "report-id": report_id,
        "policies": list(policies),
    } | changes


def policy(
    domain: str,
    successful: Any,
    failed: Any,
    *details: dict[str, Any],
    mode: str = "testing",
    changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One row of `policies`, with `changes` over its `policy`."""
    return {
        "policy": {
            "policy-type": "sts",
            "policy-string": ["version: STSv1", f"mode: {mode}", f"mx: mx1.{domain}", "max_age: 86400"],
            "policy-domain": domain,
            "mx-host": [f"mx1.{domain}"],
        }
        | (changes or {}),
        "summary": {"total-successful-session-count": successful, "total-failure-session-count": failed},
        "failure-details": list(details),
    }


def failure(result_type: str, host: str, sessions: int, **more: Any) -> dict[str, Any]:
    return {
        "result-type": result_type,
        "sending-mta-ip": "192.0.2.10",
        "receiving-mx-hostname": host,
        "receiving-ip": "198.51.100.25",
        "failed-session-count": sessions,
    } | more


def part(media_type: str, name: str, data: bytes) -> bytes:
    """A MIME part in base64."""
    head = f'Content-Type: {media_type}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
    return (
        head.encode()
        + f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode()
        + base64.encodebytes(data).replace(b"\n", b"\r\n")
    )


TEXT = b"Content-Type: text/plain\r\n\r\nThis is an aggregate TLS report.\r\n"
HTML = b"Content-Type: text/html\r\n\r\n<p>This is an aggregate TLS report.</p>\r\n"


def multipart(kind: str, *parts: bytes) -> bytes:
    """The mail's own header fields and its parts."""
    lines = b"".join(b"--=_part\r\n" + one + b"\r\n" for one in parts)
    return f'Content-Type: multipart/{kind}; boundary="=_part"\r\n\r\n'.encode() + lines + b"--=_part--\r\n"


def packed(value: Any) -> bytes:
    return gzip.compress(json.dumps(value).encode())


def zipped(name: str, value: Any) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr(name, json.dumps(value))
    return archive.getvalue()


def samples() -> list[SampleMail]:
    """All of them; the first comes a second time at the end."""
    clean_day = SampleMail(
        "multipart/report with gzip, a clean day",
        "sender-one.example",
        multipart(
            'report; report-type="tlsrpt"',
            TEXT,
            part(
                "application/tlsrpt+gzip",
                "report.json.gz",
                packed(report("sender-one.example", "clean-1", policy("fabrikam.example", 1000, 0))),
            ),
        ),
        (Counted("fabrikam.example", 1000, 0),),
    )
    return [clean_day, *_readable(), *_quarantined(), clean_day]


def _readable() -> list[SampleMail]:
    tlsa = policy("tailspin.example", 40, 0, changes={"policy-type": "tlsa", "policy-string": ['["3 1 1 0123ABCD"]']})
    zoneless = {"start-datetime": f"{DAY}T00:00:00", "end-datetime": f"{DAY}T23:59:59"}
    expired = failure("certificate-expired", "mx2.contoso.example", 1100)
    night = policy("contoso.example", 8900, 1100, expired, mode="enforce")
    # as it was deployed before the update: senders may hold it for two weeks more
    night["policy"]["policy-string"][3:] = ["mx: mx2.contoso.example", "max_age: 1209600"]
    return [
        SampleMail(
            "an HTML part first, times without a zone, one session under sts and tlsa",
            "big-mail.example",
            multipart(
                "report; report-type=tlsrpt",
                HTML,
                part(
                    "application/tlsrpt+gzip",
                    "report.json.gz",
                    packed(
                        report(
                            "big-mail.example",
                            "133925885310113267+tailspin.example",
                            policy("tailspin.example", 40, 0, mode="enforce"),
                            tlsa,
                            **{"date-range": zoneless},
                        )
                    ),
                ),
            ),
            (Counted("tailspin.example", 80, 0),),
        ),
        SampleMail(
            "plain application/tlsrpt, no contact, midnight to midnight, free text as reason",
            "sender-two.example",
            multipart(
                "mixed",
                TEXT,
                part(
                    "application/tlsrpt",
                    "report.json",
                    json.dumps(
                        report(
                            "sender-two.example",
                            "two-1",
                            policy(
                                "northwind.example",
                                12,
                                3,
                                failure(
                                    "sts-policy-fetch-error", "", 3, **{"failure-reason-code": "<b>timeout</b> 502"}
                                ),
                            ),
                            **{
                                "contact-info": None,
                                "date-range": {
                                    "start-datetime": f"{DAY}T00:00:00+00:00",
                                    "end-datetime": f"{DAY + timedelta(days=1)}T00:00:00+00:00",
                                },
                            },
                        )
                    ).encode(),
                ),
            ),
            (Counted("northwind.example", 12, 3),),
        ),
        SampleMail(
            "a bare application/tlsrpt+gzip body, mx-host as a string, counts as strings",
            "sender-one.example",
            part(
                "application/tlsrpt+gzip",
                "report.json.gz",
                packed(
                    report(
                        "sender-one.example",
                        "bare-1",
                        policy(
                            "one.brands.example",
                            "7",
                            "0",
                            mode="enforce",
                            changes={"mx-host": "mx: mx1.mailhost.example"},
                        ),
                    )
                ),
            ),
            (Counted("one.brands.example", 7, 0),),
        ),
        SampleMail(
            "JSON labelled gzip, with a byte order mark and keys nobody knows",
            "sender-two.example",
            multipart(
                "mixed",
                TEXT,
                part(
                    "application/gzip",
                    "report.json.gz",
                    b"\xef\xbb\xbf"
                    + json.dumps(
                        report("sender-two.example", "two-2", policy("shop.contoso.example", 5, 0), colour="blue")
                    ).encode(),
                ),
            ),
            (Counted("shop.contoso.example", 5, 0),),
        ),
        SampleMail(
            "two reports in one mail, one of them a zip, and a mailing list's footer",
            "sender-one.example",
            multipart(
                "mixed",
                TEXT,
                part(
                    "application/zip",
                    "report.zip",
                    zipped("r.json", report("sender-one.example", "pair-1", policy("two.brands.example", 9, 0))),
                ),
                part(
                    "application/octet-stream",
                    "report.json.gz",
                    packed(report("sender-one.example", "pair-2", policy("xn--bcher-kva.example", 11, 0))),
                ),
                b"Content-Type: text/plain\r\n\r\n-- \r\nTo leave the list, reply with: leave\r\n",
            ),
            (Counted("two.brands.example", 9, 0), Counted("xn--bcher-kva.example", 11, 0)),
        ),
        SampleMail(
            "the report of a bad night: an expired certificate in enforce",
            "big-mail.example",
            multipart(
                "report; report-type=tlsrpt",
                TEXT,
                part("application/tlsrpt+gzip", "night.json.gz", packed(report("big-mail.example", "night-1", night))),
            ),
            (Counted("contoso.example", 8900, 1100),),
        ),
    ]


def _quarantined() -> list[SampleMail]:
    def mail(report_id: str, domain: str = "contoso.example") -> bytes:
        data = packed(report("sender-two.example", report_id, policy(domain, 1, 0)))
        return multipart("report; report-type=tlsrpt", TEXT, part("application/tlsrpt+gzip", "report.json.gz", data))

    cut = packed(report("sender-two.example", "cut-1", policy("contoso.example", 1, 0)))[:-40]
    bomb = gzip.compress(b" " * 80_000_000)
    return [
        SampleMail("no DKIM signature", "sender-two.example", mail("q-1"), reason="dkim-missing", signer=None),
        SampleMail("changed on the way", "sender-two.example", mail("q-2"), reason="dkim-failed", tampered=True),
        SampleMail(
            "signed by somebody else",
            "sender-two.example",
            mail("q-3"),
            reason="dkim-unaligned",
            signer="sender-one.example",
        ),
        SampleMail(
            "a signature over the first bytes only (l=)",
            "sender-two.example",
            mail("q-4"),
            reason="dkim-length-tag",
            length_tag=True,
        ),
        SampleMail(
            "about a domain that is not ours",
            "sender-two.example",
            mail("q-5", "example.org"),
            reason="foreign-domain",
        ),
        SampleMail(
            "an automatic reply",
            "sender-two.example",
            b"Auto-Submitted: auto-replied\r\nContent-Type: text/plain\r\n\r\nI am out of office.\r\n",
            reason="not-a-report",
        ),
        SampleMail(
            "gzip that breaks off",
            "sender-two.example",
            multipart("mixed", TEXT, part("application/tlsrpt+gzip", "report.json.gz", cut)),
            reason="unreadable",
        ),
        SampleMail(
            "80 MB in 80 KB of gzip",
            "sender-two.example",
            multipart("mixed", TEXT, part("application/tlsrpt+gzip", "report.json.gz", bomb)),
            reason="too-large",
        ),
    ]
