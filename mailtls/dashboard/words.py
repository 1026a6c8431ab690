"""Numbers as the pages write them. A rate is cut, never rounded up: 99.996 % is not 100 %."""

from datetime import date

NO_RATE = "-"
"""Where there are no sessions there is no rate."""


def count(number: int) -> str:
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 day`, `2 days`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def share(part: float | None) -> str:
    """Of 0 to 1, in per cent. What is above nothing is never written as 0, and what is below all never as 100."""
    if part is None:
        return NO_RATE
    if part in (0.0, 1.0):
        return f"{part * 100:.0f} %"
    if part < 0.0001:
        return "< 0.01 %"
    hundredths = min(int(part * 10_000 + 1e-9), 9_999)
    return f"{hundredths / 100:.2f}".rstrip("0").rstrip(".") + " %"


def success(successful: int, failed: int) -> str:
    """The share of sessions that succeeded; a dash where there were none."""
    total = successful + failed
    return share(successful / total if total else None)


def days_since(day: date | None, today: date) -> str:
    """`today`, `yesterday`, `12 days ago`; `none` where none of the period is known."""
    if day is None:
        return "none"
    days = (today - day).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago")
