"""The options `--from` and `--to` of all commands: days in UTC."""

from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.totals.period import Period

DAY = click.DateTime(formats=["%Y-%m-%d"])


def days_of(first: datetime | None, last: datetime | None) -> "Period":
    """From `first` to `last`; None: without that end. Raises Trouble."""
    from mailtls.totals.period import Period

    try:
        return Period(first.date() if first else date.min, last.date() if last else date.max)
    except ValueError as e:
        raise Trouble(f"--from and --to: {e}") from e


def past_days(first: date, last: date, today: date, most: int, why: str) -> "Period":
    """`most` days at most, none of them to come. why: there is that bound. Raises Trouble."""
    from mailtls.totals.period import Period

    if last > today:
        raise Trouble(f"--to {last}: that day is still to come; today is {today} (UTC)")
    try:
        period = Period(first, last)
    except ValueError as e:
        raise Trouble(f"--from and --to: {e}") from e
    if period.length > most:
        raise Trouble(f"--from and --to: {period.length:,} days; {why}")
    return period
