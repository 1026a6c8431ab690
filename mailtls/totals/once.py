"""A report that comes twice counts once: Google mails its reports to each rua, and some of them again."""

from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import report_key

MOST = 1_000_000
"""Reports that are remembered, some 100 bytes each. Later ones all count."""


class Once:
    """Remembers the identity of reports (ADR 5), not what they say: the first counts, as in the ledger."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def is_new(self, entry: LedgerEntry) -> bool:
        """Is it the first of its identity?"""
        identity = int(identity_of(entry)[:16], 16)
        if identity in self._seen:
            return False
        if len(self._seen) < MOST:
            self._seen.add(identity)
        return True


def identity_of(entry: LedgerEntry) -> str:
    """The 32 hexadecimal digits of its key in the ledger."""
    return report_key(entry.report, entry.policy_domain, entry.signer).rpartition("/")[2].removesuffix(".json")
