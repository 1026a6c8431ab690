"""The slowest chain of one domain's questions: addresses, connection, TLS, page. Warm, the median of several.

python bench/internet/chain.py DNSPORT      prints seconds
"""

import asyncio
import statistics
import sys
import time

from mailtls.observe.domain import Looks, Network, look_at
from mailtls.observe.recursive import Recursive


async def chain(port: int) -> float:
    network = Network(Recursive(("127.0.0.1",), port), allow_private=True)
    times = []
    for number in range(8):
        began = time.perf_counter()
        observed = await look_at(f"d{number:04}.example", Looks.POLICY, network)
        times.append(time.perf_counter() - began)
        assert observed.https[0].status == 200  # noqa: S101
    return statistics.median(times[1:])  # the first loads the authorities


if __name__ == "__main__":
    print(asyncio.run(chain(int(sys.argv[1]))))
