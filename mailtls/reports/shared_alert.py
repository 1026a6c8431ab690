"""The message about domains that a known fault of a shared MX has reached, or left. Pure."""

from collections.abc import Sequence

from mailtls.reports.alert_event import AlertEvent, Status
from mailtls.reports.alert_text import headline
from mailtls.reports.causes import worst
from mailtls.reports.message_layout import Alert, mail_subject, section
from mailtls.reports.shared_hosts import Gathering, Member
from mailtls.tls_rpt.contract import Attribute
from mailtls.tls_rpt.failures import Severity

MAX_NAMED = 30


def compose(gathering: Gathering) -> Alert:
    """Tells of `news` and `over`; at least one of them is not empty."""
    by_name = {member.policy_domain: member for member in gathering.members}
    joined = [by_name[name] for name in gathering.news if name in by_name]
    severity = worst(member.severity for member in joined) if joined else Severity.INFO
    first = (joined[0].policy_domain if joined else gathering.over[0]) if joined or gathering.over else ""
    count = len(joined) or len(gathering.over)
    more = f" and {count - 1} more" if count > 1 else ""
    what = headline(gathering.cause)
    subject = f"[{severity}] now also {first}{more}: {what}" if joined else f"[over] {first}{more}: {what}"
    paragraphs = [
        subject,
        section("ALSO", _named(joined)),
        section("OVER", f"for {_listed(list(gathering.over))}." if gathering.over else ""),
        section("IN ALL", _in_all(gathering)),
        section("DO", f"What the first alert about {gathering.cause.host} says: the fault is the host's, not theirs."),
        section("NEXT", "when more domains join, after an hour at the earliest; again in 6 h if it goes on."),
        f"cause {gathering.id}" + (f" · owner {gathering.owner}" if gathering.owner else ""),
    ]
    attributes: dict[str, str | tuple[str, ...]] = {
        str(Attribute.POLICY_DOMAIN): first,
        str(Attribute.SEVERITY): str(severity),
        str(Attribute.CAUSE): gathering.id,
        **({str(Attribute.OWNER): gathering.owner} if gathering.owner else {}),
    }
    text = "\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"
    cut = mail_subject(subject, domain=f"{first}{more}", host=gathering.cause.host)
    return Alert(cut, text, severity, _event(gathering), attributes)


def _event(gathering: Gathering) -> AlertEvent:
    """Of the host: as long as one domain fails there, it goes on."""
    cause = gathering.cause
    status = Status.REPEATED if gathering.members else Status.OVER
    return AlertEvent(status, "shared-host", gathering.id, cause.result_type or "", cause.host)


def others(gathering: Gathering, policy_domain: str) -> str:
    """The paragraph of a domain's own message that names those that share its fault; "" where there are none."""
    shared = [member for member in gathering.members if member.policy_domain != policy_domain]
    return section("ALSO", f"the same at {gathering.cause.host}: {_named(shared)}") if shared else ""


def _in_all(gathering: Gathering) -> str:
    if not gathering.members:
        return f"no domain fails at {gathering.cause.host} any more."
    return f"{_fail(len(gathering.members))} at {gathering.cause.host}: {_named(gathering.members)}"


def _fail(count: int) -> str:
    return f"{count} domain{'s' if count != 1 else ''} fail{'s' if count == 1 else ''}"


def _named(members: Sequence[Member]) -> str:
    return f"{_listed([f'{m.policy_domain} ({m.mode})' for m in members])}." if members else ""


def _listed(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
