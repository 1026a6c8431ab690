"""`--at MOMENT`: a decision as of a day to come. A question, and never a way to act before its time."""

from datetime import UTC, datetime, timedelta

import click

from mailtls.cli.trouble import Trouble

AHEAD = timedelta(days=400)
"""At most, as long as the versions of a policy are kept."""


class Moment(click.ParamType[datetime]):
    """A day, or a day and a time; UTC where no zone is written. Not in the past: what was known then is not kept."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no moment; write 2026-12-24 or 2026-12-24T09:30Z", param, ctx)
        now = datetime.now(UTC)
        if moment.date() < now.date():
            self.fail(f"{value} is past; what was known then is not kept. Name a day to come", param, ctx)
        if moment > now + AHEAD:
            self.fail(f"{value} is more than {AHEAD.days} days ahead; name an earlier day", param, ctx)
        return moment


def tell(at: datetime | None) -> None:
    """On stderr, that the answer is about another time than now."""
    if at is not None:
        click.echo(f"as if it were {at:%Y-%m-%d %H:%M} UTC, with what is known now", err=True)


def may_act(at: datetime | None, repository: str) -> None:
    """A false clock proposes on a forge of this machine alone, as in a sandbox. Raises Trouble.

    at: what the option said. repository: the URL that proposals go to.
    """
    if at is not None and not _is_this_machine(repository):
        raise Trouble(
            "--at asks what is due on another day, and so cannot go with --pull-request: the change would be proposed "
            "before its time; leave --at out to propose, or --pull-request to ask"
        )


def _is_this_machine(url: str) -> bool:
    import ipaddress
    from urllib.parse import urlsplit

    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:  # a name may lead anywhere
        return False
