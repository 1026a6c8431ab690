"""Records, policies, answers and certificates of the policy host: what a sender makes of each.

One row a case. `ours`, `client` (postfix-mta-sts-resolver) and `checkdmarc` are the policy that each one ends with, as
`mode max_age mx...`, or NO. A judge that is not named says what we say. Where one differs, `rfc` names the section that
decides, and in a few words how.
"""

import gzip
import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_internet import Certificates

NO = "no policy"
GOOD = "enforce 86400 mx1.contoso.test"
RECORD = "v=STSv1; id=20261128T1;"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.contoso.test\r\nmax_age: 86400\r\n"
PLAIN = "Content-Type: text/plain"
MAX_POLICY = 65536


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """txt: the TXT values at `_mta-sts`, each one string or the tuple of its strings. alias: the names that lead from
    `_mta-sts.<domain>` to where they stand. body: of the policy. answer: the HTTP answer as a whole, when it is not 200
    with the body. tls: what the policy host shows, by its name. silence: seconds that it keeps the connection open.
    finding: a rule that our check has to name.
    """

    name: str
    ours: str
    client: str | None = None
    checkdmarc: str | None = None
    rfc: str = ""
    finding: str = ""
    txt: tuple[str | tuple[str, ...], ...] = (RECORD,)
    alias: tuple[str, ...] = ()
    body: bytes = POLICY
    answer: bytes | None = None
    tls: Callable[[Certificates, str], ssl.SSLContext] = Certificates.good
    silence: float = 0

    @property
    def domain(self) -> str:
        return f"{self.name}.test"

    def said_by(self, judge: str) -> str:
        """`judge`: client or checkdmarc."""
        said: str | None = getattr(self, judge)
        return self.ours if said is None else said

    def records(self) -> dict[tuple[str, str], list[str]]:
        """The case's part of the DNS."""
        chain = [f"_mta-sts.{self.domain}", *self.alias]
        records = {(name, "CNAME"): [f"{target}."] for name, target in itertools.pairwise(chain)}
        if self.txt:
            records[chain[-1], "TXT"] = [_quoted(value) for value in self.txt]
        records[f"mta-sts.{self.domain}", "A"] = ["127.0.0.1"]
        records[self.domain, "MX"] = ["10 mx1.contoso.test."]
        return records

    def http(self) -> bytes:
        return self.answer if self.answer is not None else http(self.body)


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An answer with Content-Length and, when none is given, the content type that the RFC wants."""
    fields = [f"HTTP/1.1 {status}", *(headers or (PLAIN,)), "Connection: close"]
    fields.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + body


def policy(**changed: Any) -> bytes:
    """POLICY with other values for fields; None takes a field away."""
    fields = {"version": "STSv1", "mode": "enforce", "mx": "mx1.contoso.test", "max_age": "86400"} | changed
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in fields.items() if value is not None)


def of_size(octets: int) -> bytes:
    """A good policy of this size."""
    filler = octets - len(POLICY) - len(b"filler: \r\n")
    return POLICY + b"filler: " + b"x" * filler + b"\r\n"


def _quoted(value: str | tuple[str, ...]) -> str:
    """Zone-file form of one TXT value."""
    strings = (value,) if isinstance(value, str) else value
    return " ".join(f'"{"".join(map(_escaped, text.encode()))}"' for text in strings)


def _escaped(octet: int) -> str:
    return chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03d}"


def redirect(status: str) -> bytes:
    return http(b"", "Location: https://mta-sts.plain.test/.well-known/mta-sts.txt", status=status)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    + b"".join(f"{len(line):x}\r\n".encode() + line + b"\r\n" for line in POLICY.splitlines(keepends=True))
    + b"0\r\n\r\n"
)
HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"

_PREFIX = "3.1: a value that does not begin with `v=STSv1;` is discarded"
_GRAMMAR = "3.1: the grammar of sts-text-record; a record that breaks it counts as none"
_FIELD = "3.2: the grammar of sts-policy-field; a policy that breaks it is none"
_FIRST = "3.2: of a repeated field the first counts"

RECORDS = [
    PolicyCase("plain", GOOD),
    PolicyCase("no-last-semicolon", GOOD, txt=("v=STSv1; id=1",)),
    PolicyCase("no-space", GOOD, txt=("v=STSv1;id=1;",)),
    PolicyCase("tab-as-white-space", GOOD, txt=("v=STSv1;\tid=1;",)),
    PolicyCase("space-before-semicolon", NO, GOOD, GOOD, rfc=f"{_PREFIX} (erratum 6285)", txt=("v=STSv1 ; id=1;",)),
    PolicyCase("space-in-front", NO, txt=(" v=STSv1; id=1;",)),
    PolicyCase("upper-case-v", NO, txt=("V=STSv1; id=1;",)),
    PolicyCase("lower-case-version", NO, txt=("v=stsv1; id=1;",)),
    PolicyCase("upper-case-id", NO, txt=("v=STSv1; ID=1;",)),
    PolicyCase("space-around-equals", NO, txt=("v=STSv1; id = 1;",)),
    PolicyCase("no-id", NO, txt=("v=STSv1;",)),
    PolicyCase("empty-id", NO, GOOD, rfc=_GRAMMAR, txt=("v=STSv1; id=;",)),
    PolicyCase("hyphen-in-id", NO, GOOD, rfc=_GRAMMAR, txt=("v=STSv1; id=2026-11-28;",)),
    PolicyCase("id-of-32", GOOD, txt=("v=STSv1; id=" + "a" * 32,)),
    PolicyCase("id-of-33", NO, GOOD, rfc=_GRAMMAR, txt=("v=STSv1; id=" + "a" * 33,)),
    PolicyCase("id-twice", GOOD, txt=("v=STSv1; id=1; id=2;",)),
    PolicyCase("unknown-field", GOOD, txt=("v=STSv1; id=1; colour=blue;",)),
    PolicyCase("field-without-equals", NO, GOOD, rfc=_GRAMMAR, txt=("v=STSv1; id=1; colour;",)),
    PolicyCase("empty-field", NO, GOOD, rfc=_GRAMMAR, txt=("v=STSv1;; id=1;",)),
    PolicyCase("quotes-in-the-value", NO, txt=('"v=STSv1; id=1;"',)),
    PolicyCase("not-ascii", NO, txt=("v=STSv1; id=1ä;",)),
    PolicyCase("two-records", NO, txt=("v=STSv1; id=1;", "v=STSv1; id=2;")),
    PolicyCase("another-version-beside", GOOD, txt=("v=STSv2; id=1;", RECORD)),
    PolicyCase("another-value-beside", GOOD, txt=("site-verification=abc", RECORD)),
    PolicyCase(
        "a-longer-version-beside",
        GOOD,
        NO,
        finding="sts-candidate-beside-ours",
        rfc=_PREFIX,
        txt=("v=STSv10; id=1;", RECORD),
    ),
    PolicyCase("several-strings", GOOD, txt=(("v=STS", "v1; id=", "1;"),)),
    PolicyCase("alias", GOOD, alias=("_mta-sts.host.alias.test",)),
    PolicyCase("three-aliases", GOOD, alias=tuple(f"_mta-sts.host{n}.three-aliases.test" for n in (1, 2, 3))),
    PolicyCase("alias-loop", NO, alias=("_mta-sts.a.alias-loop.test", "_mta-sts.alias-loop.test"), txt=()),
    PolicyCase("alias-to-nothing", NO, alias=("_mta-sts.gone.alias-to-nothing.test",), txt=()),
    PolicyCase("no-record", NO, txt=()),
]

POLICIES = [
    PolicyCase("line-feeds", GOOD, body=POLICY.replace(b"\r\n", b"\n")),
    PolicyCase("mixed-line-ends", GOOD, body=POLICY.replace(b"\r\n", b"\n", 2)),
    PolicyCase("carriage-returns", NO, GOOD, rfc="3.2: sts-policy-term is LF or CRLF", body=POLICY.replace(b"\n", b"")),
    PolicyCase("no-last-line-end", GOOD, body=POLICY.removesuffix(b"\r\n")),
    PolicyCase("another-order", GOOD, body=b"".join(reversed(POLICY.splitlines(keepends=True)))),
    PolicyCase("no-space-after-colon", GOOD, body=POLICY.replace(b": ", b":")),
    PolicyCase("space-at-line-ends", GOOD, body=POLICY.replace(b"\r\n", b" \t\r\n")),
    PolicyCase("space-before-colon", NO, body=POLICY.replace(b"mode:", b"mode :")),
    PolicyCase("space-in-front-of-a-line", NO, body=POLICY.replace(b"mode:", b" mode:")),
    PolicyCase("blank-line", NO, GOOD, GOOD, rfc=_FIELD, body=POLICY.replace(b"mode:", b"\r\nmode:")),
    PolicyCase("blank-line-at-the-end", NO, GOOD, GOOD, rfc=_FIELD, body=POLICY + b"\r\n"),
    PolicyCase("comment", NO, GOOD, rfc=_FIELD, body=b"# ours\r\n" + POLICY),
    PolicyCase("byte-order-mark", NO, body=b"\xef\xbb\xbf" + POLICY),
    PolicyCase("empty", NO, body=b""),
    PolicyCase("unknown-policy-field", GOOD, body=policy(colour="blue")),
    PolicyCase("bad-name-of-a-field", NO, GOOD, rfc=_FIELD, body=policy(**{"my colour": "blue"})),
    PolicyCase("unknown-field-without-value", NO, GOOD, rfc=_FIELD, body=POLICY + b"colour:\r\n"),
    PolicyCase(
        "mode-twice",
        GOOD,
        "testing 86400 mx1.contoso.test",
        finding="policy-read-differently",
        rfc=_FIRST,
        body=POLICY + b"mode: testing\r\n",
    ),
    PolicyCase(
        "max-age-twice",
        GOOD,
        "enforce 60 mx1.contoso.test",
        finding="policy-read-differently",
        rfc=_FIRST,
        body=POLICY + b"max_age: 60\r\n",
    ),
    PolicyCase(
        "version-twice", GOOD, NO, finding="policy-read-differently", rfc=_FIRST, body=POLICY + b"version: STSv2\r\n"
    ),
    PolicyCase("misspelled-mx", NO, body=policy(mx=None, nmx="mx1.contoso.test")),
    PolicyCase(
        "misspelled-mx-beside-a-good-one", GOOD, finding="policy-read-differently", body=policy(nmx="mx2.contoso.test")
    ),
    PolicyCase("upper-case-mx", NO, body=policy(mx=None, MX="mx1.contoso.test")),
    PolicyCase("upper-case-mode", NO, body=policy(mode="Enforce")),
    PolicyCase("unknown-mode", NO, body=policy(mode="report")),
    PolicyCase("no-mode", NO, body=policy(mode=None)),
    PolicyCase("no-version", NO, body=policy(version=None)),
    PolicyCase("another-version", NO, body=policy(version="STSv2")),
    PolicyCase("none-without-mx", "none 86400", body=policy(mode="none", mx=None)),
    PolicyCase("none-with-mx", "none 86400 mx1.contoso.test", body=policy(mode="none")),
    PolicyCase("enforce-without-mx", NO, body=policy(mx=None)),
    PolicyCase("testing", "testing 86400 mx1.contoso.test", body=policy(mode="testing")),
    PolicyCase("no-max-age", NO, body=policy(max_age=None)),
    PolicyCase("max-age-0", "enforce 0 mx1.contoso.test", body=policy(max_age="0")),
    PolicyCase("max-age-at-the-top", "enforce 31557600 mx1.contoso.test", body=policy(max_age="31557600")),
    PolicyCase("max-age-over-the-top", NO, body=policy(max_age="31557601")),
    PolicyCase("max-age-below-0", NO, body=policy(max_age="-1")),
    PolicyCase("max-age-with-unit", NO, body=policy(max_age="1d")),
    PolicyCase("max-age-with-underscore", NO, GOOD, rfc=_FIELD, body=policy(max_age="86_400")),
    PolicyCase("max-age-of-11-digits", NO, GOOD, rfc=_FIELD, body=policy(max_age="00000086400")),
    PolicyCase("wildcard", "enforce 86400 *.contoso.test", body=policy(mx="*.contoso.test")),
    PolicyCase("bare-star", NO, "enforce 86400 *", rfc=_FIELD, body=policy(mx="*")),
    PolicyCase("star-within", NO, "enforce 86400 mx*.contoso.test", rfc=_FIELD, body=policy(mx="mx*.contoso.test")),
    PolicyCase("two-stars", NO, "enforce 86400 *.*.test", rfc=_FIELD, body=policy(mx="*.*.test")),
    PolicyCase(
        "mx-with-last-dot", NO, "enforce 86400 mx1.contoso.test.", rfc=_FIELD, body=policy(mx="mx1.contoso.test.")
    ),
    PolicyCase(
        "mx-with-underscore", NO, "enforce 86400 m_x.contoso.test", rfc=_FIELD, body=policy(mx="m_x.contoso.test")
    ),
    PolicyCase(
        "two-mx-on-a-line",
        NO,
        "enforce 86400 mx1.contoso.test, mx2.contoso.test",
        rfc=f"{_FIELD}; each mx on a line of its own",
        body=policy(mx="mx1.contoso.test, mx2.contoso.test"),
    ),
    PolicyCase("an-address-beside-a-good-mx", GOOD + " 192.0.2.1", body=policy() + b"mx: 192.0.2.1\r\n"),
    PolicyCase("an-address-alone", "enforce 86400 192.0.2.1", body=policy(mx="192.0.2.1")),
    PolicyCase("an-address-literal", NO, "enforce 86400 [192.0.2.1]", rfc=_FIELD, body=policy(mx="[192.0.2.1]")),
    PolicyCase("mx-of-one-label", "enforce 86400 mail", body=policy(mx="mail")),
    PolicyCase("mx-in-unicode", NO, body=policy(mx="bücher.test")),
    PolicyCase(
        "utf-8-in-an-unknown-field",
        GOOD,
        NO,
        finding="policy-read-differently",
        rfc="3.2: sts-policy-vchar has UTF-8; the client decodes as ASCII unless the header says otherwise",
        body=policy(colour="grün"),
    ),
    PolicyCase("64-kib", GOOD, body=of_size(MAX_POLICY)),
    PolicyCase(
        "64-kib-and-one",
        NO,
        checkdmarc=GOOD,
        rfc="3.3: 64 kilobytes is what it suggests as a limit; checkdmarc has none",
        body=of_size(MAX_POLICY + 1),
    ),
]

_ONLY_200 = "3.3: the policy is that of an answer with code 200"
ANSWERS = [
    PolicyCase("moved-301", NO, answer=redirect("301 Moved Permanently")),
    PolicyCase("moved-302", NO, answer=redirect("302 Found")),
    PolicyCase("moved-307", NO, answer=redirect("307 Temporary Redirect")),
    PolicyCase("moved-with-the-policy", NO, answer=http(POLICY, PLAIN, "Location: /", status="302 Found")),
    PolicyCase("status-404", NO, answer=http(b"not here", status="404 Not Found")),
    PolicyCase("status-404-with-the-policy", NO, answer=http(POLICY, status="404 Not Found")),
    PolicyCase("status-500", NO, answer=http(POLICY, status="500 Internal Server Error")),
    PolicyCase("status-203", NO, answer=http(POLICY, status="203 Non-Authoritative Information")),
    PolicyCase("charset", GOOD, answer=http(POLICY, "Content-Type: text/plain; charset=utf-8")),
    PolicyCase("type-in-upper-case", GOOD, answer=http(POLICY, "CONTENT-TYPE: Text/Plain")),
    PolicyCase("challenge", NO, answer=http(HTML, "Content-Type: text/html")),
    PolicyCase("challenge-as-text", NO, answer=http(HTML)),
    PolicyCase("chunked", GOOD, answer=CHUNKED),
    PolicyCase("chunks-cut-off", NO, answer=CHUNKED.removesuffix(b"0\r\n\r\n")),
    PolicyCase("cut-off", NO, answer=http(POLICY, length=len(POLICY) + 10)),
    PolicyCase("until-the-end", GOOD, answer=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + POLICY),
    PolicyCase("http-1-0", GOOD, answer=http(POLICY).replace(b"HTTP/1.1", b"HTTP/1.0")),
    PolicyCase(
        "early-hints",
        GOOD,
        checkdmarc=NO,
        rfc="RFC 9110 section 15.2: a client reads over answers 1xx; checkdmarc's library knows 100 only",
        answer=b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http(POLICY),
    ),
    PolicyCase("not-http", NO, answer=b"SSH-2.0-OpenSSH_9.2\r\n"),
    PolicyCase("no-answer", NO, answer=b""),
    PolicyCase("silent", NO, answer=http(b"", length=len(POLICY)), silence=15),
]

HTTPS = [
    PolicyCase("expired", NO, tls=Certificates.expired),
    PolicyCase("not-yet-valid", NO, tls=Certificates.not_yet_valid),
    PolicyCase("wrong-name", NO, tls=lambda issued, _name: issued.good("mta-sts.other.test")),
    PolicyCase("the-domain-itself-as-name", NO, tls=lambda issued, name: issued.good(name.removeprefix("mta-sts."))),
    PolicyCase("wildcard-of-one-label", GOOD, tls=lambda issued, name: issued.good(f"*.{name.partition('.')[2]}")),
    PolicyCase("wildcard-of-two-labels", NO, tls=lambda issued, _name: issued.good("*.test")),
    PolicyCase("unknown-authority", NO, tls=Certificates.of_unknown_authority),
    PolicyCase("self-signed", NO, tls=Certificates.self_signed),
    PolicyCase("tls-1-2", GOOD, tls=lambda issued, name: issued.good(name, newest=ssl.TLSVersion.TLSv1_2)),
    PolicyCase("tls-1-1", NO, tls=lambda issued, name: issued.only(ssl.TLSVersion.TLSv1_1, name)),
    PolicyCase("tls-1-0", NO, tls=lambda issued, name: issued.only(ssl.TLSVersion.TLSv1, name)),
    PolicyCase(
        "common-name-only",
        NO,
        GOOD,
        rfc="3.3: only DNS-ID counts (RFC 6125), never the common name",
        tls=Certificates.in_the_common_name,
    ),
]

_TYPE = "3.2: senders SHOULD check that the media type is text/plain"
_CODING = "RFC 9110 section 12.5.3: a coding that was not asked for"
UNDECIDED = [
    PolicyCase(
        "type-html",
        GOOD,
        NO,
        GOOD,
        rfc=_TYPE,
        finding="policy-content-type",
        answer=http(POLICY, "Content-Type: text/html"),
    ),
    PolicyCase(
        "type-octets",
        GOOD,
        NO,
        GOOD,
        rfc=_TYPE,
        finding="policy-content-type",
        answer=http(POLICY, "Content-Type: application/octet-stream"),
    ),
    PolicyCase(
        "type-missing", GOOD, NO, GOOD, rfc=_TYPE, finding="policy-content-type", answer=http(POLICY, "X-Nothing: here")
    ),
    PolicyCase(
        "gzip", NO, GOOD, GOOD, rfc=_CODING, answer=http(gzip.compress(POLICY), PLAIN, "Content-Encoding: gzip")
    ),
]

CASES = [*RECORDS, *POLICIES, *ANSWERS, *HTTPS, *UNDECIDED]
