"""The files of a pack that is read again, in its folder or in its zip. Nothing is unpacked to a disk."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast


class NoPack(Exception):
    """There is nothing that could be checked. The text says why."""


class Files(Protocol):
    """The files of a pack, by their paths."""

    def sizes(self) -> dict[str, int]:
        """Path and octets of each."""

    def open(self, path: str) -> AbstractContextManager[io.BufferedIOBase]:
        """To be read from its beginning."""


def digest_of(files: Files, path: str) -> str:
    """SHA-256, read a piece at a time."""
    with files.open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contents(files: Files, path: str) -> bytes:
    """All of it: the size is looked at before."""
    with files.open(path) as file:
        return file.read()


def is_below(path: str) -> bool:
    """Does it lie below the pack, written the one way that a pack writes it?"""
    parts = path.split("/")
    return not any(part in ("", ".", "..") for part in parts)


@dataclass(frozen=True, slots=True)
class PackInFolder:
    root: Path

    def sizes(self) -> dict[str, int]:
        """Raises NoPack for what is no plain file."""
        found: dict[str, int] = {}
        for path in self.root.rglob("*"):
            if path.is_symlink() or not path.is_dir():
                name = path.relative_to(self.root).as_posix()
                if path.is_symlink() or not path.is_file():
                    raise NoPack(f"{name} is no plain file; a pack has nothing else")
                found[name] = path.stat().st_size
        return found

    def open(self, path: str) -> AbstractContextManager[io.BufferedIOBase]:
        return (self.root / path).open("rb")


@dataclass(frozen=True, slots=True)
class PackInZip:
    archive: zipfile.ZipFile

    def sizes(self) -> dict[str, int]:
        """Raises BadZipFile for what no pack of ours has."""
        found: dict[str, int] = {}
        for member in self.archive.infolist():
            name = member.filename
            if name in found or not is_below(name) or member.compress_type != zipfile.ZIP_STORED:
                raise zipfile.BadZipFile(f"{name[:100]!r} is no member of a pack")
            found[name] = member.file_size
        return found

    def open(self, path: str) -> AbstractContextManager[io.BufferedIOBase]:
        return cast("Callable[[str], AbstractContextManager[io.BufferedIOBase]]", self.archive.open)(path)
