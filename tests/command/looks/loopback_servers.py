"""Servers on loopback that do what a test says, one thread a connection, and certificates with any fault."""

import contextlib
import datetime
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import trustme

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class Server:
    """Calls `handler(connection)` for each connection, in a thread of its own, and closes what it leaves open.

    connections: how many came. Use as a context manager.
    """

    def __init__(self, handler: Callable[[socket.socket], None], address: str = "127.0.0.1", port: int = 0) -> None:
        self._handler = handler
        self._listener = socket.create_server((address, port), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):  # handlers that wait for ever end here
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # a client that turns away is what many tests are about
            self._handler(connection)
        self._open.discard(connection)


def wait_for_close(connection: socket.socket) -> None:
    """Read until the client goes."""
    while connection.recv(4096):
        pass


def serving(
    certificate: trustme.LeafCert,
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> ssl.SSLContext:
    """A server's context that shows `certificate` and takes these versions, also where the system's policy does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = oldest, newest
    if oldest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def tls_handler(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """A handshake, then silence until the client goes."""

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            wait_for_close(secured)

    return handle


@dataclass(slots=True)
class SmtpScript:
    """What an SMTP server says, in whole replies; without a greeting it closes at once.

    context: None: it closes after STARTTLS. behind: octets in clear text in one segment with the answer to STARTTLS.
    heard: the commands that came in clear text.
    """

    context: ssl.SSLContext | None = None
    greeting: bytes = b"220 mx.test ESMTP\r\n"
    ehlo: bytes = b"250-mx.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
    starttls: bytes = b"220 go ahead\r\n"
    behind: bytes = b""
    heard: list[bytes] = field(default_factory=list)

    def handle(self, connection: socket.socket) -> None:
        stream: Any = connection.makefile("rb")
        if not self.greeting:
            return
        connection.sendall(self.greeting)
        while command := stream.readline(2048):
            self.heard.append(command.strip())
            verb = command.split()[0].upper() if command.split() else b""
            if verb == b"STARTTLS" and self.starttls.startswith(b"220"):
                connection.sendall(self.starttls + self.behind)
                if self.context is None:
                    return
                with self.context.wrap_socket(connection, server_side=True) as secured:
                    _after_tls(secured, self.ehlo)
                return
            connection.sendall({b"EHLO": self.ehlo, b"STARTTLS": self.starttls}.get(verb, b"221 bye\r\n"))
            if verb == b"QUIT":
                return


def _after_tls(secured: ssl.SSLSocket, ehlo: bytes) -> None:
    while command := secured.recv(4096):
        secured.sendall(ehlo if command.upper().startswith(b"EHLO") else b"221 bye\r\n")
        if command.upper().startswith(b"QUIT"):
            return


def connect_proxy(target: int, status: bytes = b"200 OK", asked: list[bytes] | None = None) -> Server:
    """Takes CONNECT to anything and goes to port `target` on loopback; `status` other than 200 refuses."""

    def handle(client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        if asked is not None:
            asked.append(head.split(b"\r\n")[0])
        client.sendall(b"HTTP/1.1 " + status + b"\r\n\r\n")
        if status.startswith(b"200"):
            with socket.create_connection(("127.0.0.1", target)) as server:
                pump(client, server)

    return Server(handle)


def pump(client: socket.socket, server: socket.socket) -> None:
    """Octets both ways until both sides have ended."""
    back = threading.Thread(target=_copy, args=(server, client), daemon=True)
    back.start()
    _copy(client, server)
    back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)  # also when the other side broke off
