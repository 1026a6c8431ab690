"""What `reprocess` and `erase` change in the reports bucket. Everything else under `mailtls reports` only reads it."""

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mailtls.observe.report_bucket import FolderBucket, S3Bucket, trouble_of
from mailtls.observe.store import StoreTrouble

LISTERS = 16
"""Keys whose versions are listed beside each other."""
AT_ONCE = 1000
"""Versions that one call of S3 deletes."""


class Writer(Protocol):
    """Every method raises StoreTrouble."""

    def can_announce(self) -> None:
        """Raises StoreTrouble where nobody would hear of it: to be asked before anything is changed."""

    def announce(self, key: str) -> None:
        """Have S3 tell the queue of an object once more."""

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""

    def remove(self, keys: Iterable[str]) -> int:
        """Delete objects with all their versions and delete markers. Those that are gone are no trouble. Returns how
        many versions went."""

    def remove_under(self, prefix: str) -> int:
        """As `remove`, of every key that begins with `prefix`."""

    def versions(self, prefix: str) -> Iterator[str]:
        """Keys under `prefix` that have any version, also those that were deleted; in order, each once."""


@dataclass(frozen=True, slots=True)
class S3Writer:
    """In AWS."""

    bucket: S3Bucket

    def can_announce(self) -> None:
        pass

    def announce(self, key: str) -> None:
        # S3 takes a copy onto itself only when it replaces the metadata, of which nothing is needed
        source = {"Bucket": self.bucket.bucket, "Key": key}
        with trouble_of(f"s3:PutObject on {self.bucket.bucket}/{key}"):
            self.bucket.client.copy_object(
                Bucket=self.bucket.bucket, Key=key, CopySource=source, MetadataDirective="REPLACE"
            )

    def put(self, key: str, body: bytes) -> None:
        with trouble_of(f"s3:PutObject on {self.bucket.bucket}/{key}"):
            self.bucket.client.put_object(Bucket=self.bucket.bucket, Key=key, Body=body, ContentType="application/json")

    def remove(self, keys: Iterable[str]) -> int:
        with ThreadPoolExecutor(LISTERS, "versions") as pool:
            return sum(map(self._delete, _batches(itertools.chain.from_iterable(pool.map(self._of, keys)))))

    def remove_under(self, prefix: str) -> int:
        return sum(map(self._delete, _batches(self._versions(prefix))))

    def versions(self, prefix: str) -> Iterator[str]:
        for key, _ in itertools.groupby(self._versions(prefix), key=lambda version: str(version["Key"])):
            yield key

    def _of(self, key: str) -> list[dict[str, str]]:
        return [version for version in self._versions(key) if version["Key"] == key]

    def _versions(self, prefix: str) -> Iterator[dict[str, str]]:
        with trouble_of(f"s3:ListBucketVersions on {self.bucket.bucket}"):
            pages = self.bucket.client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket.bucket, Prefix=prefix):
                listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                for one in sorted(listed, key=lambda version: str(version["Key"])):
                    yield {"Key": one["Key"], "VersionId": one["VersionId"]}

    def _delete(self, batch: list[dict[str, str]]) -> int:
        with trouble_of(f"s3:DeleteObjectVersion on {self.bucket.bucket}"):
            answer: dict[str, Any] = self.bucket.client.delete_objects(
                Bucket=self.bucket.bucket, Delete={"Objects": batch, "Quiet": True}
            )
        if errors := answer.get("Errors"):
            first = errors[0]
            told = f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
            raise StoreTrouble(f"s3:DeleteObjectVersion on {self.bucket.bucket}: {len(errors)} refused, first {told}")
        return len(batch)


@dataclass(frozen=True, slots=True)
class FolderWriter:
    """A copy on disk: nobody is told of anything there."""

    bucket: FolderBucket

    def can_announce(self) -> None:
        raise StoreTrouble(f"{self.bucket.name}: a copy in a folder has no queue; name the bucket, s3://REPORTS-BUCKET")

    def announce(self, key: str) -> None:
        self.can_announce()

    def put(self, key: str, body: bytes) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        except OSError as e:
            raise StoreTrouble(f"{path}: cannot be written: {e.strerror}") from e

    def remove(self, keys: Iterable[str]) -> int:
        count = 0
        for key in keys:
            path = self._path(key)
            try:
                if path.is_file():
                    path.unlink()
                    count += 1
            except OSError as e:
                raise StoreTrouble(f"{path}: cannot be deleted: {e.strerror}") from e
        return count

    def remove_under(self, prefix: str) -> int:
        return self.remove([one.key for one in self.bucket.objects(prefix)])

    def versions(self, prefix: str) -> Iterator[str]:
        return (one.key for one in self.bucket.objects(prefix))

    def _path(self, key: str) -> Path:
        return self.bucket.root / key


def writer_of(bucket: S3Bucket | FolderBucket) -> Writer:
    """Of the bucket that was read."""
    return S3Writer(bucket) if isinstance(bucket, S3Bucket) else FolderWriter(bucket)


def _batches(found: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    iterator = iter(found)
    while batch := list(itertools.islice(iterator, AT_ONCE)):
        yield batch
