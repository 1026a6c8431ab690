"""Which files a set of specs is made of."""

import os
from dataclasses import dataclass
from pathlib import Path

from mailtls.spec.errors import SpecError
from mailtls.spec.yaml_text import MAX_FILE_BYTES

DEFAULTS_FILE = "defaults.yaml"
LEADS_OUT = "a link out of the folder of specs is not followed; put the file itself here"
_FIRST_READ = 16384
"""Octets; nearly every file is smaller."""
_SPEC_NAMES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file. path: to open it. shown: as the user would type it, in errors and in `PolicySpec.source`."""

    path: str
    shown: str

    def read(self) -> bytes:
        """The bytes, at most one more than a file may have. Raises OSError."""
        file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)  # open() makes three objects for a few hundred octets
        try:
            data = os.read(file, _FIRST_READ)
            if len(data) == _FIRST_READ:
                with open(file, "rb", closefd=False) as rest:
                    data += rest.read(MAX_FILE_BYTES + 1 - _FIRST_READ)
            return data
        finally:
            os.close(file)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of specs: what fills in below it, its spec files and its folders, both by name."""

    defaults: SourceFile | None = None
    specs: tuple[SourceFile, ...] = ()
    folders: "tuple[Folder, ...]" = ()


def find(root: Path, errors: list[SpecError], called: Path | None = None) -> Folder:
    """All spec files at or below `root`, a folder or one file (the defaults.yaml beside it counts then).

    Hidden names, and files that are not YAML, are passed over. What somebody may take for a spec that is deployed, and
    is not, is added to `errors`: `.yml`, a link to a folder, a link that leads out of `root`, what is no regular file.
    What such a link leads to is not read: an error shows what a file holds, and a spec may come from a stranger.
    Files are shown below `root` as it was typed, or below `called`; below its last part when that is absolute.
    """
    called = called or root
    shown = Path(called.name) if called.is_absolute() else called
    try:
        root.exists()
    except OSError as e:  # a name that is too long, a link to itself
        errors.append(_error(shown, f"cannot be read: {e.strerror}"))
        return Folder()
    if root.is_dir():
        return _folder(root, shown, os.path.realpath(root), errors)
    if root.name == DEFAULTS_FILE:
        errors.append(_error(shown, "this file fills in what specs leave out; name its folder, or a spec"))
        return Folder()
    if not root.exists():
        errors.append(_error(shown, "there is no such file or folder"))
        return Folder()
    if root.suffix != ".yaml" or not root.is_file():
        errors.append(_error(shown, "not a file whose name ends in .yaml"))
        return Folder()
    inside = os.path.realpath(root.parent)
    beside = root.with_name(DEFAULTS_FILE)
    for file in (root, beside):
        if _leads_out(str(file), inside):
            errors.append(_error(shown.with_name(file.name), LEADS_OUT))
            return Folder()
    defaults = SourceFile(str(beside), shown.with_name(DEFAULTS_FILE).as_posix()) if beside.is_file() else None
    return Folder(defaults, (SourceFile(str(root), shown.as_posix()),))


def _leads_out(path: str, inside: str) -> bool:
    """Whether a file is a link to what does not lie in the folder `inside` (a real path). Reads links, no file."""
    return os.path.islink(path) and not os.path.realpath(path).startswith(os.path.join(inside, ""))


def _folder(path: Path, shown: Path, inside: str, errors: list[SpecError]) -> Folder:
    try:
        with os.scandir(path) as found:
            entries = sorted((e for e in found if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as e:
        errors.append(_error(shown, f"the folder cannot be read: {e.strerror}"))
        return Folder()
    defaults = None
    specs: list[SourceFile] = []
    folders: list[Folder] = []
    for entry in entries:
        if _is_folder(entry):
            if entry.is_symlink():
                errors.append(_error(shown / entry.name, "a link to a folder is not followed; move the folder here"))
            elif entry.name.lower().endswith(_SPEC_NAMES):
                errors.append(_error(shown / entry.name, "a folder with the name of a spec; rename it"))
            else:
                folders.append(_folder(path / entry.name, shown / entry.name, inside, errors))
        elif entry.name == DEFAULTS_FILE:
            defaults = _source_file(entry, shown, inside, errors)
        elif entry.name.lower().endswith(_SPEC_NAMES) and (file := _source_file(entry, shown, inside, errors)):
            specs.append(file)
    return Folder(defaults, tuple(specs), tuple(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _source_file(
    entry: os.DirEntry[str], folder_shown: Path, inside: str, errors: list[SpecError]
) -> SourceFile | None:
    """The entry of a folder, if it is a file to read."""
    if not entry.name.endswith(".yaml"):
        message = f"not read because of its name; rename it to {Path(entry.name).stem}.yaml"
    elif entry.is_symlink() and _leads_out(entry.path, inside):
        message = LEADS_OUT
    elif not os.path.isfile(entry.path):
        message = "not a regular file, or a link to nothing"
    else:
        return SourceFile(entry.path, _prefix(folder_shown) + entry.name)
    errors.append(_error(folder_shown / entry.name, message))
    return None


def _prefix(folder_shown: Path) -> str:
    """What stands before a file's name. Text, since a Path for each of ten thousand files costs more than it tells."""
    text = folder_shown.as_posix()
    return "" if text == "." else f"{text}/"


def _error(shown: Path, message: str) -> SpecError:
    return SpecError(shown.as_posix(), 1, 1, "", message, "file-not-read")
