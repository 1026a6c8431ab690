"""What SQS measures of each queue, once a minute and when it changes, as long as the queue is in use."""

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.services import cloudwatch, sqs

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.cloudwatch_tick import everywhere, on_tick
from sandbox.cloud.emulator.probe import Probe

IDLE_SECONDS = 6 * 3_600
"""A queue without messages that nobody has asked for so long is measured no more."""
MINUTE = 60
MADE_UP_FOR = 24 * 60
"""Minutes measured afterwards, when the clock was moved: AWS would have measured each of them."""
_USED, _MEASURED = "sandbox_used", "sandbox_measured"
"""Kept in the emulator's own record of the queue, so that they go with it."""


def _measure() -> None:
    replace(sqs, "_get_q", _noting_use, takes=("url", "action"))
    on_tick(measure_all, measures=True)


def _noting_use(old: Any) -> Any:
    def call(url: str, action: str | None = None) -> Any:
        queue = old(url, action)
        queue[_USED] = CLOCK.now()
        return queue

    return call


def measure_all() -> None:
    for _ in everywhere(sqs._queues):
        for queue in sqs._queues.values():
            _measure_queue(queue)


def _measure_queue(queue: dict[str, Any]) -> None:
    now, messages = CLOCK.now(), list(queue["messages"])
    minute, values = int(now) // MINUTE, _values(messages, now)
    measured_minute, measured_values = queue.get(_MEASURED, (minute - 1, None))
    if (minute, values) == (measured_minute, measured_values):
        return
    queue[_MEASURED] = (minute, values)
    for missed in range(max(measured_minute + 1, minute - MADE_UP_FOR), minute):
        at = (missed + 1) * MINUTE - 1.0
        _record(queue, at, _values(messages, at))
    _record(queue, now, values)


def _record(queue: Mapping[str, Any], at: float, values: Mapping[str, float]) -> None:
    if not values["messages"] and at - queue.get(_USED, at) > IDLE_SECONDS:
        return
    dimensions = {"QueueName": queue["name"]}
    for name, unit in _UNITS.items():
        cloudwatch._store_datum("AWS/SQS", name, dimensions, at, unit, values[name], None, None, None)


_UNITS = {
    "ApproximateNumberOfMessagesVisible": "Count",
    "ApproximateNumberOfMessagesNotVisible": "Count",
    "ApproximateNumberOfMessagesDelayed": "Count",
    "ApproximateAgeOfOldestMessage": "Seconds",
}


def _values(messages: Sequence[Mapping[str, Any]], at: float) -> Mapping[str, float]:
    visible = [one for one in messages if one.get("visible_at", 0) <= at]
    received = [one for one in messages if one.get("visible_at", 0) > at and one.get("receive_count")]
    oldest = min((one.get("sent_at", at) for one in messages), default=at)
    return {
        "messages": len(messages),
        "ApproximateNumberOfMessagesVisible": len(visible),
        "ApproximateNumberOfMessagesNotVisible": len(received),
        "ApproximateNumberOfMessagesDelayed": len(messages) - len(visible) - len(received),
        # by the minute, so that a waiting message is not a new value at every beat
        "ApproximateAgeOfOldestMessage": max(0, int(at - oldest)) // MINUTE * MINUTE,
    }


def _prove(probe: Probe) -> None:
    client, name = probe.client("sqs"), probe.name("measured")
    url = client.create_queue(QueueName=name)["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="waits")
    for ahead, metric, expected in (
        (60, "ApproximateNumberOfMessagesVisible", 1),
        (3600, "ApproximateAgeOfOldestMessage", 3600),
    ):
        probe.move_clock(ahead)
        probe.holds(_latest(probe, name, metric) == expected, f"{metric} is {expected}")


def _latest(probe: Probe, name: str, metric: str) -> float:
    points = probe.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName=metric,
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=CLOCK.now() - 120,
        EndTime=CLOCK.now() + 120,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return float(max((point["Maximum"] for point in points), default=-1))


PATCHES: tuple[Patch, ...] = (
    Patch(
        "queues-are-measured",
        "A queue has no metrics, so alarms on dead letters or old messages never change their state.",
        _measure,
        _prove,
    ),
)
