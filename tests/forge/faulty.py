"""A proxy before the real forge that answers some requests itself, also after the forge has done what was asked."""

import http.client
import re
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Fault:
    """The first `times` requests that match are answered with `code`.

    done: the forge gets the request and its answer is lost, as when a connection breaks too late.
    """

    method: str
    path: str
    code: int
    times: int
    headers: dict[str, str] = field(default_factory=dict)
    done: bool = False


@dataclass
class Proxy:
    """url: stands in for the forge's own. asked: method and path of all that came."""

    url: str
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def fault_for(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None


@contextmanager
def before(forge_url: str) -> Iterator[Proxy]:
    forge = urllib.parse.urlsplit(forge_url).netloc
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                proxy.asked.append(f"{self.command} {self.path}")
                fault = proxy.fault_for(self.command, self.path)
            if fault is None or fault.done:
                code, headers, content = self._passed_on(body)
            if fault:
                code, headers, content = fault.code, list(fault.headers.items()), b'{"message": "come back later"}'
            self.send_response(code)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _passed_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(forge, timeout=60)
            try:
                kept = {
                    name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
                }
                connection.request(self.command, self.path, body, kept)
                answer = connection.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            finally:
                connection.close()

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
