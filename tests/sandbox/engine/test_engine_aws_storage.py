"""S3 buckets, all that is set on them, and objects through their lives, with the real engine."""

import hashlib
from collections.abc import Callable

import pulumi
import pulumi_aws
from deployed import Clients
from inline_stack import InlineStack, prove

RULE = {
    "id": "remember",
    "status": "Enabled",
    "filter": {"prefix": ""},
    "noncurrent_version_expiration": {"noncurrent_days": 400},
    "expiration": {"expired_object_delete_marker": True},
    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
}


def policy(bucket: pulumi_aws.s3.Bucket, sid: str) -> pulumi.Output[str]:
    statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [statement]})


def bucket_and_settings(stage: int) -> None:
    changed = stage > 1
    region = pulumi_aws.config.region if stage < 3 else "us-east-1"
    bucket = pulumi_aws.s3.Bucket(
        "bucket",
        force_destroy=True,
        region=region,
        tags={"owner": "us", "stage": "two"} if changed else {"owner": "us"},
    )
    of_bucket = {"bucket": bucket.bucket, "region": region}
    versioning = pulumi_aws.s3.BucketVersioning(
        "versioning", versioning_configuration={"status": "Suspended" if changed else "Enabled"}, **of_bucket
    )
    pulumi_aws.s3.BucketLifecycleConfiguration(
        "lifecycle",
        bucket=versioning.bucket,
        region=region,
        rules=[
            RULE,
            {
                "id": "end-of-raw",
                "status": "Enabled",
                "filter": {"prefix": "raw/"},
                "expiration": {"days": 30 if changed else 90},
            },
        ],
    )
    encryption = {"sse_algorithm": "AES256"}
    pulumi_aws.s3.BucketServerSideEncryptionConfiguration(
        "encryption",
        rules=[{"apply_server_side_encryption_by_default": encryption, "bucket_key_enabled": changed}],
        **of_bucket,
    )
    ownership = pulumi_aws.s3.BucketOwnershipControls(
        "ownership",
        rule={"object_ownership": "BucketOwnerPreferred" if changed else "BucketOwnerEnforced"},
        **of_bucket,
    )
    private = pulumi_aws.s3.BucketPublicAccessBlock(
        "private",
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=not changed,
        restrict_public_buckets=True,
        **of_bucket,
    )
    allowed = pulumi_aws.s3.BucketPolicy(
        "policy",
        policy=policy(bucket, "Two" if changed else "One"),
        opts=pulumi.ResourceOptions(depends_on=[ownership, private]),
        **of_bucket,
    )
    pulumi_aws.s3.BucketObjectv2(
        "object",
        key="contoso.example/.well-known/mta-sts.txt",
        content="version: STSv1\r\nmode: enforce\r\n" if changed else "version: STSv1\r\nmode: testing\r\n",
        content_type="text/plain; charset=utf-8",
        opts=pulumi.ResourceOptions(depends_on=[versioning, allowed]),
        **of_bucket,
    )


SETTINGS = {"versioning", "lifecycle", "encryption", "ownership", "private", "policy"}


def test_a_bucket_with_all_that_is_set_on_it(stack: InlineStack) -> None:
    every = SETTINGS | {"bucket", "object"}
    prove(stack, bucket_and_settings, updated=every, replaced=every)


def small_bucket(**object_inputs: object) -> Callable[[], None]:
    def program() -> None:
        bucket = pulumi_aws.s3.Bucket("bucket", bucket="mailtls-small", force_destroy=True)
        versioned = pulumi_aws.s3.BucketVersioning(
            "versioning", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}
        )
        if object_inputs:
            made = pulumi_aws.s3.BucketObjectv2("object", bucket=versioned.bucket, key="one", **object_inputs)  # type: ignore[arg-type]
            pulumi.export("version", made.version_id)
            pulumi.export("etag", made.etag)

    return program


def test_each_write_of_a_body_is_a_version_and_nothing_else_is(stack: InlineStack, aws: Clients) -> None:
    first = stack.up(small_bucket(content="one")).outputs
    assert first["etag"] == hashlib.md5(b"one", usedforsecurity=False).hexdigest()
    tagged = stack.up(small_bucket(content="one", tags={"a": "b"}))
    assert tagged.operations == {"object": "update"}
    assert tagged.outputs["version"] == first["version"]
    second = stack.up(small_bucket(content="two", tags={"a": "b"})).outputs
    assert second["version"] != first["version"]
    back = stack.up(small_bucket(content="one", tags={"a": "b"})).outputs
    assert back["etag"] == first["etag"]
    assert back["version"] not in (first["version"], second["version"])
    versions = aws("s3").list_object_versions(Bucket="mailtls-small")["Versions"]
    assert [version["VersionId"] for version in versions] == [
        back["version"],
        second["version"],
        first["version"],
    ]


