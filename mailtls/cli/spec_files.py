"""New spec files on disk: where the editor finds their schema, and a write that is whole or not at all."""

import os
import stat
import tempfile
from importlib import resources
from pathlib import Path

from mailtls.cli.trouble import Trouble
from mailtls.spec.schema import SCHEMA_FILE

SCHEMA_FOLDER = ".schema"
"""Beside the specs, where no schema of the repository is in reach. The loader passes hidden names over."""
_IN_REPOSITORY = Path("mailtls", "spec", SCHEMA_FILE)


def schema_line(folder: Path) -> str:
    """The comment by which an editor completes a spec in `folder`, resolved from where the file lies.

    Names the schema of the repository that the folder is in; elsewhere a copy beside the specs, written when missing.
    Raises Trouble when it cannot be written.
    """
    here = folder.resolve()
    for above in (here, *here.parents):
        if (above / _IN_REPOSITORY).is_file():
            return _line(os.path.relpath(above / _IN_REPOSITORY, here))
    copy = folder / SCHEMA_FOLDER / SCHEMA_FILE
    if not copy.exists():
        write_whole(copy, resources.files("mailtls.spec").joinpath(SCHEMA_FILE).read_text("utf-8"))
    return _line(copy.relative_to(folder).as_posix())


def _line(path: str) -> str:
    return f"# yaml-language-server: $schema={path}"


def write_whole(path: Path, text: str, *, overwrite: bool = False) -> bool:
    """Write `text` to `path` and make its folders. False when a file is there already and `overwrite` is off.

    A file that is overwritten keeps its rights, and a link to it stays a link. Other programs see the old file, the new
    one or none, never a part. Raises Trouble.
    """
    try:
        path = Path(os.path.realpath(path)) if overwrite else path
        rights = stat.S_IMODE(path.stat().st_mode) if overwrite and path.exists() else 0o644
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(beside, rights)
            if overwrite:
                os.replace(beside, path)
                return True
            try:
                os.link(beside, path)  # unlike a rename, this fails where a file is
            except FileExistsError:
                return False
            return True
        finally:
            Path(beside).unlink(missing_ok=True)
    except OSError as e:
        raise Trouble(f"{path} cannot be written: {e.strerror or e}") from e
