"""A heartbeat for what happens without any request: every two seconds, and at once when the clock is moved."""

import logging
import threading
from collections.abc import Callable, Iterator

from ministack.core.responses import AccountRegionScopedDict, request_scope

from sandbox.cloud.emulator.clock import CLOCK

SECONDS = 2.0
_measuring: list[Callable[[], None]] = []
_acting: list[Callable[[], None]] = []
_lock = threading.Lock()


def on_tick(beat: Callable[[], None], *, measures: bool = False) -> None:
    """beat: called in a worker thread. measures: before all those that act on what was measured."""
    if not _measuring and not _acting:
        threading.Thread(target=_run, name="tick", daemon=True).start()
        CLOCK.when_moved(tick)
    (_measuring if measures else _acting).append(beat)


def tick() -> None:
    """One beat, now. Beats do not overlap."""
    with _lock:
        for beat in _measuring + _acting:
            beat()


def everywhere(store: AccountRegionScopedDict) -> Iterator[None]:
    """Enters, one after the other, each account and region in which the emulator's `store` holds something."""
    for account, region in sorted({key[:2] for key, _ in store.all_items()}):
        with request_scope(account, region):
            yield


def _run() -> None:
    pause = threading.Event()
    while not pause.wait(SECONDS):
        try:
            tick()
        except Exception:  # the loop's top: a beat that fails must not stop the others for good
            logging.getLogger(__name__).exception("a tick failed")
