"""Metric math: what its operators and functions do with time series. Pure.

CloudWatch guide, "Using metric math". Between two series a missing value counts as 0; a point whose value would be a
division by zero is dropped.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence

Series = tuple[float | None, ...]
"""Values by period, the newest first; None is missing."""
Value = float | Series | list[Series]

REPEAT: Value = []
"""The second argument of `FILL(m1, REPEAT)`."""


class ExpressionFault(Exception):
    """The expression is not metric math, or uses what the sandbox does not know."""


SIGNS: Sequence[Mapping[str, Callable[[float, float], float]]] = (
    {"||": lambda a, b: float(bool(a or b)), "OR": lambda a, b: float(bool(a or b))},
    {"&&": lambda a, b: float(bool(a and b)), "AND": lambda a, b: float(bool(a and b))},
    {
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
        "<=": lambda a, b: float(a <= b),
        ">=": lambda a, b: float(a >= b),
        "<": lambda a, b: float(a < b),
        ">": lambda a, b: float(a > b),
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
    {"^": operator.pow},
)
"""Binary operators, the loosest first."""


def combine(operation: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, list):
        return [series(combine(operation, one, right)) for one in left]
    if isinstance(right, list):
        return [series(combine(operation, left, one)) for one in right]
    if isinstance(left, float) and isinstance(right, float):
        result = _point(operation, left, right)
        if result is None:
            raise ExpressionFault("division by zero")
        return result
    if isinstance(left, float):
        return tuple(None if b is None else _point(operation, left, b) for b in series(right))
    if isinstance(right, float):
        return tuple(None if a is None else _point(operation, a, right) for a in left)
    return tuple(
        None if a is None and b is None else _point(operation, a or 0.0, b or 0.0)
        for a, b in zip(left, right, strict=True)
    )


def _point(operation: Callable[[float, float], float], left: float, right: float) -> float | None:
    try:
        return float(operation(left, right))
    except (ZeroDivisionError, OverflowError):
        return None


def each(operation: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, list):
        return [series(each(operation, one)) for one in value]
    if isinstance(value, tuple):
        return tuple(None if point is None else float(operation(point)) for point in value)
    return float(operation(value))


def series(value: Value) -> Series:
    if not isinstance(value, tuple):
        raise ExpressionFault("a time series is needed")
    return value


def scalar(value: Value) -> float:
    if not isinstance(value, float):
        raise ExpressionFault("a number is needed")
    return value


def _over(statistic: Callable[[list[float]], float]) -> Callable[[list[Value], int], Value]:
    """One series becomes a number; several become one series, with missing values as 0."""

    def call(arguments: list[Value], _period: int) -> Value:
        [value] = arguments
        if isinstance(value, list):
            columns = zip(*value, strict=True)
            return tuple(
                None if all(point is None for point in column) else statistic([point or 0.0 for point in column])
                for column in columns
            )
        real = [point for point in series(value) if point is not None]
        return statistic(real) if real else 0.0

    return call


def _if(arguments: list[Value], _period: int) -> Value:
    condition, chosen, *rest = arguments
    otherwise = rest[0] if rest else None
    if isinstance(condition, float):
        if condition or otherwise is None:
            return series(chosen) if condition else (None,) * len(series(chosen))
        return series(otherwise)
    points: list[float | None] = []
    for index, truth in enumerate(series(condition)):
        if truth is None:
            points.append(None)
        elif truth:
            # a missing point of the chosen series is 0, of the other one it is dropped: the guide's own asymmetry
            points.append(chosen if isinstance(chosen, float) else series(chosen)[index] or 0.0)
        elif otherwise is None:
            points.append(None)
        else:
            points.append(otherwise if isinstance(otherwise, float) else series(otherwise)[index])
    return tuple(points)


def _fill(arguments: list[Value], _period: int) -> Value:
    value, filler = arguments
    if isinstance(value, list):
        return [series(_fill([one, filler], _period)) for one in value]
    points = list(series(value))
    if filler is REPEAT:
        for index in range(len(points) - 2, -1, -1):
            if points[index] is None:
                points[index] = points[index + 1]
        return tuple(points)
    return tuple(
        (filler if isinstance(filler, float) else series(filler)[index]) if point is None else point
        for index, point in enumerate(points)
    )


def _change(arguments: list[Value], period: int, *, per_second: bool) -> Value:
    points = series(arguments[0])
    found: list[float | None] = []
    for index, point in enumerate(points):
        before = next(((back, old) for back, old in enumerate(points[index + 1 :], 1) if old is not None), None)
        if point is None or before is None:
            found.append(None)
        else:
            back, old = before
            found.append((point - old) / (back * period) if per_second else point - old)
    return tuple(found)


FUNCTIONS: Mapping[str, Callable[[list[Value], int], Value]] = {
    "IF": _if,
    "FILL": _fill,
    "SUM": _over(math.fsum),
    "AVG": _over(lambda values: math.fsum(values) / len(values)),
    "MIN": _over(min),
    "MAX": _over(max),
    "DATAPOINT_COUNT": _over(lambda values: float(len(values))),
    "ABS": lambda arguments, _: each(abs, arguments[0]),
    "CEIL": lambda arguments, _: each(math.ceil, arguments[0]),
    "FLOOR": lambda arguments, _: each(math.floor, arguments[0]),
    "DIFF": lambda arguments, period: _change(arguments, period, per_second=False),
    "RATE": lambda arguments, period: _change(arguments, period, per_second=True),
}
