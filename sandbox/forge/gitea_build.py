"""Gitea built from its Go module, with versions and checksums pinned in `gomod/`.

Its replacements of modules count only for itself, so `gomod/go.mod` repeats them; the rest of its list is there to keep
the versions that it was released with.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from sandbox.engine import go_build
from sandbox.engine.cache import cache_dir, locked

MODULE = Path(__file__).with_name("gomod")
_PACKAGE = "code.gitea.io/gitea"
_FOLDERS = ("options", "templates", "public")
"""What Gitea reads beside its program. They are copied, since Go's own cache may be cleaned at any time."""


class NoForge(RuntimeError):
    """There is no Gitea and none could be made; the message says what to install."""


class NoCompiler(NoForge):
    """This machine cannot build it. Nothing of mailtls needs it but the tests of its proposals, which are skipped."""


def gitea() -> Path:
    """The program, with its folders beside it; made when it is missing: about five minutes of one core, once a machine.

    Raises NoForge.
    """
    with locked("forge"):
        return built() or _made(_place())


def built() -> Path | None:
    """The program, where it was made already."""
    return _place() if _place().exists() else None


def _place() -> Path:
    pins = hashlib.sha256((MODULE / "go.mod").read_bytes() + (MODULE / "go.sum").read_bytes()).hexdigest()
    return cache_dir() / "forge" / f"gitea-built-{pins[:12]}" / "gitea"


def _made(program: Path) -> Path:
    """The folders first: the program counts once it is there."""
    if shutil.which("go") is None or shutil.which("gcc") is None:
        raise NoCompiler("Gitea is built from its source, which needs Go (https://go.dev/doc/install) and gcc")
    try:
        fetched = ["go", "mod", "download", "-json", _PACKAGE]
        said = subprocess.run(fetched, cwd=MODULE, env=go_build.settings(), capture_output=True, text=True, check=True)
        source = Path(json.loads(said.stdout)["Dir"])
        for folder in _FOLDERS:
            shutil.copytree(source / folder, program.parent / folder, dirs_exist_ok=True)
        for path in program.parent.rglob("*"):  # Go's cache is read-only, ours can be deleted
            path.chmod(0o755 if path.is_dir() else 0o644)
        flags = ["-tags", "sqlite sqlite_unlock_notify", "-ldflags", "-s -w"]
        return go_build.build(program, MODULE, _PACKAGE, flags, "building Gitea from its source, once: about 5 minutes")
    except subprocess.CalledProcessError as e:
        raise NoForge(f"{' '.join(fetched)} failed: {e.stdout}{e.stderr}") from e
    except go_build.NotBuilt as e:
        raise NoForge(str(e)) from e
