"""The repository's own program, run by the real CLI against a local cloud."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.cli import pulumi_command
from sandbox.place import REPOSITORY

STACK = "sandbox"
PARALLEL = 64
"""Gates hold a slot of the engine each while they wait."""

UP = ("--skip-preview", "--continue-on-error", "--parallel", str(PARALLEL))
"""How every `pulumi up` of a CI job should run: one stuck domain stops no other."""

RUN_SECONDS = 600
"""Runs take seconds; the gates' own limits are far below this."""


class PulumiFailed(RuntimeError):
    """`pulumi` ended with another code than 0. `output` is all that it said."""

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

    def preview(self, on_line: Callable[[str], None] | None = None) -> Run:
        return self._run("preview", "--parallel", str(PARALLEL), on_line=on_line)

    def up(self, *options: str, on_line: Callable[[str], None] | None = None) -> Run:
        """Without a preview of its own: what that refuses (a protected domain's deletion) would stop all others."""
        return self._run("up", "--yes", *UP, *options, on_line=on_line)

    def destroy(self, on_line: Callable[[str], None] | None = None) -> Run:
        return self._run("destroy", "--yes", "--parallel", str(PARALLEL), on_line=on_line)

    def recover(self) -> None:
        """After a killed run: take its lock away, and forget what it was about to create but did not note down."""
        self._run("cancel", "--yes", program=False)
        self._run("refresh", "--yes", "--clear-pending-creates")

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        outputs: dict[str, Any] = json.loads(self._run("stack", "output", "--json", program=False).output)
        return outputs

    def _run(self, *arguments: str, program: bool = True, on_line: Callable[[str], None] | None = None) -> Run:
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
            ) as process:
                clock = threading.Timer(RUN_SECONDS, process.kill)  # its plugins and the program end with it
                clock.start()
                try:
                    for line in process.stdout or ():
                        lines.append(line)
                        log.write(line)
                        if on_line is not None:
                            on_line(line.rstrip("\n"))
                except BaseException:
                    process.terminate()  # as Ctrl-C does: the engine ends in order
                    raise
                finally:
                    clock.cancel()
            errors.seek(0)
            said = errors.read()
            log.write(said)
        if process.returncode == -signal.SIGKILL:
            said += f"\n(killed: a run that takes {RUN_SECONDS} s has hung)"
        if process.returncode:
            raise PulumiFailed(" ".join(arguments), "".join(lines) + said)
        return Run("".join(lines), time.monotonic() - began)


def path_with_interpreter() -> dict[str, str]:
    """PATH on which `python3` is this interpreter and `pulumi` the engine that fits: an installed CLI's own language
    host looks the first one up."""
    folders = [str(Path(sys.executable).parent), str(pulumi_command().parent)]
    return {"PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)])}
