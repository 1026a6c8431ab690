"""Where the DNS edge's records come from: what was deployed at Cloudflare and Route 53, and the CDN's own names.

Records are read anew for every question. Nothing here caches one: how the new policy id first shows in DNS is part of
what the sandbox proves.
"""

import re
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import dns.name
from dns.name import Name

from sandbox import account
from sandbox.cloud.cloudflare import Cloudflare
from sandbox.cloud.cloudflare.record import AUTOMATIC
from sandbox.cloud.cloudflare.record import Record as CloudflareRecord
from sandbox.edges.deployed import Endpoint, Service

LOOPBACK = {"A": "127.0.0.1", "AAAA": "::1"}
PROXY = {"A": "192.0.2.104", "AAAA": "2001:db8::104"}
"""Cloudflare's own edge, which a proxied record answers with. Nobody listens there."""
AUTOMATIC_TTL = 300
EDGE_TTL = 60
ZONE_LIST_SECONDS = 1.0
"""How long the list of Route 53's zones (not their records) is taken for granted."""
SETS_PER_NAME = "20"
"""More than there are types of record at any name here."""


@dataclass(frozen=True, slots=True)
class Record:
    """
    type: `TXT`. ttl: seconds. text: its data as a zone file writes it, every name in full.
    alias: `text` is a name, and its addresses of `type` are answered as if they stood here.
    """

    type: str
    ttl: int
    text: str
    alias: bool = False


class ZoneSource(Protocol):
    """Zones and what is in them. Both methods raise StateUnknown, and are called from many threads at once."""

    def apexes(self) -> Collection[Name]:
        """The zones that it knows."""
        ...

    def at(self, apex: Name, name: Name) -> tuple[Record, ...] | None:
        """The records at `name` in the zone `apex`. None: no such name; (): a name with only other names below it."""
        ...


class CloudflareZones(ZoneSource):
    """The zones of the Cloudflare account."""

    def __init__(self, cloudflare: Cloudflare) -> None:
        self._cloudflare = cloudflare
        self._zones = {dns.name.from_text(zone): zone for zone in cloudflare.zones()}

    def apexes(self) -> Collection[Name]:
        return self._zones

    def at(self, apex: Name, name: Name) -> tuple[Record, ...] | None:
        wanted = plain(name)
        records = self._cloudflare.records(self._zones[apex])
        found = tuple(
            shown
            for record in records
            if record.name == wanted
            for shown in _as_cloudflare_answers(record, name == apex)
        )
        if found or any(record.name.endswith(f".{wanted}") for record in records):
            return found
        return None


def _as_cloudflare_answers(record: CloudflareRecord, at_apex: bool) -> Iterator[Record]:
    ttl = AUTOMATIC_TTL if record.ttl == AUTOMATIC else record.ttl
    if record.proxied:
        yield from (Record(kind, ttl, address) for kind, address in PROXY.items())
    elif record.type == "CNAME" and at_apex:  # flattened
        yield from (Record(kind, ttl, f"{record.content}.", alias=True) for kind in PROXY)
    elif record.type == "CNAME":
        yield Record("CNAME", ttl, f"{record.content}.")
    elif record.type == "MX":
        yield Record("MX", ttl, f"{record.priority} {record.content}.")
    else:
        yield Record(record.type, ttl, record.content)


class Route53Zones(ZoneSource):
    """The public zones of the AWS account. Their own NS and SOA records are left out: this DNS is their name server."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._route53 = Service("route53", endpoint, account.CERTIFICATE_REGION)
        self._lock = threading.Lock()
        self._zones: dict[Name, str] = {}
        self._known_until = 0.0

    def apexes(self) -> Collection[Name]:
        with self._lock:
            if time.monotonic() >= self._known_until:
                with self._route53.asked() as route53:
                    pages = route53.get_paginator("list_hosted_zones").paginate()
                    zones = [zone for page in pages for zone in page["HostedZones"]]
                self._zones = {
                    dns.name.from_text(zone["Name"]): zone["Id"] for zone in zones if not zone["Config"]["PrivateZone"]
                }
                self._known_until = time.monotonic() + ZONE_LIST_SECONDS
            return self._zones

    def at(self, apex: Name, name: Name) -> tuple[Record, ...] | None:
        zone_id = self._zones.get(apex)
        if zone_id is None:
            return None  # gone since its apex was listed
        with self._route53.asked() as route53:
            # sorted by labels from the right, so what follows `name` is `name` itself or something below it, if any
            sets = route53.list_resource_record_sets(
                HostedZoneId=zone_id, StartRecordName=name.to_text(), MaxItems=SETS_PER_NAME
            )["ResourceRecordSets"]
        owners = [dns.name.from_text(_unescaped(one["Name"])) for one in sets]
        found = tuple(
            record
            for owner, one in zip(owners, sets, strict=True)
            if owner == name and not (name == apex and one["Type"] in ("NS", "SOA"))
            for record in _as_route53_answers(one)
        )
        return found if found or any(owner.is_subdomain(name) for owner in owners) else None


def _as_route53_answers(record_set: dict[str, Any]) -> Iterator[Record]:
    if target := record_set.get("AliasTarget"):
        yield Record(record_set["Type"], EDGE_TTL, _absolute(target["DNSName"]), alias=True)
        return
    for value in record_set["ResourceRecords"]:
        yield Record(record_set["Type"], record_set["TTL"], value["Value"])


def _unescaped(name: str) -> str:
    """Route 53 writes octets as in C, `\\052`; a zone file reads three digits as a decimal number."""
    return re.sub(r"\\(\d{3})", lambda found: f"\\{int(found[1], 8):03d}", name)


def _absolute(name: str) -> str:
    return name.rstrip(".") + "."


class CloudFrontNames(ZoneSource):
    """`d….cloudfront.net`: the loopback edge, as long as the distribution is there and enabled."""

    APEX = dns.name.from_text("cloudfront.net")

    def __init__(self, endpoint: Endpoint) -> None:
        self._cloudfront = Service("cloudfront", endpoint, account.CERTIFICATE_REGION)
        self._ids: dict[str, str] = {}
        """By domain name. A name belongs to one distribution for good, so this never grows wrong."""

    def apexes(self) -> Collection[Name]:
        return (self.APEX,)

    def at(self, apex: Name, name: Name) -> tuple[Record, ...] | None:
        if name == apex:
            return ()
        with self._cloudfront.asked() as cloudfront:
            config = self._config(cloudfront, plain(name))
        if config is None or not config["Enabled"]:
            return None
        kinds = ("A", "AAAA") if config["IsIPV6Enabled"] else ("A",)
        return tuple(Record(kind, EDGE_TTL, LOOPBACK[kind]) for kind in kinds)

    def _config(self, cloudfront: Any, domain_name: str) -> dict[str, Any] | None:
        if domain_name not in self._ids:
            pages = cloudfront.get_paginator("list_distributions").paginate()
            listed = [one for page in pages for one in page["DistributionList"].get("Items", ())]
            self._ids |= {one["DomainName"].lower(): one["Id"] for one in listed}
        if domain_name not in self._ids:
            return None
        try:
            answer = cloudfront.get_distribution(Id=self._ids[domain_name])
        except cloudfront.exceptions.NoSuchDistribution:
            return None
        config: dict[str, Any] = answer["Distribution"]["DistributionConfig"]
        return config


def plain(name: Name) -> str:
    """Lower case, without the final dot."""
    return name.to_text(omit_final_dot=True).lower()
