"""`mailtls diff`: what a change of specs means for each domain."""

import datetime
import sys
from pathlib import Path

import click

from mailtls.cli import terminal
from mailtls.cli.network import network, network_options
from mailtls.cli.options import format_option


@click.command(epilog="Example:  mailtls diff --base origin/main --format markdown")
@click.argument("path", default="policy_specs", type=click.Path(path_type=Path))
@click.option("--base", "ref", required=True, metavar="REF", help="The branch that the change goes into.")
@click.option("--live", is_flag=True, help="Also look at the domains that change: MX, record and policy as they are.")
@format_option("text", "json", "markdown")
@network_options
def command(
    path: Path,
    ref: str,
    live: bool,
    output: str,
    resolver: str | None,
    proxy: str | None,
    allow_private: bool,
    timeout: float,
    at_once: int,
) -> None:
    """What changes for each domain from the specs at REF to those in PATH (policy_specs), what has to wait until when,
    and what would hold mail.

    The base is the merge base of HEAD and REF, as for a pull request; PATH is read as it lies there, committed or not.
    Waits are counted from now, and what senders may still hold is estimated from the history in git.

    Exit codes:  0 no change, 1 changes or findings, 2 trouble
    """
    from mailtls.cli.against_base import against_base
    from mailtls.render.changes import render_changes

    now = datetime.datetime.now(datetime.UTC)
    ways = network(resolver, proxy, allow_private, timeout, at_once) if live else None
    change_set, findings = against_base(path, ref, now, ways)
    click.echo(render_changes(change_set, findings, now, output, width=terminal.width()), nl=False)
    sys.exit(1 if change_set.changes or findings else 0)
