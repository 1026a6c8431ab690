"""A group of commands: a command's module is imported when the command is called, and not before."""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """commands_of: name and one line of help of each command. package: the module of a command is
    `<package>.<name>_command`, and holds `command`. usual: the command that is meant where none is named."""

    def __init__(
        self, *arguments: Any, commands_of: Mapping[str, str], package: str, usual: str | None = None, **more: Any
    ) -> None:
        super().__init__(*arguments, **more)
        self.commands_of = commands_of
        self.package = package
        self.usual = usual

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self.usual and args and args[0] not in (*self.commands_of, *ctx.help_option_names):
            args = [self.usual, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_of)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_of:
            return None
        found: click.Command = importlib.import_module(f"{self.package}.{cmd_name}_command").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands_of and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self.commands_of, n=1)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; did you mean {near[0]}?" if near else ""))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """From the table too: click's own would import every command at each press of the key."""
        from click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=line) for name, line in self.commands_of.items() if name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.commands_of.items()))
