"""EventBridge rules and their targets. The provider files them under `cloudwatch`, their former name."""

from collections.abc import Iterator
from typing import Any

from sandbox.providers.aws.cloud import Aws, given, service, tag_list, tags_all
from sandbox.providers.aws.spelling import from_api, to_api
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ProviderError, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties

_DEFAULT_BUS = "default"
_RULE = words("name description eventBusName eventPattern roleArn scheduleExpression state")


def _put_rule(call: Call[Aws]) -> Properties:
    tags = [] if call.state else tag_list(call.cloud, call.inputs)  # the API takes tags of a new rule only
    parameters = to_api({name: call.inputs[name] for name in _RULE if name in call.inputs})
    answer = service(call, "events").put_rule(**parameters, **({"Tags": tags} if tags else {}))
    return {"arn": answer["RuleArn"]}


def _rule_id(inputs: Properties) -> str:
    bus = inputs["eventBusName"]
    return str(inputs["name"]) if bus == _DEFAULT_BUS else f"{bus}/{inputs['name']}"


def _bus_and_rule(identity: str) -> tuple[str, str]:
    bus, _, name = identity.rpartition("/")
    return bus or _DEFAULT_BUS, name


def _read_rule(call: Call[Aws]) -> Found:
    bus, name = _bus_and_rule(call.id)
    found = service(call, "events").describe_rule(Name=name, EventBusName=bus)
    seen = from_api(found)
    inputs: Properties = {key: seen.get(key) or None for key in _RULE} | {"name": name, "eventBusName": bus}
    return Found(inputs, {"arn": found["Arn"]})


def _update_rule(call: Call[Aws]) -> Properties:
    outputs = _put_rule(call)
    if "tags" in call.changed:
        events = service(call, "events")
        if old := list(call.state.get("tagsAll") or {}):
            events.untag_resource(ResourceARN=outputs["arn"], TagKeys=old)
        if new := tag_list(call.cloud, call.inputs):
            events.tag_resource(ResourceARN=outputs["arn"], Tags=new)
    return outputs


def _delete_rule(call: Call[Aws]) -> None:
    bus, name = _bus_and_rule(call.id)
    events = service(call, "events")
    if call.inputs.get("forceDestroy"):
        targets = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
        if targets:
            events.remove_targets(Rule=name, EventBusName=bus, Ids=[target["Id"] for target in targets])
    events.delete_rule(Name=name, EventBusName=bus)


def _check_rule(inputs: Properties) -> Iterator[Problem]:
    if "eventPattern" not in inputs and "scheduleExpression" not in inputs:
        yield Problem("eventPattern", "one of eventPattern and scheduleExpression is required")


RULE: ResourceType[Aws] = ResourceType(
    "aws:cloudwatch/eventRule:EventRule",
    acts_on=words("forceDestroy tags.*") | _RULE,
    create=lambda call: Created(_rule_id(call.inputs), _put_rule(call)),
    read=_read_rule,
    update=_update_rule,
    delete=_delete_rule,
    replace_on=words("name eventBusName region"),
    name=AutoName(longest=64),
    defaults={"eventBusName": _DEFAULT_BUS, "forceDestroy": False, "state": "ENABLED"},
    documents=words("eventPattern"),
    choices={"state": ("DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")},
    derived=tags_all,
    check=_check_rule,
)


# ---------------------------------------------------------------------------------------------------- targets

_TARGET = words("arn roleArn input inputPath retryPolicy deadLetterConfig")


def _target(call: Call[Aws], identity: str) -> dict[str, Any]:
    target: dict[str, Any] = to_api({name: call.inputs[name] for name in _TARGET if name in call.inputs})
    if transformer := call.inputs.get("inputTransformer"):
        target["InputTransformer"] = given(
            InputPathsMap=transformer.get("inputPaths"), InputTemplate=transformer["inputTemplate"]
        )
    return target | {"Id": identity}


def _put_target(call: Call[Aws], identity: str) -> None:
    answer = service(call, "events").put_targets(
        Rule=call.inputs["rule"],
        EventBusName=call.inputs["eventBusName"],
        Targets=[_target(call, identity)],
    )
    if failed := answer.get("FailedEntries"):
        raise ProviderError(f"EventBridge refuses the target: {failed[0]}")


def _create_target(call: Call[Aws]) -> Created:
    # The provider's own id is a time stamp; one rule and one target give one id here, so that runs are alike.
    identity = call.inputs.get("targetId") or f"pulumi-{call.inputs['rule']}"[:64]
    _put_target(call, identity)
    return Created(f"{call.inputs['rule']}-{identity}", {"targetId": identity})


def _read_target(call: Call[Aws]) -> Found | None:
    rule, bus, identity = _target_place(call)
    targets = service(call, "events").list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
    for target in targets:
        if target["Id"] == identity:
            return Found(_seen_target(target) | {"rule": rule, "eventBusName": bus}, {"targetId": identity})
    return None


def _target_place(call: Call[Aws]) -> tuple[str, str, str]:
    if call.state.get("rule"):
        return call.state["rule"], call.state.get("eventBusName") or _DEFAULT_BUS, call.state["targetId"]
    rule, _, identity = call.id.partition("/")  # an import: <rule>/<target id>
    return rule, _DEFAULT_BUS, identity


def _seen_target(target: dict[str, Any]) -> Properties:
    seen: Properties = {name: from_api(target).get(name) for name in _TARGET}
    if transformer := target.get("InputTransformer"):
        seen["inputTransformer"] = {
            "inputPaths": transformer.get("InputPathsMap"),
            "inputTemplate": transformer["InputTemplate"],
        }
    return seen


def _update_target(call: Call[Aws]) -> Properties:
    _put_target(call, call.state["targetId"])
    return {"targetId": call.state["targetId"]}


def _delete_target(call: Call[Aws]) -> None:
    rule, bus, identity = _target_place(call)
    service(call, "events").remove_targets(Rule=rule, EventBusName=bus, Ids=[identity])


TARGET: ResourceType[Aws] = ResourceType(
    "aws:cloudwatch/eventTarget:EventTarget",
    acts_on=words("rule eventBusName targetId retryPolicy.* deadLetterConfig.* inputTransformer.*") | _TARGET,
    create=_create_target,
    read=_read_target,
    update=_update_target,
    delete=_delete_target,
    replace_on=words("rule eventBusName targetId region"),
    computed=words("targetId"),
    defaults={"eventBusName": _DEFAULT_BUS},
    documents=words("input"),
)

TYPES: tuple[ResourceType[Aws], ...] = (RULE, TARGET)
