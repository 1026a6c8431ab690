"""`mailtls`: the group of all commands."""

import click

from mailtls.cli.lazy_group import LazyGroup

COMMANDS = {
    "check": "what senders do with a domain's mail today",
    "init": "write the first spec of a domain from what is live",
    "discover": "find the names that receive mail, and what each one has",
    "validate": "judge specs by the rules, offline",
    "diff": "what a change of specs means for each domain",
    "render": "the policy and the records of one spec",
    "status": "how each domain stands, and what comes next",
    "reconcile": "the next safe change of every domain, decided and told",
    "rollback": "go back from enforce to testing: the edit, or a pull request",
    "retire": "begin to give a domain's policy up: the edit, or a pull request",
    "reports": "what senders reported: read, add up, show, take in again",
    "evidence": "what an auditor is handed, as files that prove themselves",
    "explain": "a rule, a result type or a domain in plain words",
    "preflight": "whether these accounts are ready for the first deployment",
    "schema": "the JSON Schema of specs, of defaults, or of a command's output",
}
"""Name and one line of help. The module is `mailtls.cli.<name>_command` and holds `command`."""


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version  # costs as much as the rest of this file

        click.echo(f"mailtls {version('mailtls')}")
        ctx.exit()


@click.command(
    cls=LazyGroup,
    commands_of=COMMANDS,
    package="mailtls.cli",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="The version."
)
def main() -> None:
    """MTA-STS and TLS-RPT as code: look at mail domains, keep them in Git, change them without losing mail.

    \b
    Begin with:  mailtls check contoso.com
    Exit codes:  0 clean, 1 findings or differences, 2 trouble
    """
