"""The table of patches in docs/sandbox-fidelity.md, from the patches: `python -m sandbox.cloud.fidelity --write`."""

import json
import subprocess
import sys

from sandbox.cloud.start import REQUIREMENTS
from sandbox.engine.environments import environment
from sandbox.place import REPOSITORY

PAGE = REPOSITORY / "docs" / "sandbox-fidelity.md"
BEGIN, END = "<!-- patches: generated -->\n", "<!-- /patches -->\n"


def table() -> str:
    """Markdown, one row a patch, in the order in which they are applied."""
    command = [str(environment("emulator", REQUIREMENTS)), "-m", "sandbox.cloud.emulator"]
    done = subprocess.run(
        [*command, "--dns", "127.0.0.1:1", "--list"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    rows = [f"| `{patch['name']}` | {patch['wrong_green']} |" for patch in json.loads(done.stdout)]
    return "\n".join(["| patch | what the stock emulator would let pass |", "|---|---|", *rows]) + "\n"


def page(text: str) -> str:
    """`text` with the table as it is now."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def main(arguments: list[str]) -> int:
    """Exit codes: 0 written, 2 wrong usage."""
    if arguments != ["--write"]:
        print("usage: python -m sandbox.cloud.fidelity --write", file=sys.stderr)
        return 2
    PAGE.write_text(page(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
