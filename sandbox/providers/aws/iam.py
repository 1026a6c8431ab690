"""IAM roles and their inline policies."""

import json
from typing import Any
from urllib.parse import unquote

from sandbox.providers.aws.cloud import Aws, Service, given, tag_list, tags_all
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ProviderError, ResourceType, words
from sandbox.providers.protocol.wire import Properties


def _api(call: Call[Aws]) -> Service:
    return call.cloud.service("iam", "us-east-1")


def _document(seen: Any) -> str:
    """A policy as text: the API gives it URL-encoded, boto3 decoded to a dictionary."""
    return json.dumps(seen) if isinstance(seen, dict) else unquote(str(seen))


def _create(call: Call[Aws]) -> Created:
    inputs = call.inputs
    role = _api(call).create_role(
        RoleName=inputs["name"],
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        Path=inputs["path"],
        MaxSessionDuration=inputs["maxSessionDuration"],
        **given(
            Description=inputs.get("description"),
            PermissionsBoundary=inputs.get("permissionsBoundary"),
            Tags=tag_list(call.cloud, inputs) or None,
        ),
    )["Role"]
    for arn in inputs.get("managedPolicyArns") or ():
        _api(call).attach_role_policy(RoleName=inputs["name"], PolicyArn=arn)
    return Created(inputs["name"], _outputs(role))


def _outputs(role: dict[str, Any]) -> Properties:
    return {"arn": role["Arn"], "createDate": str(role.get("CreateDate", "")), "uniqueId": role["RoleId"]}


def _read(call: Call[Aws]) -> Found:
    role = _api(call).get_role(RoleName=call.id)["Role"]
    seen: Properties = {
        "name": role["RoleName"],
        "assumeRolePolicy": _document(role["AssumeRolePolicyDocument"]),
        "path": role.get("Path", "/"),
        "description": role.get("Description") or None,
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
    }
    if "managedPolicyArns" in call.inputs:
        attached = _api(call).list_attached_role_policies(RoleName=call.id)["AttachedPolicies"]
        seen["managedPolicyArns"] = [policy["PolicyArn"] for policy in attached]
    return Found(seen, _outputs(role))


def _update(call: Call[Aws]) -> Properties:
    inputs, iam = call.inputs, _api(call)
    if "assumeRolePolicy" in call.changed:
        iam.update_assume_role_policy(RoleName=call.id, PolicyDocument=inputs["assumeRolePolicy"])
    if call.changed & {"description", "maxSessionDuration"}:
        iam.update_role(
            RoleName=call.id,
            Description=inputs.get("description", ""),
            MaxSessionDuration=inputs["maxSessionDuration"],
        )
    if "permissionsBoundary" in call.changed:
        if boundary := inputs.get("permissionsBoundary"):
            iam.put_role_permissions_boundary(RoleName=call.id, PermissionsBoundary=boundary)
        else:
            iam.delete_role_permissions_boundary(RoleName=call.id)
    if "managedPolicyArns" in call.changed:
        old, new = set(call.state.get("managedPolicyArns") or ()), set(inputs.get("managedPolicyArns") or ())
        for arn in sorted(old - new):
            iam.detach_role_policy(RoleName=call.id, PolicyArn=arn)
        for arn in sorted(new - old):
            iam.attach_role_policy(RoleName=call.id, PolicyArn=arn)
    if "tags" in call.changed:
        if keys := list(call.state.get("tagsAll") or {}):
            iam.untag_role(RoleName=call.id, TagKeys=keys)
        iam.tag_role(RoleName=call.id, Tags=tag_list(call.cloud, inputs))
    return {}


def _delete(call: Call[Aws]) -> None:
    iam = _api(call)
    for policy in iam.list_attached_role_policies(RoleName=call.id)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=call.id, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=call.id)


ROLE: ResourceType[Aws] = ResourceType(
    "aws:iam/role:Role",
    acts_on=words(
        "name assumeRolePolicy description path maxSessionDuration permissionsBoundary managedPolicyArns tags.*"
    ),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    replace_on=words("name path"),
    name=AutoName(longest=64),
    defaults={"path": "/", "maxSessionDuration": 3600},
    documents=words("assumeRolePolicy"),
    unordered=words("managedPolicyArns"),
    derived=tags_all,
)


# --------------------------------------------------------------------------------------------- inline policies


def _put_policy(call: Call[Aws]) -> Created:
    role, name = call.inputs["role"], call.inputs["name"]
    _api(call).put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=call.inputs["policy"])
    return Created(f"{role}:{name}")


def _place(call: Call[Aws]) -> tuple[str, str]:
    role, _, name = call.id.partition(":")
    if not name:
        raise ProviderError(f"{call.id!r} is no id of a role policy: <role>:<policy>")
    return role, name


def _read_policy(call: Call[Aws]) -> Found:
    role, name = _place(call)
    seen = _api(call).get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    return Found({"role": role, "name": name, "policy": _document(seen)})


def _update_policy(call: Call[Aws]) -> Properties:
    _put_policy(call)
    return {}


def _delete_policy(call: Call[Aws]) -> None:
    role, name = _place(call)
    _api(call).delete_role_policy(RoleName=role, PolicyName=name)


ROLE_POLICY: ResourceType[Aws] = ResourceType(
    "aws:iam/rolePolicy:RolePolicy",
    acts_on=words("name role policy"),
    create=_put_policy,
    read=_read_policy,
    update=_update_policy,
    delete=_delete_policy,
    replace_on=words("name role"),
    name=AutoName(longest=128),
    documents=words("policy"),
)

TYPES: tuple[ResourceType[Aws], ...] = (ROLE, ROLE_POLICY)
