"""`mailtls reports dashboard`: the stored reports as a static site."""

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailtls.cli import terminal
from mailtls.cli.days import DAY, past_days
from mailtls.cli.network import network, network_options
from mailtls.cli.stand import Ways, looks_of, specs_of, store_at
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.cli.reports.site_publisher import Shelf
    from mailtls.dashboard.build import Built
    from mailtls.dashboard.domain_view import NameHosts
    from mailtls.dashboard.page import Site
    from mailtls.dashboard.views import NextStep
    from mailtls.observe.store import Store
    from mailtls.spec.model import PolicySpec

DAYS = 90
MAX_DAYS = 400


@click.command(
    epilog="Example:  mailtls reports dashboard build/dashboard --store s3://contoso-policies,contoso-reports"
)
@click.argument("out", type=click.Path(path_type=Path), metavar="OUT")
@click.option(
    "--store", metavar="PLACE", required=True, help="What was reported and served: a folder, or s3://POLICIES,REPORTS."
)
@click.option("--region", help="Of both buckets. [AWS_REGION]")
@click.option("--from", "first", type=DAY, help=f"First day, UTC. [{DAYS} days before the last]")
@click.option("--to", "last", type=DAY, help="Last day, UTC. [today]")
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    help="Also these domains, their owners, and the next step of each, as `mailtls status` tells it.",
)
@click.option("--resolve", is_flag=True, help="Ask DNS for the names of sending addresses.")
@click.option(
    "--publish", metavar="PLACE", help="Also put it into a private bucket: s3://BUCKET/PREFIX/, with one zip of all."
)
@network_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    out: Path,
    store: str,
    region: str | None,
    first: datetime | None,
    last: datetime | None,
    specs: Path | None,
    resolve: bool,
    publish: str | None,
    **ways_out: Any,
) -> None:
    """Write the stored reports as a static site into the folder OUT.

    Open OUT/index.html in a browser, or copy the folder to any web server. The pages have no script and ask for
    nothing from elsewhere. A dashboard that is in OUT already is replaced as a whole; a folder that holds anything else
    is refused. docs/dashboard.md says what the numbers mean, and how to serve them to few people only.

    Nothing but the store is read, unless asked for: with --specs every domain is looked at as senders do, with
    --resolve reverse DNS tells whose the addresses are that failed sessions came from.

    \b
    Exit codes:  0 written
                 1 written, and some reports or domains could not be read: OUT and standard error say which
                 2 trouble; OUT is as it was, or it could not be published, or not as a whole
    """
    from mailtls.dashboard.page import Site
    from mailtls.dashboard.site_folder import NotOurs, check_ours
    from mailtls.observe.store import StoreTrouble

    now = datetime.now(UTC)
    until = last.date() if last else now.date()
    since = first.date() if first else until - timedelta(days=DAYS - 1)
    period = past_days(since, until, now.date(), MAX_DAYS, f"a dashboard has {MAX_DAYS} at most")
    where = _store(store, region)
    try:
        shelf = _shelf(publish, region)
        check_ours(out)
        wanted = specs_of(specs) if specs is not None else ()
        steps = _next_steps(wanted, where, ways_out) if wanted else {}
        with _naming(ways_out if resolve else None) as name_hosts:
            built = _build(out, Site(now, period, store), where, wanted, steps, name_hosts)
        published = shelf.publish(out) if shelf is not None else None
    except (NotOurs, StoreTrouble) as e:
        raise Trouble(str(e)) from e
    click.echo(
        f"{out / 'index.html'}: {built.domains:,} domains, {built.reports:,} reports of {period.first} to "
        f"{period.last}, {built.open_causes:,} open causes"
    )
    if published is not None:
        click.echo(
            f"{publish}: {published.put:,} files put, {published.same:,} were the same, {published.removed:,} removed"
        )
    for told in built.left_out[:20]:
        click.echo(f"mailtls: {told}", err=True)
    if len(built.left_out) > 20:
        click.echo(f"mailtls: and {len(built.left_out) - 20:,} more", err=True)
    ctx.exit(1 if built.left_out else 0)


def _shelf(place: str | None, region: str | None) -> "Shelf | None":
    """Asked before anything is written: what lies there may be somebody else's. Raises Trouble, StoreTrouble."""
    if place is None:
        return None
    from mailtls.cli.reports.site_publisher import Shelf

    shelf = Shelf.at(place, region)
    shelf.listed()
    return shelf


def _store(place: str, region: str | None) -> "Store":
    """As `--store` of other commands, but a folder needs no policies in it. Raises Trouble."""
    from mailtls.observe.store import FolderStore

    if not place.startswith("s3://"):
        folder = Path(place)
        if not (folder / "reports").is_dir():
            raise Trouble(f"--store {place}: no folder with a folder `reports` in it; copy the reports bucket there")
        return FolderStore(folder)
    found = store_at(place, region)
    if found is None:
        raise Trouble(f"--store {place}: nothing is read there")
    return found


def _next_steps(specs: "tuple[PolicySpec, ...]", store: "Store", ways_out: dict[str, Any]) -> "dict[str, NextStep]":
    from mailtls.cli.reports.next_steps import next_steps

    ways = Ways(network(**ways_out), looks_of(smtp=False, authoritative=False), store)
    progress = terminal.Progress("looking at", len(specs))
    found = asyncio.run(next_steps(specs, ways, progress.advance))
    progress.clear()
    return found


@contextlib.contextmanager
def _naming(ways_out: dict[str, Any] | None) -> "Iterator[NameHosts]":
    """Asks the resolver that the options name; None: nobody is asked. All questions run in one loop, whose limits hold
    for all of them, and what was learned about one domain holds for the next."""
    if ways_out is None:
        yield lambda _: {}
        return
    from mailtls.observe.sending_hosts import SendingHosts

    hosts = SendingHosts(network(**ways_out).recursive)
    with asyncio.Runner() as runner:
        yield lambda addresses: runner.run(hosts.names_of(addresses)) if addresses else {}


def _build(
    out: Path,
    site: "Site",
    store: "Store",
    specs: "tuple[PolicySpec, ...]",
    steps: "dict[str, NextStep]",
    name_hosts: "NameHosts",
) -> "Built":
    from mailtls.cli.reports.domain_reports import DomainReader, names_in
    from mailtls.dashboard.build import build
    from mailtls.dashboard.site_folder import SiteFolder

    found, refused = names_in(store)
    wanted = sorted({*found, *(spec.policy_domain for spec in specs)})
    progress = terminal.Progress("writing", len(wanted))
    with SiteFolder.at(out) as folder:
        reader = DomainReader(store, site.period, site.built, specs, steps)
        built = build(folder, site, reader.read_all(wanted), progress.advance, name_hosts)
    progress.clear()
    built.left_out[:0] = [f"reports/{name[:80]!r} is no domain's name, and was left out" for name in refused]
    return built
