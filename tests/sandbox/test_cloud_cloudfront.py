"""CloudFront takes only distributions that are in order, and serves what they are entitled to."""

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import (
    Clients,
    access_control,
    distribution_config,
    document,
    issued_certificate,
    no_clear_text,
    policy_bucket,
    readable_by_distributions,
)

from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer
from sandbox.cloud.start import Emulator

NOBODY = "00000000-0000-0000-0000-000000000000"
POLICY = b"version: STSv1\r\nmode: testing\r\nmx: mx1.contoso.example\r\nmax_age: 86400\r\n"
PATH = "/.well-known/mta-sts.txt"


@pytest.fixture
def cloudfront(aws: Clients) -> Any:
    return aws("cloudfront")


@dataclass(frozen=True)
class Hosted:
    """A published policy. version: of its object."""

    domain: str
    distribution: str
    bucket: str
    version: str


@pytest.fixture
def hosted(aws: Clients, names: NameServer, unique: Callable[..., str]) -> Hosted:
    """As the program publishes: private bucket, access control, certificate, headers policy."""
    name = unique("policies")
    domain = f"{name}.example"
    bucket = policy_bucket(aws, name)
    version = aws("s3").put_object(
        Bucket=bucket, Key=f"{domain}{PATH}", Body=POLICY, ContentType="text/plain; charset=utf-8"
    )["VersionId"]
    hsts = {"AccessControlMaxAgeSec": 63072000, "IncludeSubdomains": False, "Preload": False, "Override": True}
    headers = aws("cloudfront").create_response_headers_policy(
        ResponseHeadersPolicyConfig={
            "Name": name,
            "SecurityHeadersConfig": {"StrictTransportSecurity": hsts, "ContentTypeOptions": {"Override": True}},
        }
    )["ResponseHeadersPolicy"]["Id"]
    config = distribution_config(
        name,
        aliases=(f"mta-sts.{domain}",),
        certificate=issued_certificate(aws, names, f"mta-sts.{domain}"),
        bucket=bucket,
        folder=f"/{domain}",
        access=access_control(aws, name),
        ResponseHeadersPolicyId=headers,
    )
    made = aws("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    return Hosted(domain, made["Id"], bucket, version)


@dataclass(frozen=True)
class Seen:
    status: int
    headers: dict[str, str]
    body: bytes


def _ask(emulator: Emulator, host: str, path: str = PATH, method: str = "GET", protocol: str = "https") -> Seen:
    """As the HTTPS edge asks after it has ended TLS; protocol "": as plain HTTP comes."""
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=10)
    headers = {"Host": host} | ({"x-sandbox-viewer-protocol": protocol} if protocol else {})
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    seen = Seen(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    connection.close()
    return seen


# ---------------------------------------------------------------------------------------------------- the viewer


def test_a_policy_is_served_as_it_was_stored(emulator: Emulator, hosted: Hosted) -> None:
    seen = _ask(emulator, f"mta-sts.{hosted.domain}")
    assert (seen.status, seen.body) == (200, POLICY)
    assert seen.headers["content-type"] == "text/plain; charset=utf-8"
    assert seen.headers["x-amz-version-id"] == hosted.version
    assert seen.headers["strict-transport-security"] == "max-age=63072000"
    assert seen.headers["x-content-type-options"] == "nosniff"
    head = _ask(emulator, f"mta-sts.{hosted.domain}", method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(POLICY)))


def test_its_own_name_serves_too_and_case_does_not_matter(emulator: Emulator, hosted: Hosted, cloudfront: Any) -> None:
    name = cloudfront.get_distribution(Id=hosted.distribution)["Distribution"]["DomainName"]
    assert name.endswith(".cloudfront.net")
    assert _ask(emulator, name).body == POLICY
    assert _ask(emulator, f"MTA-STS.{hosted.domain}".upper()).body == POLICY


