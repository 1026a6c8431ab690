"""From a question to an answer (RFC 1034 section 4.3.2): one server that is authoritative for all zones there are, and
a recursive resolver for whoever asks for that."""

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.name import Name
from dns.rdatatype import RdataType

from sandbox.edges.deployed import StateUnknown
from sandbox.edges.dns_namespace import Namespace, Zone
from sandbox.edges.zones import Record

MAX_ALIASES = 16
"""Followed for one question."""
UDP_PAYLOAD = 1232
"""Octets that we take over UDP (DNS flag day 2020)."""
_TRANSFERS = (dns.rdatatype.AXFR, dns.rdatatype.IXFR)


class _TooManyAliases(Exception):
    """They go round in a circle, most likely."""


def answer(namespace: Namespace, query: dns.message.Message) -> dns.message.Message:
    """The response to a query with exactly one question. A source that cannot be read gives SERVFAIL."""
    response = _response(query)
    question = query.question[0]
    if query.edns > 0:
        response.set_rcode(dns.rcode.BADVERS)
    elif question.rdclass != dns.rdataclass.IN or question.rdtype in _TRANSFERS:
        response.set_rcode(dns.rcode.REFUSED)
    else:
        response.flags |= dns.flags.AA
        recursive = bool(query.flags & dns.flags.RD)
        try:
            _LookUp(namespace, question.rdtype).fill(response, question.name, recursive)
        except (StateUnknown, _TooManyAliases):
            return failure(query)
    return response


def failure(query: dns.message.Message) -> dns.message.Message:
    """SERVFAIL."""
    response = _response(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response


def _response(query: dns.message.Message) -> dns.message.Message:
    return dns.message.make_response(query, recursion_available=True, our_payload=UDP_PAYLOAD)


class _LookUp:
    """One question's way through the namespace."""

    def __init__(self, namespace: Namespace, rdtype: RdataType) -> None:
        self._namespace = namespace
        self._rdtype = rdtype
        self._aliases_left = MAX_ALIASES

    def fill(self, response: dns.message.Message, name: Name, recursive: bool) -> None:
        """Follow aliases as far as the asker may expect: everywhere, or, without recursion, in the zone asked."""
        zone = self._namespace.zone(name)
        while True:
            records = self._records(zone, name)
            found = self._set(name, self._rdtype, records or ())
            if found is not None:
                response.answer.append(found)
                return
            alias = self._set(name, dns.rdatatype.CNAME, records or ())
            if alias is None:
                if records is None:
                    response.set_rcode(dns.rcode.NXDOMAIN)
                self._say_nothing_is_there(response, zone)
                return
            response.answer.append(alias)
            self._count_alias()
            name = alias[0].target
            next_zone = self._namespace.zone(name)
            if not recursive and next_zone.apex != zone.apex:
                return
            zone = next_zone

    def _records(self, zone: Zone, name: Name) -> tuple[Record, ...] | None:
        records = self._namespace.records(zone, name)
        return records if name != zone.apex else (*self._namespace.authority(name), *(records or ()))

    def _set(self, name: Name, rdtype: RdataType, records: tuple[Record, ...]) -> dns.rrset.RRset | None:
        if rdtype == dns.rdatatype.ANY and records:  # one set of them is enough (RFC 8482 section 4.1)
            rdtype = dns.rdatatype.from_text(records[0].type)
        kind = dns.rdatatype.to_text(rdtype)
        chosen = [record for record in records if record.type == kind]
        texts = [record.text for record in chosen if not record.alias]
        texts += [address for record in chosen if record.alias for address in self._addresses(record.text, rdtype)]
        if not texts:
            return None
        ttl = min(record.ttl for record in chosen)
        return dns.rrset.from_text_list(
            name, ttl, dns.rdataclass.IN, rdtype, texts, origin=dns.name.root, relativize=False
        )

    def _addresses(self, target: str, rdtype: RdataType) -> list[str]:
        """What an alias of a provider's own kind leads to: an alias record of Route 53, a flattened CNAME."""
        self._count_alias()
        found = dns.message.Message()
        self.fill(found, dns.name.from_text(target), recursive=True)
        return [data.to_text() for rrset in found.answer if rrset.rdtype == rdtype for data in rrset]

    def _count_alias(self) -> None:
        self._aliases_left -= 1
        if self._aliases_left < 0:
            raise _TooManyAliases

    def _say_nothing_is_there(self, response: dns.message.Message, zone: Zone) -> None:
        """The zone's SOA, with the time that one may remember the absence (RFC 2308 section 3)."""
        soa = self._set(zone.apex, dns.rdatatype.SOA, self._namespace.authority(zone.apex))
        if soa is not None:
            soa.ttl = min(soa.ttl, soa[0].minimum)
            response.authority.append(soa)
