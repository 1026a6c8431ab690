"""S3 buckets and what is set on them, each as its own resource: versioning, lifecycle, encryption, access."""

from collections.abc import Callable
from typing import Any

from sandbox.providers.aws.cloud import Aws, Missing, given, region_of, service, tag_list, tags_all
from sandbox.providers.aws.spelling import from_api, to_api
from sandbox.providers.protocol.resource_type import AutoName, Call, Created, Found, ProviderError, ResourceType, words
from sandbox.providers.protocol.wire import Properties

_HOSTED_ZONES = {"us-east-1": "Z3AQBSTGFYJSTF", "eu-west-1": "Z1BKCTXD74EZPE", "eu-central-1": "Z21DNDUVLTQW6Q"}
"""Route 53 zones of S3's website endpoints, per region (AWS General Reference); "" where we do not know it."""


def _create(call: Call[Aws]) -> Created:
    name, region, s3 = call.inputs["bucket"], region_of(call), service(call, "s3")
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **given(ObjectLockEnabledForBucket=call.inputs.get("objectLockEnabled")), **where)
    if tags := tag_list(call.cloud, call.inputs):
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    return Created(name, _outputs(name, region))


def _outputs(name: str, region: str) -> Properties:
    return {
        "arn": f"arn:aws:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegion": region,
        "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "hostedZoneId": _HOSTED_ZONES.get(region, ""),
        "websiteDomain": None,
        "websiteEndpoint": None,
    }


def _read(call: Call[Aws]) -> Found:
    s3, region = service(call, "s3"), region_of(call)
    s3.head_bucket(Bucket=call.id)
    try:
        tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=call.id)["TagSet"]}
    except Missing:
        tags = {}
    own = {key: value for key, value in tags.items() if call.cloud.default_tags.get(key) != value}
    return Found({"bucket": call.id, "tags": own or None}, _outputs(call.id, region))


def _update(call: Call[Aws]) -> Properties:
    if "tags" in call.changed:
        s3 = service(call, "s3")
        if tags := tag_list(call.cloud, call.inputs):
            s3.put_bucket_tagging(Bucket=call.id, Tagging={"TagSet": tags})
        else:
            s3.delete_bucket_tagging(Bucket=call.id)
    return {}


def _delete(call: Call[Aws]) -> None:
    s3 = service(call, "s3")
    if call.inputs.get("forceDestroy"):
        _empty(s3, call.id)
    s3.delete_bucket(Bucket=call.id)


def _empty(s3: Any, bucket: str) -> None:
    """Deletes every version and every delete marker, a thousand at a time."""
    while True:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=1000)
        found = (page.get("Versions") or []) + (page.get("DeleteMarkers") or [])
        if not found:
            return
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        if errors := answer.get("Errors"):
            raise ProviderError(f"{len(errors)} objects of {bucket} cannot be deleted: {errors[0]}")


BUCKET: ResourceType[Aws] = ResourceType(
    "aws:s3/bucket:Bucket",
    acts_on=words("bucket forceDestroy objectLockEnabled tags.*"),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    replace_on=words("bucket objectLockEnabled region"),
    name=AutoName("bucket", longest=63, lower_case=True),
    defaults={"forceDestroy": False},
    derived=tags_all,
)


# ------------------------------------------------------------------------------------------- set on a bucket


def _setting(
    token: str,
    acts_on: str,
    *,
    put: Callable[[Any, str, Properties], None],
    get: Callable[[Any, str], Properties | None],
    remove: Callable[[Any, str], None],
    **table: Any,
) -> ResourceType[Aws]:
    """A resource that is one setting of a bucket: its id is the bucket's name, and writing it twice is writing it once.

    get: the inputs as S3 has them, None when it is not set.
    """

    def create(call: Call[Aws]) -> Created:
        put(service(call, "s3"), call.inputs["bucket"], call.inputs)
        return Created(call.inputs["bucket"])

    def read(call: Call[Aws]) -> Found | None:
        seen = get(service(call, "s3"), call.id)
        return None if seen is None else Found({"bucket": call.id} | seen)

    def update(call: Call[Aws]) -> Properties:
        put(service(call, "s3"), call.id, call.inputs)
        return {}

    def delete(call: Call[Aws]) -> None:
        remove(service(call, "s3"), call.id)

    return ResourceType(
        token,
        acts_on=words("bucket " + acts_on),
        create=create,
        read=read,
        update=update,
        delete=delete,
        replace_on=words("bucket region"),
        **table,
    )


def _versioning(s3: Any, bucket: str, inputs: Properties) -> None:
    s3.put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": inputs["versioningConfiguration"]["status"]}
    )


def _seen_versioning(s3: Any, bucket: str) -> Properties:
    return {"versioningConfiguration": {"status": s3.get_bucket_versioning(Bucket=bucket).get("Status", "Disabled")}}


def _suspend(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def _encryption(s3: Any, bucket: str, inputs: Properties) -> None:
    rules = to_api(inputs["rules"], _SSE_NAMES)
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


_SSE_NAMES = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}


def _seen_encryption(s3: Any, bucket: str) -> Properties:
    seen = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return {"rules": from_api(seen, _SSE_NAMES)}


_LIFECYCLE_NAMES = {"id": "ID"}


def _lifecycle(s3: Any, bucket: str, inputs: Properties) -> None:
    rules = to_api(inputs["rules"], _LIFECYCLE_NAMES)
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def _seen_lifecycle(s3: Any, bucket: str) -> Properties:
    seen = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return {"rules": from_api(seen, _LIFECYCLE_NAMES)}


