"""The handle on a running local cloud: faults, its clock, and what is left in it. HTTP with JSON, on loopback.

GET /faults      POST /faults {"fault": "slow-edge", "host": "…", "seconds": 5}      DELETE /faults[?host=…]
POST /clock {"offset": seconds}      GET /leftovers
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

Answer = Callable[[dict[str, Any]], Any]
"""Takes the request's JSON, or its query as a map; what it returns is sent as JSON. ValueError: the caller's fault."""

LARGEST_REQUEST = 65536


class ControlError(RuntimeError):
    """The local cloud refused; the text is its own."""


class ControlServer:
    """Serves `answers`, by (method, path)."""

    def __init__(self, answers: dict[tuple[str, str], Answer]) -> None:
        self._answers = answers
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> str:
        """The URL that it listens on."""
        answers = self._answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                answer = answers.get((self.command, parts.path))
                if answer is None:
                    self._send(404, {"error": f"there is no {self.command} {parts.path}"})
                    return
                try:
                    self._send(200, answer(self._arguments(parts.query)))
                except ValueError as e:
                    self._send(400, {"error": str(e)})

            def _arguments(self, query: str) -> dict[str, Any]:
                length = int(self.headers.get("Content-Length") or 0)
                if length > LARGEST_REQUEST:
                    raise ValueError("the request is too large")
                if length:
                    data = json.loads(self.rfile.read(length))
                    if not isinstance(data, dict):
                        raise ValueError("a JSON object is expected")
                    return data
                return {name: values[-1] for name, values in parse_qs(query).items()}

            def _send(self, status: int, value: Any) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: what is asked here is printed by whoever asks."""

            do_GET = do_POST = do_DELETE = _answer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def ask(control: str, method: str, path: str, **arguments: Any) -> Any:
    """One request to the control server at `control`, or to the emulator's own paths. Raises ControlError."""
    body = json.dumps(arguments).encode() if method == "POST" else None
    query = "?" + urlencode(arguments) if arguments and body is None else ""
    request = urllib.request.Request(control + path + query, data=body, method=method)  # noqa: S310 our own URL
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as response:
            return json.loads(response.read() or b"null")
    except urllib.error.HTTPError as e:
        try:
            told = json.load(e)["error"]
        except (ValueError, KeyError, TypeError):
            told = f"{method} {path}: {e.code} {e.reason}"
        raise ControlError(told) from e
    except OSError as e:
        raise ControlError(f"the sandbox does not answer: {e}") from e