def test_a_change_is_served_at_once(emulator: Emulator, hosted: Hosted, aws: Clients) -> None:
    assert _ask(emulator, f"mta-sts.{hosted.domain}").body == POLICY
    changed = POLICY.replace(b"testing", b"enforce")
    version = aws("s3").put_object(Bucket=hosted.bucket, Key=f"{hosted.domain}{PATH}", Body=changed)["VersionId"]
    seen = _ask(emulator, f"mta-sts.{hosted.domain}")
    assert (seen.body, seen.headers["x-amz-version-id"]) == (changed, version)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"protocol": ""}, 403),  # https-only, no redirect
        ({"method": "POST"}, 403),
        ({"method": "OPTIONS"}, 403),
        ({"path": "/.well-known/other.txt"}, 403),  # S3 hides what is not there from who may not list
        ({"path": "/health"}, 403),  # the emulator's own paths are not the policy host's
        ({"path": "/_sandbox/leftovers"}, 403),
    ],
)
def test_what_is_not_served(emulator: Emulator, hosted: Hosted, asked: dict[str, str], status: int) -> None:
    seen = _ask(emulator, f"mta-sts.{hosted.domain}", **asked)
    assert seen.status == status
    assert POLICY not in seen.body


def test_names_without_a_distribution_get_nothing(emulator: Emulator, hosted: Hosted) -> None:
    seen = _ask(emulator, f"mta-sts.sub.{hosted.domain}")
    assert (seen.status, seen.headers["x-cache"]) == (403, "Error from cloudfront")


def test_a_disabled_distribution_serves_nothing_and_keeps_its_name(
    emulator: Emulator, hosted: Hosted, cloudfront: Any, aws: Clients, names: NameServer, unique: Callable[..., str]
) -> None:
    _enable(cloudfront, hosted.distribution, False)
    assert _ask(emulator, f"mta-sts.{hosted.domain}").status == 403
    config = distribution_config(
        unique(), aliases=(f"mta-sts.{hosted.domain}",), certificate=_certificate(hosted, aws, names)
    )
    with pytest.raises(ClientError, match="CNAMEAlreadyExists"):
        cloudfront.create_distribution(DistributionConfig=config)
    _enable(cloudfront, hosted.distribution, True)
    assert _ask(emulator, f"mta-sts.{hosted.domain}").status == 200


def _certificate(hosted: Hosted, aws: Clients, names: NameServer) -> str:
    return issued_certificate(aws, names, f"mta-sts.{hosted.domain}")


def _enable(cloudfront: Any, identity: str, enabled: bool) -> str:
    current = cloudfront.get_distribution_config(Id=identity)
    config = current["DistributionConfig"] | {"Enabled": enabled}
    answer = cloudfront.update_distribution(Id=identity, IfMatch=current["ETag"], DistributionConfig=config)
    return str(answer["ETag"])


def test_the_bucket_policy_decides(emulator: Emulator, hosted: Hosted, aws: Clients) -> None:
    host, s3 = f"mta-sts.{hosted.domain}", aws("s3")

    def status(*statements: dict[str, Any]) -> int:
        s3.put_bucket_policy(Bucket=hosted.bucket, Policy=document(*statements))
        return _ask(emulator, host).status

    own = readable_by_distributions(hosted.bucket, distribution=hosted.distribution)
    other = readable_by_distributions(hosted.bucket, distribution="EOTHER")
    foreign = readable_by_distributions(hosted.bucket, account_id="999999999999")
    assert status(own, no_clear_text(hosted.bucket)) == 200
    assert status(other) == 403
    assert status(foreign) == 403
    s3.delete_bucket_policy(Bucket=hosted.bucket)
    assert _ask(emulator, host).status == 403


def test_without_signing_nothing_private_is_served(
    emulator: Emulator, hosted: Hosted, aws: Clients, cloudfront: Any, unique: Callable[..., str]
) -> None:
    for access in ("", access_control(aws, unique("never"), SigningBehavior="never")):
        config = distribution_config(unique(), bucket=hosted.bucket, folder=f"/{hosted.domain}", access=access)
        made = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
        assert _ask(emulator, made["DomainName"]).status == 403