_ACCESS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _public_access(s3: Any, bucket: str, inputs: Properties) -> None:
    blocks = to_api({name: bool(inputs.get(name)) for name in _ACCESS})
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocks)


def _seen_public_access(s3: Any, bucket: str) -> Properties:
    seen = from_api(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])
    return {name: bool(seen.get(name)) for name in _ACCESS}


def _ownership(s3: Any, bucket: str, inputs: Properties) -> None:
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [to_api(inputs["rule"])]})


def _seen_ownership(s3: Any, bucket: str) -> Properties:
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    return {"rule": from_api(rules[0])}


def _notification(s3: Any, bucket: str, inputs: Properties) -> None:
    configuration: dict[str, Any] = {}
    for own, target in _TARGETS.items():
        entries = [_notification_entry(entry, *target[1:]) for entry in inputs.get(own) or ()]
        if entries:
            configuration[target[0]] = entries
    if inputs.get("eventbridge"):
        configuration["EventBridgeConfiguration"] = {}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


_TARGETS = {
    # input: (the API's list, our name of the target, the API's)
    "queues": ("QueueConfigurations", "queueArn", "QueueArn"),
    "topics": ("TopicConfigurations", "topicArn", "TopicArn"),
    "lambdaFunctions": ("LambdaFunctionConfigurations", "lambdaFunctionArn", "LambdaFunctionArn"),
}


def _notification_entry(entry: Properties, own: str, api: str) -> dict[str, Any]:
    rules = [
        {"Name": name, "Value": value}
        for name, value in (("prefix", entry.get("filterPrefix")), ("suffix", entry.get("filterSuffix")))
        if value
    ]
    filtered = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return given(Id=entry.get("id")) | {api: entry[own], "Events": entry["events"]} | filtered


def _seen_notification(s3: Any, bucket: str) -> Properties | None:
    seen = s3.get_bucket_notification_configuration(Bucket=bucket)
    found: Properties = {
        own: [_seen_notification_entry(entry, *names) for entry in seen.get(listed) or ()] or None
        for own, (listed, *names) in _TARGETS.items()
    }
    found["eventbridge"] = "EventBridgeConfiguration" in seen
    return found if any(found.values()) else None


def _seen_notification_entry(entry: dict[str, Any], own: str, api: str) -> Properties:
    rules = {
        rule["Name"].lower(): rule["Value"] for rule in entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    }
    return {
        "id": entry.get("Id"),
        own: entry[api],
        "events": entry["Events"],
        "filterPrefix": rules.get("prefix"),
        "filterSuffix": rules.get("suffix"),
    }


SETTINGS: tuple[ResourceType[Aws], ...] = (
    _setting(
        "aws:s3/bucketVersioning:BucketVersioning",
        "versioningConfiguration.status",
        put=_versioning,
        get=_seen_versioning,
        remove=_suspend,
        choices={"versioningConfiguration.status": ("Enabled", "Suspended", "Disabled")},
    ),
    _setting(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "rules.applyServerSideEncryptionByDefault.* rules.bucketKeyEnabled",
        put=_encryption,
        get=_seen_encryption,
        remove=lambda s3, bucket: s3.delete_bucket_encryption(Bucket=bucket),
        choices={
            "rules.applyServerSideEncryptionByDefault.sseAlgorithm": ("AES256", "aws:kms", "aws:kms:dsse", "aws:fsx")
        },
    ),
    _setting(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "rules.id rules.status rules.abortIncompleteMultipartUpload.* rules.expiration.days rules.filter.prefix"
        " rules.expiration.expiredObjectDeleteMarker rules.noncurrentVersionExpiration.* rules.transitions.days"
        " rules.transitions.storageClass rules.noncurrentVersionTransitions.*",
        put=_lifecycle,
        get=_seen_lifecycle,
        remove=lambda s3, bucket: s3.delete_bucket_lifecycle(Bucket=bucket),
        choices={"rules.status": ("Enabled", "Disabled")},
        unordered=words("rules"),
    ),
    _setting(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        " ".join(_ACCESS),
        put=_public_access,
        get=_seen_public_access,
        remove=lambda s3, bucket: s3.delete_public_access_block(Bucket=bucket),
    ),
    _setting(
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "rule.objectOwnership",
        put=_ownership,
        get=_seen_ownership,
        remove=lambda s3, bucket: s3.delete_bucket_ownership_controls(Bucket=bucket),
        choices={"rule.objectOwnership": ("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced")},
    ),
    _setting(
        "aws:s3/bucketPolicy:BucketPolicy",
        "policy",
        put=lambda s3, bucket, inputs: s3.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"]),
        get=lambda s3, bucket: {"policy": s3.get_bucket_policy(Bucket=bucket)["Policy"]},
        remove=lambda s3, bucket: s3.delete_bucket_policy(Bucket=bucket),
        documents=words("policy"),
    ),
    _setting(
        "aws:s3/bucketNotification:BucketNotification",
        "queues.* topics.* lambdaFunctions.* eventbridge",
        put=_notification,
        get=_seen_notification,
        remove=lambda s3, bucket: s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={}),
        defaults={"eventbridge": False},
        unordered=words("queues topics lambdaFunctions queues.events topics.events lambdaFunctions.events"),
    ),
)

TYPES: tuple[ResourceType[Aws], ...] = (BUCKET, *SETTINGS)
