"""A key's policy: read when it is stored, and it must not lock everybody out."""

import json
from typing import Any

from ministack.core.responses import error_response_json, get_account_id
from ministack.services import kms

from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_decisions import Source, service_may
from sandbox.cloud.emulator.patches.iam_documents import Kind, fault
from sandbox.cloud.emulator.patches.iam_proofs import document, statement
from sandbox.cloud.emulator.probe import Probe

_LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."


def _check_policies() -> None:
    for operation in ("_create_key", "_put_key_policy"):
        replace(kms, operation, _checked, takes=("data",))


def _checked(old: Any) -> Any:
    def call(data: dict[str, Any]) -> Any:
        if (text := data.get("Policy")) is not None:
            if why := fault(text, Kind.RESOURCE):
                return error_response_json("MalformedPolicyDocumentException", why, 400)
            if not data.get("BypassPolicyLockoutSafetyCheck") and not _can_be_changed(text):
                return error_response_json("MalformedPolicyDocumentException", _LOCKED_OUT, 400)
        return old(data)

    return call


def _can_be_changed(text: str) -> bool:
    """Whether some statement lets the account, or somebody in it, put another policy."""
    account = get_account_id()
    statements = json.loads(text)["Statement"]
    for one in [statements] if isinstance(statements, dict) else statements:
        principal = one.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        ours = named == "*" or any(who == account or f":{account}:" in who for who in _list(named))
        if ours and service_may(_for_any_service(one), "any", "kms:PutKeyPolicy", "*", Source("", account)):
            return True
    return False


def _for_any_service(statement: dict[str, Any]) -> str:
    """The statement for everybody, so that what remains to be asked is its effect, action and condition."""
    return json.dumps({"Statement": [{**statement, "Principal": "*"}]})


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def _prove(probe: Probe) -> None:
    client = probe.client("kms")
    root = {"AWS": f"arn:aws:iam::{probe.client('sts').get_caller_identity()['Account']}:root"}
    ours = statement("kms:*", "*", Principal=root)
    key = client.create_key(Policy=document(ours))["KeyMetadata"]["KeyId"]
    alarms = statement("kms:Decrypt", "*", Principal={"Service": "cloudwatch.amazonaws.com"})
    malformed = "MalformedPolicyDocumentException"
    for bad in ("{", document({**ours, "Action": "Decrypt"}), document(alarms), document({**ours, "Effect": "Deny"})):
        probe.refused(malformed, client.put_key_policy, KeyId=key, PolicyName="default", Policy=bad)
        probe.refused(malformed, client.create_key, Policy=bad)
    client.put_key_policy(KeyId=key, PolicyName="default", Policy=document(ours, alarms))


PATCHES: tuple[Patch, ...] = (
    Patch(
        "keys-take-well-formed-policies",
        "A key takes any text as its policy, also one after which nobody can ever change or delete the key.",
        _check_policies,
        _prove,
    ),
)
