"""Whether a key can be used by whoever wants to encrypt with it: asked by the services that encrypt."""

from dataclasses import dataclass
from typing import Any

from ministack.services import kms

from sandbox.cloud.emulator.patches.iam_decisions import ResourcePolicy, Source, caller_may, service_may

ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
"""What a queue or a topic does with its key in the name of the sender."""


@dataclass(frozen=True, slots=True)
class KeyRefused:
    """code: as SNS names it, `KMSAccessDenied`."""

    code: str
    message: str


def caller_refused(reference: str) -> KeyRefused | None:
    """Why the caller of this request cannot encrypt with the key (id, ARN or alias); None when it can."""
    if _is_aws_managed(reference):
        return None
    return _unusable(reference) or _denied(
        reference,
        lambda action, key: caller_may(action, key["Arn"], ResourcePolicy(key.get("Policy"), decisive=True)),
        "the caller",
    )


def service_refused(reference: str, service: str, source: Source) -> KeyRefused | None:
    """The same for an AWS service that acts for `source`. AWS's own keys let in no service."""
    if _is_aws_managed(reference):
        return KeyRefused("KMSAccessDenied", f"{reference} is a key of AWS's, whose policy does not let {service} in")
    return _unusable(reference) or _denied(
        reference,
        lambda action, key: service_may(key.get("Policy"), service, action, key["Arn"], source),
        service,
    )


def _is_aws_managed(reference: str) -> bool:
    return "alias/aws/" in reference


def _unusable(reference: str) -> KeyRefused | None:
    key = kms._resolve_key(reference)
    if key is None:
        return KeyRefused("KMSNotFound", f"Invalid keyId {reference}")
    if key["KeyState"] == "Disabled":
        return KeyRefused("KMSDisabled", f"{key['Arn']} is disabled.")
    if key["KeyState"] != "Enabled":
        return KeyRefused("KMSInvalidState", f"{key['Arn']} is pending deletion.")
    return None


def _denied(reference: str, may: Any, who: str) -> KeyRefused | None:
    key = kms._resolve_key(reference)
    for action in ACTIONS:
        if not may(action, key):
            return KeyRefused(
                "KMSAccessDenied", f"{who} is not authorized to perform: {action} on resource: {key['Arn']}"
            )
    return None
