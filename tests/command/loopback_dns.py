"""A resolver on loopback that answers from a table, and says that every other name does not exist."""

import socketserver
import threading
from collections.abc import Mapping, Sequence
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


class LoopbackDns:
    """records: name and type to values, in presentation form. Use it as a context; `address` is `127.0.0.1:port`."""

    def __init__(self, records: Mapping[tuple[str, str], Sequence[str]]) -> None:
        self._records = {(f"{name}.", rdtype): values for (name, rdtype), values in records.items()}
        self._names = {name for name, _ in self._records}
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sock = self.request
                sock.sendto(outer.answer(data), self.client_address)

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        question = query.question[0]
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        name, rdtype = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        if values := self._records.get((name, rdtype)):
            response.answer.append(dns.rrset.from_text(name, 300, "IN", rdtype, *values))
        elif name not in self._names:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
