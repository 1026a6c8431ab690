"""The MX hosts on port 25: STARTTLS, certificate and TLS versions, as RFC 8461 section 4.2 wants them.

The conversation is greeting, EHLO, STARTTLS, handshake, QUIT: no mail is begun. What the server says is bounded in
octets, lines and time, and none of it is believed: octets that come in clear text behind the answer to STARTTLS are a
fault (CVE-2011-0411), because a sender that kept them would take an attacker's words for the server's.
"""

import asyncio
import dataclasses
import re
import socket
from collections.abc import Sequence

from mailtls import names
from mailtls.mta_sts import shown
from mailtls.observe.dial import NoConnection, Streams, dial
from mailtls.observe.tls import old_versions as probe_old_versions
from mailtls.observe.tls import open_tls
from mailtls.observed import SmtpLook, TlsLook

SMTP_PORT = 25
MAX_REPLY = 16384
"""Octets of one reply. RFC 5321 section 4.5.3.1.5: a reply line has 512 at most."""
MAX_REPLY_LINES = 128
GOODBYE = 2
"""Seconds for the answer to QUIT, which is politeness and nothing more."""
MAX_AT_ONCE = 4
"""Connections to one host at the same time."""

_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?")
_UNKNOWN_COMMAND = (500, 502)
"""RFC 5321 section 4.2.4: a server that does not know EHLO knows no extension."""


async def look_at_mx(
    host: str,
    addresses: Sequence[str],
    *,
    patience: float,
    port: int = SMTP_PORT,
    old_versions: bool = True,
    proxy: str | None = None,
) -> tuple[SmtpLook, ...]:
    """One look an address, in the order of `addresses`; nothing that a server does raises.

    host: the name in the MX record, in A-labels: the certificate has to be for it, whatever CNAME lies behind it.
    patience: seconds for one connection with all that is said on it; servers that make clients wait before the greeting
    do so for 5 to 20. old_versions: also ask for TLS 1.0 and 1.1. proxy: as in `dial`.
    Which addresses may be connected to, and how many, is the caller's decision.
    """
    bound = asyncio.Semaphore(MAX_AT_ONCE)

    async def look(address: str) -> SmtpLook:
        async with bound:
            return await _Mx(host, address, port, patience, proxy).look(old_versions)

    return tuple(await asyncio.gather(*map(look, addresses)))


class _Ended(NoConnection):
    """The server was reached and the conversation ended before TLS. starttls: as in SmtpLook."""

    def __init__(self, failure: str, starttls: bool | None = None) -> None:
        super().__init__(failure)
        self.starttls = starttls


class _Mx:
    """One address of one host."""

    def __init__(self, host: str, address: str, port: int, patience: float, proxy: str | None) -> None:
        self._host, self._address, self._port = host, address, port
        self._patience, self._proxy = patience, proxy
        self._reached = False

    async def look(self, old_versions: bool) -> SmtpLook:
        try:
            tls = await self._tls(old_versions)
        except _Ended as e:
            return SmtpLook(self._address, e.starttls, failure=str(e))
        except NoConnection as e:
            return SmtpLook(self._address, failure=str(e), unreachable=True)
        except TimeoutError:
            failure = f"no {'whole answer' if self._reached else 'connection'} within {self._patience:g} s"
            return SmtpLook(self._address, failure=failure, unreachable=not self._reached)
        return SmtpLook(self._address, True, tls)

    async def _tls(self, old_versions: bool) -> TlsLook:
        seen, stream = await open_tls(self._starttls, self._host, patience=self._patience)
        if stream is not None:
            try:
                async with asyncio.timeout(min(self._patience, GOODBYE)):
                    await stream.write(b"QUIT\r\n")
                    await stream.read()
            except OSError:
                pass  # the session stood, which is what we came for
            finally:
                stream.close()
        if not old_versions:
            return seen
        older = await probe_old_versions(self._starttls, self._host, patience=self._patience)
        return dataclasses.replace(seen, old_versions=older)

    async def _starttls(self) -> Streams:
        """A connection on which TLS comes next. Raises NoConnection, _Ended."""
        streams = await dial(self._address, self._port, self._proxy)
        self._reached = True
        try:
            await Conversation(streams).until_tls()
        except _Ended:
            streams[1].write(b"QUIT\r\n")  # RFC 5321 section 4.1.1.10
            streams[1].close()
            raise
        except OSError as e:
            streams[1].transport.abort()
            raise _Ended(f"the connection broke: {e.strerror or e}") from e
        except BaseException:  # a cancelled wait leaves no socket behind either
            streams[1].transport.abort()
            raise
        return streams


