"""The question about old TLS versions beside a fetch: it costs no domain its look."""

import asyncio
import socket

import trustme
from loopback_servers import Server, serving, wait_for_close

from mailtls.observe.https import Way, look_at_policy

HOST = "mta-sts.contoso.test"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"


def test_a_firewall_that_drops_old_hellos_is_not_waited_for(trusted: trustme.CA) -> None:
    """The limit of the fetch is longer here than a test may take."""
    context = serving(trusted.issue_cert(HOST))
    connections = []

    def handle(connection: socket.socket) -> None:
        connections.append(connection)
        if len(connections) > 1:
            wait_for_close(connection)
            return
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(ANSWER)
            wait_for_close(secured)

    with Server(handle) as server:
        way = Way(port=server.port, timeout=3600)
        seen = asyncio.run(look_at_policy(HOST, "127.0.0.1", way, versions=True))
    assert (seen.status, seen.body) == (200, b"hi")
    assert seen.tls is not None
    assert (seen.tls.fault, seen.tls.old_versions) == (None, None)
    assert len(connections) == 2
