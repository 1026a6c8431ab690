"""Where one local cloud keeps its files: a folder under `build/`, all of it disposable."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_FLOCK = "hhqqi"
"""Linux's `struct flock`: l_type, l_whence, l_start, l_len, l_pid. The kernel tells whose a lock is; no file can."""

REPOSITORY = Path(__file__).resolve().parent.parent


class AlreadyRunning(RuntimeError):
    """Another local cloud lives in this folder. pid: of its process; not above 0 when it has none here."""

    def __init__(self, pid: int) -> None:
        super().__init__("a sandbox is running already" + (f" (process {pid})" if pid > 0 else ""))
        self.pid = pid


@dataclass(frozen=True, slots=True)
class Place:
    """The files of the local cloud in `folder`."""

    folder: Path

    @property
    def endpoints(self) -> Path:
        """Where everything listens; there only while the cloud runs."""
        return self.folder / "endpoints.json"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def authority(self) -> Path:
        return self.folder / "authority"

    @property
    def keys(self) -> Path:
        """DKIM keys of the outside world's senders."""
        return self.folder / "keys"

    @property
    def pulumi_home(self) -> Path:
        return self.folder / "pulumi"

    @property
    def state(self) -> Path:
        """The engine's file backend."""
        return self.folder / "state"

    @contextmanager
    def held(self) -> Iterator[None]:
        """This process is the one local cloud of the folder. Raises AlreadyRunning.

        A lock of the kernel's, not a file that says so: it goes with its holder, also after `kill -9`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as handle:
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as e:
                raise AlreadyRunning(self.holder() or 0) from e
            yield

    def holder(self) -> int | None:
        """The process that holds the folder now, or None. Of other processes only: not for the holder itself to ask.

        Not above 0: it is of another container, or of another machine that shares the folder.
        """
        if not self._lock.exists():
            return None
        with self._lock.open("a") as handle:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else pid

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"


SANDBOX = Place(REPOSITORY / "build" / "sandbox")
"""Of `python -m sandbox up`."""
