"""The floor: dnspython and httpx as one writes them in an afternoon, 50 domains at once, nothing checked.

python bench/internet/floor.py DNSPORT DOMAIN...      prints seconds
"""

import asyncio
import ssl
import sys
import time

import dns.asyncresolver
import httpx

AT_ONCE = 50


async def look(port: int, domains: list[str]) -> None:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(
        verify=ssl.create_default_context(), limits=httpx.Limits(max_connections=AT_ONCE)
    ) as web:

        async def one(domain: str) -> None:
            async with gate:
                await resolver.resolve(f"_mta-sts.{domain}", "TXT")
                await resolver.resolve(f"_smtp._tls.{domain}", "TXT")
                (address,) = await resolver.resolve(f"mta-sts.{domain}", "A")
                host = f"mta-sts.{domain}"
                response = await web.get(
                    f"https://{address.address}/.well-known/mta-sts.txt",
                    headers={"Host": host},
                    extensions={"sni_hostname": host},
                )
                assert b"enforce" in response.content  # noqa: S101  a floor that fetched nothing would be no floor

        await asyncio.gather(*map(one, domains))


if __name__ == "__main__":
    began = time.perf_counter()
    asyncio.run(look(int(sys.argv[1]), sys.argv[2:]))
    print(time.perf_counter() - began)
