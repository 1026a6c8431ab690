"""The little of ASGI that our own answers need, in front of the emulator's application."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

VIEWER_PROTOCOL = "x-sandbox-viewer-protocol"
"""The header with which the HTTPS edge passes on what came to a host name from outside, so not to the emulator."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Names in lower case; of a repeated header the values joined by a comma."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


async def read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def answer(
    send: Send, status: int, headers: Iterable[tuple[str, str]], body: bytes, *, head: bool = False
) -> None:
    """head: the request was a HEAD: no body is sent, and the headers stay as they are."""
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if not any(name == b"content-length" for name, _ in raw):
        raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if head else body})