class Conversation:
    """What is said in clear text, up to the handshake."""

    def __init__(self, streams: Streams) -> None:
        self._reader, self._writer = streams
        self._buffer = bytearray()

    async def until_tls(self) -> None:
        """Raises _Ended, OSError."""
        code, lines = await self._reply()
        if code != 220:
            raise _Ended(f"it greets with {_told(code, lines)}")
        await self._say(f"EHLO {_own_name(self._writer)}")
        code, lines = await self._reply()
        if code in _UNKNOWN_COMMAND:
            raise _Ended(f"it answers EHLO with {_told(code, lines)}: it does not offer STARTTLS", starttls=False)
        if code != 250:
            raise _Ended(f"it answers EHLO with {_told(code, lines)}")
        if not any(line.upper().split()[:1] == ["STARTTLS"] for line in lines[1:]):
            raise _Ended("it does not offer STARTTLS", starttls=False)
        await self._say("STARTTLS")
        code, lines = await self._reply()
        if code != 220:
            raise _Ended(f"it offers STARTTLS and answers it with {_told(code, lines)}", starttls=True)
        if self._buffer:
            raise _Ended(
                f"{len(self._buffer)} octets in clear text follow its answer to STARTTLS: anyone on the path may have "
                "put them there (CVE-2011-0411)",
                starttls=True,
            )

    async def _say(self, command: str) -> None:
        self._writer.write(f"{command}\r\n".encode("ascii"))
        await self._writer.drain()

    async def _reply(self) -> tuple[int, list[str]]:
        """The code and the texts of one reply (RFC 5321 section 4.2.1)."""
        texts: list[str] = []
        octets = 0
        while True:
            line = await self._line(MAX_REPLY - octets)
            octets += len(line) + 1
            found = _REPLY_LINE.fullmatch(line.removesuffix(b"\r"))
            if not found:
                raise _Ended(f"it says {shown(line.decode('latin-1'))}, which is no SMTP reply")
            code, more, text = found.groups()
            texts.append((text or b"").decode("latin-1"))
            if more != b"-":
                return int(code), texts
            if len(texts) == MAX_REPLY_LINES:
                raise _Ended(f"a reply of more than {MAX_REPLY_LINES} lines")

    async def _line(self, limit: int) -> bytes:
        """One line without its LF. What comes behind it stays in the buffer."""
        while (end := self._buffer.find(b"\n")) < 0 and len(self._buffer) <= limit:
            data = await self._reader.read(4096)
            if not data:
                raise _Ended("it closed the connection")
            self._buffer += data
        if not 0 <= end <= limit:
            raise _Ended(f"a reply of more than {MAX_REPLY} octets")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line


def _own_name(writer: asyncio.StreamWriter) -> str:
    """For EHLO: this machine's full name, else its address (RFC 5321 section 4.1.4). No look-up is made for it."""
    try:
        return names.host_name(socket.gethostname())
    except names.InvalidName:
        address = writer.get_extra_info("sockname")[0]
        return f"[IPv6:{address.partition('%')[0]}]" if ":" in address else f"[{address}]"


def _told(code: int, lines: list[str]) -> str:
    return f"{code} {shown(lines[0])}" if lines[0] else str(code)
