"""`mailtls reconcile`: the next safe change of every domain, decided and told."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailtls.cli import moment, terminal
from mailtls.cli.network import network, network_options
from mailtls.cli.options import format_option
from mailtls.cli.stand import Failed, Ways, looks_of, specs_of, stand_all, standing_options, store_at

if TYPE_CHECKING:
    from mailtls.render.reconcile import Run
    from mailtls.spec.model import PolicySpec


@click.command(epilog="Example:  mailtls reconcile --store s3://contoso-policies,contoso-reports --region eu-west-1")
@standing_options
@format_option("text", "json", "markdown")
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    specs: Path,
    store: str | None,
    region: str | None,
    smtp: bool,
    authoritative: bool,
    at: datetime | None,
    output: str,
    **ways_out: Any,
) -> None:
    """Decide the next safe change of every domain, and tell it with its reasons.

    Looks at each domain as senders do, reads what was served and what was reported, and applies the rules of
    docs/controller.md. Changes nothing and proposes nothing: what is due is yours to commit.

    \b
    Exit codes:  0 nothing to do now
                 1 a change is due, or something waits for a person
                 2 trouble, or a domain could not be looked at
    """
    from mailtls.render.reconcile import render_run

    found = specs_of(specs)
    where = store_at(store, region)
    ways = Ways(network(**ways_out), looks_of(smtp, authoritative), where, at)
    moment.tell(at)
    run = asyncio.run(_decide(found, ways))
    colour = terminal.takes_colour()
    click.echo(render_run(run, output, width=terminal.width(), colour=colour), nl=False, color=colour)
    ctx.exit(2 if run.failed else 0 if run.is_quiet else 1)


async def _decide(specs: "tuple[PolicySpec, ...]", ways: Ways) -> "Run":
    from mailtls.render.reconcile import Run

    run = Run(ways.store is not None)
    progress = terminal.Progress("deciding", len(specs))
    async for one in stand_all(specs, ways, progress.advance):
        if isinstance(one, Failed):
            run.failed[one.policy_domain] = one.told
        else:
            run.add(one)
    progress.clear()
    return run
