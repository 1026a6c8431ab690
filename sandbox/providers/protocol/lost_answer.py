"""An answer that the engine never gets: the cloud has done what was asked, and then the connection drops, or a kill.

SANDBOX_LOST_ANSWER="<operation> <name of the resource> <how>; …" in the environment of `pulumi`: operation is `create`
or `update`, and how `drop` (the plugin answers with an error) or `kill` (the engine gets SIGKILL). Once per resource.
"""

import os
import signal
import time

VARIABLE = "SANDBOX_LOST_ANSWER"
DROPPED = f"the connection was closed before the answer came ({VARIABLE})"

_done: set[str] = set()


def answer_is_lost(operation: str, name: str) -> bool:
    """Whether the plugin is to answer with DROPPED in place of what the cloud said. Does not return from a kill."""
    asked = f"{operation} {name}"
    how = dict(one.strip().rpartition(" ")[::2] for one in os.environ.get(VARIABLE, "").split(";")).get(asked)
    if how is None or asked in _done:
        return False
    _done.add(asked)
    if how == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)  # the engine is gone, and this plugin ends with it
    return True
