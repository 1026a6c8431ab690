"""What a recursive resolver answers: the internet's DNS as senders see it, many questions at once.

Gates ask the zones' own servers instead (`dns.py`); here an answer from a cache is what is wanted, because a sender
gets no other. Each question has a limit of time; an answer's size is bounded by DNS itself.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from mailtls.observed import DnsAnswer, DnsStatus

MAX_ALIASES = 8
"""CNAME records followed for one question."""
MAX_VALUES = 100
"""Values kept of one answer; how many more there were is told."""
TRIES = 2
"""Rounds through the resolvers; a lost packet is no finding."""


@dataclass(slots=True)
class Recursive:
    """Asks the resolvers at `addresses`, in turn.

    addresses: IP addresses. port: theirs. timeout: seconds for one try. at_once: questions in flight at most.
    """

    addresses: Sequence[str]
    port: int = 53
    timeout: float = 5
    at_once: int = 100
    _gate: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._gate = asyncio.Semaphore(self.at_once)

    async def ask(self, name: str, rdtype: str) -> DnsAnswer:
        """The answer to one question, aliases followed; never raises for what DNS does."""
        try:
            return await self._followed(name, rdtype)
        except _NoAnswer as e:
            return DnsAnswer(name, rdtype, DnsStatus.FAILED, failure=str(e))

    async def _followed(self, name: str, rdtype: str) -> DnsAnswer:
        wanted = dns.rdatatype.from_text(rdtype)
        try:
            owner = dns.name.from_text(name)
        except dns.exception.DNSException as e:
            raise _NoAnswer(f"{name[:80]!r} cannot be asked for: {e}") from e
        aliases: list[str] = []
        seen = {owner}
        authenticated = True
        while True:
            response = await self._answered(owner, wanted)
            authenticated = authenticated and bool(response.flags & dns.flags.AD)
            while alias := response.get_rrset(dns.message.ANSWER, owner, dns.rdataclass.IN, dns.rdatatype.CNAME):
                owner = alias[0].target
                aliases.append(_text(owner))
                if owner in seen:
                    raise _NoAnswer(f"the aliases run in a circle: {' -> '.join([name, *aliases])}")
                if len(aliases) > MAX_ALIASES:
                    raise _NoAnswer(f"more than {MAX_ALIASES} aliases in a row, beginning {name} -> {aliases[0]}")
                seen.add(owner)
            found = response.get_rrset(dns.message.ANSWER, owner, dns.rdataclass.IN, wanted)
            if found is not None or response.rcode() == dns.rcode.NXDOMAIN or _asked(response) == owner:
                break
        told = (name, rdtype)
        if found is not None:
            values = tuple(sorted(map(_value, found))[:MAX_VALUES])
            left_out = max(0, len(found) - MAX_VALUES)
            return DnsAnswer(*told, DnsStatus.ANSWERED, values, tuple(aliases), found.ttl, authenticated, "", left_out)
        missing = DnsStatus.NO_NAME if response.rcode() == dns.rcode.NXDOMAIN else DnsStatus.NO_DATA
        return DnsAnswer(*told, missing, (), tuple(aliases), authenticated=authenticated)

    async def _answered(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.message.Message:
        """The first answer of use from any resolver. Raises _NoAnswer with what each one said last."""
        said: dict[str, str] = {}
        for address in [*self.addresses] * TRIES:
            query = dns.message.make_query(name, rdtype, use_edns=0, payload=1232, flags=dns.flags.RD | dns.flags.AD)
            try:
                async with self._gate, asyncio.timeout(self.timeout):
                    response = await _exchange(query, address, self.port)
            except TimeoutError:
                said[address] = f"no answer within {self.timeout:g} s"
                continue
            except (dns.exception.DNSException, OSError, EOFError) as e:
                said[address] = str(e) or type(e).__name__
                continue
            if response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return response
            said[address] = dns.rcode.to_text(response.rcode())
        what = f"{_text(name)} {dns.rdatatype.to_text(rdtype)}"
        raise _NoAnswer(f"no answer to {what}: " + "; ".join(f"{one}: {words}" for one, words in said.items()))


class _NoAnswer(Exception):
    """Why there is no answer."""


async def _exchange(query: dns.message.Message, address: str, port: int) -> dns.message.Message:
    """One question and its response: over UDP, and over TCP where the response says that it was cut (TC).

    A connected socket of its own for each question: the system picks the port at random, drops what comes from anybody
    else, and tells at once when nobody listens. Raises OSError, DNSException.
    """
    loop = asyncio.get_running_loop()
    transport, waiting = await loop.create_datagram_endpoint(lambda: _Response(query), remote_addr=(address, port))
    try:
        transport.sendto(query.to_wire())
        response = await waiting.response
    finally:
        transport.close()
    if response.flags & dns.flags.TC:
        return await dns.asyncquery.tcp(query, address, port=port)
    return response


class _Response(asyncio.DatagramProtocol):
    """Waits for the response to `query`; what is none of its own is passed over, as a forger's may come first."""

    def __init__(self, query: dns.message.Message) -> None:
        self._query = query
        self.response: asyncio.Future[dns.message.Message] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: object) -> None:
        try:
            response = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
        except dns.exception.DNSException:
            return
        if self._query.is_response(response) and not self.response.done():
            self.response.set_result(response)

    def error_received(self, error: Exception) -> None:
        if not self.response.done():
            self.response.set_exception(error)


def system_resolvers(configuration: Path = Path("/etc/resolv.conf")) -> tuple[str, ...]:
    """The addresses of the resolvers that this machine is configured with; () when that is not to be found out."""
    try:
        lines = configuration.read_text("utf-8", "replace").splitlines()
    except OSError:
        return _resolvers_of_another_system()
    words = [line.split() for line in lines if line.startswith("nameserver")]
    return tuple(word[1] for word in words if len(word) > 1 and dns.inet.is_address(word[1].partition("%")[0]))


def _resolvers_of_another_system() -> tuple[str, ...]:
    import dns.resolver  # only here: it takes longer to import than most questions take

    try:
        return tuple(str(one) for one in dns.resolver.Resolver().nameservers)
    except dns.resolver.NoResolverConfiguration:
        return ()


def _asked(response: dns.message.Message) -> dns.name.Name | None:
    return response.question[0].name if response.question else None


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _value(rdata: Any) -> str:
    """Presentation form; TXT strings joined with nothing between (RFC 8461 section 3.1), names without final dot."""
    if rdata.rdtype == dns.rdatatype.TXT:
        return b"".join(rdata.strings).decode("ascii", "replace")
    if rdata.rdtype == dns.rdatatype.MX:
        return f"{rdata.preference} {_text(rdata.exchange)}"
    if rdata.rdtype in (dns.rdatatype.NS, dns.rdatatype.CNAME):
        return _text(rdata.target)
    return str(rdata.to_text())
