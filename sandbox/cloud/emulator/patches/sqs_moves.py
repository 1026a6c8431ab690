"""Putting dead letters back: StartMessageMoveTask, as the alarm on dead letters advises."""

import json
from collections.abc import Iterator
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sqs

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, PatchDoesNotFit
from sandbox.cloud.emulator.probe import Probe


def _add() -> None:
    if "StartMessageMoveTask" in sqs._HANDLERS:
        raise PatchDoesNotFit("ministack's SQS has a StartMessageMoveTask of its own now")
    sqs._HANDLERS["StartMessageMoveTask"] = _start


def _start(data: dict[str, Any], _url: str) -> dict[str, str]:
    """Moves all at once; on AWS it takes its time. Messages go where they came from, or to the queue that is named."""
    source = sqs._queue_by_arn(data.get("SourceArn", ""))
    if source is None or not list(_sources_of(data["SourceArn"])):
        raise sqs._Err(
            "ResourceNotFoundException", "The resource that you specified for the SourceArn is no dead-letter queue."
        )
    messages, source["messages"] = source["messages"], []
    for message in messages:
        origin = data.get("DestinationArn") or message["sys"]["DeadLetterQueueSourceArn"]
        target = sqs._queue_by_arn(origin)
        if target is None:
            source["messages"].append(message)
            continue
        message.update(receive_count=0, receipt_handle=None, first_receive_at=None, visible_at=CLOCK.now())
        target["messages"].append(message)
    sqs.esm_wake.set()
    return {"TaskHandle": new_uuid()}


def _sources_of(dead_letters: str) -> Iterator[dict[str, Any]]:
    for queue in sqs._queues.values():
        redrive = queue["attributes"].get("RedrivePolicy")
        if redrive and json.loads(redrive)["deadLetterTargetArn"] == dead_letters:
            yield queue


def _prove(probe: Probe) -> None:
    client = probe.client("sqs")
    urls = [client.create_queue(QueueName=probe.name(name))["QueueUrl"] for name in ("source", "dead")]
    arns = [
        client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] for url in urls
    ]
    probe.refused("ResourceNotFoundException", client.start_message_move_task, SourceArn=arns[1])
    redrive = json.dumps({"deadLetterTargetArn": arns[1], "maxReceiveCount": 1})
    client.set_queue_attributes(QueueUrl=urls[0], Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "60"})
    client.send_message(QueueUrl=urls[0], MessageBody="fails")
    client.receive_message(QueueUrl=urls[0])
    probe.move_clock(120)
    probe.holds(not client.receive_message(QueueUrl=urls[0]).get("Messages"), "the message has joined the dead letters")
    client.start_message_move_task(SourceArn=arns[1])
    probe.holds(client.receive_message(QueueUrl=urls[0]).get("Messages"), "it is back")


PATCHES: tuple[Patch, ...] = (
    Patch(
        "dead-letters-can-be-put-back",
        "There is no StartMessageMoveTask.",
        _add,
        _prove,
    ),
)
