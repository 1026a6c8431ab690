"""Names that somebody listed, asked for in the DNS: do they receive mail, and what do they have?"""

import asyncio
import collections
from collections.abc import AsyncIterator, Callable, Iterable

from mailtls.discover.mail_names import MailName, Route, mx_of, route_of
from mailtls.mta_sts.policy import policy_host
from mailtls.observe.recursive import Recursive
from mailtls.observed import DnsAnswer, DnsStatus


async def look_up_all(
    names: Iterable[tuple[str, str]], recursive: Recursive, at_once: int, done: Callable[[], None] = lambda: None
) -> AsyncIterator[MailName]:
    """Each of `names` (A-labels, and where it was found), in their order.

    at_once: names asked about together. done: called after each one.
    """
    waiting: collections.deque[asyncio.Task[MailName]] = collections.deque()
    try:
        for name, source in names:
            waiting.append(asyncio.create_task(look_up(name, source, recursive)))
            if len(waiting) >= 4 * at_once:  # one slow name holds back what is told after it, not what is asked
                yield await waiting.popleft()
                done()
        while waiting:
            yield await waiting.popleft()
            done()
    finally:
        for task in waiting:
            task.cancel()


async def look_up(name: str, source: str, recursive: Recursive) -> MailName:
    """One name. What the DNS does not answer stands in the result as not known."""
    mx, sts, tls_rpt, host = await asyncio.gather(
        recursive.ask(name, "MX"),
        recursive.ask(f"_mta-sts.{name}", "TXT"),
        recursive.ask(f"_smtp._tls.{name}", "TXT"),
        recursive.ask(policy_host(name), "A"),
    )
    hosted = None if _failed(host) else bool(host.values or host.aliases)
    has = (_has(sts, "v=STSv1"), _has(tls_rpt, "v=TLSRPTv1"), hosted)
    if _failed(mx):
        return MailName(name, source, Route.UNKNOWN, (), *has, fault=mx.failure)
    if values := mx_of(mx.values):
        return MailName(name, source, route_of(values, name), values, *has)
    address = await _has_address(name, recursive)
    route = {True: Route.IMPLICIT, False: Route.NONE, None: Route.UNKNOWN}[address]
    return MailName(name, source, route, (), *has, fault="" if address is not None else "no answer for its addresses")


async def _has_address(name: str, recursive: Recursive) -> bool | None:
    answers = await asyncio.gather(recursive.ask(name, "A"), recursive.ask(name, "AAAA"))
    if any(answer.values for answer in answers):
        return True
    return None if any(map(_failed, answers)) else False


def _has(answer: DnsAnswer, begins: str) -> bool | None:
    return None if _failed(answer) else any(value.startswith(begins) for value in answer.values)


def _failed(answer: DnsAnswer) -> bool:
    return answer.status is DnsStatus.FAILED
