"""What `mailtls check --smtp --format json` says, with another port than 25: RESOLVER PROXY PORT DOMAIN...

Only root may listen on port 25, and the command has no option for it, since no sender has one.
"""

import asyncio
import dataclasses
import json
import sys
from collections.abc import Sequence
from typing import Any

from mailtls.cli.network import network
from mailtls.lint.live import live_findings
from mailtls.observe.domain import Looks, look_at_all
from mailtls.render.check import Checked, data
from mailtls.verdict import judge


async def look(resolver: str, proxy: str, port: int, domains: Sequence[str]) -> list[dict[str, Any]]:
    ways = dataclasses.replace(network(resolver, proxy, True, 10, 4), smtp_port=port)
    looks = look_at_all(domains, Looks.USUAL | Looks.SMTP, ways)
    return [data(Checked(seen, judge(seen), live_findings(seen, None))) async for seen in looks]


resolver, proxy, port, *domains = sys.argv[1:]
print(json.dumps(asyncio.run(look(resolver, proxy, int(port), domains))))
