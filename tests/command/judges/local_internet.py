"""A small internet on loopback that all judges ask: a DNS server, one HTTPS server for every policy host, a proxy that
leads to it, and an SMTP server at each address that a case names."""

import contextlib
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import trustme
from loopback_servers import DAY, NOW, Server, connect_proxy, serving

Records = Mapping[tuple[str, str], list[str]]
"""(name without final dot, type) -> what stands in a zone file; a CNAME under its own type."""


class NameServer:
    """Answers for `records` as a recursive resolver does, over UDP and TCP: aliases followed, as far as they lead."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._names = {name.split(".", depth)[-1] for name, _ in records for depth in range(name.count(".") + 1)}
        outer = self

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while len(length := self.rfile.read(2)) == 2:
                    wire = outer._reply(self.rfile.read(struct.unpack("!H", length)[0]), 65535)
                    self.wfile.write(struct.pack("!H", len(wire)) + wire)

        class TcpServer(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        class Udp(socketserver.DatagramRequestHandler):
            def handle(self) -> None:
                self.wfile.write(outer._reply(self.rfile.read(), 1232))

        self._tcp = TcpServer(("127.0.0.1", 0), Tcp)
        self.port: int = self._tcp.server_address[1]
        self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", self.port), Udp)
        self._udp.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # a burst waits, it is not lost
        for server in (self._tcp, self._udp):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        for server in (self._tcp, self._udp):
            server.shutdown()
            server.server_close()

    def _reply(self, wire: bytes, limit: int) -> bytes:
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query, recursion_available=True)
        name, rdtype = query.question[0].name.to_text(omit_final_dot=True).lower(), query.question[0].rdtype
        kind, seen = dns.rdatatype.to_text(rdtype), set[str]()
        while (name, "CNAME") in self._records and name not in seen:
            seen.add(name)
            response.answer.append(_rrset(name, "CNAME", self._records[name, "CNAME"]))
            name = self._records[name, "CNAME"][0].removesuffix(".")
        if (name, kind) in self._records:
            response.answer.append(_rrset(name, kind, self._records[name, kind]))
        elif name not in self._names:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(max_size=limit, prefer_truncation=True)


def _rrset(name: str, kind: str, values: Iterable[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text(f"{name}.", 300, "IN", kind, *values)


@dataclass(frozen=True, slots=True)
class PolicyServer:
    """What the policy host of one case does. context: the TLS it speaks. answer: octets after the request, whole.

    silence: seconds between the answer and the end of the connection.
    """

    context: ssl.SSLContext
    answer: bytes
    silence: float = 0

    def handle(self, connection: socket.socket) -> None:
        with self.context.wrap_socket(connection, server_side=True) as secured:
            head = b""
            while b"\r\n\r\n" not in head:
                got = secured.recv(4096)
                if not got:
                    return
                head += got
            secured.sendall(self.answer)
            time.sleep(self.silence)
            with contextlib.suppress(OSError):
                secured.unwrap()


def policy_hosts(by_name: Mapping[str, Callable[[socket.socket], None]]) -> Server:
    """One HTTPS server: the handler is found by the name in SNI, before anything is taken from the connection, so that
    each case has its own TLS."""

    def handle(connection: socket.socket) -> None:
        name = server_name(connection)
        if name in by_name:
            by_name[name](connection)

    return Server(handle)


def server_name(connection: socket.socket) -> str | None:
    """The SNI of the ClientHello that waits in `connection`, which is left there."""
    asked: list[str | None] = [None]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _connection, name, _context: asked.__setitem__(0, name)
    for _ in range(50):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(connection.recv(65536, socket.MSG_PEEK))
        try:
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        except ssl.SSLWantReadError:  # half a ClientHello
            time.sleep(0.02)
        except ssl.SSLError:  # no certificate here: the name was asked for before
            break
    return asked[0]


@dataclass(slots=True)
class Certificates:
    """Server contexts with any fault, by name. `trusted` is the one authority that every judge trusts."""

    trusted: trustme.CA = field(default_factory=trustme.CA)

    def good(self, name: str, **versions: Any) -> ssl.SSLContext:
        return serving(self.trusted.issue_cert(name), **versions)

    def expired(self, name: str) -> ssl.SSLContext:
        return serving(self.trusted.issue_cert(name, not_before=NOW - 2 * DAY, not_after=NOW - DAY))

    def not_yet_valid(self, name: str) -> ssl.SSLContext:
        return serving(self.trusted.issue_cert(name, not_before=NOW + DAY, not_after=NOW + 2 * DAY))

    def of_unknown_authority(self, name: str) -> ssl.SSLContext:
        return serving(trustme.CA().issue_cert(name))

    def self_signed(self, name: str) -> ssl.SSLContext:
        """The certificate of an authority, shown by a server: it stands behind itself."""
        own = trustme.CA(organization_name=name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with own.private_key_pem.tempfile() as key, own.cert_pem.tempfile() as certificate:
            context.load_cert_chain(certificate, key)
        return context

    def in_the_common_name(self, name: str) -> ssl.SSLContext:
        """No DNS-ID at all: libraries that know common names ask it only then."""
        return serving(self.trusted.issue_cert("postmaster@contoso.test", common_name=name))

    def only(self, newest: ssl.TLSVersion, name: str) -> ssl.SSLContext:
        return serving(self.trusted.issue_cert(name), ssl.TLSVersion.TLSv1, newest)


class Internet:
    """All servers of all cases, running. Close it with `close`.

    dns, smtp_port: ports on 127.0.0.1 and on every MX address. proxy: `http://127.0.0.1:PORT`.
    """

    def __init__(
        self,
        records: Records,
        policy_handlers: Mapping[str, Callable[[socket.socket], None]],
        mail_handlers: Mapping[str, Callable[[socket.socket], None]],
    ) -> None:
        """policy_handlers: by policy host. mail_handlers: by address on loopback."""
        self._stack = contextlib.ExitStack()
        name_server = NameServer(records)
        self._stack.callback(name_server.close)
        https = self._stack.enter_context(policy_hosts(policy_handlers))
        proxy = self._stack.enter_context(connect_proxy(https.port))
        self.dns, self.https_port, self.proxy = (
            f"127.0.0.1:{name_server.port}",
            https.port,
            f"http://127.0.0.1:{proxy.port}",
        )
        self.smtp_port = self._mail(mail_handlers)

    def _mail(self, handlers: Mapping[str, Callable[[socket.socket], None]]) -> int:
        port = 0
        for address, handler in handlers.items():
            port = self._stack.enter_context(Server(handler, address, port)).port
        return port

    def close(self) -> None:
        self._stack.close()
