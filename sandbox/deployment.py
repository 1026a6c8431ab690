"""The repository's own program, run by the real CLI against a local cloud."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.cli import pulumi_command
from sandbox.place import REPOSITORY

STACK = "sandbox"
PARALLEL = 64
"""Gates hold a slot of the engine each while they wait."""

UP = ("--skip-preview", "--refresh", "--continue-on-error", "--parallel", str(PARALLEL))
"""How every `pulumi up` of a CI job should run. It looks first at what is there: an earlier run may have changed what
it never got to note down. One stuck domain stops no other."""

RUN_SECONDS = 600
"""Runs take seconds; the gates' own limits are far below this."""


class PulumiFailed(RuntimeError):
    """`pulumi` ended with another code than 0, or hung. `output` is all that it said."""

    def __init__(self, command: str, output: str) -> None:
        super().__init__(f"pulumi {command} failed:\n{output}")
        self.output = output


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the CLI: what it printed, and how long it took in seconds."""

    output: str
    seconds: float

    @property
    def changes(self) -> str:
        """The engine's own count: `+ 185 created, 3 unchanged`; "" when it printed none."""
        _, _, tail = self.output.rpartition("Resources:")
        lines = [line.strip() for line in tail.splitlines()]
        return ", ".join(line for line in lines if re.match(r"[+~±-]|\d+ (?:change|unchanged)", line))


@dataclass(frozen=True, slots=True)
class Deployment:
    """`pulumi` in the folder `program` (which holds Pulumi.yaml), with `env` over this process's own environment.

    log: everything that the CLI prints is added there.
    config: another file of settings than the stack's own.
    """

    env: Mapping[str, str]
    log: Path
    program: Path = REPOSITORY
    stack: str = STACK
    config: Path | None = None

    def select(self) -> None:
        """Make the stack when it is not there yet, and choose it."""
        self._run("stack", "select", self.stack, "--create", program=False)

    def preview(self) -> Run:
        return self._run("preview", "--parallel", str(PARALLEL))

    def up(self, *options: str) -> Run:
        """Without a preview of its own: what that refuses (a protected domain's deletion) would stop all others."""
        return self._run("up", "--yes", *UP, *options)

    def destroy(self) -> Run:
        return self._run("destroy", "--yes", "--parallel", str(PARALLEL))

    def unlock(self) -> None:
        """After a killed run: take its lock away."""
        self._run("cancel", "--yes", program=False)

    def recover(self) -> None:
        """After a killed run: take its lock away, and forget what it was about to create but did not note down."""
        self.unlock()
        self._run("refresh", "--yes", "--clear-pending-creates")

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        outputs: dict[str, Any] = json.loads(self._run("stack", "output", "--json", program=False).output)
        return outputs

    def _run(self, *arguments: str, program: bool = True) -> Run:
        """program: the command runs it, and so needs its settings."""
        began = time.monotonic()
        command = [str(pulumi_command()), "--non-interactive", "--color", "never", *arguments]
        if arguments[:2] != ("stack", "select"):
            command += ["--stack", self.stack]
        if program and self.config is not None:
            command += ["--config-file", str(self.config)]
        lines: list[str] = []
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # its errors go to a file of their own: `stack output --json` must stay JSON
        with self.log.open("a") as log, tempfile.TemporaryFile("w+") as errors:
            log.write(f"$ pulumi {' '.join(arguments)}\n")
            log.flush()
            with subprocess.Popen(
                command,
                cwd=self.program,
                env={**os.environ, **path_with_interpreter(), **self.env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                errors="replace",
                start_new_session=True,  # Ctrl-C at the terminal is for us to pass on, once; and a group can be killed
            ) as process:
                # the plugins are in groups of their own; they end by themselves when the engine is gone
                clock = threading.Timer(RUN_SECONDS, _kill, (process.pid,))
                clock.start()
                try:
                    for line in process.stdout or ():
                        lines.append(line)
                        log.write(line)
                    process.wait()
                except BaseException:
                    process.terminate()  # the engine ends in order
                    process.communicate()
                    raise
                finally:
                    clock.cancel()
            errors.seek(0)
            said = errors.read()
            log.write(said)
        if process.returncode == -signal.SIGKILL and time.monotonic() - began >= RUN_SECONDS:
            said += f"\n(killed: a run that takes {RUN_SECONDS} s has hung)"
        if process.returncode:
            raise PulumiFailed(" ".join(arguments), "".join(lines) + said)
        return Run("".join(lines), time.monotonic() - began)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended this moment
        os.killpg(group, signal.SIGKILL)


def path_with_interpreter() -> dict[str, str]:
    """PATH on which `python3` is this interpreter and `pulumi` the engine that fits: an installed CLI's own language
    host looks the first one up."""
    folders = [str(Path(sys.executable).parent), str(pulumi_command().parent)]
    return {"PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])}
