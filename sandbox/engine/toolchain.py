"""A Go that can build the CLI. One older than 1.21 does not fetch a newer Go by itself, so that is done here for it.

Debian 12's own package is Go 1.19. What it fetches is what a newer one would: the toolchain's module, through the
module proxy, checked against the checksum database.
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

_HELPS_ITSELF = (1, 21)
_SAYS = re.compile(r"go version go(\d+)\.(\d+)\S* (\w+)/(\w+)")
_WANTS = re.compile(r"^go (\d+\.\d+\.\d+)$", re.MULTILINE)
_FETCH_SECONDS = 600
_PROGRAMS = ("bin/*", "pkg/tool/*/*")


class NoToolchain(RuntimeError):
    """The Go found is too old and could not fetch a newer one; the message has its words."""


def able(go: str, module: Path) -> str:
    """The `go` that can build `module`: `go` itself, or the toolchain of the module's `go.mod`, fetched once.

    It lies in Go's own module cache, which is Go's to clean. Raises NoToolchain.
    """
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    if (found := _SAYS.match(said)) is None or (int(found[1]), int(found[2])) >= _HELPS_ITSELF:
        return go
    [wanted] = _WANTS.findall((module / "go.mod").read_text())
    toolchain = Path(_fetched(go, f"golang.org/toolchain@v0.0.1-go{wanted}.{found[3]}-{found[4]}", said.strip()))
    for program in (program for pattern in _PROGRAMS for program in toolchain.glob(pattern)):
        program.chmod(0o755)  # a module's files are never executable
    return str(toolchain / "bin" / "go")


def _fetched(go: str, module: str, said: str) -> str:
    """The folder of the unpacked module."""
    with tempfile.TemporaryDirectory(prefix="mailtls-go-") as nowhere:  # an old Go cannot read our go.mod
        environment = {"HOME": str(Path.home()), **os.environ, "GOFLAGS": "", "GOWORK": "off", "GO111MODULE": "on"}
        command = [go, "mod", "download", "-json", module]
        try:
            done = subprocess.run(
                command, cwd=nowhere, env=environment, capture_output=True, text=True, timeout=_FETCH_SECONDS
            )
        except subprocess.TimeoutExpired as e:
            raise NoToolchain(f"{said} needed more than {_FETCH_SECONDS} s for {module}") from e
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {}
    if done.returncode or "Dir" not in answer:
        raise NoToolchain(f"{said} is too old and cannot fetch {module}: {answer.get('Error') or done.stderr.strip()}")
    return str(answer["Dir"])
