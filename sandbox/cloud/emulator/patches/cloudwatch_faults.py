"""What CloudWatch refuses in a request that puts an alarm (API reference, PutMetricAlarm)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.responses import get_region

from sandbox.cloud.emulator.patches.cloudwatch_evaluation import COMPARISONS, MINUTE, computed
from sandbox.cloud.emulator.patches.cloudwatch_math_values import ExpressionFault

ACTION_LISTS = ("AlarmActions", "OKActions", "InsufficientDataActions")
LARGEST_ACTIONS = 5
LARGEST_METRICS = 10
DESCRIPTION_CHARACTERS = 1024
HOUR, DAY = 3_600, 86_400
STATISTICS = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})
TREATMENTS = frozenset({"breaching", "notBreaching", "ignore", "missing"})
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{0,10})?|100)")
OF_ONE_METRIC = ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit")
"""Parameters that go with one metric, and not with metric math."""


def fault(alarm: Mapping[str, Any]) -> str | None:
    """What CloudWatch would refuse in a PutMetricAlarm request; None when it would take it."""
    return next(_faults(alarm), None)


def _faults(alarm: Mapping[str, Any]) -> Iterator[str]:
    yield from action_faults(alarm)
    if len(alarm.get("AlarmDescription") or "") > DESCRIPTION_CHARACTERS:
        yield f"AlarmDescription must have length less than or equal to {DESCRIPTION_CHARACTERS}"
    if alarm.get("ComparisonOperator") not in COMPARISONS:
        yield f"the sandbox does not know the comparison {alarm.get('ComparisonOperator')}"
    if "Threshold" not in alarm:
        yield "the alarm has no Threshold; the sandbox knows no anomaly detection"
    if (alarm.get("TreatMissingData") or "missing") not in TREATMENTS:
        yield f"Value {alarm['TreatMissingData']} at 'treatMissingData' must be one of {sorted(TREATMENTS)}"
    periods = int(alarm.get("EvaluationPeriods") or 0)
    if periods < 1:
        yield "EvaluationPeriods must be at least 1"
    if not 1 <= int(alarm.get("DatapointsToAlarm") or periods) <= periods:
        yield "DatapointsToAlarm must be between 1 and EvaluationPeriods"
    if "Metrics" in alarm:
        yield from _math_faults(alarm, periods)
    else:
        yield from _metric_faults(alarm, periods)


def action_faults(alarm: Mapping[str, Any]) -> Iterator[str]:
    for name in ACTION_LISTS:
        actions = alarm.get(name) or []
        if len(actions) > LARGEST_ACTIONS:
            yield f"{name} must have length less than or equal to {LARGEST_ACTIONS}"
        for action in actions:
            try:
                arn = parse_arn(action)
            except ArnParseError:
                yield f"Invalid arn syntax: {action}"
                continue
            if arn.region != get_region():
                yield f"Invalid region {arn.region} specified. Only {get_region()} is supported."
            elif arn.service not in ("sns", "lambda", "autoscaling", "automate", "ssm", "swf"):
                yield f"Invalid arn syntax: {action}"


def _metric_faults(alarm: Mapping[str, Any], periods: int) -> Iterator[str]:
    if not alarm.get("MetricName") or not alarm.get("Namespace"):
        yield "MetricName and Namespace are needed, or Metrics"
    statistics = [alarm[name] for name in ("Statistic", "ExtendedStatistic") if alarm.get(name)]
    if len(statistics) != 1:
        yield "exactly one of Statistic and ExtendedStatistic is needed"
    else:
        yield from _statistic_faults(statistics[0])
    yield from _period_faults(int(alarm.get("Period") or 0), periods)


def _statistic_faults(statistic: str) -> Iterator[str]:
    if statistic not in STATISTICS and not _PERCENTILE.fullmatch(statistic):
        yield f"the sandbox does not know the statistic {statistic}"


def _period_faults(period: int, periods: int) -> Iterator[str]:
    if period not in (10, 20, 30) and (period < MINUTE or period % MINUTE):
        yield f"Period {period} must be 10, 20, 30 or a multiple of {MINUTE}"
    most = 7 * DAY if period >= HOUR else DAY
    if period * periods > most:
        yield (
            f"Metrics cannot be checked across more than {most // DAY} day(s) "
            f"(EvaluationPeriods * Period must be <= {most})."
        )


def _math_faults(alarm: Mapping[str, Any], periods: int) -> Iterator[str]:
    for name in OF_ONE_METRIC:
        if alarm.get(name):
            yield f"{name} must not be set together with Metrics"
    queries = alarm["Metrics"]
    identities = [query.get("Id", "") for query in queries]
    if len(set(identities)) != len(identities) or not all(re.fullmatch(r"[a-z]\w*", one) for one in identities):
        yield "each Id must be unique and begin with a lower-case letter"
        return
    if sum(bool(query.get("ReturnData", True)) for query in queries) != 1:
        yield "Exactly one element of the metrics list should return data."
        return
    stats = [query["MetricStat"] for query in queries if "MetricStat" in query]
    if not 1 <= len(stats) <= LARGEST_METRICS:
        yield f"an alarm takes 1 to {LARGEST_METRICS} metrics"
        return
    if len({stat["Period"] for stat in stats}) != 1:
        yield "Period must be the same for all metrics"
    for stat in stats:
        yield from _statistic_faults(stat["Stat"])
    yield from _period_faults(int(stats[0]["Period"]), periods)
    try:
        computed(queries, periods)
    except ExpressionFault as e:
        yield f"Error in expression: {e}"
