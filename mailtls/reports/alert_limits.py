"""What it takes to wake somebody, and how many messages an hour may bring. Pure; the stack's settings choose.

Severity says what a failure means where it happens; these say how much of it must happen. Below them a failure is told
all the same, as a warning.
"""

import json
from dataclasses import asdict, dataclass

LEAST_CRITICAL = 3
"""Failed sessions. Of a domain with twenty sessions a day one that failed is five per cent, and mostly a chance."""


class InvalidLimits(ValueError):
    """The text holds no limits, or one that is out of its bounds."""


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """Failures under `enforce` are critical when, on their newest day, at least `critical_reporters` reporting
    organisations saw `critical_sessions` failed sessions together, or LEAST_CRITICAL and `critical_share` per cent of
    the sessions that they report for the domain.

    per_hour: messages of all domains together; what is above is told in one message at the next full hour.
    """

    critical_sessions: int = 100
    critical_share: float = 1.0
    critical_reporters: int = 1
    per_hour: int = 30

    def __post_init__(self) -> None:
        for name, low, high in (
            ("critical_sessions", 1, 1_000_000),
            ("critical_share", 0, 100),
            ("critical_reporters", 1, 100),
            ("per_hour", 1, 10_000),
        ):
            if not low <= getattr(self, name) <= high:
                raise InvalidLimits(f"{name}: {getattr(self, name):g}: from {low:,} to {high:,}")

    def are_reached(self, failed: int, sessions: int, reporters: int) -> bool:
        """Is so much failing that it should wake somebody? sessions: failed ones among them; 0: not known."""
        if reporters < self.critical_reporters:
            return False
        if failed >= self.critical_sessions or not sessions:
            return True
        return failed >= LEAST_CRITICAL and 100 * failed >= self.critical_share * sessions

    def render(self) -> str:
        """One line of JSON, for the function's environment."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @staticmethod
    def parse(text: str) -> "AlertLimits":
        """The inverse; what is left out has its default. Raises InvalidLimits."""
        try:
            return AlertLimits(**json.loads(text))
        except (TypeError, ValueError) as e:
            if isinstance(e, InvalidLimits):
                raise
            raise InvalidLimits(f"no limits of alerts: {e}") from e
