"""A resource that cannot be made ends the run in plain words, and stops nothing that does not need it.

The SDK ends the program with a traceback as soon as a resource is registered that depends on one that failed. What was
not registered by then is not deployed at all, however healthy its domain is. Here the program goes on to its end, and
fails then: with an error, since the engine would delete whatever was not registered by a program that ended well.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import SETTINGS, get_monitor
from pulumi.runtime.stack import ResourceRegistrationFailed, wait_for_rpcs

from components.failed_create import UP

REGISTRATIONS = ("register resource", "register resource outputs")
"""What the SDK calls these two."""

Rpc = Callable[..., Awaitable[Any]]


def end_in_plain_words() -> None:
    """Call it once, before the first resource. Without an engine (in tests of the graph) it does nothing."""
    if isinstance(get_monitor(), MockMonitor):
        return
    not_made: list[str] = []
    # the SDK has no other place for this; tests/end_to_end/test_mistakes.py sees whether it still does what it should
    do_rpc = SETTINGS.rpc_manager.do_rpc

    def do_rpc_in_plain_words(name: str, rpc: Rpc) -> Any:
        return do_rpc(name, _tolerant(rpc, not_made) if name in REGISTRATIONS else rpc)

    SETTINGS.rpc_manager.do_rpc = do_rpc_in_plain_words
    pulumi.run(lambda: _end(not_made))


def _tolerant(rpc: Rpc, not_made: list[str]) -> Rpc:
    """`rpc`, but a failure of what its resource depends on is noted, and a refusal of the engine is plain text."""

    async def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await rpc(*args, **kwargs)
        except ResourceRegistrationFailed as e:
            not_made.append(str(e))
        except Exception as e:
            if type(e) is Exception:  # so the SDK raises what the engine answers
                raise pulumi.RunError(str(e)) from e
            raise

    return call


async def _end(not_made: list[str]) -> None:
    await wait_for_rpcs()
    if not_made:
        causes = sorted({text.split(" ")[1] for text in not_made})
        raise pulumi.RunError(
            f"{len(not_made)} resources were not deployed, because of {', '.join(causes)}: the error is told there. "
            f'All others are deployed, and nothing was deleted. Mend the cause, then run "{UP}" again'
        )
