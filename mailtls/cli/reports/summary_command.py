"""`mailtls reports summary`: what reports count, by one dimension."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from mailtls.cli.days import DAY, days_of
from mailtls.cli.options import format_option
from mailtls.cli.reports.places import places_of
from mailtls.cli.reports.reading import Reader, tell_refused
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.tls_rpt.ledger import LedgerEntry
    from mailtls.totals.period import Period
    from mailtls.totals.summary import Summary

_BY = ("domain", "day", "result-type", "mx", "reporter", "sending-host")


@click.command(epilog="Example:  mailtls reports summary --by mx --store s3://contoso-policies,contoso-reports")
@click.argument("places", nargs=-1, metavar="[PLACE]...")
@click.option(
    "--store",
    metavar="PLACE",
    help="The stored reports: a folder with a folder reports in it, or s3://POLICIES,REPORTS.",
)
@click.option("--region", help="Of a bucket. [AWS_REGION]")
@click.option("--by", type=click.Choice(_BY), default="domain", show_default=True, help="What to add up by.")
@click.option("--from", "first", type=DAY, help="First day, UTC.")
@click.option("--to", "last", type=DAY, help="Last day, UTC.")
@click.option("--unproven", is_flag=True, help="Of --store also reports by HTTPS POST, which anybody may have written.")
@click.option("--compare", is_flag=True, help="With as many days right before --from.")
@format_option("text", "json", "csv")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    places: tuple[str, ...],
    store: str | None,
    region: str | None,
    by: str,
    first: datetime | None,
    last: datetime | None,
    unproven: bool,
    compare: bool,
    output: str,
) -> None:
    """Add up the sessions of reports by one dimension, and the failed share of each group.

    PLACE: as for `mailtls reports parse`. A report that comes twice counts once. A success is counted by domain, day
    and reporter; an MX, a result type and a sending host are named in failures only, and their share is that of all
    sessions. A day without reports is not listed. Of --store a day with more than 200 reports of one domain, or 8 MiB,
    is left out and told, as the controller does: whoever signs reports chooses how many there are.

    \b
    Exit codes:  0 all was read
                 1 something was refused or left out; standard error says where and why
                 2 trouble
    """
    from mailtls.render.report_summary import render_summary
    from mailtls.totals.counting import Dimension
    from mailtls.totals.once import Once
    from mailtls.totals.summary import Summary

    period = _period(first, last, compare, by, output)
    summary = Summary(Dimension(by), period)
    before = Summary(Dimension(by), period.before()) if compare else None
    reader, once = Reader(unproven), Once()
    for _, entry in _entries(reader, places, store, region, before.period.first if before else period.first, period):
        if once.is_new(entry):
            _add(summary, before, entry)
    click.echo(render_summary(summary, before, output), nl=False)
    ctx.exit(reader.close())


def _entries(
    reader: Reader,
    places: tuple[str, ...],
    store: str | None,
    region: str | None,
    first: date,
    period: "Period",
) -> "Iterator[tuple[str, LedgerEntry]]":
    """Of the places, then of the store: there only the days that count are read. Raises Trouble."""
    if store is None:
        yield from reader.entries(places_of(places, None), region, tell_refused)
        return
    if places:
        yield from reader.entries(places, region, tell_refused)
    yield from reader.stored(store, region, first, period.last)


def _add(summary: "Summary", before: "Summary | None", entry: "LedgerEntry") -> None:
    summary.add(entry)
    if before is not None:
        before.add(entry)


def _period(first: datetime | None, last: datetime | None, compare: bool, by: str, output: str) -> "Period":
    """Raises Trouble."""
    if compare and (first is None or by == "day" or output == "csv"):
        raise Trouble(
            "--compare holds two periods of equal length against each other: name --from, "
            "and neither --by day nor --format csv"
        )
    if compare and last is None:
        last = datetime.now(UTC)
    period = days_of(first, last)
    if compare:
        try:
            period.before()
        except OverflowError as e:
            raise Trouble(f"--from and --to: {e}") from e
    return period
