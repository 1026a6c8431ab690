"""What tests of the AWS stand-in deploy before they ask: certificates, buckets, distributions, as the program does."""

import json
from collections.abc import Callable
from typing import Any

from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

Clients = Callable[..., Any]


def show_validation(acm: Any, arn: str, names: NameServer) -> None:
    """Puts a certificate's records into DNS."""
    for option in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
        names.add(option["ResourceRecord"]["Name"], "CNAME", option["ResourceRecord"]["Value"])


def issued_certificate(aws: Clients, names: NameServer, *domains: str, region: str = account.CERTIFICATE_REGION) -> str:
    acm = aws("acm", region)
    arn: str = acm.request_certificate(
        DomainName=domains[0], SubjectAlternativeNames=list(domains), ValidationMethod="DNS"
    )["CertificateArn"]
    show_validation(acm, arn, names)
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
    return arn


def access_control(aws: Clients, name: str, **other: str) -> str:
    config = {
        "Name": name,
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    answer = aws("cloudfront").create_origin_access_control(OriginAccessControlConfig=config | other)
    return str(answer["OriginAccessControl"]["Id"])


def policy_bucket(aws: Clients, name: str, statements: list[dict[str, Any]] | None = None) -> str:
    """A private, versioned bucket with the program's bucket policy, or with `statements`."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    blocks = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocks)
    wanted = [readable_by_distributions(name), no_clear_text(name)] if statements is None else statements
    if wanted:
        s3.put_bucket_policy(Bucket=name, Policy=document(*wanted))
    return name


def readable_by_distributions(
    bucket: str, account_id: str = account.ACCOUNT_ID, distribution: str = "*"
) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": account_id},
            "ArnLike": {"AWS:SourceArn": f"arn:aws:cloudfront::{account_id}:distribution/{distribution}"},
        },
    }


def no_clear_text(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def distribution_config(
    reference: str,
    *,
    aliases: tuple[str, ...] = (),
    certificate: str | None = None,
    bucket: str = "no-such-bucket",
    folder: str = "",
    access: str = "",
    enabled: bool = True,
    **behavior: Any,
) -> dict[str, Any]:
    """As the program's PolicyHost makes it. behavior: members of the default behaviour that differ."""
    viewer: dict[str, Any] = {"CloudFrontDefaultCertificate": True}
    if certificate is not None:
        viewer = {
            "ACMCertificateArn": certificate,
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        }
    origin = {
        "Id": "policy",
        "DomainName": f"{bucket}.s3.{account.REGION}.amazonaws.com",
        "OriginPath": folder,
        "OriginAccessControlId": access,
        "CustomHeaders": {"Quantity": 0},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    methods = {"Quantity": 2, "Items": ["GET", "HEAD"]}
    default = {
        "TargetOriginId": "policy",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": CACHING_DISABLED,
        "Compress": False,
        "AllowedMethods": methods | {"CachedMethods": methods},
    }
    return {
        "CallerReference": reference,
        "Comment": "MTA-STS policy",
        "Enabled": enabled,
        "Aliases": {"Quantity": len(aliases), "Items": list(aliases)},
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": default | behavior,
        "ViewerCertificate": viewer,
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    }