def test_an_error_response_is_the_page_it_names(
    emulator: Emulator, hosted: Hosted, aws: Clients, cloudfront: Any
) -> None:
    aws("s3").put_object(Bucket=hosted.bucket, Key=f"{hosted.domain}/gone.txt", Body=b"gone")
    current = cloudfront.get_distribution_config(Id=hosted.distribution)
    page = {"ErrorCode": 403, "ResponsePagePath": "/gone.txt", "ResponseCode": "404", "ErrorCachingMinTTL": 0}
    config = current["DistributionConfig"] | {"CustomErrorResponses": {"Quantity": 1, "Items": [page]}}
    cloudfront.update_distribution(Id=hosted.distribution, IfMatch=current["ETag"], DistributionConfig=config)
    seen = _ask(emulator, f"mta-sts.{hosted.domain}", path="/nothing")
    assert (seen.status, seen.body) == (404, b"gone")


# --------------------------------------------------------------------------------------------- the configuration


def _refused(cloudfront: Any, code: str, **parts: Any) -> None:
    with pytest.raises(ClientError, match=code) as refusal:
        cloudfront.create_distribution(DistributionConfig=distribution_config(f"refused {code} {parts}", **parts))
    assert refusal.value.response["Error"]["Code"] == code


def test_a_certificate_must_be_issued_in_us_east_1_for_the_name(
    cloudfront: Any, aws: Clients, names: NameServer, unique: Callable[..., str]
) -> None:
    domain = f"mta-sts.{unique()}.example"
    waiting = aws("acm", "us-east-1").request_certificate(DomainName=domain, ValidationMethod="DNS")["CertificateArn"]
    west = issued_certificate(aws, names, domain.replace("mta-sts", "other"), region="eu-west-1")
    missing = f"arn:aws:acm:us-east-1:{account.ACCOUNT_ID}:certificate/{NOBODY}"
    code = "InvalidViewerCertificate"
    for certificate in (None, missing, waiting, west):
        _refused(cloudfront, code, aliases=(domain,), certificate=certificate)
    issued = issued_certificate(aws, names, domain)
    _refused(cloudfront, code, aliases=(f"sub.{domain}",), certificate=issued)
    _refused(cloudfront, code, aliases=(domain, f"other.{domain}"), certificate=issued)
    wild = issued_certificate(aws, names, f"*.{domain}")
    _refused(cloudfront, code, aliases=(f"a.b.{domain}",), certificate=wild)
    config = distribution_config(domain, aliases=(f"a.{domain}",), certificate=wild)
    assert cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Status"] == "Deployed"


def test_an_alternate_name_is_on_one_distribution_only(
    cloudfront: Any, hosted: Hosted, aws: Clients, names: NameServer, unique: Callable[..., str]
) -> None:
    certificate = _certificate(hosted, aws, names)
    _refused(cloudfront, "CNAMEAlreadyExists", aliases=(f"MTA-STS.{hosted.domain}",), certificate=certificate)
    other = cloudfront.create_distribution(DistributionConfig=distribution_config(unique()))
    config = distribution_config(
        other["Distribution"]["DistributionConfig"]["CallerReference"],
        aliases=(f"mta-sts.{hosted.domain}",),
        certificate=certificate,
    )
    with pytest.raises(ClientError, match="CNAMEAlreadyExists"):
        cloudfront.update_distribution(Id=other["Distribution"]["Id"], IfMatch=other["ETag"], DistributionConfig=config)


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("InvalidOriginAccessControl", {"access": "E0000000000000"}),
        ("NoSuchOrigin", {"TargetOriginId": "elsewhere"}),
        ("NoSuchCachePolicy", {"CachePolicyId": NOBODY}),
        ("NoSuchOriginRequestPolicy", {"OriginRequestPolicyId": NOBODY}),
        ("NoSuchResponseHeadersPolicy", {"ResponseHeadersPolicyId": NOBODY}),
        (
            "InvalidFunctionAssociation",
            {
                "FunctionAssociations": {
                    "Quantity": 1,
                    "Items": [
                        {
                            "EventType": "viewer-request",
                            "FunctionARN": f"arn:aws:cloudfront::{account.ACCOUNT_ID}:function/nobody",
                        }
                    ],
                }
            },
        ),
        ("InvalidArgument", {"AllowedMethods": {"Quantity": 1, "Items": ["GET"]}}),
        ("InvalidArgument", {"bucket": "Not_A_Bucket"}),
    ],
)
def test_what_a_distribution_names_must_be_there(cloudfront: Any, code: str, parts: dict[str, Any]) -> None:
    _refused(cloudfront, code, **parts)


