"""What the program needs of a DNS zone, whoever hosts it."""

from collections.abc import Mapping
from typing import Any, Protocol

import pulumi


class DnsZone(Protocol):
    """One zone at one provider.

    `name` is always the full name in lower-case A-labels; a trailing dot is dropped. Every method makes one resource of
    one record and returns it. A record that exists already is never overwritten or joined: the provider refuses it.
    """

    @property
    def apex(self) -> str:
        """The zone's own name in A-labels: where the walk to its authoritative servers begins."""
        ...

    def txt(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        value: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        """A TXT record. `value` is the text as a reader gets it: no quotes, of any length."""
        ...

    def cname(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        target: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        """A CNAME record, never proxied."""
        ...

    def mx(
        self,
        resource_name: str,
        name: pulumi.Input[str],
        preference: int,
        exchange: pulumi.Input[str],
        ttl: int,
        opts: pulumi.ResourceOptions,
    ) -> pulumi.CustomResource:
        """An MX record with one exchange."""
        ...

    def txt_values(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        """The inverse of `txt`: the texts in a record's inputs as the engine holds them and shows them to hooks."""
        ...

    @property
    def one_set_per_name(self) -> bool:
        """Whether all TXT values of a name are one thing at the provider, so that an update of ours replaces them all;
        False: each value is a record of its own."""
        ...

    def removal_of_txt(self, name: str, inputs: Mapping[str, Any]) -> str:
        """What a person runs to see and remove the TXT values at `name` that no state knows. inputs: of our record."""
        ...


def absolute(name: pulumi.Input[str]) -> pulumi.Output[str]:
    """Lower case, without the trailing dot: ACM writes it, Cloudflare drops it and would show a difference for ever."""
    return pulumi.Output.from_input(name).apply(lambda text: text.lower().rstrip("."))
