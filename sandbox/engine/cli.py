"""Which `pulumi` runs the program: the one on PATH, a cached one, Pulumi's own download, or one built from its source.

All four are the real engine in the version of the installed Python SDK. The last way needs Go and a module proxy but
no access to Pulumi's servers, so it also works behind a company's proxy and on a build machine.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.engine import go_build, installer, source_build
from sandbox.engine.cache import cache_dir, locked


class NoEngine(RuntimeError):
    """There is no Pulumi CLI and none could be made; the message says what to install."""


def engine_version() -> str:
    """The version that is wanted: that of the installed Pulumi SDK, as `3.259.0`."""
    return importlib.metadata.version("pulumi")


def pulumi_command() -> Path:
    """The path of a Pulumi CLI that fits the SDK (same major and minor version), made when there is none.

    Only the last resort takes long: a build is 4 to 6 minutes on two cores, once per machine, and reports its progress
    on stderr. Nothing is written but the cache (`sandbox.engine.cache.cache_dir`).

    Raises NoEngine.
    """
    if (found := shutil.which("pulumi")) and fits(version_of(Path(found))):
        return Path(found)
    wanted = engine_version()
    installed, built = installer.place(cache_dir(), wanted), source_build.place(cache_dir(), wanted)
    if cached := _first(installed, built):
        return cached
    with locked("engine"):  # another process may make it while we wait
        return _first(installed, built) or _make(installed, built, wanted)


def _first(*places: Path) -> Path | None:
    return next((pulumi for pulumi in places if pulumi.exists()), None)


def fits(version: str) -> bool:
    """Does a CLI that says `version` (`v3.259.1`) speak with our SDK, and know the same plugins?"""
    return version.lstrip("v").split(".")[:2] == engine_version().split(".")[:2]


def version_of(pulumi: Path) -> str:
    """What the CLI says its version is, as `v3.259.0`; "" when it does not run."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        said = subprocess.run([pulumi, "version"], capture_output=True, text=True, check=False, env=environment)
    except OSError:
        return ""
    return said.stdout.strip()


def has_language_host(pulumi: Path) -> bool:
    """Does this CLI bring its own Python language host? Installed ones do, one built from source does not."""
    return (pulumi.resolve().parent / "pulumi-language-python").exists()


def _make(installed: Path, built: Path, version: str) -> Path:
    try:
        return installer.install(installed, version)
    except installer.NotInstalled as e:
        print(f"Pulumi's installer is no help here ({e}); building from source", file=sys.stderr, flush=True)
    try:
        pulumi = source_build.build(built, version)
    except go_build.NotBuilt as e:
        raise NoEngine(str(e)) from e
    if not fits(said := version_of(pulumi)):
        raise NoEngine(f"{pulumi} was built but says its version is {said!r}, not {version}")
    return pulumi
