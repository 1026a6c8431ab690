"""The options `--from` and `--to`: days in UTC."""

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
