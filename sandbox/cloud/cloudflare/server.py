"""The API over HTTP: who may ask, and how often."""

import hmac
import json
import re
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.cloud.cloudflare.account import Account
from sandbox.cloud.cloudflare.rate_limit import RateLimit
from sandbox.cloud.cloudflare.refusal import Refusal, invalid
from sandbox.cloud.cloudflare.routes import Request, answer, failure

BASE = "/client/v4"
LARGEST_BODY = 1_000_000
IDLE_SECONDS = 30
"""After which an open connection without a request is closed."""


class ApiServer:
    """Serves one account on loopback, to who has `token` (the one that may edit all its zones)."""

    def __init__(self, account: Account, token: str) -> None:
        self.rate_limit = RateLimit()
        self._account = account
        self._token = token
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int) -> str:
        """The base URL."""
        self._server = _Server(("127.0.0.1", port), _handler(self._account, self.rate_limit, self._token))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="cloudflare", daemon=True
        )
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}{BASE}"

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # an update opens as many connections at once as the engine has slots
    block_on_close = False  # connections that clients keep open end by themselves

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that has gone is no fault of ours
            super().handle_error(request, client_address)


def _handler(account: Account, rate_limit: RateLimit, token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_SECONDS
        disable_nagle_algorithm = True  # head and body leave in two writes: each answer would wait for an ACK

        def _serve(self) -> None:
            try:
                body = self._body()
                _authorize(self.headers.get("Authorization"), token)
                rate_limit.count()
                self._send(200, (), answer(account, self._request(body)))
            except Refusal as e:
                self._send(e.status, e.headers, failure(e))

        def _body(self) -> bytes:
            length = self.headers.get("Content-Length") or "0"
            if not length.isdecimal() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
                self.close_connection = True  # the rest is not read, so nothing can follow on this connection
                raise Refusal(413, 1004, "The request body is too large, or comes without its length.")
            return self.rfile.read(int(length))

        def _request(self, body: bytes) -> Request:
            parts = urlsplit(self.path)
            if not parts.path.startswith(f"{BASE}/"):
                raise invalid(7000, "No route for that URI")
            return Request(self.command, parts.path.removeprefix(BASE), dict(parse_qsl(parts.query)), _object(body))

        def _send(self, status: int, headers: tuple[tuple[str, str], ...], envelope: Mapping[str, Any]) -> None:
            content = json.dumps(envelope).encode()
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(content))), *headers):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the engine shows what it does."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    return Handler


def _authorize(header: str | None, token: str) -> None:
    """Raises Refusal unless `header` is `Bearer <the token>`."""
    if header is None:
        raise Refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    found = re.fullmatch(r"Bearer ([\w.~+/-]+=*)", header)
    if not found:
        raise Refusal(400, 6003, "Invalid request headers", chain=(6111, "Invalid format for Authorization header"))
    if not hmac.compare_digest(found[1].encode(), token.encode()):
        raise Refusal(403, 9109, "Invalid access token")


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as e:
        raise invalid(9207, "Request body is invalid.") from e
    if not isinstance(value, dict):
        raise invalid(9207, "Request body is invalid.")
    return value
