"""Live rules over DANE for SMTP (RFC 7672), which stands beside MTA-STS and comes first where a sender knows both.

Only what one look can prove is said: a TLSA record of usage 2 names an authority in the chain, and the chain is not
seen, so a host that has one is left alone.
"""

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.lint.live.case import Case, LiveRule, Said
from mailtls.observed import MxHost

_DANE_TA, _DANE_EE = 2, 3
_WHOLE, _SPKI = 0, 1
_HASHES = {1: hashlib.sha256, 2: hashlib.sha512}


@dataclass(frozen=True, slots=True)
class Tlsa:
    """One record (RFC 6698 section 2.1): what it says about the certificate that a server shows."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """From presentation form, `3 1 1 0123...`; None where senders could not use it (RFC 7672 section 3.1)."""
        try:
            usage, selector, matching, *data = text.split()
            record = cls(int(usage), int(selector), int(matching), bytes.fromhex("".join(data)))
        except ValueError:
            return None
        known = record.usage in (_DANE_TA, _DANE_EE) and record.selector in (_WHOLE, _SPKI)
        return record if known and (record.matching == 0 or record.matching in _HASHES) else None

    def fits(self, der: bytes) -> bool:
        """Whether the certificate `der` may be the one that this record names."""
        selected = der if self.selector == _WHOLE else _public_key(der)
        if selected is None:
            return True  # nothing is proved against it
        return self.data == (selected if self.matching == 0 else _HASHES[self.matching](selected).digest())


def _public_key(der: bytes) -> bytes | None:
    """SubjectPublicKeyInfo (RFC 6698 section 2.1.2); None where it cannot be read, as with a new kind of key."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's odd certificate is no message to the user of a library
            key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm):
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _mismatch(case: Case) -> Iterator[Said]:
    for host in case.observed.mail_hosts:
        records = _proved(host)
        aliased = host.a is not None and host.a.aliases  # TLSA then stands at the alias's end (RFC 7672 section 2.2.2)
        if not records or aliased or any(record.usage == _DANE_TA for record in records):
            continue
        refused: dict[tuple[str, bytes], list[str]] = {}
        for look in host.smtp or ():
            certificate = look.tls.certificate if look.tls else None
            if look.starttls is False:
                refused.setdefault(("no STARTTLS is offered", b""), []).append(look.address)
            elif certificate and certificate.der and not any(record.fits(certificate.der) for record in records):
                words = "its certificate fits none of its TLSA records"
                refused.setdefault((words, certificate.der), []).append(look.address)
        for (words, der), addresses in refused.items():
            message = f"{host.host} at {', '.join(addresses)}: {words}; senders that honour DANE refuse it"
            yield Said(message, _right_record(host, der) if der else None)


def _proved(host: MxHost) -> tuple[Tlsa, ...]:
    """The TLSA records that senders use."""
    if host.tlsa is None or not host.tlsa.authenticated:
        return ()
    return tuple(record for text in host.tlsa.values if (record := Tlsa.parse(text)))


def _right_record(host: MxHost, der: bytes) -> str | None:
    key = _public_key(der)
    if key is None:
        return None
    return (
        f"If that certificate is the right one, publish _25._tcp.{host.host} TLSA 3 1 1 "
        f"{hashlib.sha256(key).hexdigest()}. Next time publish the record of the new key first, and change the "
        "certificate when the old record's TTL has passed."
    )


def _without_dnssec(case: Case) -> Iterator[Said]:
    for host in case.observed.mail_hosts:
        if host.tlsa is not None and host.tlsa.values and not host.tlsa.authenticated:
            yield Said(f"{host.host} has TLSA records, and the resolver proves none of them by DNSSEC")


RULES: tuple[LiveRule, ...] = (
    LiveRule(
        About(
            "dane-mismatch",
            Severity.WARNING,
            Group.LIVE,
            "Senders that honour DANE refuse the host, whatever MTA-STS says: their mail waits and then bounces.",
            "Publish the TLSA record of the new key before the certificate changes.",
            "RFC 7672 section 2.2",
        ),
        _mismatch,
    ),
    LiveRule(
        About(
            "tlsa-without-dnssec",
            Severity.INFO,
            Group.LIVE,
            "DANE counts records alone that DNSSEC proves. A resolver that does not look at signatures proves nothing.",
            "Ask one that does (--resolver); if it proves none either, sign the zone or remove the TLSA records.",
            "RFC 7672 section 2.2",
        ),
        _without_dnssec,
    ),
)
