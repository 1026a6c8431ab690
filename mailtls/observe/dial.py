"""A TCP connection to one address, direct or through an HTTP proxy by CONNECT. Nothing is read from proxy variables of
the environment. Whether the address may be connected to (private, loopback) is the caller's question."""

import asyncio
import os
from urllib.parse import urlsplit

MAX_PROXY_ANSWER = 8192
"""Octets that a proxy's answer to CONNECT may take."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NoConnection(Exception):
    """Nothing listens there, or nothing answers. The text is the cause in words, without the address."""


async def dial(address: str, port: int, proxy: str | None = None) -> Streams:
    """A connection to `address` (IPv4 or IPv6, no name).

    proxy: `http://host:port`; None: directly. Has no time limit of its own: call it under `asyncio.timeout`.
    Raises NoConnection.
    """
    if proxy is None:
        return await _open(address, port)
    at = urlsplit(proxy)
    reader, writer = await _open(at.hostname or "", at.port or 80)
    try:
        await _tunnel(reader, writer, f"[{address}]:{port}" if ":" in address else f"{address}:{port}")
    except BaseException:  # a cancelled wait leaves no socket behind either
        writer.transport.abort()
        raise
    return reader, writer


async def _open(host: str, port: int) -> Streams:
    try:
        return await asyncio.open_connection(host, port)
    except OSError as e:
        # asyncio puts the address into strerror, and the caller tells it already
        raise NoConnection(os.strerror(e.errno) if e.errno and e.errno > 0 else e.strerror or str(e)) from e


async def _tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> None:
    """Raises NoConnection when the proxy does not say 200."""
    answer = b""
    try:
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
        await writer.drain()
        # one octet at a time: what follows the empty line belongs to the server
        while not answer.endswith(b"\r\n\r\n") and len(answer) < MAX_PROXY_ANSWER and (octet := await reader.read(1)):
            answer += octet
    except OSError as e:
        raise NoConnection(f"the proxy: {e}") from e
    status = answer.split(b"\r\n")[0].decode("latin-1")
    if status.split(" ")[1:2] != ["200"]:
        raise NoConnection(f"the proxy says {ascii(status[:80]) if status else 'nothing'}")
