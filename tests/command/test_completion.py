"""The lines of docs/commands.md for each shell: it asks the command, and what it offers is right and comes fast."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailtls.cli.main import COMMANDS
from mailtls.cli.reference import COMPLETION

MAILTLS = Path(sys.executable).with_name("mailtls")
SHELLS = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/mailtls.fish"}
_LOADED = """
import sys
from mailtls.cli.main import main
try:
    main(prog_name="mailtls")
finally:
    print(*(name for name in sys.modules if name.endswith("_command")), file=sys.stderr)
"""


def offered(*words: str) -> subprocess.CompletedProcess[str]:
    """What bash would be offered behind these words; the last one is not whole yet. Commands that were imported are on
    standard error."""
    environment = {**os.environ, "_MAILTLS_COMPLETE": "bash_complete"}
    environment |= {"COMP_WORDS": " ".join(["mailtls", *words]), "COMP_CWORD": str(len(words))}
    return subprocess.run(
        [sys.executable, "-c", _LOADED], env=environment, capture_output=True, text=True, timeout=60, check=True
    )


@pytest.mark.parametrize(("begun", "names"), [("", list(COMMANDS)), ("di", ["discover", "diff"]), ("xyz", [])])
def test_commands_are_offered_without_importing_them(begun: str, names: list[str]) -> None:
    done = offered(begun)
    assert done.stdout.split() == [f"plain,{name}" for name in names]
    assert done.stderr.split() == []


def test_options_and_their_values_are_offered() -> None:
    assert "plain,--format" in offered("validate", "--f").stdout.split()
    assert offered("validate", "--format", "s").stdout.split() == ["plain,sarif"]
    assert "plain,--version" in offered("--v").stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_line_of_the_page_does_it(shell: str, tmp_path: Path) -> None:
    row = next(line for line in COMPLETION.splitlines() if line.startswith(f"| {shell}"))
    assert f"`{SHELLS[shell]}`" in row
    line = row.rsplit(" | `", 1)[1].removesuffix("` |").replace("\\|", "|")
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing; its line is not tried")
    begin = {"bash": "", "zsh": "autoload -U compinit && compinit -u\n", "fish": ""}[shell]
    ask = {
        "bash": "complete -p mailtls",
        "zsh": "print $_comps[mailtls]",
        "fish": "complete --do-complete 'mailtls va'",
    }
    done = subprocess.run(
        [shell, "-c", f"{begin}{line}\n{ask[shell]}"],
        env={**os.environ, "HOME": str(tmp_path), "PATH": f"{MAILTLS.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"bash": "_mailtls_completion", "zsh": "_mailtls_completion", "fish": "validate"}[shell] in done.stdout
