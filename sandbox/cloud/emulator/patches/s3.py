"""S3: bucket policies that AWS refuses are refused; objects are as old as the clock says."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ministack.services import s3

from sandbox import account
from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, Probe, replace
from sandbox.cloud.emulator.patches.s3_policies import LARGEST_POLICY, policy_fault

Answer = tuple[int, dict[str, Any], bytes]

_AHEAD = 14 * 86400.0


def _check_policies() -> None:
    replace(s3, "_put_bucket_policy", _checked, takes=("name", "body"))


def _checked(stock: Callable[[str, bytes], Answer]) -> Callable[[str, bytes], Answer]:
    def put_bucket_policy(name: str, body: bytes) -> Answer:
        wrong = policy_fault(name, body.decode("utf-8", "replace")) if name in s3._buckets else None
        if wrong is not None:
            refusal: Answer = s3._error(*wrong, 400, f"/{name}")
            return refusal
        return stock(name, body)

    return put_bucket_policy


def _prove_policies(probe: Probe) -> None:
    s3_client, bucket = probe.client("s3"), probe.name("policies")
    s3_client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }

    def put(**other: Any) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow | other]})
        s3_client.put_bucket_policy(Bucket=bucket, Policy=policy)

    put()
    for other in (
        {"Principal": {"Service": "sess.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::123456789012:role/nobody"}},
        {"Resource": "arn:aws:s3:::another-bucket/*"},
        {"Resource": f"arn:aws:s3:::{bucket}"},
        {"Action": "s3:PutObjects"},
        {"Condition": {"StringEqual": {"aws:SourceAccount": "123456789012"}}},
    ):
        probe.refused("MalformedPolicy", lambda other=other: put(**other))
    probe.refused("PolicyTooLarge", lambda: put(Sid="x" * LARGEST_POLICY))
    probe.refused("MalformedPolicy", lambda: s3_client.put_bucket_policy(Bucket=bucket, Policy="{"))


def _date_by_clock() -> None:
    replace(s3, "now_iso", lambda _: _now, takes=())


def _now() -> str:
    """As the emulator keeps it: milliseconds, `Z`. Signatures are held against the real time all the same."""
    now = datetime.fromtimestamp(CLOCK.now(), UTC)
    return f"{now.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _prove_dates(probe: Probe) -> None:
    s3_client, bucket = probe.client("s3"), probe.name("dates")
    s3_client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    s3_client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3_client.put_object(Bucket=bucket, Key="one", Body=b"before")
    probe.move_clock(_AHEAD)
    s3_client.put_object(Bucket=bucket, Key="one", Body=b"after")
    after, before = (one["LastModified"] for one in s3_client.list_object_versions(Bucket=bucket)["Versions"])
    seconds = (after - before).total_seconds()
    probe.holds(_AHEAD <= seconds < _AHEAD + 60, "two versions are as far apart as the clock was moved")


PATCHES = (
    Patch(
        "s3-checks-bucket-policies",
        "Any text was a bucket policy: malformed, over 20 KB, for another bucket, with actions, services, roles and"
        " conditions that do not exist.",
        _check_policies,
        _prove_policies,
    ),
    Patch(
        "objects-are-dated-by-the-moved-clock",
        "Objects and their versions had the real time, so what was served when could not be told after the clock had"
        " moved.",
        _date_by_clock,
        _prove_dates,
    ),
)
