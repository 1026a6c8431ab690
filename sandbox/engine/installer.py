"""Pulumi's own installer, into the cache. Needs the internet, so it is tried with short patience."""

import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

_SCRIPT = "https://get.pulumi.com/install.sh"
_REACH_SECONDS = 10
_INSTALL_SECONDS = 600

# The Automation API's installer, in a process of its own: it has no time limit and is stopped from outside.
_INSTALL = """
import sys
from pulumi.automation import PulumiCommand
from semver import VersionInfo
PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))
"""


class NotInstalled(RuntimeError):
    """The installer could not be reached or failed; the message is one line."""


def place(cache: Path, version: str) -> Path:
    """Where the CLI is once it is installed."""
    return cache / "engine" / f"pulumi-{version}-installed" / "bin" / "pulumi"


def install(pulumi: Path, version: str) -> Path:
    """Downloads the CLI with its language hosts so that `pulumi` exists afterwards, whole or not at all.

    Raises NotInstalled, within seconds when there is no internet.
    """
    try:
        urllib.request.urlopen(_SCRIPT, timeout=_REACH_SECONDS).close()
    except (urllib.error.URLError, OSError) as e:
        raise NotInstalled(f"get.pulumi.com cannot be reached: {getattr(e, 'reason', e)}") from e
    print(f"installing Pulumi {version} with its own installer", file=sys.stderr, flush=True)
    root = pulumi.parents[1]
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".installing-", dir=root.parent) as temporary:
        fresh = Path(temporary) / "root"
        command = [sys.executable, "-c", _INSTALL, str(fresh), version]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired as e:
            raise NotInstalled(f"the installer took more than {_INSTALL_SECONDS} s") from e
        if done.returncode:
            raise NotInstalled((done.stderr.strip() or done.stdout.strip() or "it failed").splitlines()[-1])
        shutil.rmtree(root, ignore_errors=True)
        fresh.rename(root)
    return pulumi
