"""MX hosts: which of them a policy names (RFC 8461 section 4.1), and what a sender makes of each on port 25 (4.2)."""

import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from local_internet import Certificates
from loopback_servers import SmtpScript, serving
from policy_cases import http, policy

NO_MAIL = "takes no mail"


@dataclass(frozen=True, slots=True)
class CoverageCase:
    """ours, checkdmarc: the hosts that the policy does not name, in order of preference, with spaces between; NO_MAIL.

    mx: MX records as in a zone file, `@` for the domain; () when there is none. patterns: the policy's mx, `@` too.
    aliases: (name, target). address: the domain has one itself. rfc: the section that decides where the two differ.
    """

    name: str
    ours: str
    checkdmarc: str | None = None
    rfc: str = ""
    mx: tuple[str, ...] = ("10 mx1.@",)
    patterns: tuple[str, ...] = ("mx1.@",)
    aliases: tuple[tuple[str, str], ...] = ()
    address: bool = False

    @property
    def domain(self) -> str:
        return f"{self.name}.mx.test"

    @property
    def expected(self) -> str:
        return self._named(self.ours)

    @property
    def expected_of_checkdmarc(self) -> str:
        return self.expected if self.checkdmarc is None else self._named(self.checkdmarc)

    def records(self) -> dict[tuple[str, str], list[str]]:
        records = {
            (f"_mta-sts.{self.domain}", "TXT"): ['"v=STSv1; id=1;"'],
            (f"mta-sts.{self.domain}", "A"): ["127.0.0.1"],
        }
        if self.mx:
            records[self.domain, "MX"] = [f"{self._named(record)}." for record in self.mx]
        for record in self.mx:
            host = self._named(record).partition(" ")[2].lower()
            records[host, "A"] = ["127.0.0.1"]
        for name, target in self.aliases:
            del records[self._named(name), "A"]
            records[self._named(name), "CNAME"] = [f"{self._named(target)}."]
            records[self._named(target), "A"] = ["127.0.0.1"]
        if self.address:
            records[self.domain, "A"] = ["127.0.0.1"]
        return records

    def http(self) -> bytes:
        lines = b"".join(f"mx: {self._named(pattern)}\r\n".encode() for pattern in self.patterns)
        return http(policy(mx=None) + lines)

    def _named(self, text: str) -> str:
        return text.replace("@", self.domain)


_DEPTH = "4.1: `*` is the left-most label and stands for one"
COVERAGE = [
    CoverageCase("exact", ""),
    CoverageCase("any-case", "", mx=("10 MX1.@",), patterns=("Mx1.@",)),
    CoverageCase("one-of-three", "mx3.@", mx=("10 mx1.@", "20 mx2.@", "30 mx3.@"), patterns=("mx1.@", "mx2.@")),
    CoverageCase("none-of-two", "mx1.@ mx2.@", mx=("10 mx1.@", "20 mx2.@"), patterns=("mx.elsewhere.test",)),
    CoverageCase("star", "", patterns=("*.@",)),
    CoverageCase("star-over-two-labels", "a.b.@", mx=("10 a.b.@",), patterns=("*.@",)),
    CoverageCase("star-over-no-label", "@", mx=("10 @",), patterns=("*.@",)),
    CoverageCase("star-beside-exact", "", mx=("10 mx1.@", "20 a.b.@"), patterns=("*.@", "a.b.@")),
    CoverageCase(
        "look-alike-behind",
        "mail.example.com.evil.test",
        mx=("10 mail.example.com.evil.test",),
        patterns=("mail.example.com",),
    ),
    CoverageCase("look-alike-in-front", "evilmx1.@", mx=("10 evilmx1.@",)),
    CoverageCase("look-alike-of-a-star", "mx.bad@", mx=("10 mx.bad@",), patterns=("*.@",)),
    CoverageCase("a-dot-is-no-joker", "mx1x@", mx=("10 mx1x@",)),
    CoverageCase("host-below-a-named-one", "a.mx1.@", mx=("10 a.mx1.@",)),
    CoverageCase("name-behind-an-alias", "mx1.@", patterns=("real.@",), aliases=(("mx1.@", "real.@"),)),
    CoverageCase("name-in-front-of-an-alias", "", patterns=("mx1.@",), aliases=(("mx1.@", "real.@"),)),
    CoverageCase("null-mx", NO_MAIL, mx=("0 ",)),
    CoverageCase("implicit-mx", "", mx=(), patterns=("@",), address=True),
    CoverageCase(
        "implicit-mx-not-named", "@", "", rfc="RFC 5321 section 5.1: the domain is then its own MX", mx=(), address=True
    ),
]

Set_up = Callable[[Certificates, str], SmtpScript]
"""From the name of the MX host."""


