"""CloudFront: origin access controls and response headers policies. Distributions have a file of their own."""

from typing import Any

from sandbox.providers.aws.cloud import Aws, Service, service
from sandbox.providers.aws.spelling import from_api, to_api
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ResourceType, words
from sandbox.providers.protocol.wire import Properties

_ACCESS_CONTROL = words("name description originAccessControlOriginType signingBehavior signingProtocol")


def _access_config(inputs: Properties) -> dict[str, Any]:
    config: dict[str, Any] = to_api({name: inputs[name] for name in _ACCESS_CONTROL if name in inputs})
    return config


def _create_access(call: Call[Aws]) -> Created:
    answer = service(call, "cloudfront").create_origin_access_control(
        OriginAccessControlConfig=_access_config(call.inputs)
    )
    identity = answer["OriginAccessControl"]["Id"]
    return Created(identity, _access_outputs(call, identity, answer["ETag"]))


def _access_outputs(call: Call[Aws], identity: str, etag: str) -> Properties:
    return {"arn": call.cloud.arn("cloudfront", f"origin-access-control/{identity}", ""), "etag": etag}


def _read_access(call: Call[Aws]) -> Found:
    answer = service(call, "cloudfront").get_origin_access_control(Id=call.id)
    seen = from_api(answer["OriginAccessControl"]["OriginAccessControlConfig"])
    return Found(seen, _access_outputs(call, call.id, answer["ETag"]))


def _update_access(call: Call[Aws]) -> Properties:
    api = service(call, "cloudfront")
    etag = api.get_origin_access_control(Id=call.id)["ETag"]
    answer = api.update_origin_access_control(
        Id=call.id, IfMatch=etag, OriginAccessControlConfig=_access_config(call.inputs)
    )
    return _access_outputs(call, call.id, answer["ETag"])


def _delete_access(call: Call[Aws]) -> None:
    api = service(call, "cloudfront")
    api.delete_origin_access_control(Id=call.id, IfMatch=api.get_origin_access_control(Id=call.id)["ETag"])


ORIGIN_ACCESS_CONTROL: ResourceType[Aws] = ResourceType(
    "aws:cloudfront/originAccessControl:OriginAccessControl",
    acts_on=_ACCESS_CONTROL,
    create=_create_access,
    read=_read_access,
    update=_update_access,
    delete=_delete_access,
    unknown_after={"etag": _ACCESS_CONTROL},
    name=AutoName(longest=64),
    defaults={"description": "Managed by Pulumi"},
    choices={
        "originAccessControlOriginType": ("s3", "mediastore", "mediapackagev2", "lambda"),
        "signingBehavior": ("always", "never", "no-override"),
        "signingProtocol": ("sigv4",),
    },
)


# ----------------------------------------------------------------------------------- response headers policies

_HEADER_NAMES = {"xssProtection": "XSSProtection", "reportUri": "ReportUri"}
_HEADERS = words(
    "name comment securityHeadersConfig.* customHeadersConfig.items.* removeHeadersConfig.items.*"
    " serverTimingHeadersConfig.*"
)
_LISTS = ("customHeadersConfig", "removeHeadersConfig")


def _headers_config(inputs: Properties) -> dict[str, Any]:
    config: dict[str, Any] = to_api(
        {
            name: inputs[name]
            for name in ("name", "securityHeadersConfig", "serverTimingHeadersConfig")
            if name in inputs
        },
        _HEADER_NAMES,
    )
    config["Comment"] = inputs.get("comment", "")
    for name in _LISTS:
        if items := (inputs.get(name) or {}).get("items"):
            config[name[:1].upper() + name[1:]] = {"Quantity": len(items), "Items": to_api(items)}
    return config


def _headers_etag(api: Service, identity: str) -> str:
    return str(api.get_response_headers_policy(Id=identity)["ETag"])


def _headers_outputs(call: Call[Aws], identity: str, etag: str) -> Properties:
    return {"arn": call.cloud.arn("cloudfront", f"response-headers-policy/{identity}", ""), "etag": etag}


def _create_headers(call: Call[Aws]) -> Created:
    answer = service(call, "cloudfront").create_response_headers_policy(
        ResponseHeadersPolicyConfig=_headers_config(call.inputs)
    )
    identity = answer["ResponseHeadersPolicy"]["Id"]
    return Created(identity, _headers_outputs(call, identity, answer["ETag"]))


def _read_headers(call: Call[Aws]) -> Found:
    answer = service(call, "cloudfront").get_response_headers_policy(Id=call.id)
    seen = from_api(answer["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"], _HEADER_NAMES)
    for name in _LISTS:
        if name in seen:
            seen[name] = {"items": seen[name].get("items") or []}
    return Found(seen, _headers_outputs(call, call.id, answer["ETag"]))


def _update_headers(call: Call[Aws]) -> Properties:
    api = service(call, "cloudfront")
    answer = api.update_response_headers_policy(
        Id=call.id, IfMatch=_headers_etag(api, call.id), ResponseHeadersPolicyConfig=_headers_config(call.inputs)
    )
    return _headers_outputs(call, call.id, answer["ETag"])


def _delete_headers(call: Call[Aws]) -> None:
    api = service(call, "cloudfront")
    api.delete_response_headers_policy(Id=call.id, IfMatch=_headers_etag(api, call.id))


RESPONSE_HEADERS_POLICY: ResourceType[Aws] = ResourceType(
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
    acts_on=_HEADERS,
    create=_create_headers,
    read=_read_headers,
    update=_update_headers,
    delete=_delete_headers,
    unknown_after={"etag": words("name comment securityHeadersConfig customHeadersConfig removeHeadersConfig")},
    name=AutoName(longest=128),
    unordered=words("customHeadersConfig.items removeHeadersConfig.items"),
    choices={
        "securityHeadersConfig.frameOptions.frameOption": ("DENY", "SAMEORIGIN"),
        "securityHeadersConfig.referrerPolicy.referrerPolicy": (
            "no-referrer",
            "no-referrer-when-downgrade",
            "origin",
            "origin-when-cross-origin",
            "same-origin",
            "strict-origin",
            "strict-origin-when-cross-origin",
            "unsafe-url",
        ),
    },
)

TYPES: tuple[ResourceType[Aws], ...] = (ORIGIN_ACCESS_CONTROL, RESPONSE_HEADERS_POLICY)
