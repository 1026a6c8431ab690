"""Clients of the edges: Python's own ssl and http.client, which verify as senders do, OpenSSL's s_client, dnspython."""

import http.client
import shutil
import socket
import ssl
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.query
import pytest

from sandbox.edges.connections import Serve

POLICY_PATH = "/.well-known/mta-sts.txt"


def address(where: str) -> tuple[str, int]:
    host, port = where.removeprefix("http://").rsplit(":", 1)
    return host, int(port)


def handshake(where: str, host: str | None, ca: Path | None) -> ssl.SSLSocket:
    """A TLS connection to the edge at `where`, certificate verified for `host`; ca None: nothing is verified."""
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    if ca is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = socket.create_connection(address(where), 10)
    try:
        return context.wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise


def names_in_certificate(where: str, host: str, ca: Path) -> list[str]:
    """DNS-IDs of the certificate that is presented for `host`, whatever they are; its chain is verified."""
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = False
    with (
        socket.create_connection(address(where), 10) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
        return [str(value) for kind, value in certificate["subjectAltName"] if kind == "DNS"]


def get(
    where: str,
    host: str,
    ca: Path | None,
    *,
    path: str = POLICY_PATH,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    sni: str | None = None,
) -> http.client.HTTPResponse:
    """One request over a connection of its own; the body is read into `.text`."""
    with handshake(where, sni or host, ca) as secured:
        connection = http.client.HTTPConnection(host)
        connection.sock = secured
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        return response


def hung_up(connection: socket.socket) -> bool:
    """Whether the other side ends the connection, and says nothing more before that."""
    try:
        return connection.recv(1) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def s_client(where: str, host: str, *options: str) -> str:
    """What `openssl s_client` says about a handshake with the edge. Skips the test where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    command = ["openssl", "s_client", "-connect", where, "-servername", host, "-verify_hostname", host, *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20)
    return done.stdout + done.stderr


def serve_tls(context: ssl.SSLContext) -> Serve:
    """For a Listener: a handshake, one octet, the end."""

    def serve(connection: socket.socket) -> None:
        connection.settimeout(10)
        with context.wrap_socket(connection.dup(), server_side=True) as secured:
            secured.sendall(b".")

    return serve


class DnsClient:
    """Asks one server by its address."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self.host, self.port = host, int(port)

    def ask(
        self, name: str, type: str, recursive: bool = True, tcp: bool = False, **options: Any
    ) -> dns.message.Message:
        query = dns.message.make_query(name, type, flags=dns.flags.RD if recursive else 0, **options)
        return self.send(query, tcp)

    def send(self, query: dns.message.Message, tcp: bool = False) -> dns.message.Message:
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, self.host, 5, self.port)

    def found(self, name: str, type: str, recursive: bool = True) -> list[str]:
        """The answer section, one text a record, in the order of the sections' sets, sorted within a set."""
        response = self.ask(name, type, recursive)
        return [text for rrset in response.answer for text in sorted(data.to_text() for data in rrset)]
