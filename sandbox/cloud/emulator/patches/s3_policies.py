"""What S3 demands of a bucket policy beyond the grammar that all policies share.

(Amazon S3 user guide, "Bucket policies"; Service Authorization Reference, "Actions, resources and condition keys for
Amazon S3"; texts are S3's own where they are known)
"""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from ministack.services import iam

from sandbox.account import ACCOUNT_ID
from sandbox.cloud.emulator.patches.iam_documents import Kind, fault

LARGEST_POLICY = 20 * 1024

_OBJECT_ACTIONS = """
AbortMultipartUpload BypassGovernanceRetention DeleteObject DeleteObjectTagging DeleteObjectVersion
DeleteObjectVersionTagging GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention
GetObjectTagging GetObjectTorrent GetObjectVersion GetObjectVersionAcl GetObjectVersionAttributes
GetObjectVersionForReplication GetObjectVersionTagging GetObjectVersionTorrent InitiateReplication
ListMultipartUploadParts ObjectOwnerOverrideToBucketOwner PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention
PutObjectTagging PutObjectVersionAcl PutObjectVersionTagging ReplicateDelete ReplicateObject ReplicateTags RestoreObject
""".lower().split()
_BUCKET_ACTIONS = """
CreateBucket DeleteBucket DeleteBucketPolicy DeleteBucketWebsite GetAccelerateConfiguration GetAnalyticsConfiguration
GetBucketAcl GetBucketCORS GetBucketLocation GetBucketLogging GetBucketNotification GetBucketObjectLockConfiguration
GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock GetBucketRequestPayment
GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration
GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket
ListBucketMultipartUploads ListBucketVersions PutAccelerateConfiguration PutAnalyticsConfiguration PutBucketAcl
PutBucketCORS PutBucketLogging PutBucketNotification PutBucketObjectLockConfiguration PutBucketOwnershipControls
PutBucketPolicy PutBucketPublicAccessBlock PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutBucketWebsite
PutEncryptionConfiguration PutIntelligentTieringConfiguration PutInventoryConfiguration PutLifecycleConfiguration
PutMetricsConfiguration PutReplicationConfiguration
""".lower().split()
_SERVICE_NAMES = """
apigateway appflow athena backup batch billingreports bcm-data-exports cloudformation cloudfront cloudtrail codebuild
codepipeline config delivery.logs dms ec2 ecs ecs-tasks events firehose glue guardduty inspector2 lambda
logdelivery.elasticloadbalancing logging.s3 logs maps.s3 macie malware-protection-plan.guardduty opensearchservice
redshift s3 sagemaker ses serverlessrepo sns sqs ssm states storage-lens.s3 transfer vpc-flow-logs waf
"""
_SERVICES = frozenset(_SERVICE_NAMES.split())
"""Names before `.amazonaws.com` that act on buckets; a region may follow (`logs.eu-west-1.amazonaws.com`)."""


def policy_fault(bucket: str, text: str) -> tuple[str, str] | None:
    """The code and message with which S3 refuses the policy; None when it takes it."""
    if len(text.encode()) > LARGEST_POLICY:
        return "PolicyTooLarge", "Policy exceeds the maximum allowed document size."
    try:
        document = json.loads(text)
    except ValueError:
        return "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'"
    wrong = fault(text, Kind.RESOURCE) or next(_faults(bucket, document), None)
    return None if wrong is None else ("MalformedPolicy", wrong)


def _faults(bucket: str, document: dict[str, Any]) -> Iterator[str]:
    if "Version" not in document:
        yield "The policy must contain a valid version string"
    statements = document["Statement"]
    for statement in [statements] if isinstance(statements, dict) else statements:
        yield from _principal_faults(statement.get("Principal", statement.get("NotPrincipal")))
        resources = _texts(statement.get("Resource", statement.get("NotResource")))
        if any(_part(resource, bucket) is None for resource in resources):
            yield "Policy has invalid resource"
        parts = {_part(resource, bucket) for resource in resources}
        for action in _texts(statement.get("Action", statement.get("NotAction"))):
            yield from _action_faults(action, parts)
        for keys in statement.get("Condition", {}).values():
            if not all(key.lower().startswith(("aws:", "s3:")) for key in keys):
                yield "Policy has an invalid condition key"


def _principal_faults(principal: Any) -> Iterator[str]:
    for kind, value in principal.items() if isinstance(principal, dict) else ():
        for one in _texts(value):
            if (kind == "Service" and not _is_service(one)) or (kind == "AWS" and not _is_identity(one)):
                yield f'Invalid principal in policy: "{kind.upper()}":"{one}"'


def _is_service(name: str) -> bool:
    short = name.removesuffix(".amazonaws.com")
    return short != name and re.sub(r"\.[a-z]{2}(-[a-z]+)+-\d$", "", short) in _SERVICES


def _is_identity(name: str) -> bool:
    """Whether there is such an account, user or role. Those of other accounts cannot be looked up."""
    if name == "*" or re.fullmatch(r"\d{12}", name):
        return True
    parts = re.fullmatch(r"arn:aws:iam::(\d{12}):(root|user/.+|role/.+)", name)
    if parts is None:
        return bool(re.fullmatch(r"arn:aws:(sts::\d{12}:assumed-role/.+|iam::cloudfront:user/.+)", name))
    account, what = parts.groups()
    if account != ACCOUNT_ID or what == "root":
        return True
    known = iam._roles if what.startswith("role/") else iam._users
    return any(one["Arn"] == name for one in list(known.values()))


def _part(resource: str, bucket: str) -> str | None:
    """`bucket`, `objects` or `both` (a pattern may be either); None for a resource that is not this bucket's."""
    of_bucket = re.fullmatch(rf"arn:aws:s3:::({re.escape(bucket)})(\*|/.*)?", resource)
    if of_bucket is None:
        return None
    rest = of_bucket.group(2) or ""
    return "both" if rest == "*" else "objects" if rest else "bucket"


def _action_faults(action: str, parts: set[str | None]) -> Iterator[str]:
    service, _, pattern = action.lower().partition(":")
    if action == "*":
        pattern = "*"
    elif service != "s3":
        yield "Policy has invalid action"
        return
    on_objects = any(fnmatchcase(name, pattern) for name in _OBJECT_ACTIONS)
    on_bucket = any(fnmatchcase(name, pattern) for name in _BUCKET_ACTIONS)
    if not on_objects and not on_bucket:
        yield "Policy has invalid action"
    elif not ((on_objects and parts & {"objects", "both"}) or (on_bucket and parts & {"bucket", "both"})):
        yield "Action does not apply to any resource(s) in statement"


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
