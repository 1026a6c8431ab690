"""SES domain identities, and the wait for one to be verified."""

from typing import Any

from sandbox.providers.aws.cloud import Aws, region_of, service
from sandbox.providers.protocol.resource_type import Call, Created, Found, ProviderError, ResourceType, words


def _arn(call: Call[Aws], domain: str) -> str:
    return call.cloud.arn("ses", f"identity/{domain}", region_of(call))


def _create(call: Call[Aws]) -> Created:
    domain = call.inputs["domain"]
    token = service(call, "ses").verify_domain_identity(Domain=domain)["VerificationToken"]
    return Created(domain, {"arn": _arn(call, domain), "verificationToken": token})


def _verification(call: Call[Aws], domain: str) -> dict[str, Any]:
    """Status and token; empty for an identity that SES does not have."""
    answer = service(call, "ses").get_identity_verification_attributes(Identities=[domain])
    return dict(answer["VerificationAttributes"].get(domain) or {})


def _read(call: Call[Aws]) -> Found | None:
    found = _verification(call, call.id)
    if not found:
        return None
    # The token never changes, and the emulator does not repeat it.
    token = found.get("VerificationToken") or call.state.get("verificationToken", "")
    return Found({"domain": call.id}, {"arn": _arn(call, call.id), "verificationToken": token})


IDENTITY: ResourceType[Aws] = ResourceType(
    "aws:ses/domainIdentity:DomainIdentity",
    acts_on=words("domain"),
    create=_create,
    read=_read,
    delete=lambda call: service(call, "ses").delete_identity(Identity=call.id),
)


# ----------------------------------------------------------------------------------------------- verification


def _wait_until_verified(call: Call[Aws]) -> Created:
    domain = call.inputs["domain"]

    def is_verified() -> tuple[bool, str]:
        found = _verification(call, domain)
        if not found:
            raise ProviderError(f"SES has no identity {domain} in {region_of(call)}")
        status = str(found["VerificationStatus"])
        if status == "Failed":
            raise ProviderError(f"SES has given up on {domain}: its verification record was not found in time")
        return status == "Success", status

    call.wait_for(f"SES to verify {domain}", is_verified)
    return Created(domain, {"arn": _arn(call, domain)})


def _read_verification(call: Call[Aws]) -> Found | None:
    if _verification(call, call.id).get("VerificationStatus") != "Success":
        return None
    return Found({"domain": call.id}, {"arn": _arn(call, call.id)})


VERIFICATION: ResourceType[Aws] = ResourceType(
    "aws:ses/domainIdentityVerification:DomainIdentityVerification",
    acts_on=words("domain"),
    create=_wait_until_verified,
    read=_read_verification,
    delete=lambda _call: None,
    seconds=45 * 60,
)

TYPES: tuple[ResourceType[Aws], ...] = (IDENTITY, VERIFICATION)
