"""What commands change in the reports bucket, or put there. Most of `mailtls reports` only reads it."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mailtls.cli.spec_files import write_whole
from mailtls.observe.report_bucket import FolderBucket, S3Bucket, trouble_of
from mailtls.observe.store import StoreTrouble

_Item = TypeVar("_Item")

LISTERS = 16
"""Keys whose versions are listed beside each other."""
AT_ONCE = 1000
"""Objects or versions that one call of S3 deletes."""
TRIES = 5
MAX_CHANGED = 8 * 1024 * 1024
"""Bytes of an object that is written anew."""


class Writer(Protocol):
    """Every method raises StoreTrouble; a folder that cannot be written is Trouble."""

    def can_announce(self) -> None:
        """Raises StoreTrouble where nobody would hear of it: to be asked before anything is changed."""

    def announce(self, key: str) -> None:
        """Have S3 tell the queue of an object once more."""

    def change(self, key: str, step: Callable[[bytes], bytes]) -> None:
        """Write an object anew, unless it is gone; its earlier versions go. step: what it is, to what it shall be;
        asked again when somebody else wrote in between."""

    def remove(self, keys: Iterable[str]) -> int:
        """Delete objects with all their versions and delete markers. Those that are gone are no trouble. Returns how
        many versions went."""

    def remove_under(self, prefix: str) -> int:
        """As `remove`, of every key that begins with `prefix`."""

    def versions(self, prefix: str) -> Iterator[str]:
        """Keys under `prefix` that have any version, also those that were deleted; in order, each once."""


@dataclass(frozen=True, slots=True)
class _Version:
    """Of an object, or a delete marker."""

    key: str
    version_id: str
    latest: bool


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

    def change(self, key: str, step: Callable[[bytes], bytes]) -> None:
        for _ in range(TRIES):
            with trouble_of(f"s3:GetObject on {self.bucket.bucket}/{key}", missing=("NoSuchKey", "404")) as told:
                answer = self.bucket.client.get_object(Bucket=self.bucket.bucket, Key=key)
                with answer["Body"] as body:
                    found = body.read(MAX_CHANGED + 1)
                if len(found) > MAX_CHANGED:
                    raise StoreTrouble(f"{self.bucket.name}/{key}: over {MAX_CHANGED:,} bytes, which none of ours has")
            if told.missed or self._put(key, step(found), answer["ETag"]):
                self._delete_all(version for version in self._versions(key) if not version.latest)
                return
        raise StoreTrouble(f"{self.bucket.name}/{key}: written by others {TRIES} times in between; run it again")

    def put(self, key: str, body: bytes) -> None:
        """Write a new object."""
        with trouble_of(f"s3:PutObject on {self.bucket.bucket}/{key}"):
            self.bucket.client.put_object(Bucket=self.bucket.bucket, Key=key, Body=body)

    def _put(self, key: str, body: bytes, etag: str) -> bool:
        """False: somebody else wrote it since."""
        lost = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409", "NoSuchKey", "404")
        with trouble_of(f"s3:PutObject on {self.bucket.bucket}/{key}", missing=lost) as told:
            self.bucket.client.put_object(
                Bucket=self.bucket.bucket, Key=key, Body=body, ContentType="application/json", IfMatch=etag
            )
        return not told.missed

    def remove(self, keys: Iterable[str]) -> int:
        with ThreadPoolExecutor(LISTERS, "versions") as pool:
            return self._delete_all(itertools.chain.from_iterable(pool.map(self._of, keys)))

    def remove_under(self, prefix: str) -> int:
        return self._delete_all(self._versions(prefix))

    def versions(self, prefix: str) -> Iterator[str]:
        for key, _ in itertools.groupby(self._versions(prefix), key=lambda version: version.key):
            yield key

    def _of(self, key: str) -> list[_Version]:
        return [version for version in self._versions(key) if version.key == key]

    def _versions(self, prefix: str) -> Iterator[_Version]:
        with trouble_of(f"s3:ListBucketVersions on {self.bucket.bucket}"):
            pages = self.bucket.client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self.bucket.bucket, Prefix=prefix):
                listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
                found = (_Version(one["Key"], one["VersionId"], bool(one.get("IsLatest"))) for one in listed)
                yield from sorted(found, key=lambda version: version.key)

    def _delete_all(self, versions: Iterable[_Version]) -> int:
        named = ({"Key": one.key, "VersionId": one.version_id} for one in versions)
        return delete_objects(self.bucket, named, "s3:DeleteObjectVersion")


@dataclass(frozen=True, slots=True)
class FolderWriter:
    """A copy on disk: nobody is told of anything there."""

    bucket: FolderBucket

    def can_announce(self) -> None:
        raise StoreTrouble(f"{self.bucket.name}: a copy in a folder has no queue; name the bucket, s3://REPORTS-BUCKET")

    def announce(self, key: str) -> None:
        self.can_announce()

    def change(self, key: str, step: Callable[[bytes], bytes]) -> None:
        path = self._path(key)
        try:
            found = path.read_bytes()
        except OSError as e:
            raise StoreTrouble(f"{path}: cannot be read: {e.strerror}") from e
        write_whole(path, step(found).decode("utf-8"), overwrite=True)

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


def delete_objects(bucket: S3Bucket, named: Iterable[dict[str, str]], right: str) -> int:
    """How many went. named: `Key`, and `VersionId` where a version is meant. right: the permission that it takes, for
    the message. Raises StoreTrouble, also where S3 refuses some of them."""
    count = 0
    for batch in batches(named, AT_ONCE):
        with trouble_of(f"{right} on {bucket.bucket}"):
            answer: dict[str, Any] = bucket.client.delete_objects(
                Bucket=bucket.bucket, Delete={"Objects": batch, "Quiet": True}
            )
        if errors := answer.get("Errors"):
            first = errors[0]
            told = f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
            raise StoreTrouble(f"{right} on {bucket.bucket}: {len(errors)} refused, first {told}")
        count += len(batch)
    return count


def batches(found: Iterable[_Item], most: int) -> Iterator[list[_Item]]:
    """What is found, `most` at a time; the last one may be shorter."""
    iterator = iter(found)
    while batch := list(itertools.islice(iterator, most)):
        yield batch
