"""The emulator's idea of now: the real time and an offset that the sandbox moves.

Only what a patch measures with it moves (a certificate's 72 hours, alarm periods, schedules, the dates of objects).
Signatures stay on the real clock: clients sign with theirs.
"""

import time
from collections.abc import Callable


class Clock:
    """now = real time + offset, in seconds."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.offset

    def move(self, offset: float) -> None:
        """Sets the offset, then lets every watcher act on the new time, one after the other. Not on the event loop."""
        self.offset = offset
        for watcher in self._watchers:
            watcher()

    def when_moved(self, watcher: Callable[[], None]) -> None:
        """watcher: called in a worker thread, outside any request, after each move."""
        self._watchers.append(watcher)


CLOCK = Clock()
"""The process's one clock."""
