"""When an alarm changes its state: its own dimensions, M of N periods, missing data, metric math.

CloudWatch guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patches.cloudwatch_math import Metrics, evaluate
from sandbox.cloud.emulator.patches.cloudwatch_math_values import Series

MINUTE = 60
OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
LOOKED_BACK = 2
"""Periods before the evaluated ones in which real points are looked for. The guide does not say how many; its example
has five for three, and that is what we take."""

_BREACHES: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
COMPARISONS = frozenset(_BREACHES)


def new_state(alarm: Mapping[str, Any]) -> tuple[str, str]:
    """The state that the alarm should be in now, and why, in CloudWatch's manner."""
    values = watched(alarm)
    threshold = float(alarm["Threshold"])
    breaches = _BREACHES[alarm["ComparisonOperator"]]
    cells = [None if value is None else breaches(value, threshold) for value in values]
    needed = int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"])
    treatment = alarm.get("TreatMissingData") or "missing"
    state = decide(cells, int(alarm["EvaluationPeriods"]), needed, treatment) or alarm["StateValue"]
    real = [value for value in values if value is not None]
    told = ", ".join(f"{value:g}" for value in real[:5]) or "no datapoints were received"
    return state, f"Threshold Crossed: [{told}], {alarm['ComparisonOperator']} {threshold:g}; {needed} needed"


def decide(cells: Sequence[bool | None], periods: int, needed: int, treatment: str) -> str | None:
    """The state, or None to keep the present one.

    cells: newest first, of all periods that were looked at; None is missing.
    """
    real = [cell for cell in cells if cell is not None]
    considered = real[:periods]
    absent = periods - len(considered)
    if absent and treatment in ("breaching", "notBreaching"):
        considered = considered + [treatment == "breaching"] * absent
    elif not real:
        return None if treatment == "ignore" else INSUFFICIENT_DATA
    if considered.count(True) >= needed:
        return ALARM
    if not absent or False in considered or treatment == "notBreaching":
        return OK
    # All real points breach and are too few. An old one with nothing after it is an alarm; a new one may be the first
    # of a stream that has just begun.
    oldest = max(index for index, cell in enumerate(cells, 1) if cell)
    if treatment == "ignore":
        return None
    return ALARM if oldest >= needed else INSUFFICIENT_DATA


def watched(alarm: Mapping[str, Any]) -> Series:
    """The values that the alarm looks at, by period, newest first. Raises ExpressionFault."""
    length = int(alarm["EvaluationPeriods"]) + LOOKED_BACK
    if not alarm.get("Metrics"):
        statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
        return _values(alarm, int(alarm["Period"]), statistic, length, alarm.get("Unit"))
    return computed(alarm["Metrics"], length)


def computed(queries: Sequence[Mapping[str, Any]], length: int) -> Series:
    """The values of the query that returns data. Raises ExpressionFault."""
    period = period_of(queries)
    measured = {}
    for query in queries:
        if stat := query.get("MetricStat"):
            measured[query["Id"]] = _values(stat["Metric"], period, stat["Stat"], length, stat.get("Unit"))
    results: dict[str, Series] = {}
    waiting = [query for query in queries if "Expression" in query]
    # expressions may name one another in any order; each pass computes those whose operands are there
    for _ in range(len(waiting)):
        for query in waiting:
            if query["Id"] not in results and not _waits_for(query, waiting, results):
                results[query["Id"]] = evaluate(query["Expression"], Metrics(measured, results, period, length))
    returned = next(query["Id"] for query in queries if query.get("ReturnData", True))
    return results[returned] if returned in results else measured[returned]


def period_of(queries: Sequence[Mapping[str, Any]]) -> int:
    return next(int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query)


def _waits_for(query: Mapping[str, Any], others: Sequence[Mapping[str, Any]], results: Mapping[str, Series]) -> bool:
    named = set(re.findall(r"[a-z][A-Za-z0-9_]*", query["Expression"]))
    return any(other["Id"] in named and other["Id"] not in results for other in others)


def _values(metric: Mapping[str, Any], period: int, statistic: str, length: int, unit: str | None) -> Series:
    """The metric of exactly these dimensions, in windows that end with the running minute."""
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(metric.get("Dimensions") or []))
    key = (metric["Namespace"], metric["MetricName"], dimensions)
    points = [one for one in cloudwatch._metrics.get(key) or () if unit in (None, one["Unit"])]
    step = min(period, MINUTE)
    # the running minute counts: AWS waits for it to be over, and a sandbox that waits teaches nothing
    end = (int(CLOCK.now()) // step + 1) * step
    found: list[float | None] = []
    for index in range(length):
        last, first = end - index * period, end - (index + 1) * period
        chosen = [one for one in points if first <= one["Timestamp"] < last]
        found.append(cloudwatch._stat_value(cloudwatch._calc_stats(chosen), statistic, chosen) if chosen else None)
    return tuple(found)