def test_an_update_is_checked_as_a_creation_is(cloudfront: Any, hosted: Hosted) -> None:
    current = cloudfront.get_distribution_config(Id=hosted.distribution)
    config = current["DistributionConfig"]
    config["DefaultCacheBehavior"]["ResponseHeadersPolicyId"] = NOBODY
    with pytest.raises(ClientError, match="NoSuchResponseHeadersPolicy"):
        cloudfront.update_distribution(Id=hosted.distribution, IfMatch=current["ETag"], DistributionConfig=config)


def test_the_hundred_and_first_distribution_on_one_access_control(
    cloudfront: Any, aws: Clients, unique: Callable[..., str]
) -> None:
    access = access_control(aws, unique("hundred"))
    for _ in range(100):
        cloudfront.create_distribution(DistributionConfig=distribution_config(unique(), access=access))
    _refused(cloudfront, "TooManyDistributionsAssociatedToOriginAccessControl", access=access)


def test_the_twenty_first_headers_policy(cloudfront: Any, unique: Callable[..., str]) -> None:
    def make() -> tuple[str, str]:
        config = {"Name": unique("headers")}
        made = cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig=config)
        return made["ResponseHeadersPolicy"]["Id"], made["ETag"]

    listed = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]
    policies = [make() for _ in range(20 - int(listed["Quantity"]))]
    with pytest.raises(ClientError, match="TooManyResponseHeadersPolicies"):
        make()
    for identity, etag in policies:
        cloudfront.delete_response_headers_policy(Id=identity, IfMatch=etag)


# ------------------------------------------------------------------------------------------------------- removal


def test_the_order_of_removal(cloudfront: Any, hosted: Hosted) -> None:
    current = cloudfront.get_distribution_config(Id=hosted.distribution)
    origin = current["DistributionConfig"]["Origins"]["Items"][0]["OriginAccessControlId"]
    headers = current["DistributionConfig"]["DefaultCacheBehavior"]["ResponseHeadersPolicyId"]
    access_etag = cloudfront.get_origin_access_control(Id=origin)["ETag"]
    headers_etag = cloudfront.get_response_headers_policy(Id=headers)["ETag"]
    with pytest.raises(ClientError, match="DistributionNotDisabled"):
        cloudfront.delete_distribution(Id=hosted.distribution, IfMatch=current["ETag"])
    with pytest.raises(ClientError, match="OriginAccessControlInUse"):
        cloudfront.delete_origin_access_control(Id=origin, IfMatch=access_etag)
    with pytest.raises(ClientError, match="ResponseHeadersPolicyInUse"):
        cloudfront.delete_response_headers_policy(Id=headers, IfMatch=headers_etag)
    etag = _enable(cloudfront, hosted.distribution, False)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        cloudfront.delete_distribution(Id=hosted.distribution, IfMatch=current["ETag"])
    cloudfront.delete_distribution(Id=hosted.distribution, IfMatch=etag)
    cloudfront.delete_origin_access_control(Id=origin, IfMatch=access_etag)
    cloudfront.delete_response_headers_policy(Id=headers, IfMatch=headers_etag)
    with pytest.raises(ClientError, match="NoSuchDistribution"):
        cloudfront.get_distribution(Id=hosted.distribution)
