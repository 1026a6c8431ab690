"""Start the AWS emulator's process, in the emulator's own environment."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine.environments import environment
from sandbox.place import REPOSITORY

REQUIREMENTS = Path(__file__).parent / "emulator" / "requirements.txt"
START_SECONDS = 120
STOP_SECONDS = 5


class EmulatorNotStarted(RuntimeError):
    """The emulator did not come up, or a patch of it does not hold; the text has the end of its log."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator. endpoint: `http://127.0.0.1:PORT`."""

    endpoint: str
    process: subprocess.Popen[bytes]
    _scratch: tempfile.TemporaryDirectory[str]

    def stop(self) -> None:
        """End it and every Lambda worker of it."""
        _end(self.process)
        self._scratch.cleanup()


def start_emulator(dns: str, proxy: str | None, ca: Path | None, log: Path) -> Emulator:
    """An emulator whose patches have all proven themselves. It ends with this process.

    dns: name server for validation records, `ADDRESS:PORT`. proxy, ca: how Lambda functions and webhooks reach the
    outside. log: where it writes. Raises EmulatorNotStarted, sandbox.engine.environments.EnvironmentFailed.
    """
    command = [str(environment("emulator", REQUIREMENTS)), "-P", "-m", "sandbox.cloud.emulator", "--dns", dns]
    command += ["--proxy", proxy] if proxy else []
    command += ["--ca", str(ca)] if ca else []
    command += ["--proofs"]
    scratch = tempfile.TemporaryDirectory(prefix="emulator-", dir=log.parent, ignore_cleanup_errors=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**_clean_environment(), "PYTHONPATH": str(REPOSITORY), "TMPDIR": scratch.name},
            cwd=scratch.name,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, so that its workers can be ended with it
        )
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("READY "):
                return Emulator(line.removeprefix("READY "), process, scratch)
        time.sleep(0.02)
    _end(process)
    scratch.cleanup()
    told = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise EmulatorNotStarted(f"the AWS emulator did not start ({log.name}):\n{told}")


def _clean_environment() -> dict[str, str]:
    """Ours, without what would send the emulator's own calls elsewhere or change its Python."""
    unwanted = ("AWS_", "MINISTACK_", "PYTHON", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(unwanted)}


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with contextlib.suppress(ProcessLookupError):  # no worker was left
        os.killpg(process.pid, signal.SIGKILL)
