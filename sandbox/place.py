"""Where one local cloud keeps its files: a folder under `build/`, all of it disposable."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


class AlreadyRunning(RuntimeError):
    """Another local cloud lives in this folder. pid: of its process."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"a sandbox is running already (process {pid})")
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
        with self._lock.open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as e:
                raise AlreadyRunning(self._pid() or 0) from e
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield

    def holder(self) -> int | None:
        """The process that holds the folder now, or None."""
        if not self._lock.exists():
            return None
        with self._lock.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return self._pid()
        return None

    def _pid(self) -> int | None:
        text = self._lock.read_text().strip()
        return int(text) if text.isdecimal() else None

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"


SANDBOX = Place(REPOSITORY / "build" / "sandbox")
"""Of `python -m sandbox up`."""
