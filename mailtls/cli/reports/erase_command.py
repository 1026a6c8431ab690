"""`mailtls reports erase`: all that the reports bucket keeps about one domain, for a customer who leaves."""

import json
from datetime import UTC, datetime

import click

from mailtls import names
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble


@click.command(epilog="Example:  mailtls reports erase contoso.example s3://contoso-reports --write")
@click.argument("domain", metavar="DOMAIN")
@click.argument("bucket", metavar="BUCKET")
@click.option("--region", help="Of the bucket. [AWS_REGION]")
@click.option(
    "--still-listed", is_flag=True, help="Even though the domain is deployed: its next reports come in again."
)
@click.option("--write", is_flag=True, help="Do it. Without this it is only counted.")
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context, /, domain: str, bucket: str, region: str | None, still_listed: bool, write: bool, output: str
) -> None:
    """Delete what is kept about DOMAIN, with all versions: stored reports, raw mails and what became of them, states of
    alerts, who reported.

    A mail that also brought reports about other domains stays until its own end, and is told. Killed half-way: run it
    again. `--format json` prints a receipt that holds nothing of the customer but the name.

    \b
    Exit codes:  0 deleted, or there is nothing
                 1 without --write: there is something
                 2 trouble
    """
    from mailtls.cli.reports.bucket_writer import writer_of
    from mailtls.cli.reports.erasure import Erasure
    from mailtls.observe.domain_lists import listed_domains
    from mailtls.observe.report_bucket import bucket_at
    from mailtls.observe.store import StoreTrouble

    try:
        name = names.domain_name(domain)
    except names.InvalidName as e:
        raise Trouble(f"{domain}: {e}; write it as in an address, contoso.com") from e
    try:
        where = bucket_at(bucket, region)
        if not still_listed and (listed := listed_domains(where).get(name)):
            raise Trouble(
                f"{name} is deployed ({listed[1]}): its next reports would come in again. Remove its spec and deploy "
                "first, or say --still-listed"
            )
        done = Erasure(where, writer_of(where), name, write)
        done.run()
    except StoreTrouble as e:
        raise Trouble(f"{e}; what was deleted before is gone: run it again when that is mended") from e
    click.echo(json.dumps(done.receipt(datetime.now(UTC)), indent=1) if output == "json" else done.told())
    ctx.exit(0 if write or not done.anything else 1)
