"""`mailtls reports show`: one report whole, or one cause from first to last sight."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mailtls.cli.options import format_option
from mailtls.cli.reports.places import opened, places_of
from mailtls.cli.reports.reading import Reader, tell_refused
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.reports.alert_state import AlertState
    from mailtls.totals.cause_seen import CauseSeen

_CAUSE = re.compile(r"[0-9a-f]{12}")


@click.command(epilog="Example:  mailtls reports show 7f3a2c19d0e4 --store s3://contoso-policies,contoso-reports")
@click.argument("what", metavar="ID|CAUSE")
@click.argument("places", nargs=-1, metavar="[PLACE]...")
@click.option("--store", metavar="PLACE", help="The stored reports: a copy of the bucket, or s3://POLICIES,REPORTS.")
@click.option("--region", help="Of a bucket. [AWS_REGION]")
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    what: str,
    places: tuple[str, ...],
    store: str | None,
    region: str | None,
    output: str,
) -> None:
    """Show one report with everything in it, or a cause of failures from its first to its last sight.

    ID: the report's own report-id, or the 32 digits of its key in the ledger. CAUSE: the 12 digits that an alert ends
    with. PLACE: as for `mailtls reports parse`; all of it is read. With --store also causes are found that need more
    than a report: what was deployed, what an alert remembers, and a fault that several domains share.

    \b
    Exit codes:  0 shown
                 1 nothing read is what was asked for, or something was refused; standard error says so
                 2 trouble
    """
    from mailtls.render.shown_report import render_cause, render_report
    from mailtls.totals.once import Once, identity_of

    reader, once, shown = Reader(), Once(), 0
    causes = _causes(what, store, region) if _CAUSE.fullmatch(what) else []
    for source, entry in reader.entries(places_of(places, store), region, tell_refused):
        if not once.is_new(entry):
            continue
        if what in (entry.report.report_id, identity_of(entry)):
            click.echo(render_report(entry, source, output), nl=False)
            shown += 1
        for seen, _ in causes:
            seen.add(entry)
    for seen, state in causes:
        if seen.cause is None and state is not None:
            seen.recall(state)
        if seen.days:
            click.echo(render_cause(seen, output), nl=False)
            shown += 1
    if not shown:
        click.echo(f"mailtls: no report and no cause of failures is {what!r} in what was read", err=True)
    ctx.exit(max(reader.close(), 0 if shown else 1))


def _causes(what: str, store: str | None, region: str | None) -> "list[tuple[CauseSeen, AlertState | None]]":
    """What to look for, each with the state of its alert: one cause, or those of all domains that share a fault. Raises
    Trouble."""
    from mailtls.totals.cause_seen import CauseSeen

    if store is None:
        return [(CauseSeen(what), None)]
    from mailtls.cli.reports.known_domains import KnownDomains
    from mailtls.observe.alert_memory import remembered
    from mailtls.observe.store import StoreTrouble

    policies, bucket = opened(store, region)
    try:
        known = KnownDomains(bucket, policies, datetime.now(UTC))
        states = remembered(bucket, what)
    except StoreTrouble as e:
        raise Trouble(f"--store: {e}") from e
    return [(CauseSeen(state.cause.id, known.ever), state) for state in states] or [(CauseSeen(what, known.ever), None)]
