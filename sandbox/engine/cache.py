"""Where the sandbox keeps what is expensive to make: the engine, virtual environments, derived schemas.

Outside the checkout, so that a fresh clone, a second checkout and `git clean` all keep it. Safe to delete at any time.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """`$MAILTLS_CACHE`, else `$XDG_CACHE_HOME/mailtls`, else `~/.cache/mailtls`. Created when missing."""
    if own := os.environ.get("MAILTLS_CACHE"):
        directory = Path(own)
    elif shared := os.environ.get("XDG_CACHE_HOME"):
        directory = Path(shared) / "mailtls"
    else:
        directory = Path.home() / ".cache" / "mailtls"
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Only one process at a time is inside `locked(name)`; the others wait.

    The kernel releases the lock when its holder ends, however it ends, so a killed build blocks nobody.
    """
    path = cache_dir() / "locks" / f"{name}.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, content: str, *, executable: bool = False) -> None:
    """Readers see the old file or the whole new one, never half of it. Missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(content, encoding="utf-8")
    temporary.chmod(0o755 if executable else 0o644)
    temporary.replace(path)
