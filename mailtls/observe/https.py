"""The policy as a sending MTA fetches it (RFC 8461 section 3.3): one GET, no redirects, bounded in time and size.

The connection goes to an address that the caller has looked up, while URL, SNI, Host and the check of the certificate
keep the policy host's name. Nothing is read from proxy variables of the environment; certificate authorities are the
system's, or those of SSL_CERT_FILE.
"""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import h11

from mailtls.mta_sts.policy import MAX_POLICY_BYTES, WELL_KNOWN_PATH
from mailtls.observe.dial import NoConnection, Streams, dial
from mailtls.observe.tls import Connect, TlsStream, old_versions, open_tls
from mailtls.observed import HttpsLook, TlsFault, TlsLook

HTTPS_PORT = 443
MAX_HEADERS = 16384
"""Octets of status line and headers."""
MAX_OCTETS = 4 * MAX_POLICY_BYTES
"""That a host may send for one answer: chunked coding can wrap each octet of a body in several of its own."""
NOT_VALID = "the certificate is not valid"


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


@dataclass(frozen=True, slots=True)
class Way:
    """How connections are made. proxy: `http://host:port`, used by CONNECT to the address; None: directly.
    port: of the address; the URL keeps 443. timeout: seconds for a whole fetch. limit: octets of a body."""

    proxy: str | None = None
    port: int = HTTPS_PORT
    timeout: float = 10
    limit: int = MAX_POLICY_BYTES


@dataclass(slots=True)
class _Fetch:
    """One fetch from one address, as far as it came."""

    policy_host: str
    address: str
    way: Way
    tls: TlsLook | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytearray = field(default_factory=bytearray)

    async def over(self, connect: Connect) -> None:
        """Raises FetchError with the cause in words."""
        try:
            self.tls, stream = await open_tls(connect, self.policy_host, patience=self.way.timeout)
            if stream is None:
                no_session = self.tls.fault in (TlsFault.HANDSHAKE, TlsFault.TOO_OLD)
                raise FetchError(f"{self.tls.fault if no_session else NOT_VALID}: {self.tls.detail}")
        except NoConnection as e:
            raise FetchError(str(e)) from e
        try:
            await self._get(stream)
        except (OSError, h11.ProtocolError) as e:
            raise FetchError(str(e) or type(e).__name__) from e
        finally:
            stream.close()  # nothing more is wanted, and a goodbye could be kept waiting

    async def _get(self, stream: TlsStream) -> None:
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADERS)
        headers = [
            ("Host", self.policy_host),
            ("User-Agent", "mailtls"),
            ("Accept", "text/plain"),
            ("Connection", "close"),
        ]
        request = http.send(h11.Request(method="GET", target=WELL_KNOWN_PATH, headers=headers)) or b""
        await stream.write(request + (http.send(h11.EndOfMessage()) or b""))
        received = 0
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                octets = await stream.read()
                received += len(octets)
                if received > MAX_OCTETS:
                    raise FetchError(f"the answer takes more than {MAX_OCTETS} octets")
                http.receive_data(octets)
            elif isinstance(event, h11.Response):
                self.status = event.status_code
                self.headers = tuple(
                    (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in event.headers
                )
            elif isinstance(event, h11.Data):
                self.body += event.data
                if len(self.body) > self.way.limit:
                    raise FetchError(f"the body is larger than {self.way.limit} octets")
            elif not isinstance(event, h11.InformationalResponse):
                return


async def look_at_policy(policy_host: str, address: str, way: Way, *, versions: bool = False) -> HttpsLook:
    """GET https://<policy_host>/.well-known/mta-sts.txt from `address`. Never raises for what the other side does.

    versions: ask for TLS versions below 1.2 as well, in connections of their own.
    """
    fetch, failure, began = _Fetch(policy_host, address, way), "", time.monotonic()
    try:
        async with _in_time(way.timeout):
            await fetch.over(lambda: dial(address, way.port, way.proxy))
    except FetchError as e:
        failure = str(e)
    took = time.monotonic() - began
    body = bytes(fetch.body) if fetch.status == 200 and not failure else None
    if versions and fetch.tls is not None:
        connect = partial(dial, address, way.port, way.proxy)
        # who refuses does so as fast as the rest was; a firewall that drops the question is not waited for
        taken = await old_versions(connect, policy_host, patience=min(way.timeout, 1 + 4 * took))
        fetch.tls = dataclasses.replace(fetch.tls, old_versions=taken)
    return HttpsLook(address, fetch.tls, fetch.status, fetch.headers, body, failure, took)


def fetch_policy(
    policy_host: str,
    addresses: Sequence[str],
    proxy: str | None = None,
    timeout: float = 10,
    limit: int = MAX_POLICY_BYTES,
    port: int = HTTPS_PORT,
) -> PolicyResponse:
    """The same from one of `addresses`, the first that takes a connection, for a caller that does nothing beside it.

    timeout: seconds for everything together. Raises FetchError: no connection, certificate not valid for the name, too
    slow, too large, not HTTP. Call it from a thread without a running event loop.
    """
    return asyncio.run(_from_one_of(policy_host, addresses, Way(proxy, port, timeout, limit)))


async def _from_one_of(policy_host: str, addresses: Sequence[str], way: Way) -> PolicyResponse:
    fetch = _Fetch(policy_host, "", way)
    async with _in_time(way.timeout):
        await fetch.over(lambda: _dial_one_of(policy_host, addresses, way))
    return PolicyResponse(fetch.status or 0, fetch.headers, bytes(fetch.body))


async def _dial_one_of(policy_host: str, addresses: Sequence[str], way: Way) -> Streams:
    """The first connection that comes about; each address gets a fair share of the time. Raises NoConnection."""
    causes = []
    deadline = time.monotonic() + way.timeout
    for tried, address in enumerate(addresses):
        patience = (deadline - time.monotonic()) / (len(addresses) - tried)
        try:
            async with asyncio.timeout(patience):
                return await dial(address, way.port, way.proxy)
        except NoConnection as e:
            causes.append(f"{address}: {e}")
        except TimeoutError:
            causes.append(f"{address}: no connection within {patience:.3g} s")
    raise NoConnection(f"no connection: {'; '.join(causes) or policy_host + ' has no address'}")


@contextlib.asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    """Raises FetchError when what is inside takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as e:
        raise FetchError(f"no whole answer within {seconds:.3g} s") from e
