"""JSON over HTTPS to a forge: bounded in size and time, patient where it says "later", silent on the token.

Redirects are not followed: a token goes to the one host that it was given for. Proxies and certificates are those of
the environment (`HTTPS_PROXY`, `SSL_CERT_FILE`), as Python's own library reads them.
"""

import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from mailtls.propose.forges.forge import AlreadyThere, ForgeError, NotAllowed, Refused, Unreachable

TIME_LIMIT = 30
"""Seconds that the forge may be silent in one request."""
MOST_SECONDS = 60
"""For the content of one answer, however steadily it comes."""
MOST_OCTETS = 16 << 20
"""Octets of one answer: a page of 100 pull requests, each with a body of 65,536 characters, has half of it."""
MOST_PAGES = 100
TRIES = 4
MOST_PATIENCE = 120.0
"""Seconds that all waits for the forge may take together in one run."""
_LATER = frozenset({429, 500, 502, 503, 504})
_FIRST_WAIT = 1.0
_MOST_WORDS = 300

Read = TypeVar("Read")
Query = Mapping[str, str | int]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """None: the 3xx is the answer."""


_OPENER = urllib.request.build_opener(_NoRedirect)


@dataclass(slots=True)
class Api:
    """url: where the API begins, without a `/` at its end. token: never shown, `headers` neither.

    sleep: takes seconds. Its waits together are bounded by MOST_PATIENCE; then a forge that is busy is Unreachable.
    """

    url: str
    token: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    _waited: float = 0.0

    def __post_init__(self) -> None:
        guard_transport(self.url)
        if not self.token or not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise NotAllowed(
                "the token is empty or has characters that no token has; was it cut, or read with its line end?"
            )

    def get(self, path: str, query: Query | None = None) -> Any:
        return self._call("GET", path, query)

    def send(self, method: str, path: str, body: object, *, again: bool = True) -> Any:
        """again: may be sent twice, because the second changes nothing more. What may not is sent once when the answer
        was 5xx or lost: it may have been done."""
        return self._call(method, path, None, body, again=again)

    def pages(self, path: str, query: Query, page_size: str) -> Iterator[Any]:
        """Each entry of a list, over all pages. page_size: the parameter's name. Raises Refused past MOST_PAGES."""
        for page in range(1, MOST_PAGES + 1):
            entries = self.get(path, {**query, page_size: 50, "page": page})
            if not isinstance(entries, list):
                raise Refused(f"{self.url}{path}: the forge answered with something that is no list")
            if not entries:
                return
            yield from entries
        raise Refused(f"{self.url}{path}: more than {MOST_PAGES} pages; close or delete what is no longer needed")

    def _call(self, method: str, path: str, query: Query | None, body: object = None, *, again: bool = True) -> Any:
        address = f"{self.url}{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(address, data, method=method)  # noqa: S310  guard_transport looked at it
        for name, value in {"Accept": "application/json", "User-Agent": "mailtls", **self.headers}.items():
            request.add_header(name, value)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        where = f"{method} {self.url}{path}"
        for attempt in range(1, TRIES + 1):
            try:
                return self._answer(request, where)
            except urllib.error.HTTPError as e:
                with e:
                    said, asked = self._words(e), _later(e)
                if asked is None:
                    raise _refusal(where, e.code, said) from e
                if not again and e.code not in (429, 403):
                    raise Unreachable(
                        f"{where}: {e.code} {said}; it may have been done, so it is not sent twice"
                    ) from e
                self._wait(asked if asked else _FIRST_WAIT * 2 ** (attempt - 1), attempt, f"{where}: {e.code} {said}")
            except (OSError, http.client.HTTPException) as e:
                said = self._hidden(str(getattr(e, "reason", e)) or type(e).__name__)
                if not again:
                    raise Unreachable(f"{where}: {said}; it may have been done, so it is not sent twice") from e
                self._wait(_FIRST_WAIT * 2 ** (attempt - 1), attempt, f"{where}: {said}")
        raise Unreachable(f"{where}: no answer")  # not reached: the last wait raises

    def _answer(self, request: urllib.request.Request, where: str) -> Any:
        with _OPENER.open(request, timeout=TIME_LIMIT) as response:
            content = _content(response, where)
        if not content:
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as e:
            raise Refused(f"{where}: the answer is not JSON; is this the address of the API?") from e

    def _wait(self, seconds: float, attempt: int, why: str) -> None:
        """Raises Unreachable where another try makes no sense."""
        if attempt == TRIES:
            raise Unreachable(f"{why}; tried {TRIES} times")
        if self._waited + seconds > MOST_PATIENCE:
            raise Unreachable(f"{why}; it asks to wait {seconds:.0f} s, which is more than a run has")
        self._waited += seconds
        self.sleep(seconds)

    def _words(self, error: urllib.error.HTTPError) -> str:
        """What the forge says, on one line."""
        try:
            said = json.loads(_content(error, ""))
        except (ValueError, RecursionError, OSError, http.client.HTTPException, ForgeError):
            return error.reason if isinstance(error.reason, str) else ""
        if isinstance(said, dict):
            words = [said.get("message") or said.get("error_description") or said.get("error"), said.get("errors")]
            said = " ".join(str(word) for word in words if word)
        return self._hidden(str(said))

    def _hidden(self, text: str) -> str:
        return shown(text.replace(self.token, "[token]"))


