"""`mailtls reports parse`: what is in mails and files with reports."""

from pathlib import Path

import click

from mailtls.cli.options import format_option
from mailtls.cli.reports.reading import Reader, tell_refused


@click.command(epilog="Example:  mailtls reports parse --format csv Maildir/tlsrpt report.json.gz > reports.csv")
@click.argument("places", nargs=-1, required=True, metavar="PLACE...")
@click.option("--region", help="Of a bucket. [AWS_REGION]")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Print nothing; store them in this folder as the pipeline does.",
)
@format_option("text", "json", "csv")
@click.pass_context
def command(ctx: click.Context, /, places: tuple[str, ...], region: str | None, into: Path | None, output: str) -> None:
    """Read reports and print them; needs no settings and no AWS, unless a bucket is named.

    PLACE: a mail, a gzip, zip or JSON file, a mailbox (mbox, maildir), a folder with all below it, `-` for standard
    input, or s3://BUCKET/PREFIX. Files are known by what is in them, never by their names.

    json: a line for each report and domain, and one for each refusal. csv: lines `policy` hold the sessions of a
    policy, lines `failure` those that failed in one way; cells that a spreadsheet would take for a formula begin with
    an apostrophe. Signatures are not checked: anybody can write a report about any domain.

    The folder of --into grows with each run, a report that comes again is there once, and `mailtls reports dashboard`,
    `summary` and `show` take it as their --store.

    \b
    Exit codes:  0 all was read
                 1 something was refused; standard error says where and why
                 2 trouble
    """
    from mailtls.render.reports import entry_lines, head, refused_json

    def tell(place: str, line: int | None, reason: str) -> None:
        if output == "json":
            click.echo(refused_json(place, line, reason), nl=False)
        tell_refused(place, line, reason)

    if into is not None:
        ctx.exit(_store(places, region, into))
    reader, begun = Reader(), False
    for source, entry in reader.entries(places, region, tell):
        if not begun:  # a place that is not there leaves no table without rows behind
            click.echo(head(output), nl=False)
            begun = True
        click.echo(entry_lines(entry, source, output), nl=False)
    ctx.exit(reader.close())


def _store(places: tuple[str, ...], region: str | None, into: Path) -> int:
    """The exit code. Raises Trouble."""
    from mailtls.cli.reports.ledger_folder import LedgerFolder

    folder, reader = LedgerFolder(into), Reader()
    for source, entry in reader.entries(places, region, tell_refused):
        if not folder.written:
            folder.begin()
        if reason := folder.add(entry):
            reader.refused += 1
            tell_refused(source, None, reason)
    if reader.reports:
        click.echo(folder.told())
    return reader.close()
