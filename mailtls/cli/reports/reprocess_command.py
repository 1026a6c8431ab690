"""`mailtls reports reprocess`: have mail read again that was not taken in, or was kept apart by mistake."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.days import DAY, days_of
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble
from mailtls.tls_rpt.contract import QuarantineReason

if TYPE_CHECKING:
    from mailtls.totals.arrival import Arrival
    from mailtls.totals.read_again import Judged


@click.command(epilog="Example:  mailtls reports reprocess s3://contoso-reports --reason unreadable --write")
@click.argument("bucket", metavar="BUCKET")
@click.option("--region", help="Of the bucket. [AWS_REGION]")
@click.option("--reason", "reasons", multiple=True, type=click.Choice([reason.value for reason in QuarantineReason]),
              help="Also what was kept apart for it, where today's reader would take it. Can be repeated.")  # fmt: skip
@click.option(
    "--mail", "mails", multiple=True, metavar="ID", help="Only this mail, whatever became of it. Can be repeated."
)
@click.option("--domain", help="Only mail with a report about it, as today's reader finds.")
@click.option("--from", "first", type=DAY, help="Only mail that came on this day, UTC, or later.")
@click.option("--to", "last", type=DAY, help="Only mail that came on this day, UTC, or earlier.")
@click.option("--all", "also_refused", is_flag=True, help="Also what today's reader would keep apart again.")
@click.option("--dead-letters", metavar="ARN", help="Also move this queue's dead letters back.")
@click.option("--write", is_flag=True, help="Do it. Without this it is only told.")
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    bucket: str,
    region: str | None,
    reasons: tuple[str, ...],
    mails: tuple[str, ...],
    domain: str | None,
    first: datetime | None,
    last: datetime | None,
    also_refused: bool,
    dead_letters: str | None,
    write: bool,
    output: str,
) -> None:
    """Have raw mail read again: what nothing became of for two hours, and with --reason what was kept apart.

    BUCKET: s3://REPORTS-BUCKET; a folder with a copy of it shows what would be done. Mend and deploy the cause first:
    the deployed function reads the mail, from the queue, with its own rights. A report that is in the ledger stays as
    it is and counts once. Killed half-way, nothing is lost: run it again.

    \b
    Exit codes:  0 nothing is left to do, or all of it was done
                 1 without --write: there is something to do
                 2 trouble
    """
    from mailtls.cli.reports.bucket_writer import writer_of
    from mailtls.cli.reports.own_domains import own_domains
    from mailtls.observe.mail_again import wanted_mails
    from mailtls.observe.report_bucket import bucket_at
    from mailtls.observe.store import StoreTrouble
    from mailtls.reports.bucket_layout import disposition_key
    from mailtls.tls_rpt.contract import Prefix
    from mailtls.totals.read_again import Wanted

    of_reasons = frozenset(map(QuarantineReason, reasons))
    wanted = Wanted(of_reasons, frozenset(mails), days_of(first, last), _name(domain))
    number = passed = 0
    progress = terminal.Counter("looking at")
    try:
        where = bucket_at(bucket, region)
        writer = writer_of(where)
        if write:
            writer.can_announce()
        for arrival, judged in wanted_mails(where, wanted, own_domains(where), datetime.now(UTC), progress.advance):
            doing = judged.is_taken or also_refused or bool(mails)
            number, passed = number + doing, passed + (not doing)
            if doing and write:
                # first the disposition: killed in between, the mail is one that nothing became of, and is found again
                if arrival.became is not None:
                    writer.remove([disposition_key(arrival.mail)])
                writer.announce(f"{Prefix.RAW}{arrival.mail}")
            progress.clear()
            click.echo(_line(arrival, judged, doing, write, output))
        moved = _move(dead_letters, region, write) if dead_letters else ""
    except StoreTrouble as e:
        raise Trouble(str(e)) from e
    progress.clear()
    if output == "text":
        done = "announced again" if write else "to be announced again; --write does it"
        click.echo(
            f"{number} mail{'s' * (number != 1)} {done}"
            + (f", {passed} would be kept apart again" if passed else "")
            + moved
        )
    ctx.exit(0 if write or not (number or dead_letters) else 1)


def _name(domain: str | None) -> str:
    """Raises Trouble."""
    from mailtls import names

    try:
        return names.domain_name(domain) if domain else ""
    except names.InvalidName as e:
        raise Trouble(f"--domain {domain}: {e}; write it as in an address, contoso.com") from e


def _move(arn: str, region: str | None, write: bool) -> str:
    """Dead letters back to where they came from. Raises StoreTrouble."""
    from mailtls.observe.report_bucket import trouble_of
    from mailtls.observe.store import StoreTrouble

    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "sqs":
        raise StoreTrouble(f"--dead-letters {arn[:100]}: no ARN of a queue, arn:aws:sqs:REGION:ACCOUNT:NAME")
    if not write:
        return f"; dead letters of {parts[5]} to be moved back"
    import boto3

    with trouble_of(f"sqs:StartMessageMoveTask on {parts[5]}"):
        boto3.client("sqs", region_name=region or parts[3]).start_message_move_task(SourceArn=arn)
    return f"; dead letters of {parts[5]} are moving back"


def _line(arrival: "Arrival", judged: "Judged", doing: bool, write: bool, output: str) -> str:
    from mailtls.render.foreign_text import plain

    if output == "json":
        return json.dumps(
            {
                "mail": arrival.mail,
                "at": arrival.at.isoformat(),
                "was": arrival.became,
                "told": arrival.told,
                "today": judged.reason or "stored",
                "today_told": judged.told,
                "policy_domains": list(judged.policy_domains),
                "announced": doing and write,
                "wanted": doing,
            }
        )
    was = str(arrival.became or "nothing became of it")
    today = f"now {judged.reason}" if judged.reason else "now stored"
    return plain(f"{arrival.at:%Y-%m-%d %H:%MZ}  {arrival.mail[:40]:40}  {was}, {today}: {judged.told[:100]}")
