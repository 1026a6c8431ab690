"""The few questions that preflight puts to the DNS: a zone's delegation, CAA, and whether a name has an address.

The internet finds a zone by what its parent's servers say, so these are asked for the delegation; where none of them
answers, the recursive resolver is.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.resolver

from mailtls.mta_sts.policy import policy_host
from mailtls.observe.dns import DnsError, Resolver
from mailtls.preflight.seen import Caa, Delegation, NotAsked, Published

TIMEOUT = 5.0
"""Seconds for one question."""
_MAX_SERVERS = 4
"""Of a parent zone that are asked before the recursive resolver is."""


@dataclass(frozen=True, slots=True)
class AccountResolver:
    """resolver: the recursive one. When it has an address, all other servers are asked on its port too: a local
    DNS stands in for them."""

    resolver: Resolver

    def delegation(self, zone: str, assigned: Iterable[str]) -> Delegation | NotAsked:
        """Whom the internet asks for `zone`. assigned: the servers that its provider gave it."""
        try:
            servers = self._from_parent(dns.name.from_text(zone))
            if servers is None:
                servers = _targets(self._resolve(zone, "NS"))
            ours = {name.lower().removesuffix(".") for name in assigned}
            if not servers or set(servers) <= ours:
                return Delegation(servers)
            return Delegation(servers, self._addresses(servers), self._addresses(ours))
        except _NoAnswer as e:
            return NotAsked(str(e))

    def caa(self, host: str) -> Caa | NotAsked:
        """The set at `host` or the first name above it that has one (RFC 8659 section 3)."""
        name = dns.name.from_text(host)
        try:
            while len(name) > 1:
                values = tuple(value.to_text() for value in self._resolve(_text(name), "CAA"))
                if values:
                    return Caa(_text(name), values)
                name = name.parent()
        except _NoAnswer as e:
            return NotAsked(str(e))
        return Caa("", ())

    def published(self, domain: str) -> Published | NotAsked:
        """What the zone's own servers have for a policy domain. They are asked, because a recursive resolver would keep
        "there is none" beyond the first `pulumi up`."""
        try:
            return Published(
                self._has_txt(f"_mta-sts.{domain}", "v=STSv1"),
                self._has_txt(f"_smtp._tls.{domain}", "v=TLSRPTv1"),
                bool(self.resolver.authoritative_addresses(policy_host(domain))),
            )
        except DnsError as e:
            return NotAsked(_one_line(e))

    def _has_txt(self, name: str, begins: str) -> bool:
        return any(value.startswith(begins) for value in self.resolver.authoritative_txt(name))

    def has_address(self, host: str) -> bool | NotAsked:
        try:
            return bool(self._addresses([host]))
        except _NoAnswer as e:
            return NotAsked(str(e))

    def _addresses(self, hosts: Iterable[str]) -> frozenset[str]:
        return frozenset(
            value.address for host in hosts for rdtype in ("A", "AAAA") for value in self._resolve(host, rdtype)
        )

    def _resolve(self, name: str, rdtype: str) -> Sequence[Any]:
        """The values; () when there are none. Raises _NoAnswer."""
        try:
            resolver = dns.resolver.Resolver(configure=self.resolver.address is None)
            if self.resolver.address is not None:
                resolver.nameservers, resolver.port = [self.resolver.address], self.resolver.port
            resolver.lifetime = TIMEOUT
            return list(resolver.resolve(name, rdtype, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as e:
            raise _NoAnswer(f"{name} {rdtype}: the resolver gave no answer: {_one_line(e)}") from e

    def _from_parent(self, zone: dns.name.Name) -> tuple[str, ...] | None:
        """The name servers that the parent's servers name; () when they know of none, None when none of them says."""
        for address in self._parent_addresses(zone):
            query = dns.message.make_query(zone, dns.rdatatype.NS, flags=0)  # no recursion desired
            try:
                response, _ = dns.query.udp_with_fallback(query, address, TIMEOUT, self.resolver.port)
            except (dns.exception.DNSException, OSError):
                continue
            if response.rcode() == dns.rcode.NXDOMAIN:
                return ()
            for section in (dns.message.AUTHORITY, dns.message.ANSWER):
                found = response.get_rrset(section, zone, dns.rdataclass.IN, dns.rdatatype.NS)
                if found is not None:
                    return _targets(found)
        return None

    def _parent_addresses(self, zone: dns.name.Name) -> Iterator[str]:
        """Addresses of the servers of the nearest zone above, one by one, IPv4 alone, for as long as TIMEOUT."""
        end = time.monotonic() + TIMEOUT
        parent = zone
        while len(parent) > 1:
            parent = parent.parent()
            servers = _targets(self._resolve(_text(parent), "NS"))
            if servers:
                for server in servers[:_MAX_SERVERS]:
                    for value in self._resolve(server, "A"):
                        if time.monotonic() < end:
                            yield value.address
                return


class _NoAnswer(Exception):
    """The recursive resolver failed; the text says which question and how."""


def _targets(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted(_text(value.target).lower() for value in values))


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True) or "."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
