"""`mailtls reports tail`: the last mails, and what became of them."""

import click

from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble


@click.command(epilog="Example:  mailtls reports tail s3://contoso-reports")
@click.argument("bucket", metavar="BUCKET")
@click.option("--region", help="Of the bucket. [AWS_REGION]")
@click.option(
    "-n", "number", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many of the last mails."
)
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, /, bucket: str, region: str | None, number: int, output: str) -> None:
    """Tell what came in last and what became of it, oldest first: who has just sent a test mail sees it here.

    BUCKET: s3://REPORTS-BUCKET, or a folder with a copy of it. A mail is `stored` (its reports are in the ledger), a
    `duplicate`, `quarantined` with the reason, `setup` (a test object of SES), or `waiting`: in the queue, or among the
    dead letters. docs/mail-not-taken-in.md is about those. Changes nothing.

    \b
    Exit codes:  0 told
                 2 trouble
    """
    from mailtls.observe.arrivals import last_arrivals
    from mailtls.observe.report_bucket import bucket_at
    from mailtls.observe.store import StoreTrouble
    from mailtls.render.arrivals import arrival_lines

    found = 0
    try:
        for arrival in last_arrivals(bucket_at(bucket, region), number):
            found += 1
            click.echo(arrival_lines(arrival, output), nl=False)
    except StoreTrouble as e:
        raise Trouble(str(e)) from e
    if not found:
        click.echo(f"mailtls: no mail has come in: {bucket} has nothing under raw/", err=True)
    ctx.exit(0)
