"""CloudWatch's embedded metric format, read strictly. Pure.

CloudWatch guide, "Specification: Embedded metric format". A line that breaks it is no metric,
and nobody is told.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_LINE = 256 * 1024
LARGEST_METRICS = 100
LARGEST_DIMENSIONS = 30
LARGEST_VALUES = 100
LARGEST_VALUE = 2.0**360
DIMENSION_CHARACTERS = 1024
NAME_CHARACTERS = 255
UNITS = frozenset(
    f"{unit}{rate}"
    for units, rates in (
        ("Seconds Microseconds Milliseconds Percent None", ("",)),
        ("Bytes Kilobytes Megabytes Gigabytes Terabytes", ("", "/Second")),
        ("Bits Kilobits Megabits Gigabits Terabits Count", ("", "/Second")),
    )
    for unit in units.split()
    for rate in rates
)


class NotEmbedded(ValueError):
    """The line is meant as embedded metrics and breaks the format. parsed: it is a JSON object at least."""

    def __init__(self, why: str, *, parsed: bool = True) -> None:
        super().__init__(why)
        self.parsed = parsed


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric. timestamp: seconds since 1970."""

    namespace: str
    name: str
    unit: str
    dimensions: Mapping[str, str]
    value: float
    timestamp: float


def points(line: str) -> list[Point]:
    """The metrics in the line; none when it is ordinary text. Raises NotEmbedded."""
    if '"_aws"' not in line:
        return []
    try:
        root = json.loads(line)
    except ValueError as e:
        raise NotEmbedded("no JSON", parsed=False) from e
    if not isinstance(root, dict) or "CloudWatchMetrics" not in (root.get("_aws") or {}):
        return []
    if len(line.encode()) > LARGEST_LINE:
        raise NotEmbedded(f"longer than {LARGEST_LINE} bytes")
    metadata = root["_aws"]
    timestamp = metadata.get("Timestamp")
    if not isinstance(timestamp, int) or isinstance(timestamp, bool):
        raise NotEmbedded("Timestamp is no integer")
    directives = metadata["CloudWatchMetrics"]
    if not isinstance(directives, list):
        raise NotEmbedded("CloudWatchMetrics is no list")
    return [point for directive in directives for point in _directive(directive, root, timestamp / 1000)]


def _directive(directive: Any, root: Mapping[str, Any], timestamp: float) -> Iterator[Point]:
    if not isinstance(directive, dict):
        raise NotEmbedded("a directive is no object")
    namespace = _name(directive.get("Namespace"), "Namespace")
    sets, metrics = directive.get("Dimensions"), directive.get("Metrics")
    if not isinstance(sets, list) or not sets or not all(isinstance(one, list) for one in sets):
        raise NotEmbedded("Dimensions is no list of lists")
    if not isinstance(metrics, list) or len(metrics) > LARGEST_METRICS:
        raise NotEmbedded(f"Metrics is no list of at most {LARGEST_METRICS}")
    chosen = [_dimensions(one, root) for one in sets]
    for metric in metrics:
        if not isinstance(metric, dict):
            raise NotEmbedded("a metric is no object")
        name, unit = _name(metric.get("Name"), "Name"), metric.get("Unit", "None")
        if unit not in UNITS:
            raise NotEmbedded(f"{unit} is no unit")
        if metric.get("StorageResolution", 60) not in (1, 60):
            raise NotEmbedded("StorageResolution is neither 1 nor 60")
        for value in _values(root.get(name), name):
            for dimensions in chosen:
                yield Point(namespace, name, unit, dimensions, value, timestamp)


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_CHARACTERS:
        raise NotEmbedded(f"{what} is no text of 1 to {NAME_CHARACTERS} characters")
    return value


def _dimensions(names: list[Any], root: Mapping[str, Any]) -> dict[str, str]:
    if len(names) > LARGEST_DIMENSIONS:
        raise NotEmbedded(f"more than {LARGEST_DIMENSIONS} dimensions")
    found = {}
    for name in names:
        key = _name(name, "a dimension's name")
        value = root.get(key)
        if not isinstance(value, str) or len(value) > DIMENSION_CHARACTERS or not _plain(value) or not _plain(key):
            raise NotEmbedded(f"dimension {key} has no value of visible ASCII text")
        if key.startswith(":"):
            raise NotEmbedded("a dimension's name begins with a colon")
        found[key] = value
    return found


def _plain(text: str) -> bool:
    """ASCII without control characters, and not blank (API reference, Dimension)."""
    return bool(re.fullmatch(r"[\x20-\x7e]+", text)) and not text.isspace()


def _values(target: Any, name: str) -> list[float]:
    values = target if isinstance(target, list) else [target]
    if len(values) > LARGEST_VALUES:
        raise NotEmbedded(f"{name} has more than {LARGEST_VALUES} values")
    for value in values:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not -LARGEST_VALUE <= value <= LARGEST_VALUE:  # NaN is not in any range
            raise NotEmbedded(f"{name} is no number")
    return [float(value) for value in values]
