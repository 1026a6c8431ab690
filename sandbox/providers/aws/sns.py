"""SNS topics, their policies and subscriptions."""

from collections.abc import Iterator
from typing import Any

from sandbox.providers.aws.cloud import Aws, service, tag_list, tags_all
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties

_TOPIC = {
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_SUBSCRIPTION = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
}


def _attributes(inputs: Properties, names: dict[str, str]) -> dict[str, str]:
    return {api: _text(inputs[own]) for own, api in names.items() if inputs.get(own) is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


# ----------------------------------------------------------------------------------------------------- topics


def _create(call: Call[Aws]) -> Created:
    arn = service(call, "sns").create_topic(
        Name=call.inputs["name"], Attributes=_attributes(call.inputs, _TOPIC), Tags=tag_list(call.cloud, call.inputs)
    )["TopicArn"]
    return Created(arn, _topic_outputs(call, arn))


def _topic_outputs(call: Call[Aws], arn: str) -> Properties:
    return {"arn": arn, "owner": call.cloud.account, "beginningArchiveTime": ""}


def _read(call: Call[Aws]) -> Found:
    seen = service(call, "sns").get_topic_attributes(TopicArn=call.id)["Attributes"]
    inputs: Properties = {own: seen.get(api) or None for own, api in _TOPIC.items() if own != "policy"}
    if inputs["signatureVersion"] is not None:  # a number to the provider, a text to the service
        inputs["signatureVersion"] = int(inputs["signatureVersion"])
    if "policy" in call.inputs:  # else it is what SNS gives to every topic, or a TopicPolicy's
        inputs["policy"] = seen.get("Policy")
    return Found(inputs | {"name": call.id.rsplit(":", 1)[-1]}, _topic_outputs(call, call.id))


def _update(call: Call[Aws]) -> Properties:
    sns = service(call, "sns")
    for own in sorted(call.changed & set(_TOPIC)):
        value = _text(call.inputs.get(own, ""))
        sns.set_topic_attributes(TopicArn=call.id, AttributeName=_TOPIC[own], AttributeValue=value)
    if "tags" in call.changed:
        if old := list(call.state.get("tagsAll") or {}):
            sns.untag_resource(ResourceArn=call.id, TagKeys=old)
        sns.tag_resource(ResourceArn=call.id, Tags=tag_list(call.cloud, call.inputs))
    return {}


TOPIC: ResourceType[Aws] = ResourceType(
    "aws:sns/topic:Topic",
    acts_on=words("name tags.*") | frozenset(_TOPIC),
    create=_create,
    read=_read,
    update=_update,
    delete=lambda call: service(call, "sns").delete_topic(TopicArn=call.id),
    replace_on=words("name region"),
    name=AutoName(longest=256),
    documents=words("policy deliveryPolicy"),
    derived=tags_all,
)


def _write_policy(call: Call[Aws]) -> Properties:
    service(call, "sns").set_topic_attributes(
        TopicArn=call.inputs["arn"], AttributeName="Policy", AttributeValue=call.inputs["policy"]
    )
    return {"owner": call.cloud.account}


def _read_policy(call: Call[Aws]) -> Found:
    seen = service(call, "sns").get_topic_attributes(TopicArn=call.id)["Attributes"]
    return Found({"arn": call.id, "policy": seen.get("Policy")}, {"owner": call.cloud.account})


def _default_policy(call: Call[Aws]) -> None:
    """A topic is never without a policy: deleting it puts back the one that SNS starts with."""
    import json

    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes", "SNS:SetTopicAttributes"],
        "Resource": call.id,
        "Condition": {"StringEquals": {"AWS:SourceOwner": call.cloud.account}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    service(call, "sns").set_topic_attributes(
        TopicArn=call.id, AttributeName="Policy", AttributeValue=json.dumps(policy)
    )


TOPIC_POLICY: ResourceType[Aws] = ResourceType(
    "aws:sns/topicPolicy:TopicPolicy",
    acts_on=words("arn policy"),
    create=lambda call: Created(call.inputs["arn"], _write_policy(call)),
    read=_read_policy,
    update=_write_policy,
    delete=_default_policy,
    replace_on=words("arn region"),
    documents=words("policy"),
)


# ---------------------------------------------------------------------------------------------- subscriptions

_WEB = ("http", "https")


def _subscribe(call: Call[Aws]) -> Created:
    inputs = call.inputs
    arn = service(call, "sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        Attributes=_attributes(inputs, _SUBSCRIPTION),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    if inputs["protocol"] in _WEB and inputs.get("endpointAutoConfirms"):
        limited = Call(
            call.cloud,
            id=arn,
            inputs=inputs,
            seconds=60 * inputs["confirmationTimeoutInMinutes"],
            cancelled=call.cancelled,
        )

        def is_confirmed() -> tuple[bool, str]:
            pending = _is_pending(_subscription(call, arn))
            return not pending, "pending confirmation" if pending else "confirmed"

        limited.wait_for(f"{inputs['endpoint']} to confirm its subscription", is_confirmed)
    return Created(arn, _subscription_outputs(call, arn))


def _subscription(call: Call[Aws], arn: str) -> dict[str, str]:
    attributes: dict[str, str] = service(call, "sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return attributes


def _is_pending(attributes: dict[str, str]) -> bool:
    return attributes.get("PendingConfirmation", "false") == "true"


def _subscription_outputs(call: Call[Aws], arn: str) -> Properties:
    attributes = _subscription(call, arn)
    return {
        "arn": arn,
        "confirmationWasAuthenticated": attributes.get("ConfirmationWasAuthenticated") == "true",
        "filterPolicyScope": attributes.get("FilterPolicyScope", ""),
        "ownerId": attributes.get("Owner") or call.cloud.account,
        "pendingConfirmation": _is_pending(attributes),
    }


def _read_subscription(call: Call[Aws]) -> Found:
    attributes = _subscription(call, call.id)
    seen: Properties = {own: attributes.get(api) or None for own, api in _SUBSCRIPTION.items()}
    seen["rawMessageDelivery"] = attributes.get("RawMessageDelivery", "false") == "true"
    seen |= {"topic": attributes["TopicArn"], "protocol": attributes["Protocol"], "endpoint": attributes["Endpoint"]}
    return Found(seen, _subscription_outputs(call, call.id))


def _update_subscription(call: Call[Aws]) -> Properties:
    # A body-scoped filter is read by other rules, so the scope is set first.
    for own in sorted(call.changed & set(_SUBSCRIPTION), key=lambda name: name != "filterPolicyScope"):
        value = _text(call.inputs.get(own, "{}" if own == "filterPolicy" else ""))
        service(call, "sns").set_subscription_attributes(
            SubscriptionArn=call.id, AttributeName=_SUBSCRIPTION[own], AttributeValue=value
        )
    return _subscription_outputs(call, call.id)


def _unsubscribe(call: Call[Aws]) -> None:
    if _is_pending(_subscription(call, call.id)):
        return  # SNS does not delete what nobody confirmed; it goes away by itself after some days
    service(call, "sns").unsubscribe(SubscriptionArn=call.id)


def _check_subscription(inputs: Properties) -> Iterator[Problem]:
    protocol, endpoint = inputs["protocol"], inputs["endpoint"]
    if protocol in _WEB and isinstance(endpoint, str) and not endpoint.startswith(f"{protocol}://"):
        yield Problem("endpoint", f"{endpoint!r} must begin with {protocol}://")
    if "filterPolicyScope" in inputs and "filterPolicy" not in inputs:
        yield Problem("filterPolicy", "is required with filterPolicyScope")


SUBSCRIPTION: ResourceType[Aws] = ResourceType(
    "aws:sns/topicSubscription:TopicSubscription",
    acts_on=words("topic protocol endpoint endpointAutoConfirms confirmationTimeoutInMinutes")
    | frozenset(_SUBSCRIPTION),
    create=_subscribe,
    read=_read_subscription,
    update=_update_subscription,
    delete=_unsubscribe,
    replace_on=words("topic protocol endpoint region"),
    computed=words("filterPolicyScope"),
    defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
    documents=words("filterPolicy deliveryPolicy redrivePolicy"),
    choices={
        "protocol": ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"),
        "filterPolicyScope": ("MessageAttributes", "MessageBody"),
    },
    check=_check_subscription,
)

TYPES: tuple[ResourceType[Aws], ...] = (TOPIC, TOPIC_POLICY, SUBSCRIPTION)