def _content(response: Any, where: str) -> bytes:
    """All of an answer. Raises Refused where it is too large, Unreachable where it comes too slowly."""
    end = time.monotonic() + MOST_SECONDS
    content = bytearray()
    while piece := response.read1(1 << 16):
        content += piece
        if len(content) > MOST_OCTETS:
            raise Refused(f"{where}: the answer has more than {MOST_OCTETS} octets")
        if time.monotonic() > end:
            raise Unreachable(f"{where}: the answer took longer than {MOST_SECONDS} s")
    return bytes(content)


def guard_transport(url: str) -> None:
    """Raises Refused where a token would travel in the clear. Loopback may: that is where tests run."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
    except ValueError as e:
        raise Refused(f"{shown(url)} is not an address; write https://host or https://host/path") from e
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Refused(
            f"the address of the forge at {shown(host)} holds more than scheme, host and path; leave the rest out"
        )
    if not host or (parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host))):
        raise Refused(f"{shown(url)} is not an https address, and a token goes nowhere else")


def read(reader: Callable[[Any], Read], answer: Any) -> Read:
    """`reader(answer)`. Raises Refused where the answer has another shape than the forge documents."""
    try:
        return reader(answer)
    except (KeyError, TypeError, AttributeError, ValueError) as e:
        raise Refused(
            f"the forge's answer has not the shape that it documents ({type(e).__name__}: {shown(str(e))})"
        ) from e


def part(text: str) -> str:
    """One part of a path: `/` and all that has a meaning is escaped."""
    return urllib.parse.quote(text, safe="")


def shown(text: str) -> str:
    """A stranger's words on one line, bounded, with nothing that moves a cursor."""
    text = text if len(text) <= _MOST_WORDS else text[: _MOST_WORDS - 3] + "..."
    return "".join(c if c.isprintable() else " " for c in text)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _later(error: urllib.error.HTTPError) -> float | None:
    """None: this answer is final. Else the seconds that the forge asks us to wait, 0 where it names none.

    GitHub says 403 where it means 429:
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    asked = error.headers.get("Retry-After", "")
    over = error.code == 403 and (bool(asked) or error.headers.get("X-RateLimit-Remaining") == "0")
    if error.code not in _LATER and not over:
        return None
    if asked.isascii() and asked.isdigit() and len(asked) < 10:
        return float(asked)
    return MOST_PATIENCE + 1 if over else 0.0


def _refusal(where: str, code: int, said: str) -> ForgeError:
    if code == 401:
        return NotAllowed(f"{where}: 401 {said}; the token is unknown to the forge, or it ended")
    if code in (403, 404):
        return NotAllowed(f"{where}: {code} {said}; the token lacks a right here, or the name is wrong")
    if code == 409:
        return AlreadyThere(f"{where}: 409 {said}")
    if 300 <= code < 400:
        return Refused(f"{where}: {code}, the repository or the API is at another address now; set the new one")
    return Refused(f"{where}: {code} {said}")
