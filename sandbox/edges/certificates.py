"""The sandbox's certificate authority: good certificates for what is served, and bad ones on purpose."""

import os
import ssl
import threading
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=198)
"""As ACM's public certificates have now."""


class Kind(StrEnum):
    """What is wrong with a certificate, if anything."""

    GOOD = "good"
    WRONG_NAME = "wrong-name"
    EXPIRED = "expired"
    SELF_SIGNED = "self-signed"


class Authority:
    """A certificate authority of its own in `folder`: made at the first use, the same at every later one.

    ca: PEM file with the authority's certificate, for clients to trust.
    """

    def __init__(self, folder: Path) -> None:
        self.ca = folder / "ca.pem"
        self._lock = threading.Lock()
        self._contexts: dict[tuple[str, Kind, ssl.TLSVersion], ssl.SSLContext] = {}
        key = folder / "ca.key"
        if self.ca.exists() and key.exists():
            self._authority = trustme.CA.from_pem(self.ca.read_bytes(), key.read_bytes())
            return
        folder.mkdir(parents=True, exist_ok=True)
        self._authority = trustme.CA(organization_name="mailtls sandbox")
        key.unlink(missing_ok=True)  # half of a pair, and its mode is not ours to trust
        with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(self._authority.private_key_pem.bytes())
        self.ca.write_bytes(self._authority.cert_pem.bytes())

    def context_for(
        self, host: str, kind: Kind = Kind.GOOD, minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    ) -> ssl.SSLContext:
        """A server's TLS context whose certificate is for `host` (a DNS-ID, `*.` allowed), or bad as `kind` says.

        minimum: the oldest protocol version taken. Contexts are made once.
        """
        with self._lock:
            found = self._contexts.get((host, kind, minimum))
            if found is None:
                found = self._contexts[(host, kind, minimum)] = self._made(host, kind, minimum)
            return found

    def _made(self, host: str, kind: Kind, minimum: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = minimum
        if minimum < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL's own floor would forbid the old versions
        context.set_alpn_protocols(["http/1.1"])
        # a resumed session shows no certificate, so it would outlive a fault or a change of the certificate
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        self._certificate(host, kind).configure_cert(context)
        return context

    def _certificate(self, host: str, kind: Kind) -> trustme.LeafCert:
        now = datetime.now(UTC)
        match kind:
            case Kind.GOOD:
                return self._authority.issue_cert(host, not_before=now - timedelta(days=1), not_after=now + LIFETIME)
            case Kind.WRONG_NAME:
                return self._authority.issue_cert(f"another-name.{host.removeprefix('*.')}")
            case Kind.EXPIRED:
                return self._authority.issue_cert(host, not_before=now - LIFETIME, not_after=now - timedelta(days=1))
            case Kind.SELF_SIGNED:
                return _self_signed(host, now)


def _self_signed(host: str, now: datetime) -> trustme.LeafCert:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return trustme.LeafCert(pem, certificate.public_bytes(Encoding.PEM), [])
