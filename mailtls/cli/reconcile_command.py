"""`mailtls reconcile`: the next safe change of every domain, decided, told, and proposed where that is asked for."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailtls.cli import moment, terminal
from mailtls.cli.forge_access import ForgeAccess, forge_access, forge_options
from mailtls.cli.heartbeat import beat, region_of
from mailtls.cli.network import network, network_options
from mailtls.cli.options import format_option
from mailtls.cli.stand import Failed, Ways, looks_of, specs_of, stand_all, standing_options, store_at, whole_survey
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.render.reconcile import Run
    from mailtls.spec.model import PolicySpec


@click.command(
    epilog="Example:  mailtls reconcile --store s3://contoso-policies,contoso-reports --region eu-west-1 --pull-request"
)
@standing_options
@click.option("--pull-request", "acts", is_flag=True, help="Propose what is due; without it nothing is changed.")
@click.option("--most-open", type=click.IntRange(1, 100), default=10, show_default=True, help="Proposals open at once.")
@click.option("--most-new", type=click.IntRange(1, 100), default=5, show_default=True, help="Opened in one run.")
@forge_options
@click.option("--heartbeat", is_flag=True, help="Tell CloudWatch that the run came to its end, and its counts.")
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
    acts: bool,
    most_open: int,
    most_new: int,
    repository: str | None,
    kind: str | None,
    base: str | None,
    heartbeat: bool,
    output: str,
    **ways_out: Any,
) -> None:
    """Decide the next safe change of every domain, and tell it with its reasons.

    Looks at each domain as senders do, reads what was served and what was reported, and applies the rules of
    docs/controller.md. With --pull-request each change that is due becomes a pull request in the repository that holds
    the specs, what is obsolete is closed, and one issue shows every domain; urgent ones pass the limits. The token is
    MAILTLS_FORGE_TOKEN, GITHUB_TOKEN or GITLAB_TOKEN. Without --pull-request nothing is changed or proposed.

    \b
    Exit codes:  0 nothing to do now; with --pull-request: all that is due is proposed
                 1 a change is due, or something waits for a person
                 2 trouble, a domain could not be looked at, or a proposal not be made
    """
    from mailtls.render.reconcile import render_run

    where = store_at(store, region)
    metrics_region = region_of(region) if heartbeat else None
    ways = Ways(network(**ways_out), looks_of(smtp, authoritative), where, at)
    moment.tell(at)
    if acts:
        access = forge_access(specs, repository, kind, base)
        moment.may_act(at, access.remote.url)
        run = _act(specs, ways, access, (most_open, most_new))
    else:
        run = asyncio.run(_decide(specs_of(specs), ways))
    colour = terminal.takes_colour()
    click.echo(render_run(run, output, width=terminal.width(), colour=colour), nl=False, color=colour)
    if metrics_region and at is None:
        beat(run, metrics_region)
    ctx.exit(run.exit_code)


def _act(specs: Path, ways: Ways, access: ForgeAccess, limits: tuple[int, int]) -> "Run":
    from mailtls.cli.proposing import Acting
    from mailtls.propose.forges.forge import ForgeError
    from mailtls.propose.proposals import Limits

    acting = Acting(specs, whole_survey(specs), ways, access, Limits(*limits))
    try:
        return asyncio.run(acting.act())
    except ForgeError as e:
        raise Trouble(str(e)) from e


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
