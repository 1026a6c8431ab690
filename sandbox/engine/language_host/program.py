"""One run of a Pulumi program: the process that the language host starts.

It is a script and not a module of ours: its interpreter may be that of another environment (`virtualenv` in
Pulumi.yaml), which has Pulumi's SDK but not this project.
"""

import argparse
import asyncio
import gc
import logging
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
import pulumi.runtime

_BAIL = 32
_POLL_SECONDS = 0.5


def main() -> int:
    """The exit code: 0 done, 32 the program failed and the engine has been told why."""
    options = _options()
    # The SDKs' modules make millions of objects that live as long as we do; looking through them took a sixth of a run.
    gc.set_threshold(100_000, 50, 100)
    threading.Thread(target=_end_with_parent, args=(options.parent,), daemon=True).start()
    # It comes to our whole process group when the engine ends the language host, which then ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=options.project,
            stack=options.stack,
            organization=options.organization,
            root_directory=options.root_directory,
            parallel=options.parallel,
            engine=options.engine,
            monitor=options.monitor,
            dry_run=options.dry_run == "true",
        )
    )
    os.chdir(options.directory)
    sys.argv = [options.program]
    # A script's own folder leads the import path; the program's must.
    sys.path[0] = "."
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(options.parallel, 1) * 4))
    # A run that fails leaves futures behind that nobody awaits. That is how the SDK works, and no news to its user.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(options.program)))
    except pulumi.RunError as e:
        pulumi.log.error(str(e))
        return _BAIL
    except Exception as e:  # noqa: BLE001 the top of the program: whatever it was, the engine shows it
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_traceback(e, options.root_directory)}")
        return _BAIL
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("monitor", "engine", "project", "stack", "organization", "root-directory", "directory", "dry-run"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--parallel", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("program")
    return parser.parse_args()


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _traceback(error: Exception, project: str) -> str:
    """From the first call in the project's own files on; the SDK's way there helps nobody. Whole if there is none."""
    steps = error.__traceback__
    while steps is not None and not _is_own(steps.tb_frame.f_code.co_filename, Path(project)):
        steps = steps.tb_next
    return "".join(traceback.format_exception(error if steps is None else error.with_traceback(steps)))


def _is_own(file: str, project: Path) -> bool:
    path = Path(os.path.abspath(file))
    return path.is_relative_to(project) and not path.is_relative_to(sys.prefix) and path != Path(__file__)


def _end_with_parent(parent: int) -> None:
    """Here a second time (see sandbox.engine.parentage) because this script may not import the project."""
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of the SDK may still wait for an engine that is done with us
