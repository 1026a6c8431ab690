"""A small Pulumi program in a folder of its own, run by the real CLI with our language host and plugins."""

import os
import signal
import subprocess
import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.cli import pulumi_command

STACK = "dev"
QUIET = ("--non-interactive", "--color", "never")


@dataclass(frozen=True, slots=True)
class Program:
    """A project laid out as ours is: `Pulumi.yaml` with main and stackConfigDir `stacks`.

    env: goes over this process's own environment.
    """

    folder: Path
    env: Mapping[str, str]

    @property
    def source(self) -> Path:
        return self.folder / "stacks" / "__main__.py"

    def write(self, source: str) -> "Program":
        """Writes or replaces the program. Returns itself."""
        self.source.write_text(textwrap.dedent(source))
        return self

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One run of `pulumi`, to its end; what it says on standard error follows its standard output."""
        return subprocess.run(
            self._command(arguments),
            cwd=self.folder,
            env={**os.environ, **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )

    def up(self, *arguments: str) -> str:
        """Deploys without a preview; gives what the CLI says. An AssertionError when it fails."""
        return self._well("up", "--yes", "--skip-preview", *arguments)

    def fails(self, *arguments: str) -> str:
        """As `up`, of which it is known that it fails."""
        done = self.run("up", "--yes", "--skip-preview", *arguments)
        assert done.returncode != 0, done.stdout
        return done.stdout

    def no_changes(self) -> None:
        """A preview sees nothing to do, and neither does a refresh."""
        self._well("preview", "--expect-no-changes")
        self._well("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    def destroy(self) -> str:
        return self._well("destroy", "--yes", "--skip-preview")

    def _well(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def start(self, *arguments: str) -> "Running":
        """`pulumi` in a session of its own, left running."""
        output = self.folder / "output.txt"
        with output.open("w") as handle:
            process = subprocess.Popen(
                self._command(arguments),
                cwd=self.folder,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(process, output)

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [str(pulumi_command()), *QUIET, *arguments]


@dataclass(frozen=True, slots=True)
class Running:
    """A `pulumi` that has not ended yet."""

    process: subprocess.Popen[bytes]
    _output: Path

    @property
    def said(self) -> str:
        """Everything so far."""
        return self._output.read_text()

    def wait_for(self, text: str, seconds: float = 60) -> str:
        """What it has said, once `text` is in it. An AssertionError when it ends, or says nothing of the kind."""
        deadline = time.monotonic() + seconds
        while text not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)
        return self.said

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def family(self) -> set[int]:
        """The CLI and all that it has started, with their children: the processes of its session."""
        return set(_session(self.process.pid))

    def end(self) -> None:
        """For a fixture: nothing of it outlives the test."""
        for pid in self.family():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


def _session(leader: int) -> list[int]:
    return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if _is_in(pid, leader)]


def _is_in(pid: int, leader: int) -> bool:
    try:
        return os.getsid(pid) == leader and _is_alive(pid)
    except ProcessLookupError:
        return False


def _is_alive(pid: int) -> bool:
    """A process that has ended stays in the table until its parent asks for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def wait_until_gone(pids: set[int], seconds: float = 20) -> list[str]:
    """Command lines of those that are still there after `seconds`; returns as soon as none is."""
    deadline = time.monotonic() + seconds
    while (alive := [pid for pid in pids if _is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [command_line(pid) for pid in alive]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except FileNotFoundError:
        return f"process {pid}"
