"""`mailtls reports tail`: the last mails, and what became of them."""

import time
from typing import TYPE_CHECKING

import click

from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.observe.arrivals import Follower

INTERRUPTED = 130
"""The exit code that shells know for Ctrl-C."""
REST = 10
"""A look that took one second is followed by so many seconds of rest: a large bucket is listed page by page."""


@click.command(epilog="Example:  mailtls reports tail --follow s3://contoso-reports")
@click.argument("bucket", metavar="BUCKET")
@click.option("--region", help="Of the bucket. [AWS_REGION]")
@click.option(
    "-n", "number", type=click.IntRange(0, 10_000), default=20, show_default=True, help="How many of the last mails."
)
@click.option("-f", "--follow", is_flag=True, help="Go on telling, until Ctrl-C or --minutes.")
@click.option("--every", type=click.IntRange(1, 300), default=5, show_default=True, help="Seconds between two looks.")
@click.option(
    "--minutes", type=click.IntRange(1, 1440), default=60, show_default=True, help="How long --follow goes on at most."
)
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    bucket: str,
    region: str | None,
    number: int,
    follow: bool,
    every: int,
    minutes: int,
    output: str,
) -> None:
    """Tell what came in last and what became of it, oldest first: who has just sent a test mail sees it here.

    BUCKET: s3://REPORTS-BUCKET, or a folder with a copy of it. A mail is `stored` (its reports are in the ledger), a
    `duplicate`, `quarantined` with the reason, `setup` (a test object of SES), or `waiting`: in the queue, or among the
    dead letters. docs/mail-not-taken-in.md is about those. With --follow a mail has a line when it comes in, and one
    more when it was waiting and is dealt with. Changes nothing.

    \b
    Exit codes:  0 told
                 2 trouble
                 130 --follow was ended by Ctrl-C
    """
    from mailtls.observe.arrivals import Follower
    from mailtls.observe.report_bucket import bucket_at
    from mailtls.observe.store import StoreTrouble

    try:
        follower = Follower(bucket_at(bucket, region), number)
        if not _tell(follower, output) and number:
            click.echo(f"mailtls: no mail has come in: {bucket} has nothing under raw/", err=True)
        if follow:
            _follow(follower, output, every, time.monotonic() + minutes * 60)
            click.echo(f"mailtls: {minutes} minutes are over; --minutes follows longer", err=True)
    except StoreTrouble as e:
        raise Trouble(str(e)) from e
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    ctx.exit(0)


def _follow(follower: "Follower", output: str, every: float, end: float) -> None:
    """Until `end`, of the monotonic clock. Raises StoreTrouble."""
    took = 0.0
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, max(every, took * REST)))
        began = time.monotonic()
        _tell(follower, output)
        took = time.monotonic() - began


def _tell(follower: "Follower", output: str) -> int:
    """How many lines were told."""
    from mailtls.render.arrivals import arrival_lines

    number = 0
    for arrival in follower.look():
        click.echo(arrival_lines(arrival, output), nl=False)
        number += 1
    return number
