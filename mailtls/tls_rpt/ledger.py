"""The ledger: what is stored, once, for each report about one of our domains (ADR 5).

The Lambda writes entries; whoever needs a number that is right counts them. An entry holds only the policies of its own
domain, so that sums over the entries of a domain count nothing twice. Only a DANE row about an MX host that several of
our domains share stands in the entry of each: sums over domains count its sessions once for each.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailtls.tls_rpt.contract import POSTED_MAIL
from mailtls.tls_rpt.report import Report, from_json, to_json

MAX_BYTES_OF_MAIL = 32 * 1024 * 1024
"""What one mail may write into the ledger, whatever the number of domains that its reports are about. Most of what
makes a report large is there once; what it says of no domain in particular is in the entry of each."""
MAX_ENTRY_BYTES = MAX_BYTES_OF_MAIL
MAX_ENTRIES_OF_MAIL = 200
"""Reports times domains that they are about. RFC 8460 section 3 has one of each; every entry costs reads and writes."""


class InvalidLedgerEntry(ValueError):
    """The object under `reports/` was not written by us, or by a later version."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One report about one policy domain.

    policy_domain: A-labels; one of ours.
    mail: id of the raw mail that brought it (`raw/<mail>`).
    stored_at: aware, UTC.
    signer: d= of the aligned DKIM signature: who reported, as far as it is proven. "": nothing is proven.
    report: the normalised report, its `policies` those about policy_domain.
    """

    policy_domain: str
    mail: str
    stored_at: datetime
    signer: str
    report: Report

    @property
    def is_posted(self) -> bool:
        """It came by HTTPS POST: anybody may have written it. It is counted and shown, and decides nothing."""
        return self.mail.startswith(POSTED_MAIL)

    def render(self) -> bytes:
        """The object's bytes, on one line, as Athena wants it:
        `{"version": 1, "policy_domain", "mail", "stored_at", "signer", "report": {…}}`."""
        data = {
            "version": 1,
            "policy_domain": self.policy_domain,
            "mail": self.mail,
            "stored_at": self.stored_at.isoformat(),
            "signer": self.signer,
            "report": to_json(self.report),
        }
        return json.dumps(data, separators=(",", ":")).encode("ascii") + b"\n"

    @staticmethod
    def parse(body: bytes) -> "LedgerEntry":
        """The inverse, from the object's bytes. Raises InvalidLedgerEntry."""
        try:
            data = json.loads(body)
            if data["version"] != 1:
                raise InvalidLedgerEntry(f"ledger entry version {data['version']!r} is not known here (1 is)")
            return LedgerEntry(
                policy_domain=_text(data, "policy_domain"),
                mail=_text(data, "mail"),
                stored_at=_moment(_text(data, "stored_at")),
                signer=_text(data, "signer"),
                report=from_json(data["report"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError) as e:
            if isinstance(e, InvalidLedgerEntry):
                raise
            raise InvalidLedgerEntry(f"not a ledger entry: {e!r}") from e


def _text(data: dict[str, Any], key: str) -> str:
    value = data[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment
