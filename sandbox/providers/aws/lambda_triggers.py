"""Who may invoke a Lambda function, and the queues that do."""

import json
from typing import Any

from sandbox.providers.aws.cloud import Aws, region_of, service, tags_all
from sandbox.providers.aws.spelling import from_api, to_api
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.wire import Properties

_PERMISSION = words(
    "action principal sourceArn sourceAccount eventSourceToken principalOrgId qualifier statementId"
    " functionUrlAuthType invokedViaFunctionUrl"
)


def _allow(call: Call[Aws]) -> Created:
    parameters = to_api(
        {name: call.inputs[name] for name in _PERMISSION if name in call.inputs}, {"principalOrgId": "PrincipalOrgID"}
    )
    service(call, "lambda").add_permission(FunctionName=call.inputs["function"], **parameters)
    return Created(call.inputs["statementId"])


def _read_permission(call: Call[Aws]) -> Found | None:
    function, statement_id = call.inputs.get("function"), call.id
    if function is None:  # an import: <function>/<statement id>
        function, _, statement_id = call.id.partition("/")
    policy = json.loads(service(call, "lambda").get_policy(FunctionName=function)["Policy"])
    for statement in policy["Statement"]:
        if statement.get("Sid") == statement_id:
            return Found(_seen_permission(call, function, statement), {}, statement_id)
    return None


def _seen_permission(call: Call[Aws], function: str, statement: dict[str, Any]) -> Properties:
    conditions = {
        key.lower(): value
        for condition in (statement.get("Condition") or {}).values()
        for key, value in condition.items()
    }
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        principal = next(iter(principal.values()))
    return {
        "function": function,
        "statementId": statement["Sid"],
        "action": statement["Action"],
        "principal": principal,
        "sourceArn": conditions.get("aws:sourcearn"),
        "sourceAccount": conditions.get("aws:sourceaccount"),
        "functionUrlAuthType": conditions.get("lambda:functionurlauthtype"),
        "invokedViaFunctionUrl": {"true": True, "false": False}.get(
            str(conditions.get("lambda:invokedviafunctionurl")).lower()
        ),
    }


def _forbid(call: Call[Aws]) -> None:
    service(call, "lambda").remove_permission(FunctionName=call.inputs["function"], StatementId=call.id)


PERMISSION: ResourceType[Aws] = ResourceType(
    "aws:lambda/permission:Permission",
    acts_on=words("function") | _PERMISSION,
    create=_allow,
    read=_read_permission,
    delete=_forbid,
    name=AutoName("statementId", longest=100),
)


# ------------------------------------------------------------------------------------------------ event sources

_MAPPING = words("batchSize enabled maximumBatchingWindowInSeconds functionResponseTypes scalingConfig filterCriteria")


def _mapping(inputs: Properties) -> dict[str, Any]:
    parameters: dict[str, Any] = to_api({name: inputs[name] for name in _MAPPING if name in inputs})
    return parameters | {"FunctionName": inputs["functionName"]}


def _create(call: Call[Aws]) -> Created:
    found = service(call, "lambda").create_event_source_mapping(
        EventSourceArn=call.inputs["eventSourceArn"], **_mapping(call.inputs)
    )
    _wait_until_settled(call, found["UUID"])
    return Created(found["UUID"], _outputs(call, found["UUID"]))


def _wait_until_settled(call: Call[Aws], uuid: str) -> None:
    def is_settled() -> tuple[bool, str]:
        state = str(service(call, "lambda").get_event_source_mapping(UUID=uuid).get("State", "Enabled"))
        return state in ("Enabled", "Disabled"), state

    call.wait_for(f"event source mapping {uuid} to settle", is_settled)


