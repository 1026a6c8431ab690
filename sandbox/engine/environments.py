"""Virtual environments for programs whose pins clash with ours (the emulator, the outside judges)."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.engine.cache import cache_dir, locked

READY = ".ready"


class EnvironmentFailed(RuntimeError):
    """A virtual environment could not be made; the message holds the installer's own words."""


def environment(name: str, requirements: Path) -> Path:
    """The `bin/python` of an environment that holds exactly `requirements` (a pip requirements file).

    Made once per content of the file and version of Python, and kept in the cache: later calls cost a file look-up.
    Console scripts carry the environment's own path, so it is built where it stays and counts only once a mark is
    written at the very end; a half-built one (killed, disk full) is thrown away and made again.

    Raises EnvironmentFailed when pip fails.
    """
    wanted = requirements.read_bytes() + sys.version.encode()
    folder = cache_dir() / "environments" / f"{name}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if (folder / READY).exists():
        return python
    with locked(f"environment-{folder.name}"):
        if not (folder / READY).exists():
            _build(name, folder, requirements)
    return python


def _build(name: str, folder: Path, requirements: Path) -> None:
    print(f"installing the environment of {name} (once)", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--only-binary",
        ":all:",
    ]
    install += ["--requirement", str(requirements)]
    for command in ([sys.executable, "-m", "venv", str(folder)], [str(folder / "bin" / "python"), *install]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EnvironmentFailed(f"the environment of {name} ({requirements}) failed:\n{done.stdout}{done.stderr}")
    (folder / READY).touch()
