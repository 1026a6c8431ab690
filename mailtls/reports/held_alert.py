"""The message that sums up what an hour had no room for. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.message_layout import Alert, day, mail_subject, section
from mailtls.tls_rpt.contract import Attribute
from mailtls.tls_rpt.failures import Severity

MAX_LINES = 40


@dataclass(frozen=True, slots=True)
class Held:
    """A message that was not sent: its subject, which begins with its severity, and the teams that it was for."""

    severity: Severity
    subject: str
    owners: tuple[str, ...] = ()


def compose(hour: datetime, sent: int, count: int, held: Sequence[Held]) -> Alert:
    """sent, count: messages that went out in the hour, and that did not. held: the most urgent of these first."""
    worst = held[0].severity
    counted = Counter(one.severity for one in held)
    kinds = ", ".join(f"{counted[severity]} {severity}" for severity in Severity if counted[severity])
    more = count - min(len(held), MAX_LINES)
    subject = f"[{worst}] {count} more alert{'s' if count != 1 else ''} than an hour may bring"
    text = [
        subject,
        section(
            "WHAT",
            f"{sent} messages went out between {hour:%H}:00 and {hour:%H}:59 UTC on {day(hour.date())}, which is what "
            f"an hour may bring. These {count} were held back ({kinds}{' and more' if more > 0 else ''}):",
        ),
        *(f"        {one.subject}" for one in held[:MAX_LINES]),
        f"        and {more} more" if more > 0 else "",
        section(
            "DO",
            "Look for what they have in common: one host, one provider, one change of yesterday. Hosts and reporters "
            "that you do not know? Anybody can sign reports about hosts of his invention.",
        ),
        section(
            "NEXT",
            "Each of them is told again by itself when there is news of it. The limit is the setting "
            "mailtls:alerts, per_hour.",
        ),
    ]
    event = AlertEvent(Status.NOTE, "held-back", f"held-back-{hour:%Y-%m-%dT%H}")
    attributes: dict[str, str | tuple[str, ...]] = {str(Attribute.SEVERITY): str(worst)}
    owners = sorted({owner for one in held for owner in one.owners})
    if owners:  # each team whose alerts are among them hears of it
        attributes[str(Attribute.OWNER)] = tuple(owners)
    return Alert(mail_subject(subject), "\n".join(line for line in text if line) + "\n", worst, event, attributes)