def _outputs(call: Call[Aws], uuid: str) -> Properties:
    found = service(call, "lambda").get_event_source_mapping(UUID=uuid)
    return {
        "arn": found.get("EventSourceMappingArn")
        or call.cloud.arn("lambda", f"event-source-mapping:{uuid}", region_of(call)),
        "functionArn": found["FunctionArn"],
        "lastModified": str(found.get("LastModified", "")),
        "lastProcessingResult": found.get("LastProcessingResult", ""),
        "state": found.get("State", "Enabled"),
        "stateTransitionReason": found.get("StateTransitionReason", ""),
        "uuid": uuid,
    }


def _read(call: Call[Aws]) -> Found:
    found = service(call, "lambda").get_event_source_mapping(UUID=call.id)
    inputs: Properties = {name: from_api(found).get(name) for name in _MAPPING}
    inputs["enabled"] = found.get("State", "Enabled") in ("Enabled", "Enabling", "Creating", "Updating")
    asked = str(call.inputs.get("functionName", ""))
    # The program may name the function by name or ARN; the API answers with the ARN.
    same = asked and found["FunctionArn"].split(":")[6] == asked.rsplit(":", 1)[-1]
    inputs["functionName"] = asked if same else found["FunctionArn"]
    return Found(inputs | {"eventSourceArn": found["EventSourceArn"]}, _outputs(call, call.id))


def _update(call: Call[Aws]) -> Properties:
    parameters = _mapping(call.inputs)
    if "functionResponseTypes" in call.changed:
        parameters.setdefault("FunctionResponseTypes", [])
    for name in ("scalingConfig", "filterCriteria"):
        if name in call.changed:
            parameters.setdefault(name[:1].upper() + name[1:], {})
    service(call, "lambda").update_event_source_mapping(UUID=call.id, **parameters)
    _wait_until_settled(call, call.id)
    return _outputs(call, call.id)


EVENT_SOURCE_MAPPING: ResourceType[Aws] = ResourceType(
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    acts_on=words("eventSourceArn functionName scalingConfig.* filterCriteria.*") | _MAPPING,
    create=_create,
    read=_read,
    update=_update,
    delete=lambda call: service(call, "lambda").delete_event_source_mapping(UUID=call.id),
    replace_on=words("eventSourceArn region"),
    defaults={"enabled": True},
    unordered=words("functionResponseTypes"),
    choices={"functionResponseTypes": ("ReportBatchItemFailures",)},
    derived=tags_all,
)


# ---------------------------------------------------------------------------------------------------- function URLs


def _url_outputs(found: dict[str, Any]) -> Properties:
    address = found["FunctionUrl"]
    return {
        "functionArn": found["FunctionArn"],
        "functionUrl": address,
        "urlId": address.removeprefix("https://").partition(".")[0],
    }


def _create_url(call: Call[Aws]) -> Created:
    name = call.inputs["functionName"]
    service(call, "lambda").create_function_url_config(FunctionName=name, AuthType=call.inputs["authorizationType"])
    return Created(name, _url_outputs(service(call, "lambda").get_function_url_config(FunctionName=name)))


def _read_url(call: Call[Aws]) -> Found:
    found = service(call, "lambda").get_function_url_config(FunctionName=call.id)
    return Found({"functionName": call.id, "authorizationType": found["AuthType"]}, _url_outputs(found))


def _update_url(call: Call[Aws]) -> Properties:
    service(call, "lambda").update_function_url_config(FunctionName=call.id, AuthType=call.inputs["authorizationType"])
    return _url_outputs(service(call, "lambda").get_function_url_config(FunctionName=call.id))


FUNCTION_URL: ResourceType[Aws] = ResourceType(
    "aws:lambda/functionUrl:FunctionUrl",
    acts_on=words("functionName authorizationType qualifier"),
    create=_create_url,
    read=_read_url,
    update=_update_url,
    delete=lambda call: service(call, "lambda").delete_function_url_config(FunctionName=call.id),
    replace_on=words("functionName qualifier region"),
    choices={"authorizationType": ("AWS_IAM", "NONE")},
)

TYPES: tuple[ResourceType[Aws], ...] = (PERMISSION, EVENT_SOURCE_MAPPING, FUNCTION_URL)
