"""A domain as it should be, seen once, and small changes of it: what tests of rules and verdict begin with."""

import dataclasses
import datetime
from typing import Any

from mailtls.mta_sts.record import policy_id_of
from mailtls.observed import Certificate, DnsAnswer, DnsStatus, HttpsLook, MxHost, Observed, SmtpLook, TlsFault, TlsLook

NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DOMAIN = "contoso.example"
MX1, MX2 = "mx1.contoso.example", "mx2.contoso.example"
VERSION = "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY-MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo"
ID = policy_id_of(VERSION)
POLICY = f"version: STSv1\r\nmode: enforce\r\nmx: {MX1}\r\nmx: {MX2}\r\nmax_age: 604800\r\n".encode()


def answer(name: str, rdtype: str, *values: str, **more: Any) -> DnsAnswer:
    return DnsAnswer(name, rdtype, DnsStatus.ANSWERED if values else DnsStatus.NO_DATA, values, **more)


def txt(*values: str) -> DnsAnswer:
    """At `_mta-sts`."""
    return answer(f"_mta-sts.{DOMAIN}", "TXT", *values, ttl=300)


def tls_rpt_txt(*values: str) -> DnsAnswer:
    return answer(f"_smtp._tls.{DOMAIN}", "TXT", *values)


def certificate(days_left: float = 150, lifetime: float = 200, *names: str, issuer: str = "Amazon") -> Certificate:
    end = NOW + datetime.timedelta(days=days_left)
    return Certificate(names or (f"mta-sts.{DOMAIN}",), end - datetime.timedelta(days=lifetime), end, issuer)


def tls(fault: TlsFault | None = None, days_left: float = 150, lifetime: float = 200, **more: Any) -> TlsLook:
    return TlsLook("" if fault else "TLSv1.3", certificate(days_left, lifetime), fault, **more)


def page(body: bytes | None = POLICY, status: int | None = 200, address: str = "192.0.2.1", **more: Any) -> HttpsLook:
    """One answer of the policy host; `headers` and `tls` as keywords."""
    headers = more.pop("headers", (("content-type", "text/plain"), ("x-amz-version-id", VERSION)))
    return HttpsLook(address, more.pop("tls", tls()), status, headers, body, **more)


def mx(host: str = MX1, preference: int | None = 10, *smtp: SmtpLook, **more: Any) -> MxHost:
    a = more.pop("a", answer(host, "A", "192.0.2.25"))
    aaaa = more.pop("aaaa", answer(host, "AAAA", "2001:db8::25"))
    return MxHost(host, preference, a, aaaa, smtp=smtp or None, **more)


def port_25(starttls: bool | None = True, address: str = "192.0.2.25", **more: Any) -> SmtpLook:
    return SmtpLook(address, starttls, more.pop("tls", tls() if starttls else None), **more)


def seen(**changes: Any) -> Observed:
    """A domain in enforce in which nothing is wrong, with `changes`."""
    good = Observed(
        policy_domain=DOMAIN,
        at=NOW,
        sts=txt(f"v=STSv1; id={ID};"),
        tls_rpt=tls_rpt_txt("v=TLSRPTv1; rua=mailto:reports@example.org;"),
        mx=answer(DOMAIN, "MX", f"10 {MX1}", f"20 {MX2}"),
        mail_hosts=(mx(), mx(MX2, 20)),
        host_a=answer(f"mta-sts.{DOMAIN}", "A", "192.0.2.1", aliases=("d111.cloudfront.net",)),
        host_aaaa=answer(f"mta-sts.{DOMAIN}", "AAAA", "2001:db8::1", aliases=("d111.cloudfront.net",)),
        https=(page(), page(address="2001:db8::1")),
        dmarc=answer(f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=reject"),
        bimi=answer(f"default._bimi.{DOMAIN}", "TXT"),
        caa=answer(f"mta-sts.{DOMAIN}", "CAA"),
        wildcard=answer(f"x.{DOMAIN}", "A"),
        sts_wildcard=answer(f"_x.{DOMAIN}", "TXT"),
    )
    return dataclasses.replace(good, **changes)
