"""A chart over days as SVG: failed share, sessions, and which policy was served, one below the other on one axis.

A day without a report is a gap, drawn as one: neither 0 nor 100 %. The drawing is stretched to the width of the page,
so it holds no letters; what is written stands around it. A table with the same numbers belongs beside each chart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from mailtls.dashboard.words import count, plural, share
from mailtls.html_markup import Markup, join, tag

HEIGHT = 100
"""Of a panel, in units of the drawing; a day is 10 wide."""
DAY = 10
_LEAST_TOP = 0.01
"""A scale that ends below 1 % would make a mountain of one failed session."""
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Of one policy type."""

    successful: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.successful + self.failed

    @property
    def failed_share(self) -> float | None:
        """0 to 1; None where there are no sessions."""
        return self.failed / self.total if self.total else None

    def __add__(self, other: "Sessions") -> "Sessions":
        return Sessions(self.successful + other.successful, self.failed + other.failed)


@dataclass(frozen=True, slots=True)
class Band:
    """What was served from the day `first` to the day `last`, both with. kind: `enforce`, `testing`, `none`."""

    first: date
    last: date
    kind: str


def chart(
    title: str, days: Sequence[date], sessions: Sequence[Sessions | None], rated: bool, bands: Iterable[Band] = ()
) -> Markup:
    """The figure. sessions: one for each day; None: no report. rated: whether a failed share means anything."""
    reported = [one for one in sessions if one is not None]
    panels = []
    if rated:
        shares = [None if one is None else one.failed_share for one in sessions]
        top = _top(max((one for one in shares if one is not None), default=0.0))
        heights = [None if one is None else one / top for one in shares]
        panels.append(_panel("failed share", share(top), f"{title}: failed share of each day", heights, "failed"))
    most = max((one.total for one in reported), default=0)
    heights = [None if one is None else one.total / most if most else 0.0 for one in sessions]
    panels.append(_panel("sessions", count(most), f"{title}: sessions of each day", heights, "sessions"))
    if band := _served(days, list(bands)):
        panels.append(band)
    dates = tag("p", *(tag("span", day.isoformat()) for day in _marked(days)), class_="dates")
    gaps = len(sessions) - len(reported)
    told = f"{plural(len(reported), 'day')} with reports, {count(gaps)} without. Grey: no report, or no session."
    legend = tag("p", told, class_="legend")
    return tag("figure", tag("figcaption", "Day by day"), *panels, dates, legend, class_="chart")


def _panel(label: str, top: str, described: str, heights: Sequence[float | None], kind: str) -> Markup:
    """One drawing of bars. heights: 0 to 1; None: a gap."""
    axis = tag("p", tag("span", label), tag("span", f"top of the scale: {top}"), class_="axis")
    shapes = [
        tag("path", d="".join(_gaps(heights, HEIGHT)), class_="gap"),
        tag("path", d="".join(_gaps(heights, 8)), class_="gap-mark"),
        tag("path", d="".join(_bars(heights)), class_=kind),
    ]
    return join([axis, _drawing(len(heights), HEIGHT, f"{described}; the table below has the numbers", shapes)])


def _drawing(days: int, height: int, described: str, shapes: Sequence[Markup]) -> Markup:
    view = f"0 0 {days * DAY} {height}"
    return tag("svg", *shapes, viewBox=view, preserveAspectRatio="none", role="img", aria_label=described,
               class_="band" if height < HEIGHT else None)  # fmt: skip


def _gaps(heights: Sequence[float | None], high: int) -> Iterator[str]:
    """Days without a report, neighbours as one, on the ground."""
    at = 0
    for is_gap, run in groupby(heights, lambda height: height is None):
        width = len(list(run))
        if is_gap:
            yield f"M{at * DAY} {HEIGHT}h{width * DAY}v-{high}h-{width * DAY}z"
        at += width


def _bars(heights: Sequence[float | None]) -> Iterator[str]:
    """A bar for each day with reports; one of 0 is a line on the ground, so that it is no gap. What is there at all is
    high enough to be seen."""
    for at, height in enumerate(heights):
        if height is not None:
            high = max(round(height * HEIGHT), 4 if height else 1)
            yield f"M{at * DAY + 1} {HEIGHT}h{DAY - 2}v-{high}h-{DAY - 2}z"


def _served(days: Sequence[date], bands: Sequence[Band]) -> Markup | None:
    if not bands or not days:
        return None
    shapes = []
    for band in bands:
        first, last = max(band.first, days[0]), min(band.last, days[-1])
        if first <= last:
            at, width = (first - days[0]).days * DAY, ((last - first).days + 1) * DAY
            shapes.append(tag("rect", x=at, y=0, width=width, height=10, class_=f"mode-{band.kind}"))
    kinds = dict.fromkeys(band.kind for band in bands if band.first <= days[-1] and band.last >= days[0])
    legend = tag("span", *(tag("span", kind, class_=f"key mode-{kind}") for kind in kinds))
    axis = tag("p", tag("span", "policy served"), legend, class_="axis")
    return join([axis, _drawing(len(days), 10, "the mode that was served; the table of policies has the days", shapes)])


def _marked(days: Sequence[date]) -> Iterator[date]:
    """The first day, the middle, the last."""
    if days:
        yield from dict.fromkeys((days[0], days[len(days) // 2], days[-1]))


def _top(most: float) -> float:
    """A round end of the scale: 1, 2 or 5 of a power of ten, at most 100 %."""
    wanted = max(most, _LEAST_TOP)
    power = _LEAST_TOP
    while power < 1:
        for step in _STEPS:
            if wanted <= power * step:
                return min(power * step, 1.0)
        power *= 10
    return 1.0
