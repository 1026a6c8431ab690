"""Whose an address is, as far as DNS proves it: its name by reverse DNS, believed when that name has the address.

Whoever owns an address may name it as they like, `mail.google.com` for one. Only who owns the name can point it back at
the address, so a name that does not lead back says nothing.
"""

import asyncio
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from mailtls import names
from mailtls.observe.recursive import Recursive

MAX_NAMES = 3
"""Of one address: its owner may publish thousands."""
MAX_ASKED = 2000
"""Addresses in one run: those who write reports choose them."""


class SendingHosts:
    """Asks for each address once. resolver: bounds the time of a question, and how many are on their way."""

    def __init__(self, resolver: Recursive) -> None:
        self._resolver = resolver
        self._known: dict[str, str] = {}

    async def names_of(self, addresses: Iterable[str]) -> dict[str, str]:
        """Address to proven host name, for those that have one. What is no address, or one too many, has none."""
        wanted = list(dict.fromkeys(addresses))
        new = [one for one in wanted if one not in self._known][: max(0, MAX_ASKED - len(self._known))]
        for address, name in zip(new, await asyncio.gather(*map(self._name_of, new)), strict=True):
            self._known[address] = name
        return {one: self._known[one] for one in wanted if self._known.get(one)}

    async def _name_of(self, text: str) -> str:
        try:
            address = ip_address(text)
        except ValueError:
            return ""
        told = await self._resolver.ask(address.reverse_pointer, "PTR")
        for value in told.values[:MAX_NAMES]:
            try:
                name = names.host_name(value)
            except names.InvalidName:
                continue
            if await self._leads_back(name, address):
                return name
        return ""

    async def _leads_back(self, name: str, address: IPv4Address | IPv6Address) -> bool:
        told = await self._resolver.ask(name, "A" if address.version == 4 else "AAAA")
        return any(_same(value, address) for value in told.values)


def _same(value: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return ip_address(value) == address
    except ValueError:
        return False
