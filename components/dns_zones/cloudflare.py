"""A zone at Cloudflare: one `DnsRecord` per record.

TXT content carries its quotes: Cloudflare adds them to content without, and the next preview would show a difference.
`pulumi_cloudflare` takes over two seconds to import, so only a program with a Cloudflare zone imports it (below).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.dns_zones.character_strings import quoted, unquoted
from components.dns_zones.zone import absolute


@dataclass(frozen=True, slots=True)
class CloudflareZone:
    """One zone. `zone_id` is an Output when it was looked up by name."""

    apex: str
    zone_id: pulumi.Input[str] = field(repr=False)

    @classmethod
    def find(cls, apex: str) -> "CloudflareZone":
        """The zone by its name: one look-up, with a token that may read zones."""
        import pulumi_cloudflare as cloudflare

        found = cloudflare.get_zone_output(filter={"name": apex, "match": "all"})
        return cls(apex, found.zone_id.apply(lambda zone_id: _known(apex, zone_id)))

    def txt(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        value: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        content = pulumi.Output.from_input(value).apply(lambda text: " ".join(quoted(text)))
        return self._record(resource_name, name, "TXT", ttl, opts, content=content)

    def cname(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        target: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        # proxied, Cloudflare would answer with its own addresses and its own certificate
        return self._record(resource_name, name, "CNAME", ttl, opts, content=absolute(target), proxied=False)

    def mx(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        preference: int,
        exchange: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        return self._record(resource_name, name, "MX", ttl, opts, content=absolute(exchange), priority=preference)

    def txt_values(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        return (unquoted(inputs["content"]),)

    def _record(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        kind: str,
        ttl: int,
        opts: pulumi.ResourceOptions,
        **data: Any,
    ) -> pulumi.CustomResource:
        import pulumi_cloudflare as cloudflare

        return cloudflare.DnsRecord(
            resource_name, zone_id=self.zone_id, name=absolute(name), type=kind, ttl=ttl, opts=opts, **data
        )


def _known(apex: str, zone_id: str | None) -> str:
    if not zone_id:
        raise ValueError(
            f"{apex}: Cloudflare shows no such zone to this token; add the zone or the token's right to it"
        )
    return zone_id
