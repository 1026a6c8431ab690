"""The files of a pack: written beside their place, then put there as a whole, and once more as one zip.

with PackFolder.at(Path("evidence-2026")) as pack:
    pack.write("evidence.json", text)
print(pack.digest)      # of MANIFEST.sha256
"""

import gzip
import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from mailtls.audit.assemble import manifest_text

MANIFEST = "MANIFEST.sha256"
CHUNK = 1 << 20
_ALWAYS = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the same files make the same zip."""


class CannotWrite(Exception):
    """The place is taken, or cannot be written. The text says what to do."""


class _Forward:
    """A file that can only be written forward, so that a zip has the same bytes on a disk and in a digest."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take

    def write(self, data: bytes) -> int:
        self._take(data)
        return len(data)

    def flush(self) -> None:
        pass


def write_zip(take: Callable[[bytes], object], names: list[str], read: Callable[[str], Iterator[bytes]]) -> None:
    """A zip of the files in the order of `names`, nothing pressed: its bytes follow from names and contents alone."""
    with zipfile.ZipFile(_Forward(take), "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name in names:
            member = zipfile.ZipInfo(name, _ALWAYS)
            member.create_system, member.external_attr = 3, 0o644 << 16
            with archive.open(member, "w", force_zip64=True) as out:
                for part in read(name):
                    out.write(part)


def chunks(file: BinaryIO | BufferedIOBase) -> Iterator[bytes]:
    """What is left of it, a bounded piece at a time."""
    while part := file.read(CHUNK):
        yield part


class PackFolder:
    """A pack that is being written. `place` and `place`.zip appear when the block ends without an exception."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.zip = place.with_name(f"{place.name}.zip")
        self.digest = ""
        self._new: Path | None = None
        self._digests: dict[str, str] = {}

    @staticmethod
    def at(place: Path) -> "PackFolder":
        """Raises CannotWrite where something is there: evidence is never written over."""
        pack = PackFolder(place)
        for each in (pack.place, pack.zip):
            if each.exists() or each.is_symlink():
                raise CannotWrite(
                    f"{each} exists, and a pack is never written over; name another place, or move it away"
                )
        return pack

    @property
    def files(self) -> int:
        """Files with a digest in the manifest."""
        return len(self._digests)

    def __enter__(self) -> "PackFolder":
        parent = self.place.resolve().parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self._new = Path(tempfile.mkdtemp(prefix=f".{self.place.name}.", suffix=".new", dir=parent))
            self._new.chmod(0o755)
        except OSError as e:
            raise CannotWrite(f"{parent}: cannot be written: {e.strerror}") from e
        return self

    def write(self, path: str, data: bytes) -> None:
        """path: below the pack, with `/`. Raises CannotWrite where the disk takes no more."""
        with self._file(path) as file:
            file.write(data)
        self._digests[path] = hashlib.sha256(data).hexdigest()

    @contextmanager
    def pressed(self, path: str) -> Iterator[Callable[[bytes], object]]:
        """A file that is gzipped while it is written. Gives the function that takes its contents."""
        with self._file(path) as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as out:
            yield out.write
        with (self._folder / path).open("rb") as written:
            self._digests[path] = hashlib.file_digest(written, "sha256").hexdigest()

    def __exit__(self, _kind: object, raised: BaseException | None, _trace: TracebackType | None) -> None:
        new = self._folder
        try:
            if raised is None:
                self._close(new)
        except OSError as e:
            raise CannotWrite(f"{self.place}: cannot be written: {e.strerror}") from e
        finally:
            shutil.rmtree(new, ignore_errors=True)

    @property
    def _folder(self) -> Path:
        if self._new is None:
            raise ValueError("the pack is not open")
        return self._new

    @contextmanager
    def _file(self, path: str) -> Iterator[BinaryIO]:
        try:
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as out:
                yield out
        except OSError as e:
            raise CannotWrite(f"{self.place}: cannot be written: {e.strerror}") from e

    def _close(self, new: Path) -> None:
        manifest = manifest_text(self._digests.items()).encode("utf-8")
        (new / MANIFEST).write_bytes(manifest)
        self.digest = hashlib.sha256(manifest).hexdigest()

        def read(name: str) -> Iterator[bytes]:
            with (new / name).open("rb") as file:
                yield from chunks(file)

        beside = new.with_suffix(".zip")
        try:
            with beside.open("xb") as out:
                write_zip(out.write, sorted([*self._digests, MANIFEST]), read)
            os.replace(new, self.place)
            os.replace(beside, self.zip)
        finally:
            beside.unlink(missing_ok=True)
