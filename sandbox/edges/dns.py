"""The internet's DNS in one server: UDP and TCP on the same loopback port.

What was deployed and what the outside world's zone files hold are one tree of names. Every zone's server is this one,
and so is everybody's resolver. It asks nobody else: what is not here does not exist.
"""

import logging
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode

from sandbox.edges.dns_answers import answer, failure
from sandbox.edges.dns_namespace import Namespace
from sandbox.edges.zones import ZoneSource
from sandbox.world.world import World

WORKERS = 8
"""Questions answered at once over UDP; an AWS client keeps ten connections."""
IDLE_SECONDS = 10
"""After which a TCP connection without a question is closed (RFC 7766 section 6.2.3)."""
SMALLEST_UDP, LARGEST_UDP = 512, 4096
LARGEST_TCP = 65535
BIND_TRIES = 20

_HEADER = 12
LOG = logging.getLogger(__name__)


class DnsEdge:
    """Answers from `sources` (deployed records) and `world` (zone files), merged where they hold the same zone."""

    def __init__(self, sources: Sequence[ZoneSource], world: World) -> None:
        self._namespace = Namespace(sources, world)
        self._servers: list[socketserver.BaseServer] = []
        self._threads: list[threading.Thread] = []

    def start(self, port: int = 0) -> str:
        """`127.0.0.1:PORT`. Raises OSError when `port` is taken."""
        udp, tcp = _bound(port, self.reply)
        self._servers = [udp, tcp]
        for server in self._servers:
            thread = threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="dns", daemon=True
            )
            thread.start()
            self._threads.append(thread)
        return f"127.0.0.1:{udp.port}"

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()
        self._servers, self._threads = [], []

    def reply(self, wire: bytes, udp: bool) -> bytes | None:
        """The response to one message, or None for what deserves none: no header, or a response itself."""
        if len(wire) < _HEADER or wire[2] & 0x80:
            return None
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return _bare(wire, dns.rcode.FORMERR)
        if query.opcode() != dns.opcode.QUERY:
            return _bare(wire, dns.rcode.NOTIMP)
        if len(query.question) != 1:
            return _bare(wire, dns.rcode.FORMERR)
        limit = max(SMALLEST_UDP, min(query.payload, LARGEST_UDP)) if udp else LARGEST_TCP
        try:
            return answer(self._namespace, query).to_wire(max_size=limit, prefer_truncation=True)
        except Exception:
            LOG.exception("no answer to %s", query.question[0])
            return failure(query).to_wire()


def _bare(wire: bytes, rcode: dns.rcode.Rcode) -> bytes:
    """A header alone, with the id and the opcode that came."""
    return wire[:2] + bytes([0x80 | wire[2] & 0x79, rcode]) + bytes(8)


Reply = Callable[[bytes, bool], bytes | None]


def _bound(port: int, reply: Reply) -> tuple["_Udp", "_Tcp"]:
    """Both servers on one port; any free one for 0. Raises OSError."""
    tries = 1 if port else BIND_TRIES
    while True:
        tcp = _Tcp(port, reply)
        try:
            return _Udp(tcp.port, reply), tcp
        except OSError:  # that port's UDP half is somebody else's
            tcp.server_close()
            tries -= 1
            if not tries:
                raise


class _Udp(socketserver.UDPServer):
    max_packet_size = LARGEST_TCP

    def __init__(self, port: int, reply: Reply) -> None:
        super().__init__(("127.0.0.1", port), socketserver.BaseRequestHandler)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # a burst waits, it is not lost
        self.port = int(self.socket.getsockname()[1])
        self._reply = reply
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="dns")

    def process_request(self, request: Any, client_address: Any) -> None:
        self._pool.submit(self._serve, request, client_address)

    def server_close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        super().server_close()

    def _serve(self, request: tuple[bytes, socket.socket], client: Any) -> None:
        wire, answering = request
        response = self._reply(wire, True)
        if response is not None:
            answering.sendto(response, client)


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, reply: Reply) -> None:
        class Connection(socketserver.StreamRequestHandler):
            timeout = IDLE_SECONDS
            disable_nagle_algorithm = True

            def handle(self) -> None:
                """Questions one after the other, each with its length in front (RFC 1035 section 4.2.2)."""
                while len(prefix := self.rfile.read(2)) == 2:
                    response = reply(self.rfile.read(struct.unpack("!H", prefix)[0]), False)
                    if response is None:
                        return
                    self.wfile.write(struct.pack("!H", len(response)) + response)

        super().__init__(("127.0.0.1", port), Connection)
        self.port = int(self.socket.getsockname()[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # connections that broke or idled are no fault of ours
            super().handle_error(request, client_address)
