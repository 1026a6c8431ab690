"""A bucket for those only whom its policy names: what the buckets of policies and of reports have in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, slots=True)
class PrivateBucket:
    """The bucket, and the two of its guards that others have to wait for."""

    bucket: aws.s3.Bucket
    versioning: aws.s3.BucketVersioning
    policy: aws.s3.BucketPolicy


def private_bucket(
    name: str,
    *,
    parent: pulumi.Resource,
    lifecycle: Sequence[aws.s3.BucketLifecycleConfigurationRuleArgsDict],
    policy: Callable[[pulumi.Output[str]], pulumi.Output[str]],
    region: str | None = None,
    force_destroy: bool = False,
) -> PrivateBucket:
    """Register a versioned, encrypted bucket and its guards under `parent`, as `<name>-bucket`, `<name>-policy`, ...

    lifecycle: its rules. policy: from the bucket's ARN to the text of its policy. region: None is the provider's own.
    force_destroy: `pulumi destroy` deletes all that is in it.
    """
    child = pulumi.ResourceOptions(parent=parent)

    bucket = aws.s3.Bucket(f"{name}-bucket", region=region, force_destroy=force_destroy, opts=child)
    versioning = aws.s3.BucketVersioning(
        f"{name}-versioning",
        region=region,
        bucket=bucket.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=child,
    )
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle", region=region, bucket=versioning.bucket, rules=lifecycle, opts=child
    )
    # SSE-S3: with a key of ours, SES's action would encrypt on its own side, in a form that only Java and Ruby read,
    # and CloudFront would need rights to the key
    aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        region=region,
        bucket=bucket.bucket,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=child,
    )
    ownership = aws.s3.BucketOwnershipControls(
        f"{name}-ownership",
        region=region,
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=child,
    )
    private = aws.s3.BucketPublicAccessBlock(
        f"{name}-private",
        region=region,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=child,
    )
    guard = aws.s3.BucketPolicy(
        f"{name}-policy",
        region=region,
        bucket=bucket.bucket,
        policy=policy(bucket.arn),
        # S3 refuses two changes of a bucket's access at a time
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[ownership, private]),
    )
    return PrivateBucket(bucket, versioning, guard)
