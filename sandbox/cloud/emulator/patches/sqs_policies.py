"""A queue's policies: read when they are stored; the dead-letter queue says whose dead letters it takes."""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import sqs

from sandbox.cloud.emulator.patch import Patch, PatchDoesNotFit, replace
from sandbox.cloud.emulator.patches.iam_documents import Kind, actions, fault
from sandbox.cloud.emulator.patches.iam_proofs import document, statement
from sandbox.cloud.emulator.probe import Probe

LARGEST_SOURCES = 10
_PERMISSIONS = ("allowAll", "denyAll", "byQueue")


def _check() -> None:
    for operation in ("CreateQueue", "SetQueueAttributes"):
        if operation not in sqs._HANDLERS:
            raise PatchDoesNotFit(f"ministack's SQS has no {operation}")
        sqs._HANDLERS[operation] = _checked(sqs._HANDLERS[operation])
    replace(sqs, "_dlq_sweep", _sweep_with_leave, takes=("q",))


def _checked(handler: Any) -> Any:
    def call(data: dict[str, Any], url: str) -> Any:
        attributes = data.get("Attributes") or {}
        if policy := attributes.get("Policy"):
            _check_policy(policy)
        if allowed := attributes.get("RedriveAllowPolicy"):
            _check_allow_policy(allowed)
        if redrive := attributes.get("RedrivePolicy"):
            name = data.get("QueueName") or sqs._queue_ref_from_urlish(data.get("QueueUrl") or url)[1]
            _check_allowed(redrive, name)
        return handler(data, url)

    return call


def _check_policy(text: str) -> None:
    why = fault(text, Kind.RESOURCE)
    if why is None and (foreign := {one for one in actions(text) if one != "*" and not one.startswith("sqs:")}):
        why = f"{', '.join(sorted(foreign))} is none of SQS"
    if why:
        raise sqs._Err("InvalidAttributeValue", f"Invalid value for the parameter Policy. ({why})")


def _check_allow_policy(text: str) -> None:
    try:
        policy = json.loads(text)
        permission, sources = policy["redrivePermission"], policy.get("sourceQueueArns", [])
        right = permission in _PERMISSIONS and len(sources) <= LARGEST_SOURCES
        if right and bool(sources) == (permission == "byQueue"):
            return
    except (ValueError, TypeError, LookupError):
        pass  # the same refusal
    raise sqs._Err("InvalidParameterValue", f"Value {text} for parameter RedriveAllowPolicy is invalid.")


def _check_allowed(redrive: str, name: str) -> None:
    sqs._validate_redrive_policy(redrive)
    target = json.loads(redrive)["deadLetterTargetArn"]
    dead_letters = sqs._queue_by_arn(target)
    source = target.rsplit(":", 1)[0] + f":{name}"
    if not _takes(dead_letters, source):
        raise sqs._Err(
            "InvalidParameterValue",
            f"Value {redrive} for parameter RedrivePolicy is invalid. Reason: {target} does not take dead letters of "
            f"{source}.",
        )


def _takes(dead_letters: Mapping[str, Any], source: str) -> bool:
    allowed = json.loads(dead_letters["attributes"].get("RedriveAllowPolicy") or '{"redrivePermission": "allowAll"}')
    by_name = allowed["redrivePermission"] == "byQueue" and source in allowed["sourceQueueArns"]
    return by_name or bool(allowed["redrivePermission"] == "allowAll")


def _sweep_with_leave(sweep: Any) -> Any:
    def call(q: dict[str, Any]) -> None:
        if redrive := q["attributes"].get("RedrivePolicy"):
            dead_letters = sqs._queue_by_arn(json.loads(redrive)["deadLetterTargetArn"])
            if dead_letters is not None and not _takes(dead_letters, q["attributes"]["QueueArn"]):
                return
        sweep(q)

    return call


def _prove(probe: Probe) -> None:
    client = probe.client("sqs")
    dead, dead_arn = _queue(client, probe.name("dead"), {})
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    source, source_arn = _queue(client, probe.name("source"), {"RedrivePolicy": redrive, "VisibilityTimeout": "60"})
    other, other_arn = _queue(client, probe.name("other"), {})
    good = statement("sqs:SendMessage", source_arn, Principal={"Service": "s3.amazonaws.com"})
    for bad in ("{", document({**good, "Action": "s3:PutObject"}), document({**good, "Effect": "allow"})):
        _refuse(probe, "InvalidAttributeValue", source, Policy=bad)
    for bad in ("{", '{"redrivePermission": "byQueue"}', '{"redrivePermission": "some"}'):
        _refuse(probe, "InvalidParameterValue", dead, RedriveAllowPolicy=bad)
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [other_arn]}
    client.send_message(QueueUrl=source, MessageBody="fails")
    client.receive_message(QueueUrl=source)
    client.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(allowed)})
    _refuse(probe, "InvalidParameterValue", source, RedrivePolicy=redrive)
    client.set_queue_attributes(QueueUrl=other, Attributes={"RedrivePolicy": redrive})
    probe.move_clock(120)
    client.receive_message(QueueUrl=source)
    probe.holds(not client.receive_message(QueueUrl=dead).get("Messages"), "no dead letters of a queue without leave")
    client.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": ""})
    probe.move_clock(240)
    client.receive_message(QueueUrl=source)
    probe.holds(client.receive_message(QueueUrl=dead).get("Messages"), "with leave the message joins the dead letters")


def _queue(client: Any, name: str, attributes: Mapping[str, str]) -> tuple[str, str]:
    """URL and ARN."""
    url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _refuse(probe: Probe, code: str, url: str, **attributes: str) -> None:
    probe.refused(code, probe.client("sqs").set_queue_attributes, QueueUrl=url, Attributes=attributes)


PATCHES: tuple[Patch, ...] = (
    Patch(
        "queues-take-well-formed-policies",
        "A queue takes any text as its policy, and dead letters of queues that its redrive allow policy shuts out.",
        _check,
        _prove,
    ),
)
