"""Who sent a mail, as far as DKIM, SPF and DMARC tell a receiver: what SES puts into Authentication-Results.

DKIM is verified for real, with the keys in DNS. SPF knows `ip4`, `ip6` and `all`, and says `none` to a record for
which it would need more. DMARC takes relaxed alignment: a domain and those below it. As in SES, none of them decides
anything.
"""

import binascii
import email.parser
import email.utils
import ipaddress
import logging
import re
from dataclasses import dataclass

import dkim

from sandbox.edges.mail_dns import DnsFailed, MailDns

SPF_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_QUIET = logging.getLogger(f"{__name__}.dkimpy")
_QUIET.setLevel(logging.CRITICAL)  # it calls every signature that does not verify an error
_TERM = re.compile(r"([-+~?]?)(all|(?:ip4|ip6):(\S+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DkimResult:
    """Of one signature. result: pass, fail, permerror, temperror. identity: i=, `@` and d= when that is missing."""

    result: str
    identity: str
    domain: str


@dataclass(frozen=True, slots=True)
class SpfResult:
    """result: pass, fail, softfail, neutral, none, permerror, temperror. why: SES's comment."""

    result: str
    why: str


def dkim_results(mail: bytes, dns: MailDns) -> tuple[DkimResult, ...]:
    """One for each DKIM-Signature, from the top. A mail whose header block cannot be read has none."""
    try:
        headers = dkim.DKIM(mail, logger=_QUIET).headers
    except (dkim.DKIMException, LookupError):
        return ()
    signatures = [value for name, value in headers if name.lower() == b"dkim-signature"]
    return tuple(_dkim_result(mail, number, value, dns) for number, value in enumerate(signatures))


def _dkim_result(mail: bytes, number: int, signature: bytes, dns: MailDns) -> DkimResult:
    tags = _tags(signature)
    domain = tags.get("d", "")
    identity = tags.get("i", f"@{domain}")
    # dkimpy answers a plain False for a missing key and for a wrong signature: remember which
    trouble: list[str] = []

    def key(name: bytes, timeout: float = 0) -> bytes | None:
        try:
            found = dns.texts(name.decode("ascii"))
        except DnsFailed:
            trouble.append("temperror")
            return None
        except UnicodeError:
            found = ()
        if not found:
            trouble.append("permerror")
            return None
        return found[0]

    try:
        passed = dkim.DKIM(mail, logger=_QUIET).verify(number, dnsfunc=key)
    except dkim.ValidationError as e:
        return DkimResult("fail" if "body hash" in str(e) else "permerror", identity, domain)
    except (dkim.DKIMException, binascii.Error, ValueError, LookupError):
        return DkimResult("permerror", identity, domain)
    return DkimResult("pass" if passed else next(iter(trouble), "fail"), identity, domain)


def _tags(signature: bytes) -> dict[str, str]:
    """Tags without the white space in them, so that what is the sender's adds no line to a header of SES's."""
    tags = {}
    for part in signature.decode("latin-1").split(";"):
        name, equals, value = part.partition("=")
        if equals:
            tags[name.strip()] = "".join(value.split())
    return tags


def spf_result(domain: str, client: str, dns: MailDns) -> SpfResult:
    """domain: of MAIL FROM, or HELO's when that is empty. client: IP address."""
    try:
        records = [text for text in dns.texts(domain) if text == b"v=spf1" or text.lower().startswith(b"v=spf1 ")]
    except DnsFailed:
        return SpfResult("temperror", f"spfCheck: error in processing during lookup of {domain}")
    if len(records) > 1:
        return SpfResult("permerror", f"spfCheck: {domain} has {len(records)} SPF records")
    if not records:
        return SpfResult("none", f"spfCheck: {client} is neither permitted nor denied by domain of {domain}")
    address = ipaddress.ip_address(client)
    for term in records[0].decode("latin-1").split()[1:]:
        found = _TERM.fullmatch(term)
        if found is None and "=" in term and not term.lower().startswith("redirect="):
            continue  # a modifier that changes nothing about the result
        if found is None:
            return SpfResult("none", f"spfCheck: {term} in the record of {domain} is not evaluated")
        try:
            matches = found[3] is None or address in ipaddress.ip_network(found[3], strict=False)
        except ValueError:
            return SpfResult("permerror", f"spfCheck: {term} in the record of {domain} is no network")
        if matches:
            result = SPF_RESULTS[found[1] or "+"]
            verb = "designates" if result == "pass" else "does not designate"
            return SpfResult(result, f"spfCheck: domain of {domain} {verb} {client} as permitted sender")
    return SpfResult("neutral", f"spfCheck: {client} is neither permitted nor denied by domain of {domain}")


def dmarc_result(from_domain: str, passed: tuple[str, ...], dns: MailDns) -> str:
    """pass, fail, none or temperror. passed: domains for which SPF or DKIM passed."""
    labels = from_domain.split(".")
    parents = [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
    try:
        found = any(
            text.startswith(b"v=DMARC1") for parent in parents if parent for text in dns.texts(f"_dmarc.{parent}")
        )
    except DnsFailed:
        return "temperror"
    if not found:
        return "none"
    return "pass" if any(_aligned(from_domain, domain) for domain in passed) else "fail"


def _aligned(one: str, other: str) -> bool:
    one, other = one.lower(), other.lower()
    return "." in one and "." in other and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))


def from_domain(mail: bytes) -> str:
    """The domain of the first From address, in lower case; "" when there is none."""
    headers = email.parser.BytesHeaderParser().parsebytes(mail)
    address = email.utils.parseaddr(str(headers.get("From", "")))[1]
    _, at, domain = address.lower().rpartition("@")
    return domain if at and re.fullmatch(r"[a-z0-9._-]+", domain) else ""
