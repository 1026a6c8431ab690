"""`mailtls status`: how each domain stands, and what comes next."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailtls.cli import moment, terminal
from mailtls.cli.network import network, network_options
from mailtls.cli.options import format_option
from mailtls.cli.stand import Failed, Ways, looks_of, specs_of, stand_all, standing_options, store_at
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.rollout.standing import Standing
    from mailtls.spec.model import PolicySpec


@click.command(epilog="Example:  mailtls status --store s3://contoso-policies,contoso-reports contoso.example")
@click.argument("domains", nargs=-1, metavar="[DOMAIN]...")
@standing_options
@click.option("--long", "long", is_flag=True, help="A whole screen for each, also for more than 3 domains.")
@format_option("text", "json", "markdown")
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    domains: tuple[str, ...],
    specs: Path,
    store: str | None,
    region: str | None,
    smtp: bool,
    authoritative: bool,
    at: datetime | None,
    long: bool,
    output: str,
    **ways_out: Any,
) -> None:
    """Tell how each domain of the specs stands: mode, since when, conditions, next step and its day, evidence.

    DOMAIN: only these; all specs when left out. The conditions Ready, Reconciling, Stalled and DriftDetected have
    reasons of a closed list, which docs/controller.md explains. Changes nothing.

    \b
    Exit codes:  0 none is Stalled, drifting, wrong or in need of an urgent change; testing may go on
                 1 one is
                 2 trouble, or a domain could not be looked at
    """
    from mailtls.render.status import is_well, render_status

    if store is None:
        raise Trouble(
            "how a domain stands depends on what was served and reported: name the buckets, or a folder, with --store; "
            "for what DNS alone shows: mailtls check --specs policy_specs"
        )
    found = specs_of(specs, domains)
    where = store_at(store, region)
    ways = Ways(network(**ways_out), looks_of(smtp, authoritative), where, at)
    moment.tell(at)
    standings, failed = asyncio.run(_stand(found, ways))
    colour = terminal.takes_colour()
    text = render_status(standings, failed, output, width=terminal.width(), colour=colour, long=long)
    click.echo(text, nl=False, color=colour)
    ctx.exit(2 if failed else 0 if all(map(is_well, standings)) else 1)


async def _stand(specs: "tuple[PolicySpec, ...]", ways: Ways) -> "tuple[list[Standing], dict[str, str]]":
    standings: list[Standing] = []
    failed: dict[str, str] = {}
    progress = terminal.Progress("looking at", len(specs))
    async for one in stand_all(specs, ways, progress.advance):
        if isinstance(one, Failed):
            failed[one.policy_domain] = one.told
        else:
            standings.append(one)
    progress.clear()
    return standings, failed
