"""CloudFront distributions, as far as an S3 origin behind an origin access control goes."""

import uuid
from collections.abc import Iterator
from typing import Any

from sandbox.providers.aws.cloud import Aws, service, tags_all
from sandbox.providers.aws.spelling import from_api, to_api
from sandbox.providers.protocol.resource_type import Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties, known_items

_HOSTED_ZONE = "Z2FDTNDATAQYW2"
"""The Route 53 zone of every distribution (AliasTarget in the Route 53 API reference)."""

_NAMES = {
    "originId": "Id",
    "responseHeadersPolicyId": "ResponseHeadersPolicyId",
    "functionArn": "FunctionARN",
    "acmCertificateArn": "ACMCertificateArn",
    "cloudfrontDefaultCertificate": "CloudFrontDefaultCertificate",
    "sslSupportMethod": "SSLSupportMethod",
    "errorCachingMinTtl": "ErrorCachingMinTTL",
    "isIpv6Enabled": "IsIPV6Enabled",
    "webAclId": "WebACLId",
}
_SIMPLE = ("comment", "enabled", "defaultRootObject", "httpVersion", "isIpv6Enabled", "priceClass", "webAclId")
_COMMENT_WHEN_NONE = ""


def _quantity(items: list[Any]) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": items} if items else {"Quantity": 0}


def _config(inputs: Properties, reference: str) -> dict[str, Any]:
    restriction = inputs["restrictions"]["geoRestriction"]
    config: dict[str, Any] = {"CallerReference": reference, "Comment": _COMMENT_WHEN_NONE}
    config |= to_api({name: inputs[name] for name in _SIMPLE if name in inputs}, _NAMES)
    config |= {
        "Aliases": _quantity(inputs.get("aliases") or []),
        "Origins": _quantity([_origin(one) for one in inputs["origins"]]),
        "DefaultCacheBehavior": _behavior(inputs["defaultCacheBehavior"]),
        "CustomErrorResponses": _quantity([_error(one) for one in inputs.get("customErrorResponses") or ()]),
        "ViewerCertificate": to_api(inputs["viewerCertificate"], _NAMES),
        "Restrictions": {
            "GeoRestriction": {"RestrictionType": restriction["restrictionType"]}
            | _quantity(restriction.get("locations") or [])
        },
    }
    return config


def _origin(origin: Properties) -> dict[str, Any]:
    headers = origin.get("customHeaders") or []
    api: dict[str, Any] = to_api({key: value for key, value in origin.items() if key != "customHeaders"}, _NAMES)
    api["CustomHeaders"] = _quantity([{"HeaderName": h["name"], "HeaderValue": h["value"]} for h in headers])
    api.setdefault("OriginPath", "")
    api.setdefault("OriginAccessControlId", "")
    api.setdefault("S3OriginConfig", {"OriginAccessIdentity": ""})
    return api


def _behavior(behavior: Properties) -> dict[str, Any]:
    lists = ("allowedMethods", "cachedMethods", "functionAssociations")
    api: dict[str, Any] = to_api({key: value for key, value in behavior.items() if key not in lists}, _NAMES)
    api.setdefault("Compress", False)
    api["AllowedMethods"] = _quantity(behavior["allowedMethods"]) | {
        "CachedMethods": _quantity(behavior["cachedMethods"])
    }
    api["FunctionAssociations"] = _quantity(to_api(behavior.get("functionAssociations") or [], _NAMES))
    return api


def _error(response: Properties) -> dict[str, Any]:
    api: dict[str, Any] = to_api(response, _NAMES)
    if "ResponseCode" in api:
        api["ResponseCode"] = str(api["ResponseCode"])
    return api


# ------------------------------------------------------------------------------------------------ and back


def _items(listed: dict[str, Any] | None) -> list[Any]:
    return list((listed or {}).get("Items") or [])


