"""The reports bucket, or a copy of it in a folder: listed and read, never written.

Keys are those of `mailtls/reports/bucket_layout.py`; in a folder they are paths, as `aws s3 sync` makes them.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from mailtls.observe.store import StoreTrouble

MAX_LISTED = 2_000_000
"""Objects under one prefix: more, and the listing is refused as a whole."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
S3 = "s3://"


@dataclass(frozen=True, slots=True)
class Object:
    """One object. size: bytes. modified: aware, UTC."""

    key: str
    size: int
    modified: datetime


class Bucket(Protocol):
    """Every method raises StoreTrouble."""

    @property
    def name(self) -> str:
        """As a person would write it."""

    def objects(self, prefix: str) -> Iterator[Object]:
        """Those under `prefix`, in the order of keys."""

    def read(self, key: str, limit: int) -> bytes | None:
        """At most `limit` + 1 bytes: one more than `limit` shows that there is more. None: no such object."""


def bucket_at(place: str, region: str | None) -> "S3Bucket | FolderBucket":
    """place: `s3://BUCKET` or a folder. Raises StoreTrouble."""
    if place.startswith(S3):
        return S3Bucket(place.removeprefix(S3).strip("/"), region)
    if not Path(place).is_dir():
        raise StoreTrouble(f"{place}: no such folder; write s3://REPORTS-BUCKET, or a folder with a copy of it")
    return FolderBucket(Path(place))


@dataclass(frozen=True, slots=True)
class S3Bucket:
    """In AWS. region: None where the environment says it. Endpoint and credentials are the environment's."""

    bucket: str
    region: str | None = None
    _client: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket):
            raise StoreTrouble(f"s3://{self.bucket[:80]}: no name of a bucket; write s3://REPORTS-BUCKET")
        region = self.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise StoreTrouble(
                f"s3://{self.bucket}: in which region? Write --region eu-west-1, or set AWS_REGION"
            )  # fmt: skip
        try:
            import boto3
            from botocore.config import Config
        except ImportError as e:
            raise StoreTrouble("S3 is read through boto3, which is not installed: pip install 'mailtls[aws]'") from e
        retries = {"total_max_attempts": 4, "mode": "standard"}
        bounds = Config(connect_timeout=5, read_timeout=20, retries=retries, max_pool_connections=32)
        with trouble_of(f"region {region}"):
            self._client.append(boto3.Session(region_name=region).client("s3", config=bounds))

    @property
    def name(self) -> str:
        return f"{S3}{self.bucket}"

    @property
    def client(self) -> Any:
        """boto3's, for one who changes something."""
        return self._client[0]

    def objects(self, prefix: str) -> Iterator[Object]:
        number = 0
        with trouble_of(f"s3:ListBucket on {self.bucket}"):
            for page in self._client[0].get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for found in page.get("Contents", ()):
                    number += 1
                    if number > MAX_LISTED:
                        raise StoreTrouble(f"{self.name}/{prefix}: over {MAX_LISTED:,} objects; name a narrower prefix")
                    yield Object(found["Key"], found["Size"], found["LastModified"])

    def read(self, key: str, limit: int) -> bytes | None:
        with trouble_of(f"s3:GetObject on {self.bucket}/{key}", missing=("NoSuchKey", "404")) as told:
            with self._client[0].get_object(Bucket=self.bucket, Key=key)["Body"] as body:
                data: bytes = body.read(limit + 1)
            return data
        return None if told.missed else b""


class trouble_of:  # reads as the words it is: with trouble_of(...)
    """Turns what boto3 raises into StoreTrouble. what: the permission and the place. missing: error codes that are no
    trouble; `missed` then tells of one."""

    def __init__(self, what: str, missing: tuple[str, ...] = ()) -> None:
        self._what, self._missing = what, missing
        self.missed = False

    def __enter__(self) -> "trouble_of":
        return self

    def __exit__(self, _kind: object, raised: BaseException | None, _trace: object) -> bool:
        import botocore.exceptions as faults

        if isinstance(raised, faults.ClientError) and raised.response.get("Error", {}).get("Code") in self._missing:
            self.missed = True
            return True
        if isinstance(raised, (faults.BotoCoreError, faults.ClientError)):
            raise StoreTrouble(f"{self._what}: {' '.join(str(raised).split())[:300]}") from raised
        return False


@dataclass(frozen=True, slots=True)
class FolderBucket:
    """A copy on disk. What is a symbolic link is not read."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.as_posix()

    def objects(self, prefix: str) -> Iterator[Object]:
        folder, _, begins = prefix.rpartition("/")
        for path in _files(self.root / folder):
            if path.name.startswith(begins) or path.parent != self.root / folder:
                found = path.stat()
                key = path.relative_to(self.root).as_posix()
                yield Object(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def read(self, key: str, limit: int) -> bytes | None:
        path = self.root / key
        if path.is_symlink() or not path.is_file():
            return None
        try:
            with path.open("rb") as file:
                return file.read(limit + 1)
        except OSError as e:
            raise StoreTrouble(f"{path}: cannot be read: {e.strerror}") from e


def _files(folder: Path) -> Iterator[Path]:
    """Regular files below `folder`, in the order of their names."""

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise StoreTrouble(f"{error.filename}: cannot be read: {error.strerror}") from error

    for here, folders, files in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(files):
            path = Path(here, name)
            if path.is_file() and not path.is_symlink():
                yield path
