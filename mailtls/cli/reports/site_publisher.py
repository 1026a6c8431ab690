"""A dashboard's folder into a private bucket: what changed is put, what is no page any more goes, one zip beside them.

Pages come first, then the zip, then old pages go: no link leads nowhere meanwhile. A run that ends half-way leaves old
and new pages beside each other; the next run makes it right.
"""

import hashlib
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mailtls.cli.reports.bucket_writer import delete_objects
from mailtls.cli.trouble import Trouble
from mailtls.dashboard.places import is_ours
from mailtls.observe.report_bucket import MAX_LISTED, S3, S3Bucket, trouble_of
from mailtls.observe.store import StoreTrouble
from mailtls.tls_rpt.contract import Prefix

ZIP = "dashboard.zip"
WRITERS = 16
"""Objects that are put beside each other."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Published:
    """How many objects were put (the zip not counted), were the same already, and went."""

    put: int
    same: int
    removed: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """The place in the bucket. prefix: ends in a slash."""

    bucket: S3Bucket
    prefix: str

    @staticmethod
    def at(place: str, region: str | None) -> "Shelf":
        """place: `s3://BUCKET/PREFIX/`. Raises Trouble, StoreTrouble."""
        bucket, _, prefix = place.removeprefix(S3).partition("/")
        prefix = prefix.strip("/")
        if not (place.startswith(S3) and prefix):
            raise Trouble(f"--publish {place}: write s3://BUCKET/PREFIX/, such as s3://REPORTS-BUCKET/dashboard/")
        if any(f"{prefix}/".startswith(used) for used in Prefix):
            raise Trouble(f"--publish {place}: the pipeline keeps its own things there; name another prefix")
        return Shelf(S3Bucket(bucket, region), f"{prefix}/")

    def listed(self) -> dict[str, str]:
        """ETag by path. Raises StoreTrouble, also where something else than a dashboard lies there."""
        found: dict[str, str] = {}
        with trouble_of(f"s3:ListBucket on {self.bucket.bucket}"):
            pages = self.bucket.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket.bucket, Prefix=self.prefix):
                for one in page.get("Contents", ()):
                    path = one["Key"].removeprefix(self.prefix)
                    if len(found) > MAX_LISTED or not (is_ours(path) or path == ZIP):
                        raise StoreTrouble(
                            f"{self.bucket.name}/{self.prefix} holds {path[:80]!r}, which is no page of a dashboard: "
                            "name an empty prefix"
                        )
                    found[path] = one["ETag"].strip('"')
        return found

    def publish(self, site: Path) -> Published:
        """site: a dashboard's folder. Raises StoreTrouble."""
        there = self.listed()
        pages = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*")) if path.is_file()}
        with ThreadPoolExecutor(WRITERS, "publish") as pool:
            put = sum(pool.map(lambda path: self._put_changed(path, pages[path], there.get(path)), pages))
        self._put_zip(pages)
        removed = self._remove(sorted(there.keys() - pages.keys() - {ZIP}))
        return Published(put, len(pages) - put, removed)

    def _put_changed(self, path: str, file: Path, etag: str | None) -> bool:
        body = file.read_bytes()
        # with S3's own keys the ETag is this digest; where it is not, the page is put again, which does no harm
        if etag == hashlib.md5(body, usedforsecurity=False).hexdigest():
            return False
        key = self.prefix + path
        with trouble_of(f"s3:PutObject on {self.bucket.bucket}/{key}"):
            self.bucket.client.put_object(
                Bucket=self.bucket.bucket, Key=key, Body=body, **_headers(path), CacheControl="private, max-age=300"
            )
        return True

    def _put_zip(self, pages: dict[str, Path]) -> None:
        """Written to the disk first: a site may be larger than memory."""
        key = self.prefix + ZIP
        with tempfile.TemporaryFile() as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for path, page in pages.items():
                    archive.write(page, f"dashboard/{path}")
            file.seek(0)
            with trouble_of(f"s3:PutObject on {self.bucket.bucket}/{key}"):
                self.bucket.client.upload_fileobj(file, self.bucket.bucket, key, ExtraArgs=_headers(ZIP))

    def _remove(self, paths: list[str]) -> int:
        return delete_objects(self.bucket, ({"Key": self.prefix + path} for path in paths), "s3:DeleteObject")


def _headers(path: str) -> dict[str, str]:
    return {"ContentType": TYPES[Path(path).suffix], "ServerSideEncryption": "AES256"}
