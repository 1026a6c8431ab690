"""What today's reader makes of a raw mail, and which mails are worth another reading. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailtls.reports.reading import Unfit, believed, readable
from mailtls.tls_rpt.attribution import MAX_SHARED, attribute
from mailtls.tls_rpt.contract import Disposition, OwnDomain, QuarantineReason
from mailtls.totals.arrival import Arrival

ON_ITS_WAY = timedelta(hours=2)
"""After so long a mail without a disposition is a dead letter, or nothing announces it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """reason: why it would be kept apart; None: its reports would be stored. told: for people; the domains that they
    are about, or the reader's words."""

    reason: QuarantineReason | None
    told: str

    @property
    def is_taken(self) -> bool:
        return self.reason is None


def judged(mail: bytes, own: dict[str, OwnDomain]) -> Judged:
    """As the function would deal with it today. own: our domains, by name."""
    try:
        parsed, _ = believed(mail)
        reports, _ = readable(parsed)
    except Unfit as e:
        return Judged(e.reason, str(e))
    found = {
        domain.policy_domain
        for report in reports
        for domain, _ in attribute(report, own.get, own.values(), "", MAX_SHARED).parts
    }
    if not found:
        return Judged(QuarantineReason.FOREIGN_DOMAIN, "a report that names no domain of ours")
    return Judged(None, f"a report about {', '.join(sorted(found)[:3])}")


def is_wanted(arrival: Arrival, reasons: Collection[QuarantineReason], mails: Collection[str], now: datetime) -> bool:
    """Worth another reading: one of `mails`; or, where none is named, without a disposition for ON_ITS_WAY, or kept
    apart for one of `reasons`."""
    if mails:
        return arrival.mail in mails
    if arrival.became is None:
        return now - arrival.at > ON_ITS_WAY
    return arrival.became is Disposition.QUARANTINED and arrival.told.partition(":")[0] in reasons
