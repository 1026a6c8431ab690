"""`mailtls`: the group of all commands. A command's module is imported when the command is called, and not before."""

import importlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "check": "what senders do with a domain's mail today",
    "init": "write the first spec of a domain from what is live",
    "discover": "find the names that receive mail, and what each one has",
    "validate": "judge specs by the rules, offline",
    "diff": "what a change of specs means for each domain",
    "render": "the policy and the records of one spec",
    "status": "how each domain stands, and what comes next",
    "reconcile": "the next safe change of every domain, decided and told",
    "rollback": "go back from enforce to testing, as an edit of one spec",
    "retire": "begin to give a domain's policy up, as an edit of one spec",
    "explain": "a rule, a result type or a domain in plain words",
    "preflight": "whether these accounts are ready for the first deployment",
    "schema": "the JSON Schema of specs, of defaults, or of a command's output",
}
"""Name and one line of help. The module is `mailtls.cli.<name>_command` and holds `command`."""


class _Commands(click.Group):
    """Lists the commands from the table above, so that `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"mailtls.cli.{cmd_name}_command").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; did you mean {near[0]}?" if near else ""))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """From the table too: click's own would import every command at each press of the key."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=line) for name, line in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # costs as much as the rest of this file

        click.echo(f"mailtls {version('mailtls')}")
        ctx.exit()


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="The version."
)
def main() -> None:
    """MTA-STS and TLS-RPT as code: look at mail domains, keep them in Git, change them without losing mail.

    \b
    Begin with:  mailtls check contoso.com
    Exit codes:  0 clean, 1 findings or differences, 2 trouble
    """
