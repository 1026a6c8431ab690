"""`mailtls reports digest`: the week of each owner's domains in plain words."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.days import DAY
from mailtls.cli.options import format_option
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.observe.report_bucket import Bucket
    from mailtls.reports.digest import Digest, Line, Weeks
    from mailtls.tls_rpt.contract import OwnDomain

MAX_BYTES = 8 << 20


@click.command(epilog="Example:  mailtls reports digest s3://contoso-reports --owner mail-team")
@click.argument("bucket", metavar="BUCKET")
@click.option("--region", help="Of the bucket. [AWS_REGION]")
@click.option("--to", "last", type=DAY, help="Last day of the week, UTC. [two days ago]")
@click.option("--owner", help="Only this owner's domains.")
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context, /, bucket: str, region: str | None, last: datetime | None, owner: str | None, output: str
) -> None:
    """Tell each owner of the week: what needs a look, what fell silent, what is well. "Nothing to do" is told too.

    BUCKET: s3://REPORTS-BUCKET, or a folder with a copy of it. Owners and modes are those that are deployed. The
    setting `mailtls:digest` has the same sent each week to the alerts' topic. Changes nothing.

    \b
    Exit codes:  0 nothing to do
                 1 a domain needs a look
                 2 trouble
    """
    from mailtls.observe.report_bucket import bucket_at
    from mailtls.observe.store import StoreTrouble
    from mailtls.reports.digest import Digest, Weeks

    today = datetime.now(UTC).date()
    day = last.date() if last else today - timedelta(days=2)
    if day > today:
        raise Trouble(f"--to {day}: that day is still to come")
    weeks = Weeks(day)
    try:
        where = bucket_at(bucket, region)
        by_owner = _owners(where, owner)
        progress = terminal.Progress("reading", sum(map(len, by_owner.values())))
        found = []
        for name, owned in sorted(by_owner.items()):
            lines = []
            for own in owned:
                lines.append(_line(where, weeks, own))
                progress.advance()
            found.append(Digest.of(name, weeks, lines))
        progress.clear()
    except StoreTrouble as e:
        raise Trouble(str(e)) from e
    click.echo("\n".join(map(_json if output == "json" else _text, found)), nl=output == "json")
    ctx.exit(1 if any(digest.failing or digest.silent for digest in found) else 0)


def _owners(where: "Bucket", wanted: str | None) -> "dict[str, list[OwnDomain]]":
    from mailtls.cli.reports.own_domains import own_domains

    found: dict[str, list[OwnDomain]] = {}
    for own in own_domains(where).values():
        if wanted is None or own.owner == wanted:
            found.setdefault(own.owner or "", []).append(own)
    if not found:
        raise Trouble(f"--owner {wanted}: no deployed domain is theirs; owners stand in the specs")
    return found


def _line(where: "Bucket", weeks: "Weeks", own: "OwnDomain") -> "Line":
    from mailtls.reports.bucket_layout import ledger_day
    from mailtls.reports.digest import DAYS, Line
    from mailtls.tls_rpt.ledger import InvalidLedgerEntry, LedgerEntry

    line = Line(own.policy_domain, own.mode or "")
    for number in range(2 * DAYS):
        for one in where.objects(ledger_day(own.policy_domain, weeks.earliest + timedelta(days=number))):
            body = where.read(one.key, MAX_BYTES) if one.size <= MAX_BYTES else b""
            if body is None:  # deleted since it was listed
                continue
            try:
                line.add(LedgerEntry.parse(body), weeks, own)
            except InvalidLedgerEntry:
                line.whole = False
    return line


def _text(digest: "Digest") -> str:
    return digest.text()


def _json(digest: "Digest") -> str:
    """A line: `{"owner", "first", "last", "headline", "text", "domains": [...]}`, see reports_digest.v1.schema.json."""
    domains = []
    for line in digest.lines:
        needs = "look" if line in digest.failing else "silent" if line in digest.silent else ""
        weeks = {
            name: {"reports": week.reports, "successful_sessions": week.successful, "failed_sessions": week.failed}
            for name, week in (("week", line.now), ("week_before", line.before))
        }
        domains.append(
            {
                "policy_domain": line.policy_domain,
                "mode": line.mode,
                **weeks,
                "causes": line.causes,
                "needs": needs,
                "whole": line.whole,
            }
        )
    data = {
        "version": 1,
        "owner": digest.owner,
        "first": digest.weeks.first.isoformat(),
        "last": digest.weeks.last.isoformat(),
        "headline": digest.headline(),
        "text": digest.text(),
        "domains": domains,
    }
    return json.dumps(data)
