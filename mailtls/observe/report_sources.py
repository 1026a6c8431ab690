"""Where reports lie: files of any kind, mailboxes, folders, S3. One file or mail is held at a time.

A folder is read with all below it. Of a maildir (a folder with `cur` and `new`) only these two are, and the maildirs in
it. Symbolic links are not followed below a place that was named.
"""

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mailtls.observe.mailbox_file import BEGINS, mails
from mailtls.observe.report_bucket import S3, Bucket, S3Bucket
from mailtls.observe.store import StoreTrouble
from mailtls.totals.report_files import MAX_BYTES, Read, Refused, read

READERS = 16
"""Objects of S3 that are fetched ahead."""
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Found:
    """What one file, or one mail of a mailbox, held. place: what it is called. line: on which it begins in its file.
    alone: it was named by itself, so that it should be a report."""

    place: str
    read: Read
    line: int = 1
    alone: bool = False


def reports_in(places: Iterable[str], region: str | None = None) -> Iterator[Found]:
    """Everything in `places`: paths, `-` for standard input, `s3://BUCKET/PREFIX`. Raises StoreTrouble."""
    for place in places:
        if place.startswith(S3):
            yield from _in_bucket(place, region)
        elif place == STDIN:
            yield from _in_file(sys.stdin.buffer, "standard input", alone=True)
        else:
            yield from _at_path(Path(place), place)


def check_places(places: Iterable[str]) -> None:
    """Raises StoreTrouble where one is not there: before the first is read."""
    for place in places:
        if place != STDIN and not place.startswith(S3) and not Path(place).exists():
            raise StoreTrouble(f"{place}: no such file or folder")


# ---------------------------------------------------------------------------------------------------------- on disk


def _at_path(path: Path, place: str) -> Iterator[Found]:
    if not path.is_dir():
        yield from _open(path, place, alone=True)
        return
    for file in files_below(path):
        yield from _open(file, file.as_posix(), alone=False)


def files_below(folder: Path) -> Iterator[Path]:
    """All files, in order. Links are among them, for the caller to refuse. Raises StoreTrouble."""
    for here, folders, files in os.walk(folder, onerror=_refuse):
        folders.sort()
        if {"cur", "new"} <= set(folders):  # a maildir: its index files are no mail, and `tmp` holds halves
            files = []
            folders[:] = [name for name in folders if name in ("cur", "new") or name.startswith(".")]
        links = [name for name in folders if Path(here, name).is_symlink()]
        for name in sorted([*files, *links]):
            yield Path(here, name)


def _refuse(error: OSError) -> None:
    raise StoreTrouble(f"{error.filename}: cannot be read: {error.strerror}") from error


def _open(path: Path, place: str, alone: bool) -> Iterator[Found]:
    if not alone and path.is_symlink():
        yield _refused(place, "a symbolic link, which is not followed", alone)
    elif not path.is_file():
        yield _refused(place, "no regular file", alone)
    else:
        try:
            with path.open("rb") as file:
                yield from _in_file(file, place, alone)
        except OSError as e:
            yield _refused(place, f"cannot be read: {e.strerror}", alone)


def _in_file(file: IO[bytes], place: str, alone: bool) -> Iterator[Found]:
    data = _peek(file, len(BEGINS))
    if data != BEGINS:
        yield _one(file.read(MAX_BYTES + 1), place, alone)
        return
    for mail in mails(file, MAX_BYTES):
        name = f"{place}, mail {mail.number}"
        if mail.data is None:
            yield Found(name, Read((), refused=(Refused(f"over {MAX_BYTES:,} bytes, not read"),)), mail.line, alone)
        else:
            yield Found(name, read(mail.data, name), mail.line + 1)


def _peek(file: IO[bytes], size: int) -> bytes:
    peek = getattr(file, "peek", None)
    found: bytes = peek(size)[:size] if peek else b""
    return found


def _one(data: bytes, place: str, alone: bool) -> Found:
    if len(data) > MAX_BYTES:
        return _refused(place, f"over {MAX_BYTES:,} bytes, not read", alone)
    if not data:
        return _refused(place, "empty", alone)
    return Found(place, read(data, place), 1, alone)


def _refused(place: str, reason: str, alone: bool) -> Found:
    return Found(place, Read((), refused=(Refused(reason),)), 1, alone)


# --------------------------------------------------------------------------------------------------------------- S3


def _in_bucket(place: str, region: str | None) -> Iterator[Found]:
    """Some objects are fetched while one is counted; they come in the order of their keys."""
    name, _, prefix = place.removeprefix(S3).partition("/")
    bucket = S3Bucket(name, region)
    waiting: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(READERS, "reports") as pool:
        try:
            for one in bucket.objects(prefix):
                waiting.append(pool.submit(_fetched, bucket, one.key, one.key == prefix))
                if len(waiting) >= READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _fetched(bucket: Bucket, key: str, alone: bool) -> Found:
    place = f"{bucket.name}/{key}"
    data = bucket.read(key, MAX_BYTES)
    return _refused(place, "gone since it was listed", alone) if data is None else _one(data, place, alone)
