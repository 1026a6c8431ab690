"""SES receipt rule sets, the active one, and receipt rules."""

from typing import Any

from sandbox.providers.aws.cloud import Aws, AwsError, region_of, service
from sandbox.providers.aws.spelling import from_api, to_api
from sandbox.providers.protocol.resource_type import (
    AutoName,
    Call,
    Created,
    Found,
    Function,
    ProviderError,
    ResourceType,
    words,
)
from sandbox.providers.protocol.wire import Properties


def _set_arn(call: Call[Aws], name: str) -> str:
    return call.cloud.arn("ses", f"receipt-rule-set/{name}", region_of(call))


def _create_set(call: Call[Aws]) -> Created:
    name = call.inputs["ruleSetName"]
    service(call, "ses").create_receipt_rule_set(RuleSetName=name)
    return Created(name, {"arn": _set_arn(call, name)})


def _read_set(call: Call[Aws]) -> Found:
    service(call, "ses").describe_receipt_rule_set(RuleSetName=call.id)
    return Found({"ruleSetName": call.id}, {"arn": _set_arn(call, call.id)})


RULE_SET: ResourceType[Aws] = ResourceType(
    "aws:ses/receiptRuleSet:ReceiptRuleSet",
    acts_on=words("ruleSetName"),
    create=_create_set,
    read=_read_set,
    delete=lambda call: service(call, "ses").delete_receipt_rule_set(RuleSetName=call.id),
)


def _activate(call: Call[Aws]) -> Properties:
    name = call.inputs["ruleSetName"]
    service(call, "ses").set_active_receipt_rule_set(RuleSetName=name)
    return {"arn": _set_arn(call, name)}


def _read_active(call: Call[Aws]) -> Found | None:
    metadata = service(call, "ses").describe_active_receipt_rule_set().get("Metadata")
    if not metadata or not metadata.get("Name"):
        return None
    name = metadata["Name"]
    return Found({"ruleSetName": name}, {"arn": _set_arn(call, name)})


ACTIVE_RULE_SET: ResourceType[Aws] = ResourceType(
    "aws:ses/activeReceiptRuleSet:ActiveReceiptRuleSet",
    acts_on=words("ruleSetName"),
    create=lambda call: Created(call.inputs["ruleSetName"], _activate(call)),
    read=_read_active,
    update=_activate,
    delete=lambda call: service(call, "ses").set_active_receipt_rule_set(),
    replace_on=words("region"),
)


# ------------------------------------------------------------------------------------------------------ rules

_ACTIONS = {
    # input: the API's name of the action
    "addHeaderActions": "AddHeaderAction",
    "bounceActions": "BounceAction",
    "lambdaActions": "LambdaAction",
    "s3Actions": "S3Action",
    "snsActions": "SNSAction",
    "stopActions": "StopAction",
}


def _rule(inputs: Properties) -> dict[str, Any]:
    actions = [
        (action["position"], {api: to_api({key: value for key, value in action.items() if key != "position"})})
        for own, api in _ACTIONS.items()
        for action in inputs.get(own) or ()
    ]
    return {
        "Name": inputs["name"],
        "Enabled": inputs["enabled"],
        "ScanEnabled": inputs["scanEnabled"],
        "TlsPolicy": inputs["tlsPolicy"],
        "Recipients": inputs.get("recipients") or [],
        "Actions": [action for _position, action in sorted(actions, key=lambda one: one[0])],
    }


def _rule_outputs(call: Call[Aws], rule_set: str, name: str) -> Properties:
    return {"arn": f"{_set_arn(call, rule_set)}:receipt-rule/{name}"}


def _create_rule(call: Call[Aws]) -> Created:
    inputs = call.inputs
    after = {"After": inputs["after"]} if inputs.get("after") else {}
    service(call, "ses").create_receipt_rule(RuleSetName=inputs["ruleSetName"], Rule=_rule(inputs), **after)
    return Created(inputs["name"], _rule_outputs(call, inputs["ruleSetName"], inputs["name"]))


