"""Mail sites of the outside world that sign what they send: who reports come from, honest or not."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sandbox.world.world import World

DOMAINS = ("reporter.example", "sender-one.example", "sender-two.example", "big-mail.example")
"""reporter.example runs tlsrpt-reporter; the others send the sample mails. Each has a zone file."""
SELECTOR = "sandbox"
KEY_BITS = 2048
LONGEST_STRING = 255
"""Octets of one character-string of a TXT record (RFC 1035 section 3.3)."""


@dataclass(frozen=True, slots=True)
class Sender:
    """One site. domain, selector: d= and s= of its DKIM signatures; key: PEM file with the private key."""

    domain: str
    selector: str
    key: Path


def make_senders(folder: Path, world: World) -> Mapping[str, Sender]:
    """Give each site a new key in `folder` and publish its public half (RFC 6376 section 3.6.1). By domain."""
    return {domain: _make_sender(domain, folder, world) for domain in DOMAINS}


def _make_sender(domain: str, folder: Path, world: World) -> Sender:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    path = folder / f"{domain}.pem"
    path.unlink(missing_ok=True)  # one of an earlier start, whose mode is not ours to trust
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"
    strings = [text[start : start + LONGEST_STRING] for start in range(0, len(text), LONGEST_STRING)]
    world.add(f"{SELECTOR}._domainkey.{domain}", "TXT", " ".join(f'"{string}"' for string in strings), 3600)
    return Sender(domain, SELECTOR, path)
