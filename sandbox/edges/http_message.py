"""HTTP/1.1 as far as an edge has to speak it: small requests, whole answers, bounded in size and time."""

import http
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

LARGEST_HEAD = 8192
LARGEST_BODY = 1 << 20
"""Octets; an SNS message has 256 KiB at most."""
IDLE_SECONDS = 15
"""For which a connection may wait for its next request."""
REQUEST_SECONDS = 10
"""Within which a request that has begun must be whole, however small its pieces."""
MOST_REQUESTS = 100
"""On one connection."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VERSION = re.compile(r"HTTP/1\.[01]")
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
)
"""Fields about one connection, not the message (RFC 9110 section 7.6.1), and the length, which is counted anew."""

Headers = tuple[tuple[str, str], ...]


class BadRequest(Exception):
    """status: of the answer; the connection ends with it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """target: path and query as they came. headers: as they came, in order."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first field `name` (lower case), "" when there is none."""
        return next((value for found, value in self.headers if found.lower() == name), "")

    @property
    def host(self) -> str:
        """The Host field in lower case, without port 443."""
        return self.header("host").lower().removesuffix(":443")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Headers = ()
    body: bytes = b""

    @classmethod
    def text(cls, status: int, text: str, *headers: tuple[str, str]) -> "Answer":
        """text/plain in UTF-8."""
        return cls(status, (("Content-Type", "text/plain; charset=utf-8"), *headers), text.encode())

    def header(self, name: str) -> str:
        """The first field `name` (lower case), "" when there is none."""
        return next((value for found, value in self.headers if found.lower() == name), "")


def serve_requests(connection: socket.socket, answer: Callable[[Request], Answer]) -> None:
    """Answers one request after the other until the client is done. Raises OSError when the connection breaks."""
    stream = _Stream(connection)
    for left in reversed(range(MOST_REQUESTS)):
        try:
            request, keep = _read_request(stream)
        except BadRequest as e:
            _send(connection, Answer.text(e.status, f"{e}\n"), head_only=False, keep=False)
            return
        except EOFError:
            return
        keep = keep and left > 0
        _send(connection, answer(request), request.method == "HEAD", keep)
        if not keep:
            return


class _Stream:
    """Octets of a connection, until a moment that its user sets."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    def until(self, mark: bytes, limit: int) -> bytes:
        """What comes before `mark`, which is taken as well. Raises EOFError, TimeoutError, BadRequest."""
        if not self._buffer:
            self._more(time.monotonic() + IDLE_SECONDS)
        end = time.monotonic() + REQUEST_SECONDS
        while (found := self._buffer.find(mark)) < 0 and len(self._buffer) <= limit:
            self._more(end)
        if found < 0 or found > limit:
            raise BadRequest(431, f"the head of a request takes {limit} octets at most")
        return self._take(found, len(mark))

    def exactly(self, length: int) -> bytes:
        """Raises EOFError, TimeoutError."""
        end = time.monotonic() + REQUEST_SECONDS
        while len(self._buffer) < length:
            self._more(end)
        return self._take(length, 0)

    def _more(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client is too slow")
        self._connection.settimeout(left)
        data = self._connection.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data

    def _take(self, length: int, skip: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[: length + skip]
        return taken


def _read_request(stream: _Stream) -> tuple[Request, bool]:
    """The next request, and whether the client may send another on the connection."""
    first, *lines = stream.until(b"\r\n\r\n", LARGEST_HEAD).decode("latin-1").split("\r\n")
    method, version, target = _request_line(first)
    headers = tuple(_field(line) for line in lines)
    request = Request(method, target, headers)
    names = [name.lower() for name, _ in headers]
    if names.count("host") > 1 or names.count("content-length") > 1:
        raise BadRequest(400, "Host and Content-Length come once")
    if version == "HTTP/1.1" and not request.host:
        raise BadRequest(400, "a request needs a Host")
    if "transfer-encoding" in names:
        raise BadRequest(411, "only bodies with a Content-Length are taken")
    length = request.header("content-length") or "0"
    if not (length.isascii() and length.isdecimal()):
        raise BadRequest(400, "Content-Length is a number")
    if int(length) > LARGEST_BODY:
        raise BadRequest(413, f"a body takes {LARGEST_BODY} octets at most")
    body = stream.exactly(int(length))
    wish = request.header("connection").lower()
    return Request(method, target, headers, body), version == "HTTP/1.1" and "close" not in wish


def _request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _VERSION.fullmatch(parts[2]):
        raise BadRequest(400, "this is no HTTP/1.1 request")
    if not parts[1].startswith("/") or not parts[1].isascii() or not parts[1].isprintable():
        raise BadRequest(400, "the target of a request is a path")
    return parts[0], parts[2], parts[1]


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        raise BadRequest(400, "a header line is `name: value`")
    return name, value.strip(" \t")


def _send(connection: socket.socket, answer: Answer, head_only: bool, keep: bool) -> None:
    connection.settimeout(REQUEST_SECONDS)
    lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() not in HOP_BY_HOP]
    # an answer to HEAD tells the length that the answer to GET would have
    length = answer.header("content-length") if head_only and not answer.body else ""
    if answer.status not in (204, 304):
        lines.append(f"Content-Length: {length or len(answer.body)}")
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    connection.sendall(head if head_only else head + answer.body)


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