@dataclass(frozen=True, slots=True)
class SmtpCase:
    """ours, postfix: whether a sender that holds a policy in enforce delivers there, one of an address.

    servers: what each address does; None: nothing listens. seen: in our words about each address, as a regular
    expression. alias: the MX host is an alias of this name. turned_away: the server ends it before it says what it
    offers. rfc: the section that decides where the two differ.
    """

    name: str
    ours: tuple[bool, ...]
    seen: tuple[str, ...]
    servers: tuple[Set_up | None, ...]
    postfix: tuple[bool, ...] | None = None
    rfc: str = ""
    alias: str = ""
    turned_away: bool = False

    @property
    def domain(self) -> str:
        return f"{self.name}.smtp.test"

    @property
    def host(self) -> str:
        return f"mx1.{self.domain}"

    @property
    def honouring(self) -> str:
        """What our check says of the host: senders go on to its next address (RFC 5321 section 5.1). Where nothing
        listens, or a server turns us away, its TLS was not seen, which may be for what our own address is."""
        answers = zip(self.ours, self.servers, strict=True)
        seen = [delivers for delivers, server in answers if server is not None and not self.turned_away]
        if not seen:
            return "hidden"
        return "protected" if all(seen) else "partly" if any(seen) else "refused"

    @property
    def expected_of_postfix(self) -> tuple[bool, ...]:
        return self.ours if self.postfix is None else self.postfix

    def records(self) -> dict[tuple[str, str], list[str]]:
        records = {
            (f"_mta-sts.{self.domain}", "TXT"): ['"v=STSv1; id=1;"'],
            (f"mta-sts.{self.domain}", "A"): ["127.0.0.1"],
            (self.domain, "MX"): [f"10 {self.host}."],
            (self.alias or self.host, "A"): list(ADDRESSES[self.domain]),
        }
        return records | ({(self.host, "CNAME"): [f"{self.alias}."]} if self.alias else {})

    def http(self) -> bytes:
        return http(policy(mx=self.host))


def showing(context: Callable[[Certificates, str], ssl.SSLContext]) -> tuple[Set_up]:
    """One address that does all right, with this TLS."""
    return (lambda certificates, host: SmtpScript(context(certificates, host)),)


def saying(**replies: bytes) -> tuple[Set_up]:
    """One address with a good certificate that says something else than usual."""
    return (lambda certificates, host: SmtpScript(certificates.good(host), **replies),)


def _good(certificates: Certificates, host: str) -> SmtpScript:
    return SmtpScript(certificates.good(host))


def _expired(certificates: Certificates, host: str) -> SmtpScript:
    return SmtpScript(certificates.expired(host))


