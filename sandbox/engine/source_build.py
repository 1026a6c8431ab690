"""The Pulumi CLI built from its Go module, with versions and checksums pinned in `gomod/`."""

import hashlib
import shutil
from pathlib import Path

from sandbox.engine import go_build

MODULE = Path(__file__).with_name("gomod")
_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


def place(cache: Path, version: str) -> Path:
    """Where the CLI is once it is built: another `go.sum` is another place."""
    pins = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()
    return cache / "engine" / f"pulumi-{version}-built-{pins[:12]}" / "pulumi"


def build(pulumi: Path, version: str) -> Path:
    """Compiles the CLI so that `pulumi` exists afterwards, whole or not at all.

    4 to 6 minutes on two cores when nothing is compiled yet. The caller holds the lock on the engine.
    Raises go_build.NotBuilt.
    """
    if shutil.which("go") is None:
        raise go_build.NotBuilt(
            f"There is no Pulumi CLI {version} here and no way to make one. Install either of:\n"
            f"  the Pulumi CLI  as README.md tells, with its checksum, in version {version}\n"
            "  Go, any since 1.16  https://go.dev/doc/install  (then the CLI is built from its source, once)"
        )
    # Without the version in it the Automation API refuses the CLI, and so do we.
    flags = ["-trimpath", "-ldflags", f"-s -w -X {_VERSION_VARIABLE}={version}"]
    told = f"building Pulumi {version} from its source, once: 4 to 6 minutes"
    return go_build.build(pulumi, MODULE, _PACKAGE, flags, told)
