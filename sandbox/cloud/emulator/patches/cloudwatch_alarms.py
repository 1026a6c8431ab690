"""Alarms change their states as CloudWatch's do, also when no new data comes."""

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.services import cloudwatch

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.cloudwatch_evaluation import ALARM, INSUFFICIENT_DATA, MINUTE, OK, new_state
from sandbox.cloud.emulator.patches.cloudwatch_math_values import ExpressionFault
from sandbox.cloud.emulator.patches.cloudwatch_tick import everywhere, on_tick
from sandbox.cloud.emulator.probe import Probe

_evaluating = threading.RLock()
"""New data, the tick and requests evaluate at the same time; a transition must act once."""


def evaluate(alarm: dict[str, Any]) -> None:
    with _evaluating:
        known = cloudwatch._alarms.get(alarm["AlarmName"]) is alarm
        if not known or not (alarm.get("Metrics") or alarm.get("MetricName")):
            return  # replaced meanwhile, or not yet complete
        try:
            state, reason = new_state(alarm)
        except ExpressionFault as e:
            state, reason = INSUFFICIENT_DATA, f"the expression has no value: {e}"
        old = alarm["StateValue"]
        if state == old:
            return
        now = int(CLOCK.now())
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=now, StateTransitionedTimestamp=now)
        cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
        cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
        cloudwatch._evaluate_parent_alarms(alarm)


def evaluate_all() -> None:
    """All alarms of the present account and region."""
    for alarm in cloudwatch._alarms.values():
        evaluate(alarm)


def _evaluate_as_aws() -> None:
    replace(cloudwatch, "_evaluate_alarm", lambda _: evaluate, takes=("alarm",))
    replace(cloudwatch, "_evaluate_all_alarms", lambda _: evaluate_all, takes=())


def _tick() -> None:
    on_tick(_evaluate_everywhere)


def _evaluate_everywhere() -> None:
    for _ in everywhere(cloudwatch._alarms):
        evaluate_all()


# ----------------------------------------------------------------------------------------------------- proofs


def _prove_evaluation(probe: Probe) -> None:
    namespace = probe.name()
    ours = {"Domain": "a.example"}
    watch(probe, namespace, "ours", ours, EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData="notBreaching")
    put(probe, namespace, {"Domain": "b.example"}, {0: 9, 1: 9})
    put(probe, namespace, {}, {0: 9, 1: 9})
    probe.holds(state(probe, "ours") == OK, "other dimensions do not count")
    put(probe, namespace, ours, {0: 9})
    probe.holds(state(probe, "ours") == OK, "one point of two is not enough")
    put(probe, namespace, ours, {2: 9})
    probe.holds(state(probe, "ours") == ALARM, "two of three periods are")
    for treatment, expected in (
        ("missing", INSUFFICIENT_DATA),
        ("ignore", INSUFFICIENT_DATA),
        ("breaching", ALARM),
        ("notBreaching", OK),
    ):
        watch(probe, namespace, f"silent-{treatment}", {"Domain": "silent"}, TreatMissingData=treatment)
        probe.holds(state(probe, f"silent-{treatment}") == expected, f"{treatment} gives {expected}")
    watch(probe, namespace, "p90", ours, Statistic=None, ExtendedStatistic="p90", Threshold=100)
    probe.holds(state(probe, "p90") == OK, "the percentile is taken")


def _prove_tick(probe: Probe) -> None:
    namespace = probe.name()
    watch(
        probe,
        namespace,
        "heartbeat",
        {},
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    put(probe, namespace, {}, {0: 5})
    probe.holds(state(probe, "heartbeat") == OK, "there is data")
    probe.move_clock(3600)
    probe.holds(state(probe, "heartbeat") == ALARM, "an hour later there is none, and nobody had to ask")


def watch(probe: Probe, namespace: str, name: str, dimensions: Mapping[str, str], **more: Any) -> None:
    """An alarm on the metric `Failures`: above 1 in a minute, unless `more` says otherwise."""
    alarm: dict[str, Any] = {
        "AlarmName": name,
        "Namespace": namespace,
        "MetricName": "Failures",
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Sum",
        "Period": MINUTE,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    given = {key: value for key, value in (alarm | more).items() if value is not None}
    probe.client("cloudwatch").put_metric_alarm(**given)


def put(probe: Probe, namespace: str, dimensions: Mapping[str, str], values: Mapping[int, float]) -> None:
    """values: by how many minutes ago."""
    probe.client("cloudwatch").put_metric_data(
        Namespace=namespace, MetricData=list(_data("Failures", dimensions, values))
    )


def _data(metric: str, dimensions: Mapping[str, str], values: Mapping[int, float]) -> Iterable[dict[str, Any]]:
    for minutes, value in values.items():
        yield {
            "MetricName": metric,
            "Value": value,
            "Timestamp": datetime.fromtimestamp(CLOCK.now() - minutes * MINUTE, UTC),
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        }


def state(probe: Probe, name: str) -> str:
    [found] = probe.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


PATCHES: tuple[Patch, ...] = (
    Patch(
        "alarms-evaluate-as-aws",
        "An alarm adds up every metric of that name whatever its dimensions, over all its periods at once, and changes "
        "nothing when data is missing: DatapointsToAlarm and TreatMissingData have no effect.",
        _evaluate_as_aws,
        _prove_evaluation,
    ),
    Patch(
        "alarms-evaluate-without-new-data",
        "An alarm changes its state only when some metric is put: it never ends, and silence never raises one.",
        _tick,
        _prove_tick,
    ),
)
