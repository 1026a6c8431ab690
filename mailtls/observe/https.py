"""The policy as a sending MTA fetches it (RFC 8461 section 3.3): one GET, no redirects, bounded in time and size.

The connection goes to addresses that the caller has looked up, while URL, SNI, Host and the check of the certificate
keep the policy host's name. Nothing is read from proxy variables of the environment; certificate authorities are the
system's, or those of SSL_CERT_FILE.
"""

import functools
import os
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

from mailtls.mta_sts.policy import MAX_POLICY_BYTES, WELL_KNOWN_PATH

HTTPS_PORT = 443
MAX_PROXY_ANSWER = 8192
"""Octets that a proxy's answer to CONNECT may take."""


class FetchError(Exception):
    """No whole answer came. The text is the cause in words, without the URL."""


@dataclass(frozen=True, slots=True)
class PolicyResponse:
    """What the policy host answered, whatever its status.

    headers: names in lower case, in order, as often as they came.
    body: at most `limit` octets, undecoded.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header `name` (lower case), or None."""
        return next((value for found, value in self.headers if found == name), None)


def fetch_policy(
    policy_host: str,
    addresses: Sequence[str],
    proxy: str | None = None,
    timeout: float = 10,
    limit: int = MAX_POLICY_BYTES,
    port: int = HTTPS_PORT,
) -> PolicyResponse:
    """GET https://<policy_host>/.well-known/mta-sts.txt from one of `addresses`, the first that takes a connection.

    proxy: `http://host:port`, used by CONNECT to the address; None: connect directly.
    timeout: seconds for everything together. limit: octets of the body. port: of the address; the URL keeps 443.
    Raises FetchError: no connection, certificate not valid for the name, too slow, too large, not HTTP.
    """
    backend = _Backend(addresses, port, proxy, time.monotonic() + timeout)
    url = f"https://{policy_host}{WELL_KNOWN_PATH}"
    headers = [("Host", policy_host), ("User-Agent", "mailtls"), ("Accept", "text/plain")]
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend) as pool,
            pool.stream("GET", url, headers=headers) as response,
        ):
            body = _read(response.iter_stream(), limit)
    except httpcore.TimeoutException as e:
        raise FetchError(f"no whole answer within {timeout:g} s") from e
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as e:
        raise FetchError(_cause(e)) from e
    fields = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers)
    return PolicyResponse(response.status, fields, body)


def _tls() -> ssl.SSLContext:
    """Loading the authorities takes longer than a fetch, so it is done once for each bundle that is asked for."""
    return _tls_with(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _tls_with(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """OpenSSL reads the two variables by itself."""
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False  # RFC 8461 section 3.3: DNS-ID only
    return context


def _read(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise FetchError(f"the body is larger than {limit} octets")
    return bytes(body)


def _cause(error: BaseException) -> str:
    """The innermost words: a refused certificate is told as OpenSSL tells it."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return f"the certificate is not valid: {inner.verify_message.rstrip('.')}"
        inner = inner.__cause__ or inner.__context__
    return str(error) or type(error).__name__


class _Backend(httpcore.NetworkBackend):
    """Connects to the given addresses instead of the URL's host, through the proxy when there is one."""

    def __init__(self, addresses: Sequence[str], port: int, proxy: str | None, deadline: float) -> None:
        self._addresses = addresses
        self._port = port
        self._proxy = proxy
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(self, host: str, *_args: Any, **_options: Any) -> httpcore.NetworkStream:
        causes = []
        for tried, address in enumerate(self._addresses):
            patience = _left(self._deadline) / (len(self._addresses) - tried)
            try:
                return self._connect(address, patience)
            except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError) as e:
                causes.append(f"{address}: {e}")
        raise httpcore.ConnectError(f"no connection: {'; '.join(causes) or host + ' has no address'}")

    def _connect(self, address: str, patience: float) -> httpcore.NetworkStream:
        if self._proxy is None:
            return self._stream(address, self._port, patience)
        proxy = urlsplit(self._proxy)
        stream = self._stream(proxy.hostname or "", proxy.port or 80, patience)
        target = f"[{address}]:{self._port}" if ":" in address else f"{address}:{self._port}"
        stream.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
        answer = b""
        # one octet at a time: what follows the empty line belongs to TLS
        while not answer.endswith(b"\r\n\r\n") and len(answer) < MAX_PROXY_ANSWER:
            octet = stream.read(1)
            if not octet:
                break
            answer += octet
        status = answer.split(b"\r\n")[0].decode("latin-1")
        if status.split(" ")[1:2] != ["200"]:
            stream.close()
            raise httpcore.ProxyError(f"the proxy says {status or 'nothing'}")
        return stream

    def _stream(self, host: str, port: int, patience: float) -> "_BoundedStream":
        return _BoundedStream(self._sockets.connect_tcp(host, port, timeout=patience), self._deadline)


class _BoundedStream(httpcore.NetworkStream):
    """A stream whose every operation ends at the deadline, so that a trickle of octets cannot stretch it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _BoundedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.TimeoutException("out of time")
    return left
