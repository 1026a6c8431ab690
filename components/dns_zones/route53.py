"""A public hosted zone at Route 53: one `Record` (record set) per name and type.

The provider adds the outer quotes of TXT data itself; a longer text carries the inner ones (`…""…`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.dns_zones.character_strings import quoted, unquoted
from components.dns_zones.zone import absolute


@dataclass(frozen=True, slots=True)
class Route53Zone:
    """One zone. `zone_id` is an Output when it was looked up by name."""

    apex: str
    zone_id: pulumi.Input[str] = field(repr=False)

    @classmethod
    def find(cls, apex: str) -> "Route53Zone":
        """The public zone by its name: one look-up."""
        return cls(apex, aws.route53.get_zone_output(name=apex, private_zone=False).zone_id)

    def txt(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        value: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        data = pulumi.Output.from_input(value).apply(lambda text: "".join(quoted(text))[1:-1])
        return self._record(resource_name, name, "TXT", data, ttl, opts)

    def cname(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        target: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        return self._record(resource_name, name, "CNAME", absolute(target), ttl, opts)

    def mx(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        preference: int,
        exchange: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        data = pulumi.Output.concat(str(preference), " ", absolute(exchange))
        return self._record(resource_name, name, "MX", data, ttl, opts)

    def txt_values(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(unquoted(f'"{data}"') for data in inputs["records"])

    def _record(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        kind: str,
        data: pulumi.Output[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        return aws.route53.Record(
            resource_name, zone_id=self.zone_id, name=absolute(name), type=kind, ttl=ttl, records=[data], opts=opts
        )