def _seen(config: dict[str, Any]) -> Properties:
    seen: Properties = from_api({k: v for k, v in config.items() if k in _api_names(_SIMPLE)}, _NAMES)
    behavior = config["DefaultCacheBehavior"]
    methods = behavior.get("AllowedMethods") or {}
    restriction = config.get("Restrictions", {}).get("GeoRestriction", {})
    seen |= {
        "aliases": _items(config.get("Aliases")),
        "origins": [_seen_origin(one) for one in _items(config["Origins"])],
        "customErrorResponses": [_seen_error(one) for one in _items(config.get("CustomErrorResponses"))],
        "viewerCertificate": from_api(config.get("ViewerCertificate") or {}, _NAMES),
        "restrictions": {
            "geoRestriction": {
                "restrictionType": restriction.get("RestrictionType", "none"),
                "locations": _items(restriction),
            }
        },
        "defaultCacheBehavior": from_api(
            {key: value for key, value in behavior.items() if key not in ("AllowedMethods", "FunctionAssociations")},
            _NAMES,
        )
        | {
            "allowedMethods": _items(methods),
            "cachedMethods": _items(methods.get("CachedMethods")),
            "functionAssociations": from_api(_items(behavior.get("FunctionAssociations")), _NAMES),
        },
    }
    return seen


def _api_names(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(to_api(dict.fromkeys(names, ""), _NAMES))


def _seen_origin(origin: dict[str, Any]) -> Properties:
    seen: Properties = from_api({key: value for key, value in origin.items() if key != "CustomHeaders"}, _NAMES)
    headers = _items(origin.get("CustomHeaders"))
    seen["customHeaders"] = [{"name": h["HeaderName"], "value": h["HeaderValue"]} for h in headers]
    return seen


def _seen_error(response: dict[str, Any]) -> Properties:
    seen: Properties = from_api(response, _NAMES)
    code = str(seen.pop("responseCode", "") or "")
    return seen | ({"responseCode": int(code)} if code else {})


def _outputs(answer: dict[str, Any]) -> Properties:
    distribution = answer["Distribution"]
    modified = distribution.get("LastModifiedTime")
    return {
        "arn": distribution["ARN"],
        "callerReference": distribution["DistributionConfig"]["CallerReference"],
        "domainName": distribution["DomainName"],
        "etag": answer["ETag"],
        "hostedZoneId": _HOSTED_ZONE,
        "inProgressValidationBatches": distribution.get("InProgressInvalidationBatches", 0),
        "lastModifiedTime": str(modified) if modified is not None else "",
        "loggingV1Enabled": False,
        "status": distribution["Status"],
        "trustedKeyGroups": [],
        "trustedSigners": [],
    }


# ---------------------------------------------------------------------------------------------- the resource


def _create(call: Call[Aws]) -> Created:
    api = service(call, "cloudfront")
    config = _config(call.inputs, str(uuid.uuid4()))
    tags = [{"Key": key, "Value": value} for key, value in call.cloud.tags(call.inputs).items()]
    if tags:
        identity = api.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": tags}}
        )["Distribution"]["Id"]
    else:
        identity = api.create_distribution(DistributionConfig=config)["Distribution"]["Id"]
    _wait_until_deployed(call, identity)
    return Created(identity, _outputs(api.get_distribution(Id=identity)))


def _wait_until_deployed(call: Call[Aws], identity: str) -> None:
    def is_deployed() -> tuple[bool, str]:
        status = str(service(call, "cloudfront").get_distribution(Id=identity)["Distribution"]["Status"])
        return status == "Deployed", status

    if call.inputs.get("waitForDeployment", True):
        call.wait_for(f"distribution {identity} to be deployed", is_deployed)


def _read(call: Call[Aws]) -> Found:
    answer = service(call, "cloudfront").get_distribution(Id=call.id)
    return Found(_seen(answer["Distribution"]["DistributionConfig"]), _outputs(answer))


def _update(call: Call[Aws]) -> Properties:
    api = service(call, "cloudfront")
    current = api.get_distribution_config(Id=call.id)
    if call.changed - {"tags", "waitForDeployment", "retainOnDelete"}:
        config = _config(call.inputs, current["DistributionConfig"]["CallerReference"])
        api.update_distribution(Id=call.id, IfMatch=current["ETag"], DistributionConfig=config)
        _wait_until_deployed(call, call.id)
    if "tags" in call.changed:
        arn = call.state["arn"]
        if old := list(call.state.get("tagsAll") or {}):
            api.untag_resource(Resource=arn, TagKeys={"Items": old})
        tags = [{"Key": key, "Value": value} for key, value in call.cloud.tags(call.inputs).items()]
        api.tag_resource(Resource=arn, Tags={"Items": tags})
    return _outputs(api.get_distribution(Id=call.id))


