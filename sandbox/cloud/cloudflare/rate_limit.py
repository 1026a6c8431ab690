"""Cloudflare's limit on API calls (its page "Rate limits"): 1,200 in five minutes, then five minutes of nothing."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from sandbox.cloud.cloudflare.refusal import Refusal

CALLS = 1200
SECONDS = 300.0


class RateLimit:
    """Counts the calls of one token. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds that only grow."""
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: deque[float] = deque()
        self._blocked_at = -math.inf

    def count(self) -> None:
        """One call more. Raises Refusal (429) when it is one too many, and for five minutes after that."""
        with self._lock:
            now = self._clock()
            while self._calls and self._calls[0] <= now - SECONDS:
                self._calls.popleft()
            if now - self._blocked_at >= SECONDS and len(self._calls) >= CALLS:
                self._blocked_at = now
            # The moment is kept, not the end: `now + 300 - now` may be a little more than 300, and then 301 is told.
            if (left := SECONDS - (now - self._blocked_at)) > 0:
                raise Refusal(
                    429,
                    971,
                    f"More than {CALLS} requests per {SECONDS:.0f} seconds reached. "
                    "Please wait and consider throttling your request speed",
                    headers=(("Retry-After", str(math.ceil(left))),),
                )
            self._calls.append(now)

    def reset(self) -> None:
        """Forget all calls, and any block."""
        with self._lock:
            self._calls.clear()
            self._blocked_at = -math.inf
