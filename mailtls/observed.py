"""What looking at a mail domain returns: values only, as they were seen, judged by nobody yet.

`mailtls.observe` makes them, `mailtls.lint` and `mailtls.verdict` judge them. None in place of an answer means that the
question was not asked; an answer that did not come says why in `failure`.
"""

import datetime
from dataclasses import dataclass, field
from enum import StrEnum

from mailtls.mta_sts.policy import InvalidPolicy, Policy, policy_host
from mailtls.mta_sts.record import Record, RecordError, find

_NAMES_SHOWN = 3
"""Of a certificate for another name; some hold hundreds."""


class DnsStatus(StrEnum):
    """ANSWERED: values came. NO_DATA: the name exists without such a record. NO_NAME: it does not exist.
    FAILED: there is no answer, which is not the same as an empty one."""

    ANSWERED = "answered"
    NO_DATA = "no data"
    NO_NAME = "no such name"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """The answer to one question.

    name: as asked, lower-case A-labels without final dot. rdtype: `TXT`, `A`, `MX`...
    values: in presentation form, sorted, since servers rotate them; a TXT value is its strings joined; names without
    final dot.
    aliases: the targets of the CNAME records that were followed, in order.
    ttl: seconds, of the values. authenticated: the resolver says that DNSSEC proved it (AD).
    failure: why there is no answer; "" unless status is FAILED. left_out: values beyond those that are kept.
    """

    name: str
    rdtype: str
    status: DnsStatus
    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int | None = None
    authenticated: bool = False
    failure: str = ""
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Certificate:
    """dns_ids: the DNS names in subjectAltName, lower case. issuer: its organisation or common name, for people.
    der: the whole of it; b"" when nobody kept it."""

    dns_ids: tuple[str, ...]
    not_before: datetime.datetime
    not_after: datetime.datetime
    issuer: str
    der: bytes = field(default=b"", repr=False)

    def share_left(self, now: datetime.datetime) -> float:
        """The part of its own lifetime that is left, 1 to 0; below 0 when it has expired."""
        lifetime = (self.not_after - self.not_before).total_seconds()
        return (self.not_after - now).total_seconds() / lifetime if lifetime > 0 else -1.0


class TlsFault(StrEnum):
    """Why a TLS session cannot be trusted (RFC 8461 sections 3.3 and 4.2); the values stand in sentences."""

    EXPIRED = "the certificate has expired"
    NOT_YET_VALID = "the certificate is not valid yet"
    WRONG_NAME = "the certificate is for another name"
    UNTRUSTED = "no trusted authority stands behind the certificate"
    HANDSHAKE = "the TLS handshake failed"
    TOO_OLD = "the server speaks no TLS version that a sender accepts (1.2 or newer)"


@dataclass(frozen=True, slots=True)
class TlsLook:
    """One TLS session as a sender opens it, by name and with the system's authorities.

    version: `TLSv1.3`; "" when no session came about. certificate: as it was seen, also when it is not trusted.
    fault: None when all is well. detail: the TLS library's words about the fault.
    old_versions: versions below 1.2 that the server takes as well; None: not asked, or not answered.
    """

    version: str
    certificate: Certificate | None
    fault: TlsFault | None = None
    detail: str = ""
    old_versions: tuple[str, ...] | None = None

    @property
    def trouble(self) -> str:
        """The fault in a sentence, with what of the certificate shows it; "" where there is none."""
        if self.fault is None:
            return ""
        if self.certificate is not None:
            if self.fault is TlsFault.EXPIRED:
                return f"{self.fault}, on {self.certificate.not_after:%Y-%m-%d}"
            if self.fault is TlsFault.NOT_YET_VALID:
                return f"{self.fault}, but from {self.certificate.not_before:%Y-%m-%d} on"
            if self.fault is TlsFault.WRONG_NAME:
                return f"{self.fault}: it holds {_some(self.certificate.dns_ids) or 'no DNS name'}"
        says_more = self.detail and self.fault not in (TlsFault.EXPIRED, TlsFault.NOT_YET_VALID)
        return f"{self.fault}: {self.detail}" if says_more else str(self.fault)


@dataclass(frozen=True, slots=True)
class HttpsLook:
    """The policy as one address of the policy host serves it.

    tls: None when no connection came about. status: None when no answer came; `failure` says why then.
    headers: names in lower case. body: as far as it was read; None unless the status is 200. seconds: the whole fetch.
    """

    address: str
    tls: TlsLook | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    failure: str = ""
    seconds: float = 0.0

    def header(self, name: str) -> str | None:
        """The first header `name` (lower case), or None."""
        return next((value for found, value in self.headers if found == name), None)


