"""`mailtls reports replay`: mails into a sandbox once more, and what becomes of each."""

import hashlib
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.observe.report_bucket import Object, S3Bucket
    from mailtls.totals.arrival import Arrival

BETWEEN_LOOKS = 1
"""Seconds."""
MOST = 10_000
"""Mails of one call."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command(epilog="Example:  mailtls reports replay --into s3://reports-store-bucket-1a2b3c4 copy/raw")
@click.argument("places", nargs=-1, required=True, metavar="PLACE...")
@click.option("--into", "bucket", required=True, metavar="BUCKET", help="The sandbox's s3://REPORTS-BUCKET.")
@click.option("--region", help="Of the bucket. [AWS_REGION]")
@click.option(
    "--wait", type=click.IntRange(0, 3600), default=60, show_default=True, help="Seconds to wait for the last one."
)
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context, /, places: tuple[str, ...], bucket: str, region: str | None, wait: int, output: str
) -> None:
    """Store mails in a sandbox's reports bucket as if they came in now, and tell what its function makes of each.

    PLACE: a raw mail, a mailbox (mbox, maildir), or a folder with all below it, such as a copy of `raw/`. The mail is
    stored as it is, with the headers that SES put on top, so it is believed or not as it was. A report without a mail
    (JSON, gzip) counts as one that came by HTTPS POST: unproven. Each has a new id; a report that is there already
    becomes a `duplicate`. For a sandbox alone: AWS_ENDPOINT_URL has to lead to this
    machine. To have mail read again where it came in, see `mailtls reports reprocess`.

    \b
    Exit codes:  0 all were dealt with
                 1 something was not read, or was not dealt with in time
                 2 trouble
    """
    from mailtls.observe.report_sources import check_places
    from mailtls.observe.store import StoreTrouble
    from mailtls.render.arrivals import arrival_lines

    try:
        check_places(places)
        where = _sandbox(bucket, region)
        sent, refused = _send(where, places)
        dealt_with = 0
        for arrival in _became(where, sent, time.monotonic() + wait):
            dealt_with += arrival.became is not None
            click.echo(arrival_lines(arrival, output), nl=False)
    except StoreTrouble as e:
        raise Trouble(str(e)) from e
    if dealt_with < len(sent):
        click.echo(f"mailtls: {len(sent) - dealt_with} of {len(sent)} mails are not dealt with yet", err=True)
    ctx.exit(1 if refused or dealt_with < len(sent) else 0)


def _sandbox(place: str, region: str | None) -> "S3Bucket":
    """Raises Trouble, StoreTrouble. Into a real bucket its numbers would count twice, and people would be told."""
    from urllib.parse import urlsplit

    from mailtls.observe.report_bucket import S3Bucket, bucket_at

    found = bucket_at(place, region) if place.startswith("s3://") else None
    if not isinstance(found, S3Bucket):
        raise Trouble(f"--into {place}: write s3://REPORTS-BUCKET of a sandbox")
    endpoint = str(found.client.meta.endpoint_url)
    if urlsplit(endpoint).hostname not in LOOPBACK:
        raise Trouble(
            f"--into {place}: leads to {endpoint}, not to this machine: mails are replayed into a sandbox only. "
            "Set AWS_ENDPOINT_URL to the sandbox's"
        )
    return found


def _send(where: "S3Bucket", places: tuple[str, ...]) -> tuple[list[str], int]:
    """Ids of the mails that were stored, and how many files were none. Raises StoreTrouble, Trouble."""
    from mailtls.cli.reports.bucket_writer import S3Writer
    from mailtls.cli.reports.reading import tell_refused
    from mailtls.observe.mail_files import mail_files
    from mailtls.tls_rpt.contract import POSTED_MAIL, Prefix

    writer, sent, refused = S3Writer(where), list[str](), 0
    for mail in mail_files(places):
        if mail.data is None:
            refused += 1
            tell_refused(mail.place, None, mail.told)
            continue
        if len(sent) == MOST:
            raise Trouble(f"over {MOST:,} mails; name fewer files. Those before {mail.place} were stored")
        begins = POSTED_MAIL if mail.bare else ""
        sent.append(f"{begins}replay-{hashlib.sha256(mail.data).hexdigest()[:16]}-{uuid.uuid4().hex[:8]}")
        writer.put(f"{Prefix.RAW}{sent[-1]}", mail.data)
        click.echo(f"mailtls: {mail.place} is {sent[-1]}", err=True)
    return sent, refused


def _became(where: "S3Bucket", sent: list[str], end: float) -> "Iterator[Arrival]":
    """Each mail once: when it is dealt with, or at the `end` of the monotonic clock. Raises StoreTrouble."""
    from mailtls.observe.arrivals import arrival_of
    from mailtls.observe.store import StoreTrouble
    from mailtls.tls_rpt.contract import Prefix

    waiting = [(mail, next(where.objects(f"{Prefix.RAW}{mail}"), None)) for mail in sent]
    while waiting:
        over = time.monotonic() >= end
        left: list[tuple[str, Object | None]] = []
        for mail, raw in waiting:
            if raw is None:
                raise StoreTrouble(f"{where.name}/{Prefix.RAW}{mail} is gone again")
            arrival = arrival_of(where, raw)
            if arrival.became is not None or over:
                yield arrival
            else:
                left.append((mail, raw))
        waiting = left
        if waiting:
            time.sleep(BETWEEN_LOOKS)
