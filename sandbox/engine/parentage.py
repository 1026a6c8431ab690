"""A child process that ends with its parent, also when the parent is killed with SIGKILL.

The engine's plugins are children that nobody stops when the engine is killed. On Linux a process descriptor of the
parent becomes readable when it ends. (`PR_SET_PDEATHSIG` is no help: it fires when the parent's *thread* that started
us ends, and the engine, a Go program, starts plugins from threads that come and go.)
"""

import os
import select
import threading
import time

_POLL_SECONDS = 0.5
_OPTION = "--engine-process="

PLUGIN_OPTION = f"{_OPTION}$PPID"
"""For a plugin's shell script, which knows its parent at once: by the time that an interpreter has started and asks,
the engine may be gone and its children init's."""


def end_with_parent(parent: int | None = None) -> None:
    """From now on this process ends, without cleaning up, as soon as process `parent` has ended.

    parent: defaults to the process that started us. A parent that knows better passes its own id on, because it may be
    gone before we look.
    """
    watched = parent if parent is not None else os.getppid()
    threading.Thread(target=_watch, args=(watched,), name="end-with-parent", daemon=True).start()


def end_with_engine(arguments: list[str]) -> None:
    """`end_with_parent` for a plugin. arguments: its command line, with what `PLUGIN_OPTION` became."""
    given = (argument.removeprefix(_OPTION) for argument in arguments if argument.startswith(_OPTION))
    end_with_parent(next((int(process) for process in given), None))


def _watch(parent: int) -> None:
    _wait_for_end(parent)
    # os._exit: worker threads may hang in calls that will never return now, and must not keep us.
    os._exit(1)


def _wait_for_end(parent: int) -> None:
    try:
        descriptor = os.pidfd_open(parent)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):  # no Linux, or a container that forbids it
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        return
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    while os.getppid() == parent and not poller.poll(60_000):
        pass
