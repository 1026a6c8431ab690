"""ACM certificates, and the wait for one to be issued."""

from collections.abc import Iterator
from typing import Any

from sandbox.providers.aws.cloud import Aws, given, service, tag_list, tags_all
from sandbox.providers.protocol.resource_type import Call, Created, Found, ProviderError, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties


def _create(call: Call[Aws]) -> Created:
    inputs = call.inputs
    arn = service(call, "acm").request_certificate(
        DomainName=inputs["domainName"],
        ValidationMethod=inputs["validationMethod"],
        **given(
            SubjectAlternativeNames=inputs.get("subjectAlternativeNames"),
            KeyAlgorithm=inputs.get("keyAlgorithm"),
            Tags=tag_list(call.cloud, inputs) or None,
        ),
    )["CertificateArn"]
    # The records to publish appear a moment after the request.
    seen: dict[str, Any] = {}

    def has_records() -> tuple[bool, str]:
        seen.update(_describe(call, arn))
        options = seen.get("DomainValidationOptions") or []
        return bool(options) and all("ResourceRecord" in option for option in options), str(seen["Status"])

    if inputs["validationMethod"] == "DNS":
        call.wait_for(f"the validation records of {arn}", has_records)
    return Created(arn, _outputs(_describe(call, arn)))


def _describe(call: Call[Aws], arn: str) -> dict[str, Any]:
    certificate: dict[str, Any] = service(call, "acm").describe_certificate(CertificateArn=arn)["Certificate"]
    return certificate


def _outputs(certificate: dict[str, Any]) -> Properties:
    options = certificate.get("DomainValidationOptions") or []
    return {
        "arn": certificate["CertificateArn"],
        "domainValidationOptions": [_option(one) for one in sorted(options, key=lambda one: str(one["DomainName"]))],
        "keyAlgorithm": str(certificate.get("KeyAlgorithm", "RSA_2048")).replace("-", "_"),
        "notAfter": _time(certificate.get("NotAfter")),
        "notBefore": _time(certificate.get("NotBefore")),
        "pendingRenewal": False,
        "renewalEligibility": certificate.get("RenewalEligibility", "INELIGIBLE"),
        "renewalSummaries": [],
        "status": certificate["Status"],
        "subjectAlternativeNames": sorted(certificate.get("SubjectAlternativeNames") or [certificate["DomainName"]]),
        "type": certificate.get("Type", "AMAZON_ISSUED"),
        "validationEmails": [],
    }


def _option(option: dict[str, Any]) -> Properties:
    record = option.get("ResourceRecord") or {}
    return {
        "domainName": option["DomainName"],
        "resourceRecordName": record.get("Name", ""),
        "resourceRecordType": record.get("Type", ""),
        "resourceRecordValue": record.get("Value", ""),
    }


def _time(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if value is not None else ""


def _read(call: Call[Aws]) -> Found | None:
    certificate = _describe(call, call.id)
    if certificate["Status"] == "VALIDATION_TIMED_OUT":
        # As the real provider: one whose 72 hours have passed can never be issued, so it counts as gone.
        return None
    outputs = _outputs(certificate)
    seen = {"domainName": certificate["DomainName"], "validationMethod": "DNS"}
    names = [name for name in outputs["subjectAlternativeNames"] if name != certificate["DomainName"]]
    return Found(seen | {"subjectAlternativeNames": names or None}, outputs)


def _update(call: Call[Aws]) -> Properties:
    if "tags" in call.changed:
        acm = service(call, "acm")
        if old := [{"Key": key} for key in call.state.get("tagsAll") or {}]:
            acm.remove_tags_from_certificate(CertificateArn=call.id, Tags=old)
        if new := tag_list(call.cloud, call.inputs):
            acm.add_tags_to_certificate(CertificateArn=call.id, Tags=new)
    return {}


def _check(inputs: Properties) -> Iterator[Problem]:
    name = inputs.get("domainName")
    if name is None:
        yield Problem("domainName", "is required: the stand-in requests certificates and imports none")
    elif isinstance(name, str) and name.endswith("."):
        yield Problem("domainName", "cannot end with a period")


CERTIFICATE: ResourceType[Aws] = ResourceType(
    "aws:acm/certificate:Certificate",
    acts_on=words("domainName subjectAlternativeNames validationMethod keyAlgorithm tags.*"),
    create=_create,
    read=_read,
    update=_update,
    delete=lambda call: service(call, "acm").delete_certificate(CertificateArn=call.id),
    replace_on=words("domainName subjectAlternativeNames validationMethod keyAlgorithm region"),
    computed=words("keyAlgorithm subjectAlternativeNames"),
    defaults={"validationMethod": "DNS"},
    unordered=words("subjectAlternativeNames"),
    choices={"validationMethod": ("DNS", "EMAIL", "NONE")},
    derived=tags_all,
    check=_check,
)


# ------------------------------------------------------------------------------------------------- validation


def _wait_until_issued(call: Call[Aws]) -> Created:
    arn = call.inputs["certificateArn"]
    seen: dict[str, Any] = {}

    def is_issued() -> tuple[bool, str]:
        seen.update(_describe(call, arn))
        status = str(seen["Status"])
        if status not in ("ISSUED", "PENDING_VALIDATION"):
            reason = f" ({seen['FailureReason']})" if seen.get("FailureReason") else ""
            raise ProviderError(f"certificate {arn} is {status}{reason} and will not be issued")
        return status == "ISSUED", status

    call.wait_for(f"certificate {arn} ({_describe(call, arn)['DomainName']}) to be issued", is_issued)
    return Created(_issued(seen))


def _issued(certificate: dict[str, Any]) -> str:
    """The id of a validation: when the certificate was issued."""
    moment = certificate.get("IssuedAt") or certificate.get("CreatedAt")
    return str(moment) if moment is not None else "issued"


def _read_validation(call: Call[Aws]) -> Found | None:
    certificate = _describe(call, call.state.get("certificateArn") or call.id)
    return Found() if certificate["Status"] == "ISSUED" else None


VALIDATION: ResourceType[Aws] = ResourceType(
    "aws:acm/certificateValidation:CertificateValidation",
    acts_on=words("certificateArn validationRecordFqdns"),
    create=_wait_until_issued,
    read=_read_validation,
    delete=lambda _call: None,
    unordered=words("validationRecordFqdns"),
    seconds=75 * 60,
)

TYPES: tuple[ResourceType[Aws], ...] = (CERTIFICATE, VALIDATION)
