"""The wheel as a stranger gets it: built from the working tree, installed where nothing else is."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
WITHOUT_COMPILER = {"CC": "/bin/false", "CXX": "/bin/false"}
_INTERPRETER = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment that holds the wheel and what it needs."""

    folder: Path

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A program of the environment's `bin`, outside the repository. The caller looks at the exit code."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [self.folder / "bin" / command[0], *command[1:]],
            cwd=cwd or self.folder, env=clean(PATH=path), capture_output=True, text=True, check=False,
        )  # fmt: skip


def clean(**more: str) -> dict[str, str]:
    """The environment variables without those that would lend our own packages to another interpreter."""
    return {name: value for name, value in os.environ.items() if name not in _INTERPRETER} | more


def build(folder: Path) -> Path:
    """The wheel, built in `folder` by the installed setuptools, so that nothing is fetched.

    It is built from a copy: setuptools puts into a wheel what an earlier build left in the tree's `build/`.
    """
    source, wheels = folder / "source", folder / "wheels"
    for file in _files_of_the_tree():
        copy = source / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / file, copy)
    _uv("build", "--wheel", "--no-build-isolation", "--offline", "--python", sys.executable,
        "--out-dir", str(wheels), str(source))  # fmt: skip
    (wheel,) = wheels.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Installed:
    """The wheel in an environment of its own. What it needs has the lock's hashes and is never compiled."""
    requirements = folder / "requirements.txt"
    locked = _uv("export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-header")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements.write_text(f"{locked}mailtls @ {wheel.as_uri()} --hash=sha256:{digest}\n")
    environment = folder / "environment"
    _uv("venv", "--no-config", "--python", sys.executable, str(environment))
    _uv("pip", "install", "--python", str(environment), "--require-hashes", "--only-binary", ":all:",
        "--requirement", str(requirements))  # fmt: skip
    return Installed(environment)


def _files_of_the_tree() -> list[str]:
    """What git knows or would take, with changes that are not committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [file for file in listed.split("\0") if file and (REPOSITORY / file).is_file()]


def _uv(*arguments: str) -> str:
    """What uv says on standard output; its own words when it fails."""
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(
        [uv, *arguments], cwd=REPOSITORY, env=clean(**WITHOUT_COMPILER), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"uv {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout
