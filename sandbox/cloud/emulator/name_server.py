"""A name server with a handful of records, for the time of a proof or a test. UDP on loopback."""

import contextlib
import socket
import threading

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers from `add`ed records, NXDOMAIN for the rest.

    asked: the questions that came, as `(name, type)`. address: where it listens, `127.0.0.1:PORT`.
    """

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.address = ""
        self._socket: socket.socket | None = None

    def start(self) -> str:
        """`127.0.0.1:PORT`."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, args=(self._socket,), name="name-server", daemon=True).start()
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        return self.address

    def stop(self) -> None:
        if self._socket is not None:
            # closing does not wake a thread that waits in recvfrom; shutting down does
            with contextlib.suppress(OSError):  # an unconnected socket says so, and wakes the thread all the same
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None

    def add(self, name: str, rdtype: str, *values: str) -> None:
        """values: as in a zone file; TXT with its quotes."""
        self._records[(_key(name), rdtype)] = list(values)

    def remove(self, name: str, rdtype: str) -> None:
        self._records.pop((_key(name), rdtype), None)

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                wire, client = listening.recvfrom(4096)
                if not wire:
                    return
                listening.sendto(self._answer(wire), client)
            except OSError:
                return

    def _answer(self, wire: bytes) -> bytes:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        rdtype = dns.rdatatype.to_text(question.rdtype)
        name = _key(question.name.to_text())
        self.asked.append((name, rdtype))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        values = self._records.get((name, rdtype))
        if values is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", rdtype, values))
        return response.to_wire()


def _key(name: str) -> str:
    return name.rstrip(".").lower()
