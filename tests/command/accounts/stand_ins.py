"""Servers on loopback that answer as a test wants: HTTP by a function, DNS from a zone file."""

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import dns.flags
import dns.message
import dns.rcode
import dns.zone

TOKEN = "cf-token-5d41402abc4b2a76b9719d911017c592"
"""What no output may hold."""


@dataclass(frozen=True, slots=True)
class Request:
    """path: without query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """body: written piece by piece, so that it may trickle or have no end."""

    status: int = 200
    body: Iterable[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


Serving = Callable[[Callable[[Request], Answer]], "WebServer"]


def result(value: Any, **more: Any) -> Answer:
    """A success of Cloudflare's API."""
    return Answer(200, [json.dumps({"success": True, "errors": [], "messages": [], "result": value, **more}).encode()])


def refusal(status: int, code: int, message: str, **headers: str) -> Answer:
    """A refusal of Cloudflare's API."""
    envelope = {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    return Answer(
        status, [json.dumps(envelope).encode()], {name.replace("_", "-"): one for name, one in headers.items()}
    )


class WebServer:
    """Serves while the `with` block runs. requests: all that came, in order."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, self.requests))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(answer: Callable[[Request], Answer], requests: list[Request]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
            requests.append(request)
            found = answer(request)
            with contextlib.suppress(ConnectionError):  # a client that has had enough is no fault here
                self.send_response(found.status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for piece in found.body:
                    self.wfile.write(piece)
                    self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

        do_GET = do_POST = do_HEAD = _serve

    return Handler


HEAD = """\
@ 60 SOA ns1.dns.example. h.dns.example. 1 2 3 4 60
@ 60 NS ns1.dns.example.
ns1.dns.example. 60 A 127.0.0.1
"""


class NameServer:
    """Answers with authority from one zone, the root; what is not in it does not exist."""

    def __init__(self, text: str) -> None:
        self._zone = dns.zone.from_text(HEAD + text, origin=".", relativize=False)
        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        zone = self._zone

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, socket = self.request
                query = dns.message.from_wire(data)
                socket.sendto(_reply(zone, query).to_wire(), self.client_address)

        return Handler


def _reply(zone: dns.zone.Zone, query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.AA
    question = query.question[0]
    found = zone.get_rrset(question.name, question.rdtype)
    if found is not None:
        response.answer.append(found)
    elif not any(name.is_subdomain(question.name) for name in zone):
        response.set_rcode(dns.rcode.NXDOMAIN)
    return response
