"""A zone at Cloudflare: one `DnsRecord` per record.

TXT content carries its quotes: Cloudflare adds them to content without, and the next preview would show a difference.
`pulumi_cloudflare` takes over two seconds to import, so only a program with a Cloudflare zone imports it (below).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.dns_zones.character_strings import quoted, unquoted
from components.dns_zones.zone import absolute
from components.look_up import LookUpFailed, NotLetIn, answer

_NO_TOKEN = re.compile(r"token|credential|authenticat|unauthori[sz]ed|\b40[13]\b|api[_ ]?key", re.I)


@dataclass(frozen=True, slots=True)
class CloudflareZone:
    """One zone."""

    apex: str
    zone_id: pulumi.Input[str] = field(repr=False)

    @classmethod
    def find(cls, apex: str) -> "CloudflareZone":
        """The zone by its name: one look-up, with a token that may read zones. Raises LookUpFailed."""
        import pulumi_cloudflare as cloudflare

        found = answer(
            lambda: cloudflare.get_zone(filter={"name": apex, "match": "all"}), lambda words: _not_found(apex, words)
        )
        if not found.zone_id:
            raise _not_found(apex, "it gives the zone no id")
        return cls(apex, found.zone_id)

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

    @property
    def one_set_per_name(self) -> bool:
        return False

    def removal_of_txt(self, name: str, inputs: Mapping[str, Any]) -> str:
        records = f"https://api.cloudflare.com/client/v4/zones/{inputs['zoneId']}/dns_records"
        call = 'curl -s -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN"'
        return (
            f'{call} "{records}?type=TXT&name={name}" shows each with its id; {call} -X DELETE {records}/ID removes one'
        )

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


def _not_found(apex: str, words: str) -> LookUpFailed:
    if _NO_TOKEN.search(words):
        return NotLetIn(
            f"CLOUDFLARE_API_TOKEN: Cloudflare does not take it, so the zone {apex} of the setting mailtls:zones "
            f"cannot be looked up: {words}; set a token with Zone > DNS > Edit and Zone > Zone > Read on the zones, "
            'then run "pulumi up" again'
        )
    return LookUpFailed(
        f"mailtls:zones, suffix {apex}: Cloudflare shows no such zone to this token: {words}; correct the suffix, or "
        f"add the zone to the account or to the rights of CLOUDFLARE_API_TOKEN (Zone > Zone > Read), or write its "
        f"zone_id beside the suffix"
    )
