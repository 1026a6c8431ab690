"""The first line of a spec, by which an editor finds the schema: it resolves from where the file lies."""

import os
from pathlib import Path

from mailtls.spec.schema import SCHEMA_FILE

_PLACES = (f"schema/{SCHEMA_FILE}", f"mailtls/spec/{SCHEMA_FILE}")
"""Where `mailtls schema --write` puts it beside or above the specs, and where a clone of the repository has it."""
_LEVELS = 8


def schema_line(folder: Path) -> str | None:
    """The line for a spec in `folder`; None when no schema lies beside it or above."""
    here = Path(os.path.abspath(folder))
    for above in [here, *here.parents][:_LEVELS]:
        for place in _PLACES:
            if (above / place).is_file():
                path = Path(os.path.relpath(above / place, here)).as_posix()
                return f"# yaml-language-server: $schema={path}"
    return None
