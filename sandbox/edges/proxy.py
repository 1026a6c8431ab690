"""The sandbox's only way out: a CONNECT proxy that leads HTTPS to the HTTPS edge, and nothing off this machine."""

import ipaddress
import selectors
import socket
import time
from contextlib import suppress

import dns.exception

from sandbox.edges.connections import Listener
from sandbox.edges.resolver import resolver_at

LARGEST_HEAD = 8192
HEAD_SECONDS = 10
IDLE_SECONDS = 60
"""For which a tunnel may be silent."""
PIECE = 65536


class Refused(Exception):
    """The answer to the client: its status line's rest."""


class Proxy:
    """https: where the HTTPS edge listens, `127.0.0.1:PORT`.

    dns: name server, `127.0.0.1:PORT`; a name is then led to the edge only if it has a loopback address there, so that
    a host without its DNS record is as unreachable as it would be. None: every name is led there.
    """

    def __init__(self, https: str, dns: str | None = None) -> None:
        host, port = https.rsplit(":", 1)
        self._https = (host, int(port))
        self._resolver = resolver_at(dns) if dns else None
        self._listener = Listener("proxy", self._serve)

    def start(self, port: int = 0) -> str:
        """`http://127.0.0.1:PORT`."""
        return f"http://{self._listener.start(port)}"

    def stop(self) -> None:
        self._listener.stop()

    def _serve(self, client: socket.socket) -> None:
        head, early = _head(client)
        try:
            self._check(head.split(b"\r\n")[0])
            edge = socket.create_connection(self._https, HEAD_SECONDS)
        except Refused as e:
            client.sendall(f"HTTP/1.1 {e}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            return
        with edge:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            edge.sendall(early)
            _relay(client, edge)

    def _check(self, request_line: bytes) -> None:
        """Raises Refused unless the request leads to the edge."""
        method, target, *rest = [*request_line.decode("latin-1").split(" "), "", ""]
        if not rest[0].startswith("HTTP/1."):
            raise Refused("400 Bad Request")
        host, colon, port = target.rpartition(":")
        if method != "CONNECT" or not colon or port != "443":
            raise Refused("403 Forbidden: only CONNECT to port 443, nothing else leaves this machine")
        if not all(address.is_loopback for address in self._addresses(host.strip("[]"))):
            raise Refused("502 Bad Gateway: nobody listens at that address")

    def _addresses(self, host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        """Of a name or an address; none when names are not asked for."""
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            pass  # a name
        if self._resolver is None:
            return []
        found: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = []
        for kind in ("A", "AAAA"):
            with suppress(dns.exception.DNSException, UnicodeError):
                found += [ipaddress.ip_address(one.address) for one in self._resolver.resolve(host, kind, search=False)]
        if not found:
            raise Refused("502 Bad Gateway: that name has no address")
        return found


def _head(client: socket.socket) -> tuple[bytes, bytes]:
    """What comes before the first empty line, and what came after it. Raises OSError: too long, too slow, cut off."""
    end = time.monotonic() + HEAD_SECONDS
    head = b""
    while b"\r\n\r\n" not in head:
        left = end - time.monotonic()
        if left <= 0 or len(head) > LARGEST_HEAD:
            raise OSError("no request came")
        client.settimeout(left)
        piece = client.recv(PIECE)
        if not piece:
            raise OSError("the client left")
        head += piece
    before, _, after = head.partition(b"\r\n\r\n")
    return before, after


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Until both sides have ended, one breaks, or both are silent for too long."""
    for side in (one, other):
        side.settimeout(IDLE_SECONDS)
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while selector.get_map():
            ready = selector.select(IDLE_SECONDS)
            if not ready:
                return
            for key, _ in ready:
                side = one if key.data is other else other
                piece = side.recv(PIECE)
                if piece:
                    key.data.sendall(piece)
                else:
                    selector.unregister(side)
                    key.data.shutdown(socket.SHUT_WR)