def _delete(call: Call[Aws]) -> None:
    """CloudFront deletes only what is disabled, and that everywhere: hence the wait between the two calls."""
    api = service(call, "cloudfront")
    current = api.get_distribution_config(Id=call.id)
    if current["DistributionConfig"]["Enabled"]:
        config = current["DistributionConfig"] | {"Enabled": False}
        api.update_distribution(Id=call.id, IfMatch=current["ETag"], DistributionConfig=config)
        if call.inputs.get("retainOnDelete"):
            return
        _wait_until_deployed(call, call.id)
    if not call.inputs.get("retainOnDelete"):
        api.delete_distribution(Id=call.id, IfMatch=api.get_distribution_config(Id=call.id)["ETag"])


def _check(inputs: Properties) -> Iterator[Problem]:
    if isinstance(certificate := inputs["viewerCertificate"], dict):
        yield from _check_certificate(certificate)
    for origin in known_items(inputs["origins"]):
        path = origin.get("originPath")
        if isinstance(path, str) and path and (path[0] != "/" or path.endswith("/")):
            yield Problem("origins.originPath", f"{path!r} must begin with a slash and not end in one")


def _check_certificate(certificate: Properties) -> Iterator[Problem]:
    kinds = [name for name in ("acmCertificateArn", "cloudfrontDefaultCertificate") if certificate.get(name)]
    if len(kinds) != 1:
        yield Problem("viewerCertificate", "needs one of acmCertificateArn and cloudfrontDefaultCertificate")
    if certificate.get("acmCertificateArn") and "sslSupportMethod" not in certificate:
        yield Problem("viewerCertificate.sslSupportMethod", "is required with acmCertificateArn")


DISTRIBUTION: ResourceType[Aws] = ResourceType(
    "aws:cloudfront/distribution:Distribution",
    acts_on=words(
        "aliases tags.* waitForDeployment retainOnDelete restrictions.geoRestriction.* customErrorResponses.*"
        " viewerCertificate.acmCertificateArn viewerCertificate.cloudfrontDefaultCertificate"
        " viewerCertificate.minimumProtocolVersion viewerCertificate.sslSupportMethod"
        " origins.domainName origins.originId origins.originPath origins.originAccessControlId origins.customHeaders.*"
        " origins.connectionAttempts origins.connectionTimeout origins.s3OriginConfig.*"
        " defaultCacheBehavior.allowedMethods defaultCacheBehavior.cachedMethods defaultCacheBehavior.cachePolicyId"
        " defaultCacheBehavior.compress defaultCacheBehavior.functionAssociations.*"
        " defaultCacheBehavior.originRequestPolicyId defaultCacheBehavior.responseHeadersPolicyId"
        " defaultCacheBehavior.targetOriginId defaultCacheBehavior.viewerProtocolPolicy"
    )
    | frozenset(_SIMPLE),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    unknown_after={"etag": words("comment enabled aliases origins defaultCacheBehavior viewerCertificate")},
    defaults={
        "httpVersion": "http2",
        "priceClass": "PriceClass_All",
        "retainOnDelete": False,
        "waitForDeployment": True,
    },
    unordered=words(
        "aliases origins customErrorResponses defaultCacheBehavior.allowedMethods defaultCacheBehavior.cachedMethods"
        " restrictions.geoRestriction.locations origins.customHeaders"
    ),
    choices={
        "httpVersion": ("http1.1", "http2", "http2and3", "http3"),
        "priceClass": ("PriceClass_100", "PriceClass_200", "PriceClass_All", "None"),
        "defaultCacheBehavior.viewerProtocolPolicy": ("allow-all", "https-only", "redirect-to-https"),
        "defaultCacheBehavior.allowedMethods": ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"),
        "defaultCacheBehavior.cachedMethods": ("GET", "HEAD", "OPTIONS"),
        "restrictions.geoRestriction.restrictionType": ("none", "whitelist", "blacklist"),
        "viewerCertificate.sslSupportMethod": ("sni-only", "vip", "static-ip"),
        "viewerCertificate.minimumProtocolVersion": (
            "SSLv3",
            "TLSv1",
            "TLSv1_2016",
            "TLSv1.1_2016",
            "TLSv1.2_2018",
            "TLSv1.2_2019",
            "TLSv1.2_2021",
            "TLSv1.2_2025",
            "TLSv1.3_2025",
        ),
    },
    derived=tags_all,
    check=_check,
    seconds=90 * 60,
)

TYPES: tuple[ResourceType[Aws], ...] = (DISTRIBUTION,)
