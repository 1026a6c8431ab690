"""A thousand well-kept mail domains on loopback, for benches: DNS over UDP and the policy hosts over HTTPS.

    python bench/internet/serve.py --domains 1000 --dns-ms 15 --https-ms 40 --ca FILE

Runs in a process of its own, so that its work is not counted as a contestant's. Prints `DNSPORT` when it is ready, and
serves until its standard input closes. The policy hosts listen on 127.0.0.43:443, because the peers know no other port.
"""

import argparse
import asyncio
import socket
import ssl
import struct
import sys
from pathlib import Path

import trustme

HTTPS_ADDRESS = "127.0.0.43"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.%b\r\nmax_age: 604800\r\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="serve mail domains for a bench")
    parser.add_argument("--domains", type=int, default=1000)
    parser.add_argument("--dns-ms", type=float, default=0)
    parser.add_argument("--https-ms", type=float, default=0)
    parser.add_argument("--ca", type=Path, required=True, help="where the authority's certificate is written")
    options = parser.parse_args()
    asyncio.run(serve(options.domains, options.dns_ms / 1000, options.https_ms / 1000, options.ca))


def domain(number: int) -> str:
    return f"d{number:04}.example"


async def serve(domains: int, dns_wait: float, https_wait: float, ca_file: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(ca_file))
    contexts = {f"mta-sts.{domain(number)}": _context(ca, f"mta-sts.{domain(number)}") for number in range(domains)}
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Dns(dns_wait), local_addr=("127.0.0.1", 0))
    by_name = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def chosen(session: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        if name not in contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        session.context = contexts[name]
        return None

    by_name.sni_callback = chosen  # type: ignore[assignment]
    ca.issue_cert("unused.example").configure_cert(by_name)

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        host = head.lower().partition(b"host: ")[2].partition(b"\r\n")[0].removeprefix(b"mta-sts.")
        body = POLICY % host
        await asyncio.sleep(https_wait)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(page, HTTPS_ADDRESS, 443, ssl=by_name, backlog=512)
    print(transport.get_extra_info("sockname")[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


def _context(ca: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    return context


class _Dns(asyncio.DatagramProtocol):
    """Answers after `wait` seconds; what it does not know exists without data."""

    def __init__(self, wait: float) -> None:
        self._wait = wait

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asyncio.get_running_loop().call_later(self._wait, self._answer, data, addr)

    def _answer(self, data: bytes, addr: tuple[str, int]) -> None:
        name, end = _question(data)
        kind = int.from_bytes(data[end : end + 2], "big")
        rdata = b""
        if kind == TXT and name.startswith(b"_mta-sts."):
            rdata = _string(b"v=STSv1; id=20261130;")
        elif kind == TXT and name.startswith(b"_smtp._tls."):
            rdata = _string(b"v=TLSRPTv1; rua=mailto:tls@reports.example")
        elif kind == A and name.startswith(b"mta-sts."):
            rdata = socket.inet_aton(HTTPS_ADDRESS)
        elif kind == A and name.startswith(b"mx."):
            rdata = socket.inet_aton("192.0.2.25")
        elif kind == MX and name.startswith(b"d"):
            rdata = struct.pack("!H", 10) + _string(b"mx") + b"\xc0\x0c"  # the name asked for, below mx
        head = data[:2] + struct.pack("!5H", 0x8180, 1, bool(rdata), 0, 0) + data[12 : end + 4]
        answer = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(rdata)) + rdata if rdata else b""
        self._transport.sendto(head + answer, addr)  # type: ignore[attr-defined]


TXT, A, MX = 16, 1, 15


def _string(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def _question(data: bytes) -> tuple[bytes, int]:
    """The name that is asked for, in lower case, and where the type begins."""
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return b".".join(labels).lower(), at + 1


if __name__ == "__main__":
    main()
