"""CloudFront's management: a distribution is taken only with everything that it names in order, within the quotas."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ministack.services import acm, cloudfront

from sandbox.cloud.emulator.patch import Patch, Probe, replace
from sandbox.cloud.emulator.patches.acm import refresh
from sandbox.cloud.emulator.patches.cloudfront_rules import QUOTAS, Fault, faults, uses
from sandbox.cloud.emulator.patches.cloudfront_samples import (
    access_control,
    distribution,
    distribution_config,
    issued_certificate,
)

Answer = tuple[int, dict[str, Any], bytes]


def _refusal(fault: Fault) -> Answer:
    answer: Answer = cloudfront._error(fault.code, fault.message, fault.status)
    return answer


# ------------------------------------------------------------------------------------------------ configurations


def _check_configurations() -> None:
    replace(cloudfront, "_create_distribution", _checked_creation, takes=("headers", "body"))
    replace(cloudfront, "_update_distribution", _checked_update, takes=("dist_id", "headers", "body"))
    replace(
        cloudfront,
        "handle_request",
        _with_current_certificates,
        takes=("method", "path", "headers", "body", "query_params"),
    )


def _with_current_certificates(stock: Any) -> Any:
    async def handle_request(method: str, path: str, headers: Any, body: bytes, query_params: Any) -> Any:
        if method in ("POST", "PUT") and "/distribution" in path:
            text = body.decode("utf-8", "replace")
            named = [one for one in list(acm._certificates.all_values()) if one["CertificateArn"] in text]
            await asyncio.gather(*(asyncio.to_thread(refresh, one) for one in named))
        return await stock(method, path, headers, body, query_params)

    return handle_request


def _checked_creation(stock: Callable[[Any, bytes], Answer]) -> Callable[[Any, bytes], Answer]:
    def create_distribution(headers: Any, body: bytes) -> Answer:
        config, _tags = cloudfront._unwrap_distribution_create_xml(cloudfront._parse_body(body))
        if config is not None and not _is_repeated(config) and _is_whole(config):
            for fault in faults(config, None):
                return _refusal(fault)
        return stock(headers, body)

    return create_distribution


def _is_repeated(config: Any) -> bool:
    """The call that made a distribution, sent again, is answered with that distribution."""
    reference = cloudfront._text(config, "CallerReference")
    return any(one["CallerReference"] == reference for one in list(cloudfront._distributions.values()))


def _is_whole(config: Any) -> bool:
    """What lacks its main parts is refused by the stock handler."""
    return all(cloudfront._find(config, part) is not None for part in ("Origins", "DefaultCacheBehavior"))


def _checked_update(stock: Callable[[str, Any, bytes], Answer]) -> Callable[[str, Any, bytes], Answer]:
    def update_distribution(dist_id: str, headers: Any, body: bytes) -> Answer:
        config = cloudfront._parse_body(body)
        known = cloudfront._distributions.get(dist_id)
        if config is not None and known and headers.get("if-match") == known["ETag"] and _is_whole(config):
            for fault in faults(config, dist_id):
                return _refusal(fault)
        return stock(dist_id, headers, body)

    return update_distribution


def _prove_configurations(probe: Probe) -> None:
    create, domain = probe.client("cloudfront").create_distribution, probe.domain()

    def refused(code: str, **parts: Any) -> None:
        probe.refused(code, create, DistributionConfig=distribution_config(probe, **parts))

    missing = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
    west = probe.client("acm", "eu-west-1").request_certificate(DomainName=domain, ValidationMethod="DNS")
    waiting = probe.client("acm", "us-east-1").request_certificate(DomainName=domain, ValidationMethod="DNS")
    for arn in (missing, west["CertificateArn"], waiting["CertificateArn"], None):
        refused("InvalidViewerCertificate", aliases=(domain,), certificate=arn)
    certificate = issued_certificate(probe, domain)
    refused("InvalidViewerCertificate", aliases=(f"other.{domain}",), certificate=certificate)
    distribution(probe, domain, certificate)
    refused("CNAMEAlreadyExists", aliases=(domain,), certificate=certificate)
    refused("InvalidOriginAccessControl", access="E000000000")
    refused("NoSuchOrigin", TargetOriginId="elsewhere")
    refused("NoSuchCachePolicy", CachePolicyId="00000000-0000-0000-0000-000000000000")
    refused("NoSuchResponseHeadersPolicy", ResponseHeadersPolicyId="00000000-0000-0000-0000-000000000000")
    function = {"EventType": "viewer-request", "FunctionARN": "arn:aws:cloudfront::123456789012:function/none"}
    refused("InvalidFunctionAssociation", FunctionAssociations={"Quantity": 1, "Items": [function]})


# --------------------------------------------------------------------------------------------------------- quotas


def _keep_quotas() -> None:
    def limited(name: str, store: Any, quota: str, code: str) -> None:
        def made_from(stock: Callable[..., Answer]) -> Callable[..., Answer]:
            def create(*arguments: Any) -> Answer:
                if len(store) >= QUOTAS[quota]:
                    return _refusal(Fault(code, f"Your request would exceed the number of {quota} for your account."))
                return stock(*arguments)

            return create

        replace(cloudfront, name, made_from)

    limited("_create_oac", cloudfront._oacs, "access controls", "TooManyOriginAccessControls")
    limited("_create_cache_policy", cloudfront._cache_policies, "cache policies", "TooManyCachePolicies")
    limited("_cf_create_function", cloudfront._functions, "functions", "TooManyFunctions")
    replace(cloudfront, "_policy_create", _limited_policies, takes=("store", "spec", "body"))


def _limited_policies(stock: Callable[[Any, Any, bytes], Answer]) -> Callable[[Any, Any, bytes], Answer]:
    def create(store: Any, spec: Any, body: bytes) -> Answer:
        headers = store is cloudfront._response_headers_policies
        quota = "headers policies" if headers else "origin request policies"
        if len(store) >= QUOTAS[quota]:
            code = "TooManyResponseHeadersPolicies" if headers else "TooManyOriginRequestPolicies"
            return _refusal(Fault(code, f"Your request would exceed the number of {quota} for your account."))
        return stock(store, spec, body)

    return create


@contextmanager
def _quota(name: str, number: int) -> Iterator[None]:
    """A smaller quota for the time of a proof: making a hundred distributions at each start is too slow."""
    real, QUOTAS[name] = QUOTAS[name], number
    try:
        yield
    finally:
        QUOTAS[name] = real


def _prove_quotas(probe: Probe) -> None:
    api, access = probe.client("cloudfront"), access_control(probe)
    api.create_distribution(DistributionConfig=distribution_config(probe, access=access))
    with _quota("distributions per access control", 1):
        probe.refused(
            "TooManyDistributionsAssociatedToOriginAccessControl",
            api.create_distribution,
            DistributionConfig=distribution_config(probe, access=access),
        )
    with _quota("access controls", 0):
        config = {
            "Name": probe.name("access"),
            "OriginAccessControlOriginType": "s3",
            "SigningBehavior": "always",
            "SigningProtocol": "sigv4",
        }
        probe.refused("TooManyOriginAccessControls", api.create_origin_access_control, OriginAccessControlConfig=config)
    with _quota("headers policies", 0):
        probe.refused(
            "TooManyResponseHeadersPolicies",
            api.create_response_headers_policy,
            ResponseHeadersPolicyConfig={"Name": probe.name("headers")},
        )


# --------------------------------------------------------------------------------------------------- what is used


def _keep_what_is_used() -> None:
    replace(cloudfront, "_delete_oac", _unused_access_control, takes=("oac_id", "headers"))
    # the stock look-up compares an id with the whole configuration, and so never finds one
    for name in ("_distributions_using_policy", "_distributions_using_cache_policy"):
        replace(cloudfront, name, lambda _: _users, takes=("policy_id",))


def _users(policy_id: str) -> list[str]:
    return [one["Id"] for one in list(cloudfront._distributions.values()) if uses(one, policy_id)]


def _unused_access_control(stock: Callable[[str, Any], Answer]) -> Callable[[str, Any], Answer]:
    def delete_oac(oac_id: str, headers: Any) -> Answer:
        known = cloudfront._oacs.get(oac_id)
        if known and headers.get("if-match") == known["ETag"] and _users(oac_id):
            why = "Cannot delete the origin access control because it's in use by one or more distributions."
            return _refusal(Fault("OriginAccessControlInUse", why, 409))
        return stock(oac_id, headers)

    return delete_oac


def _prove_use(probe: Probe) -> None:
    api, access = probe.client("cloudfront"), access_control(probe)
    policy = api.create_response_headers_policy(ResponseHeadersPolicyConfig={"Name": probe.name("headers")})
    identity = policy["ResponseHeadersPolicy"]["Id"]
    config = distribution_config(probe, access=access, ResponseHeadersPolicyId=identity)
    api.create_distribution(DistributionConfig=config)
    etag = api.get_origin_access_control(Id=access)["ETag"]
    probe.refused("OriginAccessControlInUse", api.delete_origin_access_control, Id=access, IfMatch=etag)
    probe.refused("ResponseHeadersPolicyInUse", api.delete_response_headers_policy, Id=identity, IfMatch=policy["ETag"])


PATCHES = (
    Patch(
        "cloudfront-checks-distributions",
        "A distribution took an alternate name that another one has, a certificate that is missing, not issued, in"
        " another region or for other names, and policies, functions, origins and access controls that do not exist.",
        _check_configurations,
        _prove_configurations,
    ),
    Patch(
        "cloudfront-has-quotas",
        "There was no limit to access controls, headers policies, and distributions on one access control.",
        _keep_quotas,
        _prove_quotas,
    ),
    Patch(
        "cloudfront-keeps-what-is-used",
        "Access controls and policies could be deleted from under their distributions.",
        _keep_what_is_used,
        _prove_use,
    ),
)
