"""The policy store, the shared edge and one policy host: what is registered, and how it is set."""

import json

import pulumi
import pytest
from strict_mocks import Recording, assert_well_formed, run

from components.dns_zones.route53 import Route53Zone
from components.policy_host import PolicyEdge, PolicyHost
from components.policy_store import PolicyStore
from components.publish_gates.settings import GateSettings
from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.mta_sts.record import policy_id_of

DOMAIN = "contoso.example"
POLICY = Policy(Mode.TESTING, 86400, (MxPattern("mx1.contoso.example"),))
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
CERTIFICATE = "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"


def program() -> pulumi.Output[list[str]]:
    store = PolicyStore("policy-store", {"account_id": "123456789012"})
    edge = PolicyEdge("policy-edge", {"stack": "test"})
    host = PolicyHost(
        DOMAIN,
        {
            "policy_domain": DOMAIN,
            "policy": POLICY,
            "zone": Route53Zone(DOMAIN, "Z1"),
            "policy_bucket": store.bucket,
            "policy_bucket_regional_domain_name": store.bucket_regional_domain_name,
            "origin_access_control_id": edge.origin_access_control_id,
            "response_headers_policy_id": edge.response_headers_policy_id,
            "keep_policies": True,
            "gate": GateSettings(),
            "mx_not_in_policy_allowed": None,
        },
    )
    return pulumi.Output.all(host.policy_id, host.version_id, host.domain_name, host.hosted_zone_id)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return run(program)


def test_components_are_well_formed(recording: Recording) -> None:
    assert_well_formed(recording)


def test_the_policy_id_is_made_from_the_objects_version(recording: Recording) -> None:
    policy_id, version_id, domain_name, hosted_zone_id = recording.result
    assert policy_id == policy_id_of(version_id)
    assert domain_name.endswith(".cloudfront.net")
    assert hosted_zone_id == "Z2FDTNDATAQYW2"


def test_the_object_is_the_policy_with_crlf_as_plain_text(recording: Recording) -> None:
    policy_object = recording.one(OBJECT).inputs
    assert policy_object["key"] == "contoso.example/.well-known/mta-sts.txt"
    assert policy_object["content"] == (
        "version: STSv1\r\nmode: testing\r\nmx: mx1.contoso.example\r\nmax_age: 86400\r\n"
    )
    assert policy_object["contentType"] == "text/plain; charset=utf-8"


def test_the_mx_gate_stands_before_the_object_is_written(recording: Recording) -> None:
    """Once it is written every new sender gets it, whatever becomes of the record."""
    gate = ("mx-gate:contoso.example",)
    assert recording.one(OBJECT).hooks == {"before_create": gate, "before_update": gate}


@pytest.mark.parametrize("version", ["", "null", None])
def test_an_object_without_a_version_ends_no_program(version: str | None) -> None:
    """It has no policy id; what follows is the record's to say."""
    policy_id, *_ = run(program, outputs={OBJECT: lambda _name, _inputs: {"versionId": version}}).result
    assert policy_id is None


def test_no_object_is_written_before_versioning_and_the_bucket_policy(recording: Recording) -> None:
    for guard in ("aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketPolicy:BucketPolicy"):
        assert recording.comes_after(recording.one(OBJECT), recording.one(guard))


def test_the_bucket_is_private_versioned_encrypted_and_remembers(recording: Recording) -> None:
    private = recording.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert {key: private[key] for key in private if key != "bucket"} == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }
    encryption = recording.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs
    assert encryption["rules"] == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    versioning = recording.one("aws:s3/bucketVersioning:BucketVersioning").inputs
    assert versioning["versioningConfiguration"] == {"status": "Enabled"}
    (rule,) = recording.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 400}
    assert "expiration" not in rule


def test_the_bucket_policy_names_distributions_of_this_account_only(recording: Recording) -> None:
    document = json.loads(recording.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    read, tls = document["Statement"]
    assert (read["Principal"], read["Action"]) == ({"Service": "cloudfront.amazonaws.com"}, "s3:GetObject")
    # the ARN alone, as in CloudFront's guide, which names no other key that its requests carry
    assert read["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/*"}}
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert all("policy-store-bucket" in resource for resource in [read["Resource"], *tls["Resource"]])


def test_the_distribution_serves_one_name_over_https_and_redirects_nobody(recording: Recording) -> None:
    distribution = recording.one(DISTRIBUTION).inputs
    behavior = distribution["defaultCacheBehavior"]
    assert distribution["aliases"] == ["mta-sts.contoso.example"]
    assert behavior["viewerProtocolPolicy"] == "https-only"
    assert behavior["allowedMethods"] == ["GET", "HEAD"]
    assert "functionAssociations" not in behavior
    assert "lambdaFunctionAssociations" not in behavior
    assert distribution["isIpv6Enabled"] is True
    assert distribution["httpVersion"] == "http2and3"
    assert distribution["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
    assert distribution["viewerCertificate"]["sslSupportMethod"] == "sni-only"
    (origin,) = distribution["origins"]
    assert origin["originPath"] == "/contoso.example"
    assert origin["originAccessControlId"] == "policy-edge-access-id"


def test_nothing_is_cached_errors_neither(recording: Recording) -> None:
    distribution = recording.one(DISTRIBUTION).inputs
    assert distribution["defaultCacheBehavior"]["cachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    errors = {entry["errorCode"]: entry["errorCachingMinTtl"] for entry in distribution["customErrorResponses"]}
    assert errors[403] == errors[404] == errors[503] == 0


def test_the_certificate_is_made_and_awaited_in_us_east_1(recording: Recording) -> None:
    certificate = recording.one(CERTIFICATE)
    issued = recording.one(VALIDATION)
    record = recording.one("aws:route53/record:Record", "contoso.example-validation")
    assert certificate.inputs["region"] == issued.inputs["region"] == "us-east-1"
    assert certificate.inputs["domainName"] == "mta-sts.contoso.example"
    assert certificate.inputs["validationMethod"] == "DNS"
    assert recording.comes_after(issued, record)
    assert recording.comes_after(recording.one(DISTRIBUTION), issued)


def test_the_validation_record_is_the_one_that_acm_asks_for_without_final_dots(recording: Recording) -> None:
    record = recording.one("aws:route53/record:Record", "contoso.example-validation").inputs
    assert record["name"].endswith(".mta-sts.contoso.example")
    assert record["records"][0].endswith(".acm-validations.aws")
    assert "allowOverwrite" not in record


def test_the_headers_leave_the_media_type_alone(recording: Recording) -> None:
    headers = recording.one("aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy").inputs
    assert set(headers["securityHeadersConfig"]) >= {"strictTransportSecurity", "contentTypeOptions"}
    assert "customHeadersConfig" not in headers


def test_in_a_preview_the_whole_graph_is_visible() -> None:
    preview = run(program, preview=True)
    assert {resource.type for resource in preview.resources} == {resource.type for resource in run(program).resources}
