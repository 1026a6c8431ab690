"""KMS keys and aliases."""

from typing import Any

from sandbox.providers.aws.cloud import Aws, given, service, tags_all
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.wire import Properties


def _create(call: Call[Aws]) -> Created:
    inputs, kms = call.inputs, service(call, "kms")
    tags = [{"TagKey": key, "TagValue": value} for key, value in call.cloud.tags(inputs).items()]
    metadata = kms.create_key(
        Description=inputs["description"], **given(Policy=inputs.get("policy"), Tags=tags or None)
    )["KeyMetadata"]
    if inputs["enableKeyRotation"]:
        kms.enable_key_rotation(KeyId=metadata["KeyId"])
    if not inputs["isEnabled"]:
        kms.disable_key(KeyId=metadata["KeyId"])
    return Created(metadata["KeyId"], _outputs(metadata) | {"policy": _policy(kms, metadata["KeyId"])})


def _outputs(metadata: dict[str, Any]) -> Properties:
    return {"arn": metadata["Arn"], "keyId": metadata["KeyId"]}


def _policy(kms: Any, key: str) -> str:
    return str(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])


def _read(call: Call[Aws]) -> Found | None:
    kms = service(call, "kms")
    metadata = kms.describe_key(KeyId=call.id)["KeyMetadata"]
    if metadata["KeyState"] == "PendingDeletion":
        return None
    seen: Properties = {
        "description": metadata.get("Description", ""),
        "enableKeyRotation": bool(kms.get_key_rotation_status(KeyId=call.id).get("KeyRotationEnabled")),
        "isEnabled": bool(metadata.get("Enabled")),
        "policy": _policy(kms, call.id),
    }
    return Found(seen, _outputs(metadata))


def _update(call: Call[Aws]) -> Properties:
    inputs, kms = call.inputs, service(call, "kms")
    if "isEnabled" in call.changed and inputs["isEnabled"]:
        kms.enable_key(KeyId=call.id)  # first: a disabled key takes no other change
    if "enableKeyRotation" in call.changed:
        (kms.enable_key_rotation if inputs["enableKeyRotation"] else kms.disable_key_rotation)(KeyId=call.id)
    if "description" in call.changed:
        kms.update_key_description(KeyId=call.id, Description=inputs["description"])
    if "policy" in call.changed and "policy" in inputs:
        kms.put_key_policy(KeyId=call.id, PolicyName="default", Policy=inputs["policy"])
    if "isEnabled" in call.changed and not inputs["isEnabled"]:
        kms.disable_key(KeyId=call.id)
    if "tags" in call.changed:
        if old := list(call.state.get("tagsAll") or {}):
            kms.untag_resource(KeyId=call.id, TagKeys=old)
        tags = [{"TagKey": key, "TagValue": value} for key, value in call.cloud.tags(inputs).items()]
        kms.tag_resource(KeyId=call.id, Tags=tags)
    return {}


def _delete(call: Call[Aws]) -> None:
    service(call, "kms").schedule_key_deletion(
        KeyId=call.id, PendingWindowInDays=call.inputs.get("deletionWindowInDays", 30)
    )


KEY: ResourceType[Aws] = ResourceType(
    "aws:kms/key:Key",
    acts_on=words("description deletionWindowInDays enableKeyRotation isEnabled policy tags.*"),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    replace_on=words("region"),
    computed=words("policy"),
    defaults={"description": "Managed by Pulumi", "enableKeyRotation": False, "isEnabled": True},
    documents=words("policy"),
    derived=tags_all,
)


# ---------------------------------------------------------------------------------------------------- aliases


def _create_alias(call: Call[Aws]) -> Created:
    service(call, "kms").create_alias(AliasName=call.inputs["name"], TargetKeyId=call.inputs["targetKeyId"])
    return Created(call.inputs["name"], _alias_outputs(call, call.inputs["name"]))


def _alias_outputs(call: Call[Aws], name: str) -> Properties:
    found = _alias(call, name)
    key = service(call, "kms").describe_key(KeyId=found["TargetKeyId"])["KeyMetadata"]
    return {"arn": found["AliasArn"], "targetKeyArn": key["Arn"]}


def _alias(call: Call[Aws], name: str) -> dict[str, Any]:
    for found in service(call, "kms").pages("list_aliases", "Aliases"):
        if found["AliasName"] == name:
            return dict(found)
    return {}


def _read_alias(call: Call[Aws]) -> Found | None:
    found = _alias(call, call.id)
    if not found:
        return None
    asked = str(call.inputs.get("targetKeyId", ""))
    # The program may name the key by id or by ARN; the API answers with the id.
    target = asked if asked.endswith(found["TargetKeyId"]) else found["TargetKeyId"]
    return Found({"name": call.id, "targetKeyId": target}, _alias_outputs(call, call.id))


def _update_alias(call: Call[Aws]) -> Properties:
    service(call, "kms").update_alias(AliasName=call.id, TargetKeyId=call.inputs["targetKeyId"])
    return _alias_outputs(call, call.id)


ALIAS: ResourceType[Aws] = ResourceType(
    "aws:kms/alias:Alias",
    acts_on=words("name targetKeyId"),
    create=_create_alias,
    read=_read_alias,
    update=_update_alias,
    delete=lambda call: service(call, "kms").delete_alias(AliasName=call.id),
    replace_on=words("name region"),
    name=AutoName(prefix="alias/", longest=256),
)

TYPES: tuple[ResourceType[Aws], ...] = (KEY, ALIAS)
