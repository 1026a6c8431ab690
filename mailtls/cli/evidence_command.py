"""`mailtls evidence`: the group of the two commands about evidence packs."""

import click

from mailtls.cli.lazy_group import LazyGroup

COMMANDS = {
    "pack": "write a pack; what `mailtls evidence --from ...` does without a name",
    "verify": "check a pack, offline",
}
"""Name and one line of help. The module is `mailtls.cli.evidence.<name>_command` and holds `command`."""


@click.command(
    cls=LazyGroup,
    commands_of=COMMANDS,
    package="mailtls.cli.evidence",
    usual="pack",
    epilog="Example:  mailtls evidence --from 2026-01-01 --to 2026-06-30 --store s3://contoso-policies,contoso-reports",
)
def command() -> None:
    """What was in force, who changed it, what was seen and reported, for an auditor: a folder, and one zip of it.

    docs/evidence.md says what is in a pack, which controls it speaks about, and what it does not prove.
    """
