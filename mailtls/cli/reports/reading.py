"""Reading what a command was pointed at: progress, and what was refused, told once for all commands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.tls_rpt.ledger import LedgerEntry
    from mailtls.totals.report_files import Refused

Tell = Callable[[str, int | None, str], None]


@dataclass(slots=True)
class Reader:
    """reports: entries that came out. refused: what should have been a report and was not read. passed_over: mails and
    files in a mailbox or folder that do not look like a report."""

    reports: int = 0
    refused: int = 0
    passed_over: int = 0

    def entries(self, places: tuple[str, ...], region: str | None, tell: Tell) -> "Iterator[tuple[str, LedgerEntry]]":
        """Source and entry of each report. tell: takes place, line and reason of what is refused. Raises Trouble."""
        from mailtls.observe.report_sources import check_places, reports_in
        from mailtls.observe.store import StoreTrouble

        progress = terminal.Counter("reading")
        try:
            check_places(places)
            for found in reports_in(places, region):
                progress.advance()
                for refused in found.read.refused:
                    if self._counts(refused, found.alone):
                        progress.clear()
                        tell(found.place, refused.line and found.line + refused.line - 1, refused.reason)
                for entry in found.read.entries:
                    self.reports += 1
                    yield found.place, entry
        except StoreTrouble as e:
            raise Trouble(str(e)) from e
        finally:
            progress.clear()

    def _counts(self, refused: "Refused", alone: bool) -> bool:
        if refused.meant or alone:
            self.refused += 1
            return True
        self.passed_over += 1
        return False

    def close(self) -> int:
        """Tell the numbers on standard error; the exit code."""
        if self.refused or self.passed_over or not self.reports:
            told = f"{self.reports:,} reports read, {self.refused:,} refused"
            if self.passed_over:
                told += f", {self.passed_over:,} mails or files passed over that are no reports"
            click.echo(f"mailtls: {told}", err=True)
        return 1 if self.refused else 0


def tell_refused(place: str, line: int | None, reason: str) -> None:
    """On standard error."""
    from mailtls.render.reports import refused_line

    click.echo(f"mailtls: refused: {refused_line(place, line, reason)}", err=True)
