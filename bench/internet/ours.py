"""mailtls on the same questions (or with --all on all of a check's), judged and all.

python bench/internet/ours.py DNSPORT [--all] DOMAIN...      prints seconds
"""

import asyncio
import sys
import time

from mailtls.lint.live import live_findings
from mailtls.observe.domain import Looks, Network, look_at_all
from mailtls.observe.recursive import Recursive
from mailtls.verdict import Protection, judge


async def look(port: int, looks: Looks, domains: list[str]) -> None:
    network = Network(Recursive(("127.0.0.1",), port), allow_private=True, at_once=50)
    async for observed in look_at_all(domains, looks, network):
        live_findings(observed)
        assert judge(observed).protection is Protection.ENFORCED, judge(observed)  # noqa: S101


if __name__ == "__main__":
    port, *domains = sys.argv[1:]
    looks = Looks.USUAL if domains[0] == "--all" else Looks.RECORDS | Looks.POLICY
    began = time.perf_counter()
    asyncio.run(look(int(port), looks, [domain for domain in domains if domain != "--all"]))
    print(time.perf_counter() - began)
