"""What today's reader makes of a raw mail, and which mails are worth another reading. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mailtls.reports.reading import Unfit, believed, posted, readable
from mailtls.tls_rpt.attribution import MAX_SHARED, attribute
from mailtls.tls_rpt.contract import POSTED_MAIL, Disposition, OwnDomain, QuarantineReason
from mailtls.totals.arrival import Arrival
from mailtls.totals.period import ALWAYS, Period

ON_ITS_WAY = timedelta(hours=2)
"""After so long a mail without a disposition is a dead letter, or nothing announces it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """reason: why it would be kept apart; None: its reports would be stored. told: for people. policy_domains: those of
    ours that its reports are about."""

    reason: QuarantineReason | None
    told: str
    policy_domains: tuple[str, ...] = ()

    @property
    def is_taken(self) -> bool:
        return self.reason is None


def judged(mail_id: str, mail: bytes, own: Mapping[str, OwnDomain]) -> Judged:
    """As the function would deal with it today. own: our domains, by name."""
    try:
        parsed = posted(mail) if mail_id.startswith(POSTED_MAIL) else believed(mail)[0]
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
    about = tuple(sorted(found))
    more = f" and {len(about) - 3} more" if len(about) > 3 else ""
    return Judged(None, f"a report about {', '.join(about[:3])}{more}", about)


@dataclass(frozen=True, slots=True)
class Wanted:
    """mails: these alone, whatever became of them. Else what has no disposition for ON_ITS_WAY, and what was kept apart
    for one of `reasons`. Of either only what came in `period`, and with `policy_domain` only what today's reader takes
    and finds to be about it."""

    reasons: frozenset[QuarantineReason] = frozenset()
    mails: frozenset[str] = frozenset()
    period: Period = ALWAYS
    policy_domain: str = ""

    @property
    def looks_at_dispositions(self) -> bool:
        return bool(self.reasons or self.mails)

    def selects(self, arrival: Arrival, now: datetime) -> bool:
        """Before the mail is read. now: aware."""
        if arrival.at.astimezone(UTC).date() not in self.period:
            return False
        if self.mails:
            return arrival.mail in self.mails
        if arrival.became is None:
            return now - arrival.at > ON_ITS_WAY
        return arrival.became is Disposition.QUARANTINED and arrival.told.partition(":")[0] in self.reasons

    def is_about(self, found: Judged) -> bool:
        """Once it was read."""
        return not self.policy_domain or self.policy_domain in found.policy_domains