def _place(call: Call[Aws]) -> tuple[str, str]:
    """Rule set and rule; an import's id is `<rule set>:<rule>`."""
    if call.state.get("ruleSetName"):
        return call.state["ruleSetName"], call.id
    rule_set, _, name = call.id.partition(":")
    if not name:
        raise ProviderError(f"{call.id!r} is no id of a receipt rule: <rule set>:<rule>")
    return rule_set, name


def _read_rule(call: Call[Aws]) -> Found:
    rule_set, name = _place(call)
    found = service(call, "ses").describe_receipt_rule(RuleSetName=rule_set, RuleName=name)["Rule"]
    seen: Properties = {
        "ruleSetName": rule_set,
        "name": name,
        "enabled": bool(found.get("Enabled", False)),
        "scanEnabled": bool(found.get("ScanEnabled", False)),
        "tlsPolicy": found.get("TlsPolicy", "Optional"),
        "recipients": found.get("Recipients") or None,
    }
    for own, api in _ACTIONS.items():
        seen[own] = [
            from_api(action[api]) | {"position": position}
            for position, action in enumerate(found.get("Actions") or (), 1)
            if api in action
        ] or None
    return Found(seen, _rule_outputs(call, rule_set, name), name)


def _update_rule(call: Call[Aws]) -> Properties:
    ses, rule_set = service(call, "ses"), call.inputs["ruleSetName"]
    ses.update_receipt_rule(RuleSetName=rule_set, Rule=_rule(call.inputs))
    if "after" in call.changed:
        after = {"After": call.inputs["after"]} if call.inputs.get("after") else {}
        ses.set_receipt_rule_position(RuleSetName=rule_set, RuleName=call.id, **after)
    return {}


def _delete_rule(call: Call[Aws]) -> None:
    rule_set, name = _place(call)
    try:
        service(call, "ses").delete_receipt_rule(RuleSetName=rule_set, RuleName=name)
    except AwsError as e:
        if e.code != "RuleSetDoesNotExist":
            raise


RULE: ResourceType[Aws] = ResourceType(
    "aws:ses/receiptRule:ReceiptRule",
    acts_on=words("name ruleSetName after enabled scanEnabled tlsPolicy recipients")
    | {f"{action}.*" for action in _ACTIONS},
    create=_create_rule,
    read=_read_rule,
    update=_update_rule,
    delete=_delete_rule,
    replace_on=words("name ruleSetName region"),
    name=AutoName(longest=64),
    defaults={"enabled": False, "scanEnabled": False, "tlsPolicy": "Optional"},
    unordered=words("recipients") | frozenset(_ACTIONS),
    choices={"tlsPolicy": ("Optional", "Require"), "stopActions.scope": ("RuleSet",)},
)


# ------------------------------------------------------------------------------------------------------ look-ups


def _get_active(cloud: Aws, arguments: Properties) -> Properties:
    region = arguments.get("region") or cloud.region
    metadata = cloud.service("ses", region).describe_active_receipt_rule_set().get("Metadata")
    if not metadata or not metadata.get("Name"):
        # The real provider calls it an error too, in these words.
        raise ProviderError(f"reading SES Active Receipt Rule Set: empty result (no set is active in {region})")
    name = metadata["Name"]
    arn = cloud.arn("ses", f"receipt-rule-set/{name}", region)
    return {"arn": arn, "id": name, "region": region, "ruleSetName": name}


GET_ACTIVE_RULE_SET: Function[Aws] = Function(
    "aws:ses/getActiveReceiptRuleSet:getActiveReceiptRuleSet", arguments=words("region"), run=_get_active
)

TYPES: tuple[ResourceType[Aws], ...] = (RULE_SET, ACTIVE_RULE_SET, RULE)
FUNCTIONS: tuple[Function[Aws], ...] = (GET_ACTIVE_RULE_SET,)
