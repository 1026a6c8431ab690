"""`mailtls reports parse --into`: reports as the pipeline stores them, in a folder, for whoever has no pipeline."""

from dataclasses import dataclass, replace
from pathlib import Path

from mailtls.cli.spec_files import write_whole
from mailtls.cli.trouble import Trouble
from mailtls.observe.stored_reports import is_domain
from mailtls.tls_rpt.contract import POSTED_MAIL, Prefix
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import report_key


@dataclass(slots=True)
class LedgerFolder:
    """A folder laid out as the reports bucket, so that `--store` of every command takes it.

    written: entries that are new. there: those whose report is there already, whatever it says; the first one stays.
    """

    root: Path
    written: int = 0
    there: int = 0

    def begin(self) -> None:
        """Make what `--store` looks for. Raises Trouble."""
        try:
            (self.root / Prefix.REPORTS).mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise Trouble(f"--into {self.root}: cannot be made: {e.strerror}") from e

    def add(self, entry: LedgerEntry) -> str:
        """Why it was left out; "" otherwise. Raises Trouble."""
        if not is_domain(entry.policy_domain):  # the name becomes a folder's
            return f"not stored: {entry.policy_domain[:80]!r} is no domain's name"
        if entry.mail.startswith(POSTED_MAIL):  # a file of that name did not come by POST
            entry = replace(entry, mail=f"./{entry.mail}")
        key = report_key(entry.report, entry.policy_domain, entry.signer)
        if write_whole(self.root / key, entry.render().decode("ascii")):
            self.written += 1
        else:
            self.there += 1
        return ""

    def told(self) -> str:
        there = f", {self.there:,} were there" if self.there else ""
        return f"{self.root}: {self.written:,} reports stored{there}; other commands take it as --store {self.root}"
