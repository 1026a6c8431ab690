"""docs/spec-reference.md, rendered from the schema.

    python -m mailtls.spec.reference            # to stdout
    python -m mailtls.spec.reference --write    # into docs/spec-reference.md

A test fails when the page is stale.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mailtls.generated_page import print_or_write
from mailtls.spec.schema import DEFAULTS_SCHEMA_FILE, SCHEMA_FILE, schema, spec_schema
from mailtls.spec.yaml_text import MAX_DEPTH, MAX_FILE_BYTES, MAX_VALUES

PAGE = Path(__file__).parents[2] / "docs" / "spec-reference.md"

_INTRODUCTION = f"""\
# The spec: every key

Rendered from `mailtls/spec/{SCHEMA_FILE}`; do not edit. After a change of the schema:
`python -m mailtls.spec.reference --write` (or `make docs`).

A file under `policy_specs/` holds one spec, or a map of them under `policy_domains`. The `defaults.yaml` of a folder
fills what the specs below it leave out, from the loaded root down: maps merge, lists and plain values replace.
A file is loaded when its name ends in `.yaml` and does not begin with a dot; `.yml` is an error, so that no spec is
passed over in silence.

An editor with a YAML language server completes keys and shows these texts when a file's first line names the schema,
from where the file lies. In `policy_specs/production/`:

```yaml
# yaml-language-server: $schema=../../mailtls/spec/{SCHEMA_FILE}
```

Each folder further down takes one `../` more. A `defaults.yaml` names `{DEFAULTS_SCHEMA_FILE}` instead.

## Keys
"""

_CLOSING = f"""\
## How YAML is read

By the core schema of YAML 1.2: only `true` and `false` are booleans and only `null`, `~` and nothing are null. So
`mode: none` is text and needs no quotes, and so are `no`, `on`, `12:30` and `2026-12-24`. A wildcard does need quotes
(`"*.example.com"`), because a plain `*` refers to an anchor.

Not read, each an error with its place: a key twice, tags (`!!python/...`), merge keys (`<<`), numbers that begin with a
zero (`010` is ten to some programs and eight to others), a second document, files over {MAX_FILE_BYTES:,} bytes, more
than {MAX_DEPTH} levels, more than {MAX_VALUES:,} values (an alias counts as often as it is used).

A symbolic link is followed when its file lies below the loaded folder. One that leads out of it, one to a folder, and
whatever is no regular file are errors; what they lead to is not read.

## How names are read

Unicode is welcome and stored as A-labels by UTS 46 and IDNA 2008 (`bücher.example` becomes `xn--bcher-kva.example`, and
both spellings are one domain). Any case and one trailing dot are accepted and normalised away. Addresses, underscores,
ports and single labels are errors.

## Errors

All faults of all files are reported at once, one a line, sorted: `file:line:column: key: what is wrong; what to write`.
A value that came from a `defaults.yaml` is reported there. The program stops before it touches a resource.
"""


def render() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    parts += _rendered("policy_domains", schema()["$defs"]["policy_domains"])
    for path, part in _keys(spec_schema()):
        parts += _rendered(path, part)
    parts.append("## Planned keys\n\nThe design has them and nothing acts on them yet, so they are refused.\n")
    parts.append("| key | will say |\n|---|---|")
    parts += [f"| `{key}` | {meaning} |" for key, meaning in spec_schema()["x-planned"].items()]
    parts.append("\n" + _CLOSING.rstrip())
    return "\n".join(parts) + "\n"


def _keys(part: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, below in part.get("properties", {}).items():
        yield above + key, below
        yield from _keys(below, f"{above}{key}.")


def _rendered(path: str, part: Mapping[str, Any]) -> list[str]:
    """One key: meaning, risk, default, example."""
    meaning, _, risk = part["description"].partition(" Risk: ")
    default = part.get("x-default")
    examples = "\n# or\n".join(part["examples"])
    lines = [f"### `{path}`", f"**{part['title']}.** {meaning}\n", f"- Risk: {risk}"]
    if "enum" in part:
        lines.append("- One of: " + ", ".join(f"`{value}`" for value in part["enum"]))
    if default:
        lines.append(f"- Default: {default}")
    return [*lines, f"\n```yaml\n{examples}\n```\n"]


if __name__ == "__main__":
    sys.exit(print_or_write("mailtls.spec.reference", PAGE, render))
