"""Serve the patched emulator on loopback, in this process."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any

from sandbox import account
from sandbox.cloud.emulator import state
from sandbox.cloud.emulator.contract import ContractBroken, apply_all, prove_all

ENVIRONMENT = {
    "MINISTACK_HOST": "127.0.0.1",
    "MINISTACK_ACCOUNT_ID": account.ACCOUNT_ID,
    "MINISTACK_REGION": account.REGION,
    "AUTH": "true",  # policies of roles, buckets and queues are enforced
    "LAMBDA_EXECUTOR": "local",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
}
"""What ministack reads when it is imported. Nothing is kept on disk."""


def serve(ready: Callable[[str, dict[str, float]], None], *, unpatched: bool = False) -> None:
    """Serve on a free port until SIGTERM or SIGINT.

    ready: called with the URL and the seconds of each proof once the contract holds and the state is empty.
    unpatched: apply no patch, so that each proof must fail.
    Raises ContractBroken.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    number = listening.getsockname()[1]
    # The emulator reads its environment when it is imported, and puts the port into URLs that it gives out.
    os.environ.update(ENVIRONMENT, GATEWAY_PORT=str(number))
    from ministack import app
    from ministack.core import lambda_runtime

    from sandbox.cloud.emulator.patches import PATCHES
    from sandbox.cloud.emulator.private_paths import with_private_paths

    if not unpatched:
        apply_all(PATCHES)
    endpoint = f"http://127.0.0.1:{number}"
    application = with_private_paths(app.app)
    broken = asyncio.run(_serve(application, listening, lambda: ready(endpoint, _prove(PATCHES, endpoint))))
    lambda_runtime.reset()  # ends the functions' workers
    if broken is not None:
        raise broken


def listed() -> list[dict[str, str]]:
    """What docs/sandbox-fidelity.md tells of each patch: `name`, `wrong_green`."""
    os.environ.update(ENVIRONMENT)
    from sandbox.cloud.emulator.patches import PATCHES

    return [{"name": patch.name, "wrong_green": patch.wrong_green} for patch in PATCHES]


def _prove(patches: Any, endpoint: str) -> dict[str, float]:
    seconds = prove_all(patches, endpoint)
    state.reset()
    return seconds


async def _serve(application: Any, listening: socket.socket, prove: Callable[[], None]) -> ContractBroken | None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listening.fileno()}"]
    config.loglevel = "WARNING"
    config.graceful_timeout = 1
    config.keep_alive_timeout = 75
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    broken: list[ContractBroken] = []

    def proofs() -> None:
        # a thread, because the proofs are clients of the server whose loop this is
        try:
            prove()
        except ContractBroken as e:
            broken.append(e)
            loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=proofs, name="proofs", daemon=True).start()
    await hypercorn_serve(application, config, shutdown_trigger=stopped.wait)
    return broken[0] if broken else None
