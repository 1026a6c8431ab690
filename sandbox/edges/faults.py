"""What is made to go wrong at the HTTPS edge. Only who is to suffer what; the edge itself does it."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FaultName(StrEnum):
    """As the command line and the control server say it."""

    HOLD_EDGE = "hold-edge"
    SLOW_EDGE = "slow-edge"
    NO_CERTIFICATE = "no-certificate"


class BadFault(ValueError):
    """There is no such fault; the text says what there is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """host: lower case, without the final dot. seconds: by how much a slow edge is late; None for the others."""

    name: FaultName
    host: str
    seconds: float | None = None

    @classmethod
    def parse(cls, name: str, host: str, seconds: float | None = None) -> "Fault":
        """Raises BadFault."""
        if name not in set(FaultName):
            raise BadFault(f"{name!r} is no fault of an edge; there are {', '.join(FaultName)}")
        host = host.strip().rstrip(".").lower()
        if not host or any(character.isspace() for character in host):
            raise BadFault(f"{name} is for a host, such as mta-sts.contoso.example")
        if name != FaultName.SLOW_EDGE and seconds is not None:
            raise BadFault(f"{name} takes no seconds")
        if name == FaultName.SLOW_EDGE and not (seconds is not None and 0 < seconds < math.inf):
            raise BadFault(f"{name} takes a number of seconds above 0")
        return cls(FaultName(name), host, seconds)

    @property
    def lateness(self) -> float | None:
        """Seconds after which a change shows; infinite while it is held back; None: it shows at once."""
        return math.inf if self.name is FaultName.HOLD_EDGE else self.seconds

    def __str__(self) -> str:
        """`slow-edge mta-sts.contoso.example 4`: what one types after `sandbox fault`."""
        return f"{self.name} {self.host}" + (f" {self.seconds:g}" if self.seconds is not None else "")


Watcher = Callable[[Fault], None]


class Faults:
    """The faults that are active. A host has one of hold-edge and slow-edge at most; no-certificate may come beside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._late: dict[str, Fault] = {}
        self._no_certificate: dict[str, Fault] = {}
        self._watchers: list[Watcher] = []

    def before_set(self, watcher: Watcher) -> None:
        """watcher: called before a fault becomes active, so that it can look at how things still are.

        A ValueError of it refuses the fault.
        """
        self._watchers.append(watcher)

    def set(self, name: str, host: str, seconds: float | None = None) -> list[dict[str, Any]]:
        """Returns all that is active then. Raises BadFault, or what a watcher raises."""
        fault = Fault.parse(name, host, seconds)
        for watcher in self._watchers:
            watcher(fault)
        with self._lock:
            kind = self._no_certificate if fault.name is FaultName.NO_CERTIFICATE else self._late
            kind[fault.host] = fault
        return self.active()

    def clear(self, host: str | None = None) -> None:
        """Mends the faults of `host`, or all."""
        with self._lock:
            for kind in (self._late, self._no_certificate):
                if host is None:
                    kind.clear()
                else:
                    kind.pop(host.strip().rstrip(".").lower(), None)

    def active(self) -> list[dict[str, Any]]:
        """`{"fault", "host", "seconds"}` each, sorted by host; seconds is null where it means nothing."""
        with self._lock:
            found = [*self._late.values(), *self._no_certificate.values()]
        return [
            {"fault": fault.name.value, "host": fault.host, "seconds": fault.seconds}
            for fault in sorted(found, key=lambda fault: (fault.host, fault.name))
        ]

    def late(self, host: str) -> Fault | None:
        """hold-edge or slow-edge of `host` (lower case), the very object that `before_set` was told of."""
        with self._lock:
            return self._late.get(host)

    def has_certificate(self, host: str) -> bool:
        """False while no-certificate is active for `host` (lower case)."""
        with self._lock:
            return host not in self._no_certificate
