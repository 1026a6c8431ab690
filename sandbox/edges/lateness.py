"""An edge that learns of changes late, or never."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.edges.distributions import Presence
from sandbox.edges.http_message import Answer
from sandbox.edges.origin import content


@dataclass(frozen=True, slots=True)
class View:
    """What an edge has of a host: how it stands to the name, and its answer to GET of the policy."""

    presence: Presence
    policy: Answer

    def same_as(self, other: "View") -> bool:
        return self.presence == other.presence and content(self.policy) == content(other.policy)


class LateView:
    """Gives out `given`, and every change that `look` sees after `seconds`; for good if they are infinite.

    A change counts from when it is noticed, so from the first client that asks after it. clock: seconds.
    """

    def __init__(
        self, look: Callable[[], View], given: View, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._given = given
        self._coming: list[tuple[float, View]] = []
        """Noticed and not given out yet: when it is due, in order."""

    def now(self) -> View:
        """Raises what `look` raises."""
        # one look at a time: two that overtook each other would be seen as a change and back
        with self._lock:
            seen, when = self._look(), self._clock()
            last = self._coming[-1][1] if self._coming else self._given
            if not seen.same_as(last):
                self._coming.append((when + self._seconds, seen))
            while self._coming and self._coming[0][0] <= when:
                self._given = self._coming.pop(0)[1]
            return self._given
