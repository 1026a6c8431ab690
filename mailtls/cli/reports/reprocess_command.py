"""`mailtls reports reprocess`: have mail read again that was not taken in, or was kept apart by mistake."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble
from mailtls.tls_rpt.contract import QuarantineReason

if TYPE_CHECKING:
    from mailtls.observe.report_bucket import Bucket
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
    from mailtls.observe.report_bucket import bucket_at
    from mailtls.observe.store import StoreTrouble
    from mailtls.reports.bucket_layout import disposition_key
    from mailtls.tls_rpt.contract import Prefix

    number = passed = 0
    try:
        where = bucket_at(bucket, region)
        writer = writer_of(where)
        if write:
            writer.can_announce()
        for arrival, judged in _wanted(where, reasons, mails):
            doing = judged.is_taken or also_refused or bool(mails)
            number, passed = number + doing, passed + (not doing)
            if doing and write:
                # first the disposition: killed in between, the mail is one that nothing became of, and is found again
                if arrival.became is not None:
                    writer.remove([disposition_key(arrival.mail)])
                writer.announce(f"{Prefix.RAW}{arrival.mail}")
            click.echo(_line(arrival, judged, doing, write, output))
        moved = _move(dead_letters, region, write) if dead_letters else ""
    except StoreTrouble as e:
        raise Trouble(str(e)) from e
    if output == "text":
        done = "announced again" if write else "to be announced again; --write does it"
        click.echo(f"{number} mails {done}" + (f", {passed} would be kept apart again" if passed else "") + moved)
    ctx.exit(0 if write or not number else 1)


def _wanted(where: "Bucket", reasons: tuple[str, ...], mails: tuple[str, ...]) -> "Iterator[tuple[Arrival, Judged]]":
    from mailtls.cli.reports.own_domains import own_domains
    from mailtls.observe.arrivals import MAX_BYTES
    from mailtls.reports.bucket_layout import disposition_key
    from mailtls.tls_rpt.contract import Disposition, Prefix
    from mailtls.tls_rpt.message_values import LIMITS
    from mailtls.totals.arrival import Arrival, dealt_with
    from mailtls.totals.read_again import Judged, is_wanted, judged

    own, now, found = own_domains(where), datetime.now(UTC), set()
    dispositions = None if mails else {one.key for one in where.objects(Prefix.DISPOSITIONS)}
    progress = terminal.Counter("looking at")
    for raw in where.objects(Prefix.RAW):
        progress.advance()
        arrival = Arrival(raw.key.removeprefix(Prefix.RAW), raw.modified, raw.size, None)
        if mails and arrival.mail not in mails:
            continue
        key = disposition_key(arrival.mail)
        if dispositions is None or key in dispositions:
            if not reasons and not mails:
                continue
            body = where.read(key, MAX_BYTES)
            arrival = arrival if body is None else dealt_with(arrival, body)
        if not is_wanted(arrival, [QuarantineReason(reason) for reason in reasons], mails, now):
            continue
        found.add(arrival.mail)
        if raw.size > LIMITS.max_mail_bytes:
            yield arrival, Judged(QuarantineReason.TOO_LARGE, f"{raw.size:,} bytes, not read")
            continue
        mail = where.read(raw.key, LIMITS.max_mail_bytes)
        if mail is not None and arrival.became is not Disposition.SETUP:
            yield arrival, judged(mail, own)
    progress.clear()
    if missing := [mail for mail in mails if mail not in found]:
        raise Trouble(f"--mail {missing[0]}: {where.name}/{Prefix.RAW}{missing[0]} is not there")


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
                "announced": doing and write,
                "wanted": doing,
            }
        )
    was = str(arrival.became or "nothing became of it")
    today = f"now {judged.reason}" if judged.reason else "now stored"
    return plain(f"{arrival.at:%Y-%m-%d %H:%MZ}  {arrival.mail[:40]:40}  {was}, {today}: {judged.told[:100]}")
