"""A stretch of UTC days, and the one before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both with. Raises ValueError where it would end before it begins."""

    first: date = date.min
    last: date = date.max

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a period from {self.first} to {self.last} ends before it begins")

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def length(self) -> int:
        """Days."""
        return (self.last - self.first).days + 1

    def days(self) -> Iterator[date]:
        """Each of them."""
        return (self.first + timedelta(days=n) for n in range(self.length))

    def before(self) -> "Period":
        """As many days, right before. Raises OverflowError where the calendar does not go back so far."""
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1))


ALWAYS = Period()
