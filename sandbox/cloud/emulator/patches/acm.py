"""ACM: certificates are issued only when DNS shows their record, and end when they end."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, get_account_id
from ministack.services import acm, cloudfront

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, Probe, replace
from sandbox.cloud.emulator.patches.acm_lifecycle import (
    LIFETIME,
    VALIDATION_WINDOW,
    Certificate,
    begin,
    follow,
    validation_record,
)
from sandbox.cloud.emulator.patches.cloudfront_samples import distribution, issued_certificate

LARGEST_NAMES = 10
LONGEST_FIRST_NAME = 64
DOMAIN_NAME = re.compile(r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])")
"""RequestCertificate, DomainName (API reference): no underscore, no final dot."""

Answer = tuple[int, dict[str, Any], bytes]


def users(arn: str) -> list[str]:
    """ARNs of the distributions that use certificate `arn`."""
    return [
        distribution["ARN"]
        for distribution in list(cloudfront._distributions.values())
        if arn in distribution["config_xml"]
    ]


def refresh(certificate: Certificate) -> None:
    """As ACM itself would have done by now. Blocks on DNS."""
    follow(certificate, bool(users(certificate["CertificateArn"])))


# ------------------------------------------------------------------------------------------------- issued by DNS


def _wait_for_dns() -> None:
    replace(acm, "_validation_options", lambda _: _option, takes=("domain", "method"))
    replace(acm, "_request_certificate", _requested, takes=("data",))
    replace(acm, "handle_request", _refreshed, takes=("method", "path", "headers", "body", "query_params"))
    replace(acm, "_cert_shape", _shaped, takes=("cert",))
    replace(acm, "_get_certificate", _issued_only, takes=("data",))
    CLOCK.when_moved(_refresh_all)


def _option(domain: str, method: str) -> dict[str, Any]:
    option = {"DomainName": domain, "ValidationMethod": method, "ValidationStatus": "PENDING_VALIDATION"}
    return option | ({"ResourceRecord": validation_record(domain)} if method == "DNS" else {})


def _requested(stock: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    def request_certificate(data: dict[str, Any]) -> Answer:
        answer = stock(data)
        if answer[0] == 200:
            begin(acm._certificates[json.loads(answer[2])["CertificateArn"]])
        return answer

    return request_certificate


def _refreshed(stock: Any) -> Any:
    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation in ("DescribeCertificate", "GetCertificate"):
            named = [acm._get_local_certificate(_json(body).get("CertificateArn", ""))]
        elif operation == "ListCertificates":
            named = list(acm._certificates.values())
        else:
            named = []
        # Not on the event loop: the name server that is asked may itself be asking this emulator.
        await asyncio.gather(*(asyncio.to_thread(refresh, one) for one in named if one))
        return await stock(method, path, headers, body, query_params)

    return handle_request


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}  # the stock handler refuses it
    return data if isinstance(data, dict) else {}


def _shaped(stock: Any) -> Any:
    def shape(certificate: Certificate) -> dict[str, Any]:
        shown: dict[str, Any] = stock(certificate)
        for name in ("IssuedAt", "NotBefore", "NotAfter"):
            if name not in certificate:
                del shown[name]
        shown["InUseBy"] += users(certificate["CertificateArn"])
        eligible = certificate["Status"] == "ISSUED" and shown["Type"] == "AMAZON_ISSUED" and shown["InUseBy"]
        shown["RenewalEligibility"] = "ELIGIBLE" if eligible else "INELIGIBLE"
        if "RenewalStatus" in certificate:
            shown["RenewalSummary"] = {
                "RenewalStatus": certificate["RenewalStatus"],
                "DomainValidationOptions": shown["DomainValidationOptions"],
                "UpdatedAt": CLOCK.now(),
            }
        return shown

    return shape


def _issued_only(stock: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    def get_certificate(data: dict[str, Any]) -> Answer:
        arn = data.get("CertificateArn", "")
        certificate = acm._get_local_certificate(arn)
        if certificate is not None and certificate["Status"] == "PENDING_VALIDATION":
            why = f"The certificate request is in process for {arn} in account {get_account_id()}."
            return _refusal("RequestInProgressException", why)
        return stock(data)

    return get_certificate


def _refresh_all() -> None:
    for certificate in list(acm._certificates.all_values()):
        refresh(certificate)


def _refusal(code: str, message: str) -> Answer:
    answer: Answer = error_response_json(code, message, 400)
    return answer


def _request(probe: Probe, *domains: str, region: str = "us-east-1") -> tuple[Any, str]:
    """A client and the ARN of a new certificate."""
    client = probe.client("acm", region)
    names = {"SubjectAlternativeNames": list(domains)} if len(domains) > 1 else {}
    return client, client.request_certificate(DomainName=domains[0], ValidationMethod="DNS", **names)["CertificateArn"]


def _prove_dns(probe: Probe) -> None:
    domain = probe.domain()
    client, arn = _request(probe, domain)
    seen = client.describe_certificate(CertificateArn=arn)["Certificate"]
    probe.holds(seen["Status"] == "PENDING_VALIDATION", "a certificate without its record waits")
    probe.holds("NotAfter" not in seen, "a certificate that waits has no end")
    record = seen["DomainValidationOptions"][0]["ResourceRecord"]
    shape = rf"_[0-9a-f]{{32}}\.{re.escape(domain)}\. _[0-9a-f]{{32}}\.[a-z]{{10}}\.acm-validations\.aws\."
    probe.holds(re.fullmatch(shape, f"{record['Name']} {record['Value']}"), "the record has ACM's shape")
    probe.names.add(record["Name"], "CNAME", record["Value"])
    seen = client.describe_certificate(CertificateArn=arn)["Certificate"]
    probe.holds(seen["Status"] == "ISSUED", "with its record in DNS it is issued")
    life = (seen["NotAfter"] - seen["NotBefore"]).total_seconds()
    probe.holds(life == LIFETIME, "a certificate lasts 198 days")


def _prove_timeout(probe: Probe) -> None:
    client, arn = _request(probe, probe.domain())
    probe.move_clock(VALIDATION_WINDOW + 1)
    status = client.describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
    probe.holds(status == "VALIDATION_TIMED_OUT", "72 hours without the record end the request")


# ------------------------------------------------------------------------------------------------ names, and use


def _limit_names() -> None:
    replace(acm, "_request_certificate", _limited, takes=("data",))


def _limited(stock: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    def request_certificate(data: dict[str, Any]) -> Answer:
        first = str(data.get("DomainName", ""))
        names = {first, *(data.get("SubjectAlternativeNames") or ())}
        for name in sorted(names):
            if not DOMAIN_NAME.fullmatch(name) or len(name) > 253:
                why = f"1 validation error detected: Value '{name}' at 'domainName' failed to satisfy constraint: "
                return _refusal("ValidationException", f"{why}Member must satisfy regular expression pattern")
        if len(first) > LONGEST_FIRST_NAME:
            why = f"The first domain name can be no longer than {LONGEST_FIRST_NAME} characters."
            return _refusal("InvalidDomainValidationOptionsException", why)
        if len(names) > LARGEST_NAMES:
            why = "An ACM limit has been exceeded. Need to request SAN limit to be raised"
            return _refusal("LimitExceededException", why)
        return stock(data)

    return request_certificate


def _prove_names(probe: Probe) -> None:
    client, domain = probe.client("acm", "us-east-1"), probe.domain()
    names = [f"{number}.{domain}" for number in range(LARGEST_NAMES + 1)]
    request = client.request_certificate
    method = "DNS"
    probe.refused(
        "LimitExceededException",
        request,
        DomainName=names[0],
        SubjectAlternativeNames=names,
        ValidationMethod=method,
    )
    probe.refused("ValidationException", request, DomainName=f"_mta-sts.{domain}", ValidationMethod=method)


def _keep_what_is_used() -> None:
    replace(acm, "_delete_certificate", _unused_only, takes=("data",))


def _unused_only(stock: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    def delete_certificate(data: dict[str, Any]) -> Answer:
        arn = data.get("CertificateArn", "")
        if acm._get_local_certificate(arn) is not None and users(arn):
            why = f"Certificate {arn} in account {get_account_id()} is in use."
            return _refusal("ResourceInUseException", why)
        return stock(data)

    return delete_certificate


def _prove_use(probe: Probe) -> None:
    domain = probe.domain()
    arn = issued_certificate(probe, domain)
    distribution(probe, domain, arn)
    probe.refused("ResourceInUseException", probe.client("acm", "us-east-1").delete_certificate, CertificateArn=arn)


PATCHES = (
    Patch(
        "acm-waits-for-dns",
        "Certificates were issued at once, without their validation record in DNS.",
        _wait_for_dns,
        _prove_dns,
    ),
    Patch(
        "acm-gives-up-after-72-hours",
        "A certificate request never timed out.",
        lambda: None,  # the clock's watcher of the patch before
        _prove_timeout,
    ),
    Patch(
        "acm-limits-names",
        "A certificate took any number of names, and names that are no host names.",
        _limit_names,
        _prove_names,
    ),
    Patch(
        "acm-keeps-certificates-in-use",
        "A certificate could be deleted from under its distribution.",
        _keep_what_is_used,
        _prove_use,
    ),
)
