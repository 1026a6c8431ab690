"""What SQS measures of each queue, once a minute and when it changes, as long as the queue is in use."""

from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch, sqs

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.cloudwatch_tick import everywhere, on_tick
from sandbox.cloud.emulator.probe import Probe

IDLE_SECONDS = 6 * 3_600
"""A queue without messages that nobody has asked for so long is measured no more."""
_USED, _MEASURED = "sandbox_used", "sandbox_measured"
"""Kept in the emulator's own record of the queue, so that they go with it."""


def _measure() -> None:
    replace(sqs, "_get_q", _noting_use, takes=("url", "action"))
    on_tick(measure_all)


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
    now = CLOCK.now()
    messages = list(queue["messages"])
    if not messages and now - queue.get(_USED, now) > IDLE_SECONDS:
        return
    values = _values(messages, now)
    measured = (int(now) // 60, values)
    if queue.get(_MEASURED) == measured:
        return
    queue[_MEASURED] = measured
    for name, value in values.items():
        unit = "Seconds" if name == "ApproximateAgeOfOldestMessage" else "Count"
        cloudwatch.record_metric("AWS/SQS", name, value, unit, {"QueueName": queue["name"]})


def _values(messages: list[dict[str, Any]], now: float) -> Mapping[str, float]:
    visible = [one for one in messages if one.get("visible_at", 0) <= now]
    received = [one for one in messages if one.get("visible_at", 0) > now and one.get("receive_count")]
    oldest = min((one.get("sent_at", now) for one in messages), default=now)
    return {
        "ApproximateNumberOfMessagesVisible": len(visible),
        "ApproximateNumberOfMessagesNotVisible": len(received),
        "ApproximateNumberOfMessagesDelayed": len(messages) - len(visible) - len(received),
        "ApproximateAgeOfOldestMessage": int(now - oldest) // 60 * 60,
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
