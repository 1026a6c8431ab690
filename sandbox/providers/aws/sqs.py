"""SQS queues and their policies."""

from typing import Any

from sandbox.providers.aws.cloud import Aws, Service, service, tags_all
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.wire import Properties

_ATTRIBUTES = {
    "delaySeconds": "DelaySeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_ELSEWHERE = words("policy redriveAllowPolicy redrivePolicy")
"""May be set by resources of their own: what the queue's program does not give is not the queue's to judge."""


def _attributes(inputs: Properties) -> dict[str, str]:
    return {api: _text(inputs[own]) for own, api in _ATTRIBUTES.items() if inputs.get(own) is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _create(call: Call[Aws]) -> Created:
    tags = call.cloud.tags(call.inputs)
    url = service(call, "sqs").create_queue(
        QueueName=call.inputs["name"], Attributes=_attributes(call.inputs), **({"tags": tags} if tags else {})
    )["QueueUrl"]
    return Created(url, _outputs(service(call, "sqs"), url))


def _outputs(sqs: Service, url: str) -> Properties:
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return {"arn": arn, "url": url}


def _read(call: Call[Aws]) -> Found:
    sqs = service(call, "sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=call.id, AttributeNames=["All"])["Attributes"]
    seen: Properties = {"name": attributes["QueueArn"].rsplit(":", 1)[-1]}
    for own, api in _ATTRIBUTES.items():
        if api in attributes:
            seen[own] = _typed(attributes[api])
        elif own not in _ELSEWHERE or own in call.inputs:
            seen[own] = None
    tags = sqs.list_queue_tags(QueueUrl=call.id).get("Tags") or {}
    seen["tags"] = {key: value for key, value in tags.items() if call.cloud.default_tags.get(key) != value} or None
    return Found(seen, _outputs(sqs, call.id))


def _typed(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text


def _update(call: Call[Aws]) -> Properties:
    sqs = service(call, "sqs")
    cleared = {_ATTRIBUTES[name]: "" for name in call.changed if name in _ATTRIBUTES and name not in call.inputs}
    sqs.set_queue_attributes(QueueUrl=call.id, Attributes=cleared | _attributes(call.inputs))
    if "tags" in call.changed:
        if old := list(call.state.get("tagsAll") or {}):
            sqs.untag_queue(QueueUrl=call.id, TagKeys=old)
        if new := call.cloud.tags(call.inputs):
            sqs.tag_queue(QueueUrl=call.id, Tags=new)
    return {}


QUEUE: ResourceType[Aws] = ResourceType(
    "aws:sqs/queue:Queue",
    acts_on=words("name tags.*") | frozenset(_ATTRIBUTES),
    create=_create,
    read=_read,
    update=_update,
    delete=lambda call: service(call, "sqs").delete_queue(QueueUrl=call.id),
    replace_on=words("name region"),
    name=AutoName(longest=80),
    defaults={
        "delaySeconds": 0,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    },
    documents=_ELSEWHERE,
    derived=tags_all,
)


def _queue_attribute(token: str, own: str) -> ResourceType[Aws]:
    """A resource that is one attribute of a queue; its id is the queue's URL."""
    api = _ATTRIBUTES[own]

    def write(call: Call[Aws]) -> None:
        service(call, "sqs").set_queue_attributes(QueueUrl=call.inputs["queueUrl"], Attributes={api: call.inputs[own]})

    def create(call: Call[Aws]) -> Created:
        write(call)
        return Created(call.inputs["queueUrl"])

    def read(call: Call[Aws]) -> Found | None:
        attributes = service(call, "sqs").get_queue_attributes(QueueUrl=call.id, AttributeNames=["All"])["Attributes"]
        return Found({"queueUrl": call.id, own: attributes[api]}) if attributes.get(api) else None

    def update(call: Call[Aws]) -> Properties:
        write(call)
        return {}

    def delete(call: Call[Aws]) -> None:
        service(call, "sqs").set_queue_attributes(QueueUrl=call.id, Attributes={api: ""})

    return ResourceType(
        token,
        acts_on=words(f"queueUrl {own}"),
        create=create,
        read=read,
        update=update,
        delete=delete,
        replace_on=words("queueUrl region"),
        documents=words(own),
    )


TYPES: tuple[ResourceType[Aws], ...] = (
    QUEUE,
    _queue_attribute("aws:sqs/queuePolicy:QueuePolicy", "policy"),
    _queue_attribute("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "redriveAllowPolicy"),
)
