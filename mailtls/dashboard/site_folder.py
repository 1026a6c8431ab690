"""The folder of a site: written beside its place, then put there as a whole. What is not ours is never deleted.

with SiteFolder.at(Path("out")) as folder:
    folder.write("index.html", text)
# out/ holds the new site; after an error it holds what it held before
"""

import json
import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType

from mailtls.dashboard.places import MARK, is_ours

MAX_FILES = 2_000_000


class NotOurs(Exception):
    """The place holds something that this program did not write, or cannot be written. The text says what to do."""


class SiteFolder:
    """A site that is being written. `place` appears when the block ends without an exception."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._new: Path | None = None
        self._made: set[Path] = set()

    @staticmethod
    def at(place: Path) -> "SiteFolder":
        """Raises NotOurs where `place` holds anything else than a dashboard."""
        check_ours(place)
        return SiteFolder(place)

    def __enter__(self) -> "SiteFolder":
        parent = self._place.resolve().parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self._new = Path(tempfile.mkdtemp(prefix=f".{self._place.name}.", suffix=".new", dir=parent))
            self._new.chmod(0o755)
        except OSError as e:
            raise NotOurs(f"{parent}: cannot be written: {e.strerror}") from e
        return self

    def write(self, path: str, text: str) -> None:
        """path: relative, one of those that `places` makes. Raises NotOurs where the disk takes no more."""
        if self._new is None:
            raise ValueError("the folder is not open")
        if not is_ours(path):
            raise ValueError(f"{path!r} is no path of a dashboard")
        file = self._new / path
        try:
            if file.parent not in self._made:
                file.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(file.parent)
            file.write_text(text, "utf-8")
        except OSError as e:
            raise NotOurs(f"{self._place}: cannot be written: {e.strerror}") from e

    def mark(self, built: datetime, about: dict[str, object]) -> None:
        """Say whose folder it is, when it was built, and about what."""
        self.write(
            MARK, json.dumps({"version": 1, "built": built.isoformat(timespec="seconds"), **about}, indent=1) + "\n"
        )

    def __exit__(self, _kind: object, raised: BaseException | None, _trace: TracebackType | None) -> None:
        new, self._new = self._new, None
        if new is None:
            return
        try:
            if raised is None:
                self._put(new)
        except OSError as e:
            raise NotOurs(f"{self._place}: cannot be replaced: {e.strerror}") from e
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _put(self, new: Path) -> None:
        check_ours(self._place)  # somebody may have written there meanwhile
        place = self._place.resolve()
        if not place.exists():
            os.replace(new, place)
            return
        old = new.with_suffix(".old")
        os.replace(place, old)
        os.replace(new, place)
        shutil.rmtree(old)


def check_ours(place: Path) -> None:
    """Raises NotOurs unless `place` is absent, an empty folder, or a dashboard and nothing else."""
    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise NotOurs(f"{place} is no folder: name another place")
    if not place.exists():
        return
    found = 0
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            path = Path(folder, name)
            inside = path.relative_to(place).as_posix()
            found += 1
            if path.is_symlink() or (name in files and not is_ours(inside)) or found > MAX_FILES:
                raise NotOurs(f"{place} holds {inside}, which is no page of a dashboard: name an empty or a new folder")
    if found and not (place / MARK).is_file():
        raise NotOurs(f"{place} holds files and no {MARK}: name an empty or a new folder")
