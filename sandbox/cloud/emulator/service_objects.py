"""What AWS services write into buckets on their own behalf: the bucket's policy decides, and nothing else."""

from dataclasses import dataclass

from ministack.core.responses import request_scope
from ministack.services import s3

from sandbox.account import ACCOUNT_ID
from sandbox.cloud.emulator.patches.iam_decisions import Source, service_may


class NotAllowed(Exception):
    """The service may not write there; the text says why."""


@dataclass(frozen=True, slots=True)
class Writer:
    """An AWS service that acts for `source_arn`, such as SES for a receipt rule."""

    service: str
    source_arn: str

    def put(self, bucket: str, key: str, body: bytes) -> str | None:
        """Stores an object as a PutObject of the service does, notifications included.

        Returns its version, None in a bucket without versions. Raises NotAllowed.
        """
        region = s3.bucket_region(bucket)
        if region is None:
            raise NotAllowed(f"there is no bucket {bucket}")
        with request_scope(ACCOUNT_ID, region):
            policy = s3._bucket_policies.get(bucket)
            source = Source(self.source_arn, ACCOUNT_ID)
            if not service_may(policy, self.service, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", source):
                raise NotAllowed(
                    f"the policy of bucket {bucket} does not let {self.service} put {key} for {self.source_arn}"
                )
            status, headers, answer = s3._put_object(bucket, key, body, {})
        if status != 200:
            raise NotAllowed(answer.decode("utf-8", "replace"))
        version: str | None = headers.get("x-amz-version-id")
        return version
