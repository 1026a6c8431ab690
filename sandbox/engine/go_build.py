"""A program built from Go modules whose versions and checksums are pinned in a folder of ours, kept in the cache."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox.engine import toolchain

_REPORT_SECONDS = 20
_UNFINISHED = ".building-"


class NotBuilt(RuntimeError):
    """The build could not start or failed; the message says what to install or what the compiler said."""


def build(program: Path, module: Path, package: str, flags: Sequence[str], told: str) -> Path:
    """Compiles `package` of the pins in `module` so that `program` exists afterwards, whole or not at all.

    flags: of `go build`. told: the line that says on stderr what is built and how long it takes; a line of progress
    follows now and then. Go is on PATH; the caller holds the lock on the place. Raises NotBuilt.
    """
    try:
        able = toolchain.able(shutil.which("go") or "go", module)
    except toolchain.NoToolchain as e:
        raise NotBuilt(str(e)) from e
    program.parent.parent.mkdir(parents=True, exist_ok=True)
    for left in program.parent.parent.glob(f"{_UNFINISHED}*"):  # of a build that was killed: nobody builds but we
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=program.parent.parent) as temporary:
        output = Path(temporary) / program.name
        print(told, file=sys.stderr, flush=True)
        _compile([able, "build", "-v", *flags, "-o", str(output), package], module)
        program.parent.mkdir(exist_ok=True)
        output.replace(program)
    return program


def settings() -> dict[str, str]:
    """The environment of `go`. Flags of the user's own could ask for a go.mod that is rewritten or for a vendor folder;
    the pins decide here. Where modules and builds are cached stays Go's matter; it wants a HOME for that, which a
    service may not have."""
    pins = {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "GO111MODULE": "on"}
    environment = {"HOME": str(Path.home()), **os.environ, **pins}
    environment.pop("GOROOT", None)  # may be that of an older Go; each finds its own
    return environment


def _compile(command: list[str], module: Path) -> None:
    started = reported = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(command, cwd=module, env=settings(), text=True, stderr=subprocess.PIPE) as process:
        for line in process.stderr or ():
            lines.append(line)
            now = time.monotonic()
            if now - reported >= _REPORT_SECONDS:
                reported = now
                elapsed = time.strftime("%M:%S", time.gmtime(now - started))
                print(f"  {elapsed} {len(lines)} packages fetched or compiled", file=sys.stderr, flush=True)
    if process.returncode:
        version_of_go = subprocess.run([command[0], "version"], capture_output=True, text=True, check=False).stdout
        raise NotBuilt(f"go build failed ({version_of_go.strip()}):\n{''.join(lines[-20:])}")
