"""A small internet on loopback (one DNS server that stands for all, one policy host, one CONNECT proxy), and what a
person sees of a gate in the engine's display."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import trustme
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import SETTINGS


class DnsServer:
    """Answers for `records` as the recursive resolver (RD set) and as every zone's server (RD clear, AA in the answer).

    zones: apexes; each has the name server ns1.<apex> at 127.0.0.1, unless `records` has others. records: (name, type)
    -> rdata texts, names with the final dot. delegated: cuts that are answered with a referral. rcodes: names whose
    owner answers so. lame: name -> how many questions about it are referred to the root. cached: names that are
    answered as from a recursive cache (RA, no AA). behind: name -> what a cache adds behind the answer about it.
    questions: (name, type, RD) as they came.
    """

    def __init__(self) -> None:
        self.zones: set[str] = set()
        self.records: dict[tuple[str, str], list[str]] = {}
        self.delegated: set[str] = set()
        self.rcodes: dict[str, int] = {}
        self.lame: dict[str, int] = {}
        self.cached: set[str] = set()
        self.behind: dict[str, dns.rrset.RRset] = {}
        self.questions: list[tuple[str, str, bool]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            self._socket.sendto(self._answer(dns.message.from_wire(data)).to_wire(), client)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name, rdtype = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        recursive = bool(query.flags & dns.flags.RD)
        self.questions.append((name, rdtype, recursive))
        response = dns.message.make_response(query, recursion_available=recursive)
        if name in self.rcodes and not recursive:
            response.set_rcode(self.rcodes[name])
            return response
        if self.lame.get(name) and not recursive:
            self.lame[name] -= 1  # the next server, which is this one too, knows the zone
            response.authority.append(dns.rrset.from_text(".", 300, "IN", "NS", "a.root-servers.net."))
            return response
        cut = next((cut for cut in self.delegated if not recursive and name.endswith(cut)), None)
        if cut is not None and ("ns1." + cut, "A") in self.records:
            self.delegated.discard(cut)  # the next question goes to the child's server, which is this one too
            response.authority.append(dns.rrset.from_text(cut, 300, "IN", "NS", f"ns1.{cut}"))
            return response
        if not recursive:
            response.flags |= dns.flags.RA if name in self.cached else dns.flags.AA
        for kind in (rdtype, "CNAME"):
            if (name, kind) in self.records:
                response.answer.append(dns.rrset.from_text(name, 300, "IN", kind, *self.records[name, kind]))
                response.answer += [self.behind[name]] if name in self.behind else []
                return response
        if rdtype == "NS" and name in self.zones:
            response.answer.append(dns.rrset.from_text(name, 300, "IN", "NS", f"ns1.{name}"))
        elif rdtype == "A" and name.startswith("ns1.") and name[4:] in self.zones:
            response.answer.append(dns.rrset.from_text(name, 300, "IN", "A", "127.0.0.1"))
        elif not any(owner == name for owner, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


@dataclass(slots=True)
class Answer:
    """What the policy host says. trickle: seconds before each octet of the body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trickle: float = 0


class PolicyHostServer:
    """An HTTPS server that gives its answers one after the other, the last one again and again.

    seen: (SNI name, Host, path) of each request.
    """

    def __init__(self, authority: trustme.CA, name: str) -> None:
        self._answers: list[Answer] = []
        self.seen: list[tuple[str | None, str | None, str]] = []
        sni: dict[int, str | None] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((sni.get(self.request.fileno()), self.headers["Host"], self.path))
                answer = outer._next()
                self.send_response(answer.status)
                for header, value in answer.headers.items():
                    self.send_header(header, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                try:
                    if answer.trickle:
                        for octet in answer.body:
                            time.sleep(answer.trickle)
                            self.wfile.write(bytes([octet]))
                            self.wfile.flush()
                    else:
                        self.wfile.write(answer.body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_args: object) -> None:
                pass  # clients that turn away from the certificate

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        context.sni_callback = lambda connection, asked, _context: sni.update({connection.fileno(): asked})
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def says(
        self, status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"", trickle: float = 0
    ) -> None:
        """One more answer."""
        self._answers.append(Answer(status, headers or {}, body, trickle))

    def _next(self) -> Answer:
        if not self._answers:
            return Answer()
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class ConnectProxy:
    """Takes CONNECT to anything and goes to `target` on loopback; `status` other than 200 refuses."""

    def __init__(self, target: int) -> None:
        self.connects: list[str] = []
        self.status = "200 OK"
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            self.connects.append(head.decode().split("\r\n")[0])
            client.sendall(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
            if not self.status.startswith("200"):
                return
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                back = threading.Thread(target=_copy, args=(server, client), daemon=True)
                back.start()
                _copy(client, server)
                back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(4096):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def dns_server() -> Iterator[DnsServer]:
    server = DnsServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def policy_host_server(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PolicyHostServer]:
    """mta-sts.contoso.example, with a certificate of an authority that is trusted during the test."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    server = PolicyHostServer(authority, "mta-sts.contoso.example")
    yield server
    server.close()


@pytest.fixture
def proxy(policy_host_server: PolicyHostServer) -> Iterator[ConnectProxy]:
    server = ConnectProxy(policy_host_server.port)
    yield server
    server.close()


class Display:
    """Stands for the engine's log service. lines: (severity, text) of all that stays, in order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def Log(self, request: Any) -> None:
        if not request.ephemeral and request.severity != engine_pb2.DEBUG:
            self.lines.append((engine_pb2.LogSeverity.Name(request.severity), request.message))

    @property
    def warnings(self) -> list[str]:
        return [text for severity, text in self.lines if severity == "WARNING"]

    @property
    def notes(self) -> list[str]:
        return [text for severity, text in self.lines if severity == "INFO"]


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Display:
    """What a person sees at the resources."""
    display = Display()
    monkeypatch.setattr(SETTINGS, "engine", display)
    return display


@pytest.fixture
def preview(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine changes nothing."""
    monkeypatch.setattr(SETTINGS, "dry_run", True)
