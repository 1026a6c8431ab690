"""All that the emulator holds, forgotten: its own stores and what patches keep beside them."""

from collections.abc import Callable

from sandbox.cloud.emulator.clock import CLOCK

_forget: list[Callable[[], None]] = []


def when_reset(forget: Callable[[], None]) -> None:
    """forget: empties a patch's own state. What is kept inside the emulator's records needs none."""
    _forget.append(forget)


def reset() -> None:
    """As if just started; the clock is back at the real time."""
    from ministack import app

    app._reset_all_state()
    for forget in _forget:
        forget()
    CLOCK.move(0)
