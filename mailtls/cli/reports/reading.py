"""Reading what a command was pointed at: progress, and what was refused, told once for all commands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import click

from mailtls.cli import terminal
from mailtls.cli.reports.places import opened
from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.tls_rpt.ledger import LedgerEntry
    from mailtls.totals.report_files import Refused

Tell = Callable[[str, int | None, str], None]


@dataclass(slots=True)
class Reader:
    """unproven: also stored reports that came by HTTPS POST. reports: entries that came out. refused: what should have
    been a report and was not read; of stored ones, days of which something was left out. passed_over: mails and files
    in a mailbox or folder that do not look like a report. posted: reports by HTTPS POST that were left out."""

    unproven: bool = False
    reports: int = 0
    refused: int = 0
    passed_over: int = 0
    posted: int = 0

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

    def stored(self, store: str, region: str | None, first: date, last: date) -> "Iterator[tuple[str, LedgerEntry]]":
        """Key and entry of each report in the ledger of `--store`, of the days from `first` to `last`, within the
        controller's bounds. What is left out is told, and counts as refused. Raises Trouble."""
        from mailtls.observe.store import StoreTrouble
        from mailtls.observe.stored_reports import StoredReports

        progress = terminal.Counter("reading")
        found = StoredReports(opened(store, region)[0], first, last)
        try:
            for key, entry in found.entries():
                progress.advance()
                if entry.is_posted and not self.unproven:
                    self.posted += 1
                    continue
                self.reports += 1
                yield key, entry
        except StoreTrouble as e:
            raise Trouble(str(e)) from e
        finally:
            progress.clear()
        for name, days in found.unread.items():
            self._left_out(name, days)
        for name in found.no_domains:
            self.refused += 1
            tell_refused(f"{store}/reports/{name}", None, "no domain's name: somebody else wrote it")

    def _left_out(self, name: str, days: set[date]) -> None:
        from mailtls.observe.store import MAX_DAY_BYTES, MAX_ENTRIES

        if days:
            self.refused += len(days)
            told = ", ".join(map(str, sorted(days)[:5])) + (f" and {len(days) - 5} more days" if len(days) > 5 else "")
            bounds = f"more than {MAX_ENTRIES} reports or {MAX_DAY_BYTES >> 20} MiB of one day"
            tell_refused(name, None, f"left out of {told}: {bounds}, or what is no report of that domain and day")

    def _counts(self, refused: "Refused", alone: bool) -> bool:
        if refused.meant or alone:
            self.refused += 1
            return True
        self.passed_over += 1
        return False

    def close(self) -> int:
        """Tell the numbers on standard error; the exit code."""
        if self.posted:
            told = (
                "1 report came by HTTPS, proves nothing and is not counted; --unproven counts it"
                if self.posted == 1
                else f"{self.posted:,} reports came by HTTPS, prove nothing and are not counted; --unproven counts them"
            )
            click.echo(f"mailtls: {told}", err=True)
        if self.refused or self.passed_over or not self.reports:
            told = f"{self.reports:,} reports read, {self.refused:,} refused"
            if self.passed_over:
                told += f", {self.passed_over:,} mails or files passed over that are no reports"
            if not (self.reports or self.refused or self.posted):
                told += ". What came in and what became of it: mailtls reports tail s3://REPORTS-BUCKET"
            click.echo(f"mailtls: {told}", err=True)
        return 1 if self.refused else 0


def tell_refused(place: str, line: int | None, reason: str) -> None:
    """On standard error."""
    from mailtls.render.reports import refused_line

    click.echo(f"mailtls: refused: {refused_line(place, line, reason)}", err=True)
