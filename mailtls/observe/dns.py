"""What a zone's own servers answer.

A recursive resolver may hold an old answer, or a negative one that an early question of ours put there. So names under
a policy domain are looked up by walking to the zone's authoritative servers, and only what they answer with authority
(AA) counts. Without it, a server that has lost its zone, or a resolver that a firewall put in its place, would pass for
a witness that nothing is published, and a second record beside a foreign one makes both void. A recursive resolver is
asked two things only, because nothing of ours is in them: where a zone's servers are, and the addresses behind a name
in somebody else's zone (a content network answers by where one asks from).
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver
import dns.rrset

from mailtls.observe.targets import is_public

MAX_ALIASES = 8
"""CNAME records followed in one look-up."""
MAX_REFERRALS = 8
"""Zone cuts walked down in one look-up."""
LOOK_UP_FACTOR = 4
"""A look-up as a whole may take this many times the limit of one question."""
_NULL_MX = "."


class DnsError(Exception):
    """The DNS gave no answer (that a name does not exist is an answer). The text tells which server said what."""


class MailRoute(StrEnum):
    """Why a domain's mail goes where it goes; the values stand in sentences."""

    MX = "by its MX records"
    IMPLICIT = "without an MX record, so to its own address"
    """RFC 5321 section 5.1: the domain itself is then the only MX host."""
    NULL = "nowhere: its MX record is the null MX"
    """RFC 7505."""
    NONE = "nowhere: it has neither MX record nor address"


@dataclass(frozen=True, slots=True)
class MailHosts:
    """Where senders take a domain's mail. hosts: the names in the MX records before any CNAME, lower-case A-labels, the
    preferred one first, without final dot; () for the two routes that lead nowhere."""

    route: MailRoute
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolver:
    """Looks names up.

    address: the recursive resolver; None: the system's.
    port: its port. When `address` is given, authoritative servers are asked on this port too (a local DNS stands in for
    all of them), otherwise on 53.
    timeout: seconds for one question; a look-up as a whole takes at most LOOK_UP_FACTOR times that.
    private_servers: ask name servers whose address is not of the public internet too. Whoever is led to a domain by a
    stranger leaves it off.
    """

    address: str | None = None
    port: int = 53
    timeout: float = 5
    private_servers: bool = True

    @classmethod
    def at(cls, endpoint: str, timeout: float = 5) -> Self:
        """The resolver at `192.0.2.1`, `192.0.2.1:5300`, `2001:db8::1` or `[2001:db8::1]:5300`. Raises ValueError."""
        address, port = endpoint, "53"
        if endpoint.startswith("["):
            address, _, port = endpoint[1:].partition("]:")
        elif endpoint.count(":") == 1:
            address, _, port = endpoint.partition(":")
        if not dns.inet.is_address(address) or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{endpoint!r} is not an address with a port, such as 192.0.2.1:53 or [2001:db8::1]:53")
        return cls(address, int(port), timeout)

    def authoritative_txt(self, name: str, apex_hint: str | None = None) -> tuple[str, ...]:
        """The TXT values at `name`, each one's strings joined (RFC 8461 section 3.1); () when there are none.

        Aliases are followed. apex_hint: a zone that is known to hold `name`; the walk begins there. Raises DnsError.
        """
        values = _LookUp(self).values(name, dns.rdatatype.TXT, apex_hint)
        return tuple(b"".join(value.strings).decode("ascii", "replace") for value in values)

    def authoritative_addresses(self, name: str, apex_hint: str | None = None) -> tuple[str, ...]:
        """The addresses of `name`, IPv4 first; () when there are none.

        An alias that leaves the zone is handed to the recursive resolver. apex_hint as above. Raises DnsError.
        """
        look_up = _LookUp(self)
        return tuple(
            value.address
            for rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA)
            for value in look_up.values(name, rdtype, apex_hint, recursive_elsewhere=True)
        )

    def authoritative_mx(self, domain: str, apex_hint: str | None = None) -> list[tuple[int, str]]:
        """Preference and host of each MX record, the preferred one first, names as in MailHosts. Raises DnsError."""
        records = _LookUp(self).values(domain, dns.rdatatype.MX, apex_hint)
        return sorted((record.preference, _text(record.exchange).lower()) for record in records)

    def authoritative_mail_hosts(self, domain: str, apex_hint: str | None = None) -> MailHosts:
        """The hosts that take mail for `domain` (A-labels), as a sender finds them. apex_hint as above.

        Raises DnsError.
        """
        ordered = self.authoritative_mx(domain, apex_hint)
        hosts = tuple(dict.fromkeys(host for _, host in ordered if host != _NULL_MX))
        if hosts:
            return MailHosts(MailRoute.MX, hosts)
        if ordered:
            return MailHosts(MailRoute.NULL)
        if self.authoritative_addresses(domain, apex_hint):
            return MailHosts(MailRoute.IMPLICIT, (domain.lower().removesuffix("."),))
        return MailHosts(MailRoute.NONE)


@dataclass(frozen=True, slots=True)
class _Zone:
    """A zone that the walk has come to. `servers`: names of its servers, in the order they were given."""

    apex: dns.name.Name
    servers: tuple[str, ...]


