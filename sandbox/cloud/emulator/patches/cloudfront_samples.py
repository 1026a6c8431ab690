"""Certificates and distributions for proofs: one of each that is in order, and its parts to put out of order."""

import json
from typing import Any

from sandbox import account
from sandbox.cloud.emulator.probe import Probe

NO_CACHE = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
"""The managed policy CachingDisabled."""


def issued_certificate(probe: Probe, *domains: str) -> str:
    """The ARN of a certificate for `domains` in us-east-1, its records in the proof's DNS."""
    acm = probe.client("acm", account.CERTIFICATE_REGION)
    arn: str = acm.request_certificate(
        DomainName=domains[0], SubjectAlternativeNames=list(domains), ValidationMethod="DNS"
    )["CertificateArn"]
    for option in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
        record = option["ResourceRecord"]
        probe.names.add(record["Name"], "CNAME", record["Value"])
    acm.describe_certificate(CertificateArn=arn)
    return arn


def access_control(probe: Probe, signs: str = "always") -> str:
    """The id of a new origin access control for S3."""
    config = {
        "Name": probe.name("access"),
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": signs,
        "SigningProtocol": "sigv4",
    }
    answer = probe.client("cloudfront").create_origin_access_control(OriginAccessControlConfig=config)
    return str(answer["OriginAccessControl"]["Id"])


def distribution_config(
    probe: Probe,
    *,
    aliases: tuple[str, ...] = (),
    certificate: str | None = None,
    access: str = "",
    bucket: str = "no-such-bucket",
    **behavior: Any,
) -> dict[str, Any]:
    """certificate, access: ARN and id. behavior: members of the default behaviour that differ."""
    viewer: dict[str, Any] = {"CloudFrontDefaultCertificate": True}
    if certificate is not None:
        viewer = {
            "ACMCertificateArn": certificate,
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        }
    origin = {
        "Id": "policies",
        "DomainName": f"{bucket}.s3.{account.REGION}.amazonaws.com",
        "OriginPath": "",
        "OriginAccessControlId": access,
        "CustomHeaders": {"Quantity": 0},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    methods = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    return {
        "CallerReference": probe.name("reference"),
        "Comment": "",
        "Enabled": True,
        "Aliases": {"Quantity": len(aliases), "Items": list(aliases)},
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "policies",
            "ViewerProtocolPolicy": "https-only",
            "CachePolicyId": NO_CACHE,
            "Compress": False,
            "AllowedMethods": methods | {"CachedMethods": methods},
        }
        | behavior,
        "ViewerCertificate": viewer,
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    }


def distribution(probe: Probe, domain: str, certificate: str, **parts: Any) -> dict[str, Any]:
    """An enabled distribution that has `domain` as its alternate name, as CreateDistribution answers."""
    config = distribution_config(probe, aliases=(domain,), certificate=certificate, **parts)
    made: dict[str, Any] = probe.client("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    return made


def bucket_for_cloudfront(probe: Probe, key: str, body: bytes) -> str:
    """A versioned bucket with one object that this account's distributions may read."""
    s3, name = probe.client("s3"), probe.name("origin")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=name, Key=key, Body=body, ContentType="text/plain")
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": account.ACCOUNT_ID},
            "ArnLike": {"AWS:SourceArn": f"arn:aws:cloudfront::{account.ACCOUNT_ID}:distribution/*"},
        },
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    return name
