"""CloudFront's viewer side: a distribution answers for its alternate names, and only while it is enabled.

A request is for CloudFront when its Host is a distribution's name or alternate name, or when it comes from the HTTPS
edge, which says so with `x-sandbox-viewer-protocol: https` after ending TLS. Without that header it came by plain HTTP.
"""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.services import cloudfront, s3

from sandbox.account import ACCOUNT_ID
from sandbox.cloud.emulator.asgi import (
    VIEWER_PROTOCOL,
    Application,
    Receive,
    Scope,
    Send,
    answer,
    headers_of,
    read_body,
)
from sandbox.cloud.emulator.patch import Patch, Probe, replace
from sandbox.cloud.emulator.patches.cloudfront_rules import aliases_of, covers
from sandbox.cloud.emulator.patches.cloudfront_samples import (
    access_control,
    bucket_for_cloudfront,
    distribution,
    distribution_config,
    issued_certificate,
)
from sandbox.cloud.emulator.patches.iam_decisions import Source, service_may

_ERROR = "Error from cloudfront"


def _answer_alternate_names() -> None:
    replace(app, "app", _with_viewers, takes=("scope", "receive", "send"))


def _with_viewers(stock: Application) -> Application:
    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await stock(scope, receive, send)
            return
        headers = headers_of(scope)
        found = _distribution_for(headers.get("host", "").partition(":")[0].lower())
        if found is None and VIEWER_PROTOCOL not in headers:
            await stock(scope, receive, send)
            return
        status, shown, body = await _served(found, scope, headers, await read_body(receive))
        await answer(send, status, _pairs(shown), body, head=scope["method"] == "HEAD")

    return front


def _distribution_for(host: str) -> dict[str, Any] | None:
    """The distribution that `host` leads to. An alternate name that is spelled out goes before a wildcard."""
    wild = None
    for one in list(cloudfront._distributions.values()):
        names = (one["DomainName"].lower(), *aliases_of(one))
        if host in names:
            return dict(one)
        if any(covers(name, host) for name in names):
            wild = one
    return dict(wild) if wild else None


async def _served(
    found: dict[str, Any] | None, scope: Scope, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, Any], bytes]:
    if found is None or not found["enabled"]:
        # No edge has a configuration for this name.
        refusal: tuple[int, dict[str, Any], bytes] = cloudfront._cf_error_response(403, "Bad request.", _ERROR)
        return refusal
    headers["x-forwarded-proto"] = headers.pop(VIEWER_PROTOCOL, "http")
    query = scope.get("query_string", b"").decode("latin-1")
    status, shown, content = await cloudfront.handle_viewer_request(
        found,
        scope["method"],
        scope["path"],
        scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
        query,
        headers,
        body,
        parse_qs(query, keep_blank_values=True),
    )
    return status, shown, content


def _pairs(headers: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in headers.items():
        for one in value if isinstance(value, list) else [value]:
            yield name, str(one)


def _prove_alternate_names(probe: Probe) -> None:
    domain, api = probe.domain(), probe.client("cloudfront")
    bucket = bucket_for_cloudfront(probe, "here", b"policy")
    made = distribution(probe, domain, issued_certificate(probe, domain), bucket=bucket, access=access_control(probe))
    tls = {"Host": domain, VIEWER_PROTOCOL: "https"}
    seen = probe.request("GET", "/here", headers=tls)
    probe.holds((seen.status, seen.body) == (200, b"policy"), "the alternate name serves the object")
    probe.holds("x-amz-version-id" in seen.headers, "the object's version is passed on")
    probe.holds(probe.request("GET", "/here", headers={"Host": domain}).status == 403, "https-only is kept")
    unknown = {"Host": f"other.{domain}", VIEWER_PROTOCOL: "https"}
    probe.holds(probe.request("GET", "/here", headers=unknown).status == 403, "an unknown name is refused")
    current = api.get_distribution_config(Id=made["Id"])
    config = current["DistributionConfig"] | {"Enabled": False}
    api.update_distribution(Id=made["Id"], IfMatch=current["ETag"], DistributionConfig=config)
    probe.holds(probe.request("GET", "/here", headers=tls).status == 403, "a disabled distribution serves nothing")


# ----------------------------------------------------------------------------------------------- access to origins


def _name_the_account() -> None:
    takes = ("owner", "bucket_name", "key", "source_arn", "oai_id")
    replace(s3, "_cloudfront_origin_allows", _allowed_with_account, takes=takes)
    replace(cloudfront, "_serve_s3_origin", _signed_only, takes=("origin", "method", "uri", "headers", "dist_arn"))


def _allowed_with_account(stock: Callable[..., bool]) -> Callable[..., bool]:
    def allows(owner: str, bucket_name: str, key: str, source_arn: str, oai_id: str) -> bool:
        if stock(owner, bucket_name, key, source_arn, oai_id):
            return True
        if not source_arn:
            return False
        policy, asked = s3._bucket_policies.get_scoped(owner, None, bucket_name), f"arn:aws:s3:::{bucket_name}/{key}"
        return service_may(policy, "cloudfront.amazonaws.com", "s3:GetObject", asked, Source(source_arn, ACCOUNT_ID))

    return allows


def _signed_only(stock: Callable[..., Any]) -> Callable[..., Any]:
    def serve(origin: Any, method: str, uri: str, headers: Any, dist_arn: str = "") -> Any:
        access = cloudfront._oacs.get(origin.get("oac_id") or "")
        signs = access and access["SigningBehavior"] != "never" and access["OriginAccessControlOriginType"] == "s3"
        return stock(origin if signs else {**origin, "oac_id": ""}, method, uri, headers, dist_arn)

    return serve


def _prove_account(probe: Probe) -> None:
    bucket = bucket_for_cloudfront(probe, "here", b"policy")
    for access, expected in ((access_control(probe), 200), (access_control(probe, signs="never"), 403)):
        config = distribution_config(probe, bucket=bucket, access=access)
        made = probe.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
        tls = {"Host": made["DomainName"], VIEWER_PROTOCOL: "https", "X-Forwarded-Proto": "https"}
        seen = probe.request("GET", "/here", headers=tls).status
        probe.holds(seen == expected, f"the bucket's condition on the account is judged right ({seen})")


PATCHES = (
    Patch(
        "cloudfront-answers-for-alternate-names",
        "A distribution did not answer for its alternate names, and answered while it was disabled.",
        _answer_alternate_names,
        _prove_alternate_names,
    ),
    Patch(
        "cloudfront-signs-as-its-account",
        "A bucket policy with a condition on aws:SourceAccount never matched, an access control that never signs did.",
        _name_the_account,
        _prove_account,
    ),
)
