"""The Pulumi CLI built from its Go module, with versions and checksums pinned in `gomod/`."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sandbox.engine import toolchain

MODULE = Path(__file__).with_name("gomod")
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_REPORT_SECONDS = 20
_UNFINISHED = ".building-"


class NotBuilt(RuntimeError):
    """The build could not start or failed; the message says what to install or what the compiler said."""


def place(cache: Path, version: str) -> Path:
    """Where the CLI is once it is built: another `go.sum` is another place."""
    pins = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()
    return cache / "engine" / f"pulumi-{version}-built-{pins[:12]}" / "pulumi"


def build(pulumi: Path, version: str) -> Path:
    """Compiles the CLI so that `pulumi` exists afterwards, whole or not at all.

    4 to 6 minutes on two cores when nothing is compiled yet, with a line of progress now and then on stderr.
    The caller holds the lock on the engine. Raises NotBuilt.
    """
    go = shutil.which("go")
    if go is None:
        raise NotBuilt(
            f"There is no Pulumi CLI {version} here and no way to make one. Install either of:\n"
            f"  the Pulumi CLI  as README.md tells, with its checksum, in version {version}\n"
            "  Go, any since 1.16  https://go.dev/doc/install  (then the CLI is built from its source, once)"
        )
    try:
        able = toolchain.able(go, MODULE)
    except toolchain.NoToolchain as e:
        raise NotBuilt(str(e)) from e
    pulumi.parent.parent.mkdir(parents=True, exist_ok=True)
    for left in pulumi.parent.parent.glob(f"{_UNFINISHED}*"):  # of a build that was killed: nobody builds but we
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=pulumi.parent.parent) as temporary:
        output = Path(temporary) / "pulumi"
        # Without the version in it the Automation API refuses the CLI, and so do we.
        flags = f"-s -w -X {_VERSION_VARIABLE}={version}"
        _compile([able, "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(output), _PACKAGE], version)
        pulumi.parent.mkdir(exist_ok=True)
        output.replace(pulumi)
    return pulumi


def _compile(command: list[str], version: str) -> None:
    print(f"building Pulumi {version} from its source, once: 4 to 6 minutes", file=sys.stderr, flush=True)
    # Flags of the user's own could ask for a go.mod that is rewritten or for a vendor folder; the pins decide here.
    # Where modules and builds are cached stays Go's matter; it wants a HOME for that, which a service may not have.
    pins = {"GOFLAGS": "-mod=readonly", "GOWORK": "off", "GO111MODULE": "on"}
    environment = {"HOME": str(Path.home()), **os.environ, **pins}
    environment.pop("GOROOT", None)  # may be that of an older Go; each finds its own
    started = reported = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(command, cwd=MODULE, env=environment, text=True, stderr=subprocess.PIPE) as process:
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
