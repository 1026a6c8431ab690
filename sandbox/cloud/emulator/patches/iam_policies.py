"""Roles: their policies are read when they are stored, not only when somebody is refused."""

import json
from typing import Any

from ministack.services import iam

from sandbox.cloud.emulator.patch import Patch, PatchDoesNotFit
from sandbox.cloud.emulator.patches.iam_documents import Kind, fault
from sandbox.cloud.emulator.patches.iam_proofs import document, role_for_proofs, statement, trust
from sandbox.cloud.emulator.probe import Probe

ROLE_POLICIES_BYTES = 10_240
"""All inline policies of a role together, white space not counted."""
TRUST_POLICY_BYTES = 2_048


def _check_documents() -> None:
    table = iam._IAM_HANDLERS
    for operation, parameter, kind in (
        ("CreateRole", "AssumeRolePolicyDocument", Kind.TRUST),
        ("UpdateAssumeRolePolicy", "PolicyDocument", Kind.TRUST),
        ("PutRolePolicy", "PolicyDocument", Kind.IDENTITY),
        ("CreatePolicy", "PolicyDocument", Kind.IDENTITY),
    ):
        if operation not in table:
            raise PatchDoesNotFit(f"ministack's IAM has no {operation}")
        table[operation] = _checked(table[operation], parameter, kind)


def _checked(handler: Any, parameter: str, kind: Kind) -> Any:
    def call(parameters: dict[str, Any]) -> Any:
        text = iam._p(parameters, parameter)
        if why := fault(text, kind):
            return iam._error(400, "MalformedPolicyDocument", why, ns="iam")
        if why := _too_long(parameters, text, kind):
            return iam._error(409, "LimitExceeded", why, ns="iam")
        return handler(parameters)

    return call


def _too_long(parameters: dict[str, Any], text: str, kind: Kind) -> str | None:
    if kind is Kind.TRUST:
        return "Cannot exceed quota for ACLSizePerRole: 2048" if _size(text) > TRUST_POLICY_BYTES else None
    role = iam._roles.get(iam._p(parameters, "RoleName"))
    if role is None:
        return None
    held = role["InlinePolicies"] | {iam._p(parameters, "PolicyName"): text}
    if sum(_size(one) for one in held.values()) > ROLE_POLICIES_BYTES:
        return f"Maximum policy size of {ROLE_POLICIES_BYTES} bytes exceeded for role {role['RoleName']}"
    return None


def _size(text: str) -> int:
    return len("".join(text.split()))


def _prove(probe: Probe) -> None:
    iam_client, role = probe.client("iam"), role_for_proofs(probe).rsplit("/", 1)[-1]
    good = statement("s3:GetObject", "arn:aws:s3:::bucket/*")
    for bad in (
        "{",
        json.dumps({"Version": "2012-10-17"}),
        document({**good, "Action": "GetObject"}),
        document({**good, "Resource": "bucket/*"}),
        document({**good, "Principal": "*"}),
        document({**good, "Sid": "a b"}),
        document({**good, "Condition": {"StringEqual": {"aws:SourceArn": "x"}}}),
        document({**good, "Resources": "*"}),
    ):
        probe.refused(
            "MalformedPolicyDocument",
            iam_client.put_role_policy,
            RoleName=role,
            PolicyName="bad",
            PolicyDocument=bad,
        )
    for bad in (
        document(good),
        trust("lambda"),
        document({**json.loads(trust("x.amazonaws.com"))["Statement"][0], "Action": "s3:*"}),
    ):
        probe.refused(
            "MalformedPolicyDocument", iam_client.create_role, RoleName=probe.name(), AssumeRolePolicyDocument=bad
        )
    long = document(*[{**good, "Resource": f"arn:aws:s3:::{'b' * 200}/{number}"} for number in range(50)])
    probe.refused("LimitExceeded", iam_client.put_role_policy, RoleName=role, PolicyName="long", PolicyDocument=long)


PATCHES: tuple[Patch, ...] = (
    Patch(
        "roles-take-well-formed-policies",
        "A role takes policy documents that AWS refuses: unknown elements, actions without a service, resources that "
        "are no ARNs, unknown condition operators, a trust policy for anybody's action, any length.",
        _check_documents,
        _prove,
    ),
)
