"""Where policy files lie: one private bucket for all domains, read by CloudFront only (ADR 6).

Versioning is what makes policy ids (the id is derived from the version of the object, ADR 1) and what remembers for 400
days what was served: senders may hold a policy for a year (RFC 8461 section 3.2).
"""

from typing import NotRequired, TypedDict

import pulumi

from components.policy_documents import allow, deny_without_tls, document
from components.private_bucket import private_bucket

KEEP_VERSIONS_DAYS = 400
"""Longer than max_age can be (365.25 days), so every wait can be computed from what is kept."""


class PolicyStoreArgs(TypedDict):
    """
    account_id: the account whose distributions may read.
    force_destroy: True lets `pulumi destroy` delete the bucket with all that was ever served. For throw-away stacks.
    """

    account_id: pulumi.Input[str]
    force_destroy: NotRequired[bool]


class PolicyStore(pulumi.ComponentResource):
    """The bucket and all that guards it. The outputs are known once versioning and the bucket policy are in place, so
    that no object can be written without a version or before it can be read."""

    bucket: pulumi.Output[str]
    bucket_regional_domain_name: pulumi.Output[str]

    def __init__(self, name: str, args: PolicyStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:PolicyStore", name, {}, opts)
        store = private_bucket(
            name,
            parent=self,
            lifecycle=[
                {
                    "id": "remember-what-was-served",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": KEEP_VERSIONS_DAYS},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                }
            ],
            policy=lambda arn: bucket_policy(arn, args["account_id"]),
            force_destroy=args.get("force_destroy", False),
        )

        ready = pulumi.Output.all(store.versioning.bucket, store.policy.bucket)
        self.bucket = ready.apply(lambda names: str(names[0]))
        self.bucket_regional_domain_name = pulumi.Output.all(store.bucket.bucket_regional_domain_name, ready).apply(
            lambda values: str(values[0])
        )
        self.register_outputs({"bucket": self.bucket, "bucket_regional_domain_name": self.bucket_regional_domain_name})


def bucket_policy(bucket_arn: pulumi.Input[str], account_id: pulumi.Input[str]) -> pulumi.Output[str]:
    """This account's distributions may read objects, and nobody does anything without TLS.

    One statement for all distributions: a bucket policy holds 20 KB, and no list of hundreds. CloudFront asks for the
    current object, so `s3:GetObject` is enough although the bucket is versioned.
    """
    objects = pulumi.Output.concat(bucket_arn, "/*")
    return document(
        allow(
            "DistributionsOfThisAccountRead",
            "s3:GetObject",
            objects,
            Principal={"Service": "cloudfront.amazonaws.com"},
            # CloudFront's guide promises this key and no other; it holds the account too, so nobody else's gets in
            Condition={
                "ArnLike": {
                    "AWS:SourceArn": pulumi.Output.concat("arn:aws:cloudfront::", account_id, ":distribution/*")
                }
            },
        ),
        deny_without_tls("s3", [bucket_arn, objects]),
    )
