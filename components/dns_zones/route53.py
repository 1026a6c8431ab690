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
from components.look_up import LookUpFailed, answer, no_aws


@dataclass(frozen=True, slots=True)
class Route53Zone:
    """One zone."""

    apex: str
    zone_id: pulumi.Input[str] = field(repr=False)

    @classmethod
    def find(cls, apex: str) -> "Route53Zone":
        """The public zone by its name: one look-up. Raises LookUpFailed."""
        found = answer(
            lambda: aws.route53.get_zone(name=apex, private_zone=False),
            lambda words: no_aws(words) or _not_found(apex, words),
        )
        return cls(apex, found.zone_id)

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

    @property
    def one_set_per_name(self) -> bool:
        return True

    def removal_of_txt(self, name: str, inputs: Mapping[str, Any]) -> str:
        zone = f"aws route53 %s --hosted-zone-id {inputs['zoneId']}"
        here = f"ResourceRecordSets[?Name=='{name}.' && Type=='TXT']"
        deletion = f"{{Changes: {here}.{{Action: 'DELETE', ResourceRecordSet: @}}}}"
        # a deletion repeats what is there, so the list is its input
        return (
            f"{zone % 'change-resource-record-sets'} --change-batch "
            f'"$({zone % "list-resource-record-sets"} --output json --query "{deletion}" | tee /dev/stderr)"'
        )

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


def _not_found(apex: str, words: str) -> LookUpFailed:
    return LookUpFailed(
        f"mailtls:zones, suffix {apex}: Route 53 has no single public zone of that name in this account: {words}; "
        "correct the suffix, or use the credentials of the account that holds the zone, or write its zone_id beside "
        "the suffix"
    )