@dataclass(frozen=True, slots=True)
class SmtpLook:
    """One address of an MX on port 25.

    starttls: whether the server offers it; None when the conversation did not come that far.
    tls: None when there was no handshake. failure: why the conversation ended early; "" when it did not.
    unreachable: no connection at all.
    """

    address: str
    starttls: bool | None = None
    tls: TlsLook | None = None
    failure: str = ""
    unreachable: bool = False

    @property
    def seen(self) -> bool:
        """Whether anything is known about its TLS. A server that hangs up before it says what it offers, as many do
        to addresses that they distrust, tells as little as one that is not there."""
        return self.starttls is not None


@dataclass(frozen=True, slots=True)
class MxHost:
    """One host that takes mail.

    host: as the MX record names it, before any CNAME. preference: None for the implicit MX. a, aaaa: its addresses.
    tlsa: at `_25._tcp.<host>`. smtp: one look an address; None: not asked.
    """

    host: str
    preference: int | None
    a: DnsAnswer | None = None
    aaaa: DnsAnswer | None = None
    tlsa: DnsAnswer | None = None
    smtp: tuple[SmtpLook, ...] | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """IPv4 first."""
        return tuple(value for answer in (self.a, self.aaaa) if answer is not None for value in answer.values)

    @property
    def unanswered(self) -> bool:
        """Whether nobody knows if it has an address."""
        answers = [answer for answer in (self.a, self.aaaa) if answer is not None]
        return not self.addresses and (not answers or any(one.status is DnsStatus.FAILED for one in answers))

    @property
    def supposed(self) -> bool:
        """The domain itself, in place of MX records, and nobody says whether it has an address: perhaps no host."""
        return self.preference is None and self.unanswered

    @property
    def without_address(self) -> bool:
        """It is known to have none."""
        return not self.addresses and not self.unanswered


@dataclass(frozen=True, slots=True)
class Observed:
    """One policy domain, looked at once.

    at: when, UTC. sts, tls_rpt: TXT at `_mta-sts` and `_smtp._tls`. host_a, host_aaaa: of the policy host.
    https: one look an address of the policy host. mx: the MX answer; mail_hosts: the hosts that follow from it
    (RFC 5321 section 5.1: without an MX record the domain itself), () when nothing takes mail.
    dmarc: TXT at `_dmarc`, of the domain or the first parent that has one. bimi: TXT at `default._bimi`.
    caa: the set that a certificate authority would find for the policy host (RFC 8659).
    wildcard: what a name that nobody made answers as an address; sts_wildcard: as TXT.
    *_authoritative: the same question put to the zone's own servers.
    unasked: looks that were left out, and why (a private address, no port 25), one sentence each.
    """

    policy_domain: str
    at: datetime.datetime
    sts: DnsAnswer | None = None
    tls_rpt: DnsAnswer | None = None
    mx: DnsAnswer | None = None
    mail_hosts: tuple[MxHost, ...] = ()
    host_a: DnsAnswer | None = None
    host_aaaa: DnsAnswer | None = None
    https: tuple[HttpsLook, ...] = ()
    dmarc: DnsAnswer | None = None
    bimi: DnsAnswer | None = None
    caa: DnsAnswer | None = None
    wildcard: DnsAnswer | None = None
    sts_wildcard: DnsAnswer | None = None
    sts_authoritative: DnsAnswer | None = None
    tls_rpt_authoritative: DnsAnswer | None = None
    mx_authoritative: DnsAnswer | None = None
    unasked: tuple[str, ...] = ()

    @property
    def policy_host(self) -> str:
        return policy_host(self.policy_domain)

    def read_record(self) -> Record | RecordError | None:
        """The MTA-STS record as a sender picks it, or why it finds none. None: not asked, or no answer."""
        if self.sts is None or self.sts.status is DnsStatus.FAILED:
            return None
        try:
            return find(self.sts.values)
        except RecordError as e:
            return e


def read_policy(look: HttpsLook) -> Policy | InvalidPolicy | None:
    """The policy in one answer, or why a sender cannot read it. None: no answer that may hold one."""
    if look.body is None:
        return None
    try:
        return Policy.parse(look.body)
    except InvalidPolicy as e:
        return e


def _some(names: tuple[str, ...]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