def _without_intermediate(certificates: Certificates, host: str) -> ssl.SSLContext:
    """The server shows its own certificate and leaves out the authority between it and the trusted one."""
    leaf = certificates.trusted.create_child_ca().issue_cert(host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with leaf.private_key_pem.tempfile() as key, leaf.cert_chain_pems[0].tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    return context


def _with_intermediate(certificates: Certificates, host: str) -> ssl.SSLContext:
    return serving(certificates.trusted.create_child_ca().issue_cert(host))


DELIVERS, REFUSES = (True,), (False,)
STARTTLS = b"250-mx.test\r\n250-STARTTLS\r\n"
NAME = "the certificate is for another name"
UNTRUSTED = "no trusted authority stands behind the certificate"
OLD = r"the server speaks no TLS version that a sender accepts"
HANDSHAKE = "the TLS handshake failed"

SMTP = [
    SmtpCase("good", DELIVERS, (r"TLSv1\.3",), (_good,)),
    SmtpCase(
        "tls-1-2",
        DELIVERS,
        (r"TLSv1\.2",),
        showing(lambda issued, host: issued.good(host, newest=ssl.TLSVersion.TLSv1_2)),
    ),
    SmtpCase(
        "old-versions-too",
        DELIVERS,
        (r"TLSv1\.3",),
        showing(lambda issued, host: issued.good(host, oldest=ssl.TLSVersion.TLSv1)),
    ),
    SmtpCase("tls-1-1", REFUSES, (OLD,), showing(lambda issued, host: issued.only(ssl.TLSVersion.TLSv1_1, host))),
    SmtpCase("tls-1-0", REFUSES, (OLD,), showing(lambda issued, host: issued.only(ssl.TLSVersion.TLSv1, host))),
    SmtpCase("expired", REFUSES, ("the certificate has expired",), (_expired,)),
    SmtpCase("not-yet-valid", REFUSES, ("the certificate is not valid yet",), showing(Certificates.not_yet_valid)),
    SmtpCase(
        "another-name", REFUSES, (NAME,), showing(lambda issued, _host: issued.good("mx2.another-name.smtp.test"))
    ),
    SmtpCase(
        "the-domains-name", REFUSES, (NAME,), showing(lambda issued, host: issued.good(host.removeprefix("mx1.")))
    ),
    SmtpCase("name-in-upper-case", DELIVERS, (r"TLSv1\.3",), showing(lambda issued, host: issued.good(host.upper()))),
    SmtpCase(
        "wildcard",
        DELIVERS,
        (r"TLSv1\.3",),
        showing(lambda issued, host: issued.good(f"*.{host.removeprefix('mx1.')}")),
    ),
    SmtpCase("wildcard-two-labels-up", REFUSES, (NAME,), showing(lambda issued, _host: issued.good("*.smtp.test"))),
    SmtpCase(
        "name-behind-an-alias",
        REFUSES,
        (NAME,),
        showing(lambda issued, _host: issued.good("real.smtp.test")),
        alias="real.smtp.test",
    ),
    SmtpCase(
        "common-name-only",
        REFUSES,
        (NAME,),
        showing(Certificates.in_the_common_name),
        DELIVERS,
        rfc="4.2: the certificate has to have a DNS-ID; Postfix still asks the common name",
    ),
    SmtpCase("unknown-authority", REFUSES, (UNTRUSTED,), showing(Certificates.of_unknown_authority)),
    SmtpCase("self-signed", REFUSES, (UNTRUSTED,), showing(Certificates.self_signed)),
    SmtpCase("intermediate-left-out", REFUSES, (UNTRUSTED,), showing(_without_intermediate)),
    SmtpCase("intermediate-shown", DELIVERS, (r"TLSv1\.3",), showing(_with_intermediate)),
    SmtpCase("no-starttls", REFUSES, ("no STARTTLS",), saying(ehlo=b"250-mx.test\r\n250 SIZE 1000\r\n")),
    SmtpCase(
        "starttls-as-the-name",
        REFUSES,
        ("no STARTTLS",),
        saying(ehlo=b"250-STARTTLS\r\n250 SIZE 1000\r\n"),
        DELIVERS,
        rfc="RFC 5321 section 4.1.1.1: the first line of the answer names the server, extensions come after it",
    ),
    SmtpCase("starttls-in-lower-case", DELIVERS, (r"TLSv1\.3",), saying(ehlo=b"250-mx.test\r\n250 starttls\r\n")),
    SmtpCase(
        "starttls-refused",
        REFUSES,
        ("it offers STARTTLS and answers it with 454",),
        saying(starttls=b"454 not now\r\n"),
    ),
    SmtpCase("starttls-and-closed", REFUSES, (HANDSHAKE,), (lambda _all, _host: SmtpScript(context=None),)),
    SmtpCase(
        "starttls-with-words-behind",
        REFUSES,
        ("clear text follow its answer to STARTTLS",),
        saying(behind=b"250 evil\r\n"),
        DELIVERS,
        rfc="RFC 3207 section 4.2: what came before TLS MUST be discarded; Postfix does so and goes on, we tell",
    ),
    SmtpCase(
        "greets-with-554", REFUSES, ("it greets with 554",), saying(greeting=b"554 no mail here\r\n"), turned_away=True
    ),
    SmtpCase(
        "greets-on-many-lines", DELIVERS, (r"TLSv1\.3",), saying(greeting=b"220-mx.test\r\n220-hello\r\n220 ESMTP\r\n")
    ),
    SmtpCase("ehlo-unknown", REFUSES, ("no STARTTLS",), saying(ehlo=b"502 what?\r\n")),
    SmtpCase(
        "ehlo-refused", REFUSES, ("it answers EHLO with 550",), saying(ehlo=b"550 5.7.1 listed\r\n"), turned_away=True
    ),
    SmtpCase(
        "bare-line-feeds",
        DELIVERS,
        (r"TLSv1\.3",),
        saying(greeting=b"220 hi\n", ehlo=b"250-mx\n250 STARTTLS\n", starttls=b"220 go\n"),
    ),
    SmtpCase(
        "not-smtp", REFUSES, ("which is no SMTP reply",), saying(greeting=b"SSH-2.0-OpenSSH_9.2\r\n"), turned_away=True
    ),
    SmtpCase("closed-at-once", REFUSES, ("it closed the connection",), saying(greeting=b""), turned_away=True),
    SmtpCase("nothing-there", REFUSES, ("Connection refused",), (None,)),
    SmtpCase("one-address-without-server", (True, False), (r"TLSv1\.3", "no connection"), (_good, None)),
    SmtpCase("one-address-of-two", (True, False), (r"TLSv1\.3", "the certificate has expired"), (_good, _expired)),
]
_addresses = (f"127.1.{number // 250}.{number % 250 + 1}" for number in itertools.count())
ADDRESSES: dict[str, tuple[str, ...]] = {case.domain: tuple(next(_addresses) for _ in case.servers) for case in SMTP}
"""The addresses of each case's MX host, on loopback."""