def test_a_new_body_makes_the_version_unknown_before_it_is_written(stack: InlineStack) -> None:
    stack.up(small_bucket(content="one"))
    known: list[bool] = []

    def program(content: str) -> None:
        bucket = pulumi_aws.s3.Bucket("bucket", bucket="mailtls-small", force_destroy=True)
        versioned = pulumi_aws.s3.BucketVersioning(
            "versioning", bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}
        )
        made = pulumi_aws.s3.BucketObjectv2("object", bucket=versioned.bucket, key="one", content=content)
        made.version_id.apply(lambda _version: known.append(True))

    stack.preview(lambda: program("two"))
    assert known == []
    stack.preview(lambda: program("one"))
    assert known == [True]


def test_a_body_that_was_changed_by_hand_shows_in_the_outputs_only(stack: InlineStack, aws: Clients) -> None:
    """The real provider asks for headers, never for the body: it does not see that the content is another."""
    program = small_bucket(content="one")
    stack.up(program)
    by_hand = aws("s3").put_object(Bucket="mailtls-small", Key="one", Body=b"by hand")["VersionId"]
    seen = stack.up(program, refresh=True)
    assert seen.operations == {}
    assert seen.outputs["version"] == by_hand


def test_a_body_that_was_changed_by_hand_is_put_back_by_a_program_that_gives_its_etag(
    stack: InlineStack, aws: Clients
) -> None:
    program = small_bucket(content="one", etag=hashlib.md5(b"one", usedforsecurity=False).hexdigest())
    first = stack.up(program).outputs["version"]
    by_hand = aws("s3").put_object(Bucket="mailtls-small", Key="one", Body=b"by hand")["VersionId"]
    seen = stack.up(program, refresh=True)
    assert seen.operations == {"object": "update"}
    assert seen.outputs["version"] not in (first, by_hand)
    assert aws("s3").get_object(Bucket="mailtls-small", Key="one")["Body"].read() == b"one"
    stack.assert_settled()


def test_what_was_switched_off_by_hand_is_switched_on_again(stack: InlineStack, aws: Clients) -> None:
    stack.up(lambda: bucket_and_settings(1))
    s3 = aws("s3")
    bucket = next(one["Name"] for one in s3.list_buckets()["Buckets"] if one["Name"].startswith("bucket-"))
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_bucket_lifecycle(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    assert stack.refresh() == {
        "private": "delete",
        "versioning": "update",
        "lifecycle": "delete",
        "policy": "delete",
    }
    mended = stack.up(lambda: bucket_and_settings(1)).operations
    assert mended == {"private": "create", "versioning": "update", "lifecycle": "create", "policy": "create"}
    stack.assert_settled()


def test_a_bucket_with_objects_goes_only_when_told_to(stack: InlineStack, aws: Clients) -> None:
    def program(force: bool) -> None:
        pulumi_aws.s3.Bucket("bucket", bucket="mailtls-full", force_destroy=force)

    stack.up(lambda: program(False))
    s3 = aws("s3")
    s3.put_bucket_versioning(Bucket="mailtls-full", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket="mailtls-full", Key="raw/mail", Body=body)
    s3.delete_object(Bucket="mailtls-full", Key="raw/mail")
    assert "BucketNotEmpty" in stack.fails(lambda: None)
    stack.up(lambda: program(True))
    assert stack.destroy().operations == {"bucket": "delete"}


def notification(stage: int) -> None:
    bucket = pulumi_aws.s3.Bucket("bucket", bucket="mailtls-raw" if stage < 3 else "mailtls-raw-b", force_destroy=True)
    queue = pulumi_aws.sqs.Queue("queue")
    allowed = pulumi_aws.sqs.QueuePolicy(
        "queue-policy",
        queue_url=queue.url,
        policy=pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "s3.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": queue.arn,
                    }
                ],
            }
        ),
    )
    pulumi_aws.s3.BucketNotification(
        "notification",
        bucket=bucket.bucket,
        queues=[
            {
                "id": "raw-mail",
                "queue_arn": queue.arn,
                "events": ["s3:ObjectCreated:*"],
                "filter_prefix": "raw/" if stage == 1 else "mail/",
            }
        ],
        opts=pulumi.ResourceOptions(depends_on=[allowed]),
    )


def test_notifications(stack: InlineStack) -> None:
    prove(stack, notification, updated={"notification"}, replaced={"bucket", "notification"})