class _LookUp:
    """One look-up, with a deadline for all of it."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._deadline = time.monotonic() + resolver.timeout * LOOK_UP_FACTOR
        self._starts: dict[tuple[dns.name.Name, str | None], _Zone] = {}

    def values(
        self,
        name: str,
        rdtype: dns.rdatatype.RdataType,
        apex_hint: str | None,
        recursive_elsewhere: bool = False,
    ) -> Sequence[Any]:
        """The record data of `rdtype` at `name`, aliases followed."""
        owner, hint = dns.name.from_text(name), apex_hint
        for _ in range(MAX_ALIASES):
            zone, response = self._walk(owner, rdtype, hint)
            # what a response holds of an alias's target may come from a cache: AA is about the first name in it
            # (RFC 1035 section 4.1.1), so the target is a look-up of its own
            found = response.get_rrset(dns.message.ANSWER, owner, dns.rdataclass.IN, rdtype)
            alias = response.get_rrset(dns.message.ANSWER, owner, dns.rdataclass.IN, dns.rdatatype.CNAME)
            if found or not alias:
                return list(found or ())
            owner = alias[0].target
            if owner.is_subdomain(zone.apex):
                hint = zone.apex.to_text()
            elif recursive_elsewhere:
                return self._recursive(owner, rdtype)
            else:
                hint = None
        raise DnsError(f"{name}: more than {MAX_ALIASES} aliases in a row")

    def _walk(
        self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType, apex_hint: str | None
    ) -> tuple[_Zone, dns.message.Message]:
        """The zone that holds `name` and its servers' answer."""
        key = (name, apex_hint)
        zone = self._starts.get(key) or self._start(name, apex_hint)
        for _ in range(MAX_REFERRALS):
            self._starts[key] = zone
            found = self._ask(zone, name, rdtype)
            if isinstance(found, dns.message.Message):
                return zone, found
            zone = found
        raise DnsError(f"{_text(name)}: more than {MAX_REFERRALS} referrals")

    def _start(self, name: dns.name.Name, apex_hint: str | None) -> _Zone:
        """The hinted zone, else the highest zone above `name` whose servers the recursive resolver knows.

        `name` itself is never asked for there: that would plant a negative answer just before the record is published.
        """
        parents = [dns.name.from_text(apex_hint)] if apex_hint else list(_ancestors(name))
        for apex in parents:
            servers = self._recursive(apex, dns.rdatatype.NS)
            if servers:
                return _Zone(apex, tuple(str(server.target) for server in servers))
        asked = ", ".join(map(_text, parents))
        raise DnsError(f"{_text(name)}: no name servers are known for {asked}; is the zone delegated?")

    def _ask(self, zone: _Zone, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> dns.message.Message | _Zone:
        """The first useful response of the zone's servers: their answer, or the zone below that they refer to."""
        causes = []
        for server in zone.servers:
            for address in self._addresses(server):
                if not self._resolver.private_servers and not is_public(address):
                    causes.append(f"{server} ({address}): no address of the public internet, not asked")
                    continue
                query = dns.message.make_query(name, rdtype, flags=0)  # no recursion desired
                try:
                    response, _ = dns.query.udp_with_fallback(query, address, self._left(), self._server_port())
                except (dns.exception.DNSException, OSError) as e:
                    causes.append(f"{server} ({address}): {str(e) or type(e).__name__}")
                    continue
                if response.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                    causes.append(f"{server} ({address}): {dns.rcode.to_text(response.rcode())}")
                elif referral := _referral(response, zone, name):
                    return referral
                elif response.flags & dns.flags.AA:
                    return response
                else:
                    causes.append(f"{server} ({address}): not authoritative")
        told = "; ".join(causes) or f"no address of {', '.join(zone.servers)}"
        raise DnsError(f"{_text(name)}: no answer from the name servers of {_text(zone.apex)}: {told}")

    def _addresses(self, server: str) -> Iterator[str]:
        """One by one: the IPv6 address of a server is looked up only when its IPv4 address was of no use."""
        for rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            for value in self._recursive(dns.name.from_text(server), rdtype):
                yield value.address

    def _recursive(self, name: dns.name.Name, rdtype: dns.rdatatype.RdataType) -> Sequence[Any]:
        try:
            resolver = dns.resolver.Resolver(configure=self._resolver.address is None)
            if self._resolver.address is not None:
                resolver.nameservers, resolver.port = [self._resolver.address], self._resolver.port
            resolver.timeout = resolver.lifetime = self._left()
            return list(resolver.resolve(name, rdtype, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as e:
            raise DnsError(f"{_text(name)}: the recursive resolver gave no answer: {e}") from e

    def _server_port(self) -> int:
        return 53 if self._resolver.address is None else self._resolver.port

    def _left(self) -> float:
        """Seconds for the next question. Raises DnsError when the look-up's time is up."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DnsError(f"the look-up took longer than {self._resolver.timeout * LOOK_UP_FACTOR:g} s")
        return min(left, self._resolver.timeout)


def _ancestors(name: dns.name.Name) -> Iterator[dns.name.Name]:
    """From the top-level domain down to the parent of `name`."""
    for depth in range(2, len(name)):
        yield name.split(depth)[1]


def _referral(response: dns.message.Message, zone: _Zone, name: dns.name.Name) -> _Zone | None:
    """The zone below that the response points to, when it holds no data but the servers of a deeper zone. One that
    points up or sideways is no referral: its server does not know the zone."""
    if response.answer:
        return None
    for rrset in response.authority:
        deeper = rrset.name.is_subdomain(zone.apex) and rrset.name != zone.apex
        if rrset.rdtype == dns.rdatatype.NS and deeper and name.is_subdomain(rrset.name):
            return _Zone(rrset.name, tuple(str(server.target) for server in rrset))
    return None


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)
