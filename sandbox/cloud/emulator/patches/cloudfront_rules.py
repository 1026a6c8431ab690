"""What CloudFront demands of a distribution's configuration before it takes it, and its quotas.

Codes as in the API reference (CreateDistribution, errors); texts are CloudFront's own where they are known.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, tostring

from ministack.services import acm, cloudfront

from sandbox.account import ACCOUNT_ID, CERTIFICATE_REGION

QUOTAS = {
    "distributions": 500,
    "distributions per access control": 100,
    "access controls": 100,
    "headers policies": 20,
    "cache policies": 20,
    "origin request policies": 20,
    "functions": 100,
    "aliases": 100,
}
"""Per account, as they are before one asks for more ("Quotas", CloudFront developer guide)."""

_METHODS = (
    {"GET", "HEAD"},
    {"GET", "HEAD", "OPTIONS"},
    {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"},
)
_REQUIREMENTS = (
    "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-requirements"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a call is refused."""

    code: str
    message: str
    status: int = 400


def faults(config: Element, own_id: str | None) -> Iterator[Fault]:
    """What is wrong with a `DistributionConfig`. own_id: of the distribution that is updated, None for a new one."""
    record = {"config_xml": tostring(config, encoding="unicode")}
    aliases = aliases_of(record)
    parsed = cloudfront.parse_distribution_dataplane_config(record)
    others = [one for one in list(cloudfront._distributions.values()) if one["Id"] != own_id]
    if own_id is None and len(others) >= QUOTAS["distributions"]:
        yield Fault("TooManyDistributions", "Processing your request would exceed your number of distributions.")
    yield from _alias_faults(aliases, others)
    yield from _certificate_faults(config, aliases)
    for origin in parsed["origins"].values():
        yield from _origin_faults(config, origin, others)
    for behavior in (parsed["default_behavior"], *parsed["ordered_behaviors"]):
        yield from _behavior_faults(behavior, set(parsed["origins"]))


def aliases_of(distribution: dict[str, Any]) -> tuple[str, ...]:
    """Its alternate names, in lower case."""
    return _aliases(distribution["config_xml"])


@lru_cache(maxsize=1024)
def _aliases(config: str) -> tuple[str, ...]:
    # every request is looked up by its Host, and a hundred configurations are slow to parse
    return tuple(alias.lower() for alias in cloudfront._get_distribution_aliases({"config_xml": config}))


def _alias_faults(aliases: tuple[str, ...], others: list[dict[str, Any]]) -> Iterator[Fault]:
    if len(aliases) > QUOTAS["aliases"]:
        yield Fault("TooManyDistributionCNAMEs", "Your request contains more CNAMEs than are allowed per distribution.")
    taken = {alias for other in others for alias in aliases_of(other)}
    if not taken.isdisjoint(aliases):
        why = "One or more of the CNAMEs you provided are already associated with a different resource."
        yield Fault("CNAMEAlreadyExists", why, 409)


def _certificate_faults(config: Element, aliases: tuple[str, ...]) -> Iterator[Fault]:
    viewer = cloudfront._find(config, "ViewerCertificate")
    arn = cloudfront._text(viewer, "ACMCertificateArn") if viewer is not None else ""
    if not arn:
        if aliases:
            why = (
                "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted"
                " certificate that validates your authorization to use the domain name. For more details, see: "
            )
            yield Fault("InvalidViewerCertificate", why + _REQUIREMENTS)
        return
    certificate = acm._certificates.get_scoped(ACCOUNT_ID, CERTIFICATE_REGION, arn)
    if certificate is None or certificate["Status"] != "ISSUED":
        why = (
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a"
            " valid certificate chain."
        )
        yield Fault("InvalidViewerCertificate", why)
        return
    names = [str(name).lower() for name in certificate["SubjectAlternativeNames"]]
    if not all(any(covers(name, alias) for name in names) for alias in aliases):
        why = (
            "The certificate that is attached to your distribution doesn't cover the alternate domain name (CNAME)"
            f" that you're trying to add. For more details, see: {_REQUIREMENTS}"
        )
        yield Fault("InvalidViewerCertificate", why)


def covers(name: str, host: str) -> bool:
    """Whether a certificate's (or distribution's) `name` stands for `host`: itself, or `*.` for one more label."""
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def _origin_faults(config: Element, origin: dict[str, Any], others: list[dict[str, Any]]) -> Iterator[Fault]:
    access = origin["oac_id"]
    if access:
        if access not in cloudfront._oacs:
            yield Fault("InvalidOriginAccessControl", "The origin access control is not valid.")
        elif sum(uses(other, access) for other in others) >= QUOTAS["distributions per access control"]:
            why = "The maximum number of distributions have been associated with the specified origin access control."
            yield Fault("TooManyDistributionsAssociatedToOriginAccessControl", why)
    if origin["s3_bucket"] is None and "S3OriginConfig" in tostring(config, encoding="unicode"):
        yield Fault("InvalidArgument", "The parameter Origin DomainName does not refer to a valid S3 bucket.")


def _behavior_faults(behavior: dict[str, Any], origins: set[str]) -> Iterator[Fault]:
    if behavior["target_origin_id"] not in origins:
        yield Fault("NoSuchOrigin", "One or more of your origins or origin groups do not exist.", 404)
    policies = (
        ("cache_policy_id", cloudfront._cache_policies, cloudfront._MANAGED_CACHE_POLICIES, "CachePolicy"),
        (
            "origin_request_policy_id",
            cloudfront._origin_request_policies,
            cloudfront._MANAGED_ORIGIN_REQUEST_POLICIES,
            "OriginRequestPolicy",
        ),
        (
            "response_headers_policy_id",
            cloudfront._response_headers_policies,
            cloudfront._MANAGED_RESPONSE_HEADERS_POLICIES,
            "ResponseHeadersPolicy",
        ),
    )
    for member, own, managed, kind in policies:
        if (policy := behavior[member]) and policy not in own and policy not in managed:
            yield Fault(f"NoSuch{kind}", f"The specified {_in_words(kind)} does not exist.", 404)
    if not behavior["cache_policy_id"] and behavior["forwarded_values"] is None:
        yield Fault("InvalidArgument", "The parameter ForwardedValues is required.")
    for arn in behavior["functions"].values():
        if arn.startswith("arn:aws:cloudfront:") and cloudfront.live_function_code(arn) is None:
            yield Fault("InvalidFunctionAssociation", f"The function {arn} does not exist or is not published.")
    methods = behavior["allowed_methods"]
    if methods is not None and set(methods) not in _METHODS:
        yield Fault("InvalidArgument", "The parameter AllowedMethods is no combination that CloudFront has.")


def uses(distribution: dict[str, Any], identity: str) -> bool:
    """Whether a stored distribution names the policy, access control or certificate `identity`."""
    return f">{identity}<" in distribution["config_xml"]


def _in_words(kind: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
