"""`mailtls reports`: the group of commands about TLS reports."""

import click

from mailtls.cli.lazy_group import LazyGroup

COMMANDS = {
    "dashboard": "the stored reports as a static site",
}
"""Name and one line of help. The module is `mailtls.cli.reports.<name>_command` and holds `command`."""


@click.command(
    cls=LazyGroup,
    commands_of=COMMANDS,
    package="mailtls.cli.reports",
    epilog="Example:  mailtls reports dashboard build/dashboard --store s3://contoso-policies,contoso-reports",
)
def command() -> None:
    """What senders reported about a domain's TLS (RFC 8460): from the reports bucket or a copy of it.

    Each command says in its own --help what it reads and whether it writes.
    """
