"""The commands in a message, typed as they stand there: each ends by itself and prints what the step asks for.

The MX is a server on this machine: only `host:port` is another one than in the message.
"""

import hashlib
import os
import shutil
import signal
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HANGS = 60
"""Seconds after which a command does not end by itself. s_client and the server below need a fraction of one."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("curl")), reason="no openssl and curl on this machine to type them to"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """Key and certificate of other.contoso.example in one file: self-signed, and at its end since 1 Jan 2026."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "other.contoso.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2025, 6, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("other.contoso.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("mx") / "key-and-certificate.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def digest_of_key(certificate: Path) -> str:
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


class Mx(socketserver.StreamRequestHandler):
    """An MTA up to STARTTLS; a web server's TLS where `tls_at_once`."""

    certificate: Path
    starttls = True
    tls_at_once = False

    def handle(self) -> None:
        if self.tls_at_once:
            return self.shake_hands()
        self.wfile.write(b"220 mx ESMTP\r\n")
        while line := self.rfile.readline().strip().upper():
            if line.startswith(b"EHLO"):
                offer = b"250-STARTTLS\r\n" if self.starttls else b""
                self.wfile.write(b"250-mx\r\n250-SIZE 1000\r\n" + offer + b"250 HELP\r\n")
            elif line == b"STARTTLS" and self.starttls:
                self.wfile.write(b"220 go on\r\n")
                return self.shake_hands()
            elif line == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return None
            else:
                self.wfile.write(b"502 not here\r\n")
        return None

    def shake_hands(self) -> None:
        """Then wait for the other side, as an MTA does: who types nothing waits with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        with context.wrap_socket(self.connection, server_side=True) as tls:
            while tls.recv(1000):
                pass


@contextmanager
def mx(certificate: Path, **how: bool) -> Iterator[int]:
    handler = type("OneMx", (Mx,), {"certificate": certificate, **how})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def commands(text: str) -> list[str]:
    """The commands of a message, those over several lines put together as a shell does."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("            ")]
    return "\n".join(lines).replace("|\n", "| ").splitlines()


def typed(text: str, port: int, *, to: str = ":25") -> str:
    """What the message's commands that connect to `host:25` (or `:443`) print, typed one after the other."""
    printed = ""
    for command in commands(text):
        words = command.split()
        target = next((word for word in words if word.endswith(to)), "")
        if target:
            scheme = "smtp://" if target.startswith("smtp://") else ""
            here = command.replace(target, f"{scheme}127.0.0.1:{port}", 1)
            # standard input stays open, as a terminal's does
            with subprocess.Popen(
                ["bash", "-c", here],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            ) as shell:
                assert shell.stdout
                guard = threading.Timer(HANGS, os.killpg, (shell.pid, signal.SIGKILL))
                guard.start()
                printed += shell.stdout.read()
                guard.cancel()
            assert shell.returncode >= 0, f"does not end by itself: {command}"
    assert printed, f"no command connects to {to}"
    return printed


@pytest.fixture
def told(cloud, mails):
    """The message about failures of a result type at mx2.contoso.example."""

    def about(result_type: str, host: str = "mx2.contoso.example") -> str:
        applied = {"policy-string": ["version: STSv1", "mode: enforce", f"mx: {host}"]} if host else {}
        if result_type == "tlsa-invalid":
            applied = {"policy-type": "tlsa", "policy-string": ["3 1 1 1a2b"]}
        policy = mails.policy(100, (mails.failure(90, result_type, host),), **applied)
        cloud.receive(mails.mail(mails.report(policy, day="2026-11-30")))
        return cloud.topic.messages[-1][1]

    return about


@pytest.mark.parametrize(
    ("result_type", "printed"),
    [
        ("certificate-expired", ["notAfter=Jan  1 00:00:00 2026 GMT", "subject=CN = other.contoso.example"]),
        ("certificate-host-mismatch", ["DNS:other.contoso.example"]),
        (
            "certificate-not-trusted",
            [" 0 s:CN = other.contoso.example", "   i:CN = other.contoso.example", "Verify return code: "],
        ),
        ("validation-failure", ["notAfter=Jan  1 00:00:00 2026 GMT", "Verify return code: "]),
        ("x-new", ["DNS:other.contoso.example", "Verify return code: "]),
    ],
)
def test_what_the_certificate_is_like_is_printed(told, certificate, result_type, printed):
    with mx(certificate) as port:
        output = " ".join(typed(told(result_type), port).replace("CN=", "CN = ").split())
    for line in printed:
        assert " ".join(line.split()) in output


def test_the_digest_to_compare_with_the_tlsa_record_is_printed(told, certificate):
    with mx(certificate) as port:
        assert digest_of_key(certificate) in typed(told("tlsa-invalid"), port)


@pytest.mark.parametrize("offered", [True, False])
def test_the_answer_to_ehlo_is_printed(told, certificate, offered):
    with mx(certificate, starttls=offered) as port:
        output = typed(told("starttls-not-supported"), port)
    assert "250-SIZE 1000" in output
    assert ("250-STARTTLS" in output) is offered


def test_the_certificate_of_the_policy_host_is_printed(told, certificate):
    with mx(certificate, tls_at_once=True) as port:
        output = typed(told("sts-webpki-invalid", ""), port, to=":443")
    assert "DNS:other.contoso.example" in output
    assert "Verify return code: " in output


@pytest.mark.parametrize(
    ("host", "said", "unsaid"),
    [
        ("mx2.contoso.example", ["reload the MTA"], ["not yours", "support"]),
        ("contoso-example.mail.protection.outlook.com", ["tell Microsoft's support"], ["reload the MTA", "not yours"]),
        ("mx.mailhost.example", ["reload the MTA", "mx.mailhost.example is not yours? Then tell"], ["support"]),
    ],
)
def test_who_does_not_run_the_mx_is_not_told_to_reload_it(told, host, said, unsaid):
    text = " ".join(told("certificate-expired", host).split())
    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []
