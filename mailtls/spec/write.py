"""Specs into files: each one whole or not at all, and none over another without being told."""

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Written:
    """made: new files, or those that were replaced. kept: files that were there and are as they were."""

    made: tuple[Path, ...]
    kept: tuple[Path, ...]


def write_specs(folder: Path, texts: Mapping[str, str], overwrite: bool = False) -> Written:
    """Write each text into `folder`, which is made, under its file name. Raises OSError; what was written until then is
    whole."""
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    kept: list[Path] = []
    for name, text in texts.items():
        path = folder / name
        (made if _write(path, text, overwrite) else kept).append(path)
    return Written(tuple(made), tuple(kept))


def write_spec(path: Path, text: str, overwrite: bool = False) -> bool:
    """Write one spec; False when a file is there already, which is then kept. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return _write(path, text, overwrite)


def _write(path: Path, text: str, overwrite: bool) -> bool:
    # hidden, so that a killed run leaves nothing that is taken for a spec
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with scratch.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        if overwrite:
            os.replace(scratch, path)
            return True
        try:
            os.link(scratch, path)  # fails where a file is, also one that came this moment
        except FileExistsError:
            return False
        return True
    finally:
        with contextlib.suppress(FileNotFoundError):
            scratch.unlink()
