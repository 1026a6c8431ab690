"""actionlint, which judges workflows of GitHub Actions: built from its Go module, pinned with checksums."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.engine.cache import cache_dir, locked
from sandbox.engine.toolchain import able

MODULE = Path(__file__).with_name("actionlint")
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The program; built once per machine, in about ten seconds, and kept in the cache."""
    if (go := shutil.which("go")) is None:
        pytest.skip("Go is missing, and actionlint is built with it: https://go.dev/doc/install")
    pins = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()
    program = cache_dir() / "actionlint" / pins[:12] / "actionlint"
    with locked("actionlint"):
        if not program.exists():
            _build(able(go, MODULE), program)
    return program


def _build(go: str, program: Path) -> None:
    """`program` is there afterwards, whole or not at all."""
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_suffix(".unfinished")
    pins = {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "GO111MODULE": "on", "CGO_ENABLED": "0"}
    environment = {"HOME": str(Path.home()), **os.environ, **pins}
    environment.pop("GOROOT", None)  # may be that of an older Go; each finds its own
    built = subprocess.run(
        [go, "build", "-trimpath", "-o", str(unfinished), PACKAGE],
        cwd=MODULE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, f"actionlint could not be built:\n{built.stderr}"
    unfinished.replace(program)
