"""How a gate waits and speaks: own threads, looks with a limit, lines at a resource in the engine's display."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pulumi
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine

LOOKS_AT_ONCE = 8
"""Domains that the standing look asks about at a time."""
POOL = ThreadPoolExecutor(max_workers=64 + LOOKS_AT_ONCE, thread_name_prefix="publish-gate")
"""Threads of our own; the package's docstring tells the trap. A waiting gate holds none of them: it sleeps on the event
loop. As many as the gates that CI lets run at once (`--parallel 64`), so that none waits for another's slow host."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
"""Seconds between two looks: doubled from the first to the longest."""
ONE_LOOK = 5.0
"""Seconds for a look that must hold nothing up: a way back is not kept waiting by a DNS that is down."""

T = TypeVar("T")
Hook = Callable[[pulumi.ResourceHookArgs], Awaitable[None]]


class GateError(Exception):
    """Something must not be published now. The text names the domain, the cause, and what to do next."""


async def poll(look: Callable[[], str | None], limit: float, urn: str, subject: str) -> str | None:
    """Look until there is no cause left, or time is up: None, or the last cause. A new cause is told at once."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit
    pause, told = FIRST_PAUSE, None
    while True:
        cause = await loop.run_in_executor(POOL, look)
        left = deadline - loop.time()
        if cause is None or left <= 0:
            return cause
        if cause != told:
            await _log(engine_pb2.INFO, urn, f"{subject}: not yet: {cause}", passing=True)
            told = cause
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)


async def once(look: Callable[[], T], limit: float = ONE_LOOK) -> T:
    """One look. Raises TimeoutError after `limit` seconds (its thread ends by its own limits), and what it raises."""
    return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(POOL, look), limit)


async def warn(urn: str, text: str) -> None:
    """A warning at the resource; "" is the stack."""
    await _log(engine_pb2.WARNING, urn, text)


async def inform(urn: str, text: str) -> None:
    """A line at the resource that stays; "" is the stack."""
    await _log(engine_pb2.INFO, urn, text)


async def _log(severity: engine_pb2.LogSeverity.ValueType, urn: str, text: str, passing: bool = False) -> None:
    engine = get_engine()
    if engine is not None:
        request = engine_pb2.LogRequest(severity=severity, message=text, urn=urn, ephemeral=passing)
        await asyncio.get_running_loop().run_in_executor(POOL, partial(engine.Log, request))
