"""Virtual environments for programs whose pins clash with ours (the emulator, the outside judges)."""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from sandbox.engine.cache import cache_dir, locked

READY = ".ready"
PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==", re.MULTILINE)
STEP = 20
"""Packages from one plain line about the progress to the next."""


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
    pins = len(PIN.findall(requirements.read_text()))
    print(f"installing {name} and what it needs: {pins} packages (once, a minute or two)", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True, check=False)
    if made.returncode:
        raise EnvironmentFailed(f"the environment of {name} failed:\n{made.stdout}{made.stderr}")
    install = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "--require-hashes"]
    install += ["--only-binary", ":all:", "--requirement", str(requirements)]
    with subprocess.Popen(
        [str(folder / "bin" / "python"), *install], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None  # noqa: S101  it was asked for above
        said = list(told(pip.stdout, pins, sys.stderr))
    if pip.returncode:
        raise EnvironmentFailed(f"the environment of {name} ({requirements}) failed:\n{''.join(said)}")
    (folder / READY).touch()


def told(lines: Iterable[str], pins: int, stream: TextIO) -> Iterator[str]:
    """pip's lines as they come. How far it is stands on `stream`: one line that counts on a terminal, else a line for
    every STEP packages."""
    collected = 0
    for line in lines:
        yield line
        if line.startswith("Collecting "):
            collected += 1
            if stream.isatty():
                stream.write(f"\r  {collected} of {pins}")
            elif collected % STEP == 0:
                stream.write(f"  {collected} of {pins} packages\n")
            stream.flush()
        elif line.startswith("Installing collected packages"):
            stream.write("\r  unpacking     \n" if stream.isatty() else "  unpacking\n")
            stream.flush()
