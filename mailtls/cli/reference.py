"""Every command's `--help` as one page: `python -m mailtls.cli.reference --write` writes docs/commands.md."""

import sys
from pathlib import Path

import click

from mailtls.cli.lazy_group import LazyGroup
from mailtls.cli.main import main
from mailtls.generated_page import print_or_write

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
WIDTH = 100

_INTRODUCTION = """# The commands

Written by `make docs` from the commands' own `--help`; a test fails when it is stale. The wheel installs the command
`mailtls`; in a checkout, `python -m mailtls.cli` is the same.

What is asked for goes to standard output, progress and trouble go to standard error. Colours are off where the output
is no terminal, and with `NO_COLOR`.
"""

COMPLETION = """## Completion in your shell

The shell asks `mailtls` itself for commands, options and their values, so what it offers fits the version that is
installed. Add one line to the file that your shell reads at its start, and open a new shell:

| shell | file | line |
|---|---|---|
| bash 4.4 or newer | `~/.bashrc` | `eval "$(_MAILTLS_COMPLETE=bash_source mailtls)"` |
| zsh | `~/.zshrc`, after `compinit` | `eval "$(_MAILTLS_COMPLETE=zsh_source mailtls)"` |
| fish | `~/.config/fish/completions/mailtls.fish` | `_MAILTLS_COMPLETE=fish_source mailtls \\| source` |
"""


def render() -> str:
    """The whole page, the same on every terminal."""
    settings = {**main.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(main, info_name="mailtls", **settings)
    parts = [_INTRODUCTION, _block(main, context), *_of_group(main, context, "##")]
    return "\n".join([*parts, COMPLETION])


def _of_group(group: click.Command, context: click.Context, mark: str) -> list[str]:
    """Each command of the group under a heading that begins with `mark`, and those of the groups among them."""
    if not isinstance(group, LazyGroup):
        return []
    parts = []
    for name in group.commands_of:
        command = group.get_command(context, name)
        if command is None:
            raise LookupError(f"{name} stands in the table of commands and has no module")
        inside = click.Context(command, context, name)
        parts += [f"{mark} {inside.command_path}\n", _block(command, inside), *_of_group(command, inside, f"{mark}#")]
    return parts


def _block(command: click.Command, context: click.Context) -> str:
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    return "\n".join(["```text", *lines, "```", ""])


if __name__ == "__main__":
    sys.exit(print_or_write("mailtls.cli.reference", PAGE, render))
