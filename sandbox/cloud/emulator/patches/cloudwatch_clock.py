"""Alarms, logs, queues, topics and schedules live on the emulator's clock, which the sandbox moves."""

import time
from time import struct_time
from types import ModuleType
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs, eventbridge, sns, sqs

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, PatchDoesNotFit, replace
from sandbox.cloud.emulator.probe import Probe

_AHEAD = 3600.0


class MovedTime:
    """The module `time`, on the emulator's clock. Waiting and measuring stay real."""

    def gmtime(self, seconds: float | None = None) -> struct_time:
        return time.gmtime(CLOCK.now() if seconds is None else seconds)

    def time(self) -> float:
        return CLOCK.now()

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _move() -> None:
    for module in (cloudwatch, cloudwatch_logs, eventbridge, sns, sqs):
        if not isinstance(getattr(module, "time", None), ModuleType):
            raise PatchDoesNotFit(f"{module.__name__} does not use the module time")
        replace(module, "time", lambda _: MovedTime())


def _prove(probe: Probe) -> None:
    client = probe.client("sqs")
    url = client.create_queue(QueueName=probe.name(), Attributes={"VisibilityTimeout": "1800"})["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="once more")
    probe.holds(client.receive_message(QueueUrl=url).get("Messages"), "a message is received")
    probe.holds(not client.receive_message(QueueUrl=url).get("Messages"), "a message in flight is not received")
    probe.move_clock(_AHEAD)
    probe.holds(client.receive_message(QueueUrl=url).get("Messages"), "it comes again after its visibility timeout")


PATCHES: tuple[Patch, ...] = (
    Patch(
        "services-live-on-the-moved-clock",
        "Alarm periods, visibility timeouts, retention and schedules pass in real time only, so nothing that takes an "
        "hour or a week can be seen.",
        _move,
        _prove,
    ),
)
