"""How every message of ours is laid out: a subject that SNS takes, labelled paragraphs, a footer. Pure."""

import dataclasses
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from mailtls import names
from mailtls.reports.alert_event import AlertEvent
from mailtls.reports.alert_links import links
from mailtls.tls_rpt.contract import Attribute, OwnDomain
from mailtls.tls_rpt.failures import Severity

WIDTH: Final = 100
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LABEL: Final = 8
MAX_SUBJECT: Final = 99
"""SNS: under 100 ASCII characters, no line breaks."""
AT_LEAST: Final = 20
"""Characters that a cut name keeps, as long as something less important can go."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One message to the topic. attributes: what a subscription's filter policy can ask for; of several values one that
    fits is enough. event: the same for machines."""

    subject: str
    text: str
    severity: Severity
    event: AlertEvent
    attributes: dict[str, str | tuple[str, ...]] = field(default_factory=dict)


def alert(
    severity: Severity,
    subject: str,
    paragraphs: Iterable[str],
    own: OwnDomain,
    cause_id: str,
    event: AlertEvent,
    *,
    host: str = "",
    effect: str = "",
    report: str = "",
    runbook: str = "",
    may_be_muted: bool = False,
) -> Alert:
    """Put together. `subject` is the message's first line in full; the mail subject may be cut.

    host, effect: the parts of the subject that may go first when it is cut: the name of a host, and its end.
    report, runbook: see alert_links. may_be_muted: a mute in the spec holds such a message back.
    """
    leads_to = links(own, report=report, runbook=runbook)
    attributes = {Attribute.POLICY_DOMAIN: own.policy_domain, Attribute.SEVERITY: severity, Attribute.CAUSE: cause_id}
    if own.owner:
        attributes[Attribute.OWNER] = own.owner
    end = _footer(own, cause_id, leads_to, may_be_muted=may_be_muted)
    text = "\n".join([subject, *(paragraph for paragraph in paragraphs if paragraph), end]) + "\n"
    cut = mail_subject(subject, domain=own.policy_domain, host=host, effect=effect)
    event = dataclasses.replace(event, links=leads_to, contact=own.contact or "")
    return Alert(cut, text, severity, event, {str(name): str(value) for name, value in attributes.items()})


def mail_subject(text: str, *, domain: str = "", host: str = "", effect: str = "") -> str:
    """ASCII, one line, short enough for SNS.

    Which domain and what has happened stay readable as long as they can: the host's name is cut in its middle first,
    then the effect at the end goes (the severity says it too), then the domain's name is cut in its middle.
    """
    line = _one_line(text)
    start, found, cause = line.partition(f"{domain}: ")
    if len(line) <= MAX_SUBJECT or not domain or not found:
        return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 3].rsplit(" ", 1)[0] + "..."
    room = MAX_SUBJECT - len(start + found)
    for shorter, least in ((cause, AT_LEAST), (cause.removesuffix(effect), 0)):
        cause = _cut_host(shorter, host, room, least)
        if len(cause) <= room:
            return start + found + cause
    domain = _in_middle(domain, max(AT_LEAST, MAX_SUBJECT - len(f"{start}: {cause}")))
    return mail_subject(f"{start}{domain}: {cause}")


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text.encode("ascii", "replace").decode()).strip()


def _cut_host(cause: str, host: str, room: int, least: int) -> str:
    before, found, after = cause.rpartition(host or "\n")
    return before + _in_middle(found, max(least, room - len(before + after))) + after


def _in_middle(name: str, room: int) -> str:
    """`contoso-exa...outlook.com`: the beginning and the end of a name tell it from others."""
    if len(name) <= room:
        return name
    kept = max(0, room - 3)
    return name[: kept - kept // 2] + "..." + name[len(name) - kept // 2 :]


def section(label: str, text: str) -> str:
    """`LABEL   text`, wrapped with a hanging indent. Empty text: no section."""
    if not text:
        return ""
    return _filled(label.ljust(LABEL - 1) + " ", text)


def steps(label: str, numbered: Iterable[str], after: str = "") -> str:
    """What to do, in order. A line that begins with two spaces is a command: on lines of its own, so that it can be
    copied as it stands."""
    lines = []
    for number, step in enumerate(numbered, 1):
        mark = f"{number} "
        for part in step.splitlines():
            if part.startswith("  "):
                lines += _command(" " * (LABEL + 4), part.strip())
            else:
                lines.append(_filled((label if not lines else "").ljust(LABEL - 1) + " " + mark, part))
                mark = "  "
    if after:
        lines.append(section("", after))
    return "\n".join(lines)


def _command(indent: str, command: str) -> list[str]:
    """One line, or where it is too wide one for each part of the pipe: a shell goes on after a `|`."""
    if len(indent + command) <= WIDTH:
        return [indent + command]
    first, *others = command.split(" | ")
    parts = [first, *(f"  {other}" for other in others)]
    return [f"{indent}{part}{' |' if number < len(parts) else ''}" for number, part in enumerate(parts, 1)]


def _footer(own: OwnDomain, cause_id: str, leads_to: Mapping[str, str], *, may_be_muted: bool) -> str:
    """Where to look further, how to have quiet during planned work, and who is meant."""
    people = [f"owner {own.owner}" if own.owner else "no owner set", f"contact {own.contact}" if own.contact else ""]
    unicode_name = names.u_labels(own.policy_domain)
    shown = f" · {unicode_name}" if unicode_name != own.policy_domain else ""
    lines = [f"{name} {address}" for name, address in leads_to.items() if name != "spec"]
    lines.append(f"spec {leads_to['spec']}{shown} · cause {cause_id}")
    if may_be_muted:
        lines.append("mute planned work: `alerts.mute_until` in the spec")
    return "\n".join([*lines, " · ".join(part for part in people if part)])


def day(value: date) -> str:
    """`30 Nov`: reports carry UTC days, and the year is this one."""
    return f"{value.day} {MONTHS[value.month - 1]}"


def sessions(count: int, *, at_least: bool = False) -> str:
    """`1 failed session`, `1,240 failed sessions`, with `at least` where a report gave no count."""
    if not count and at_least:
        return "failed sessions (the reports give no count)"
    return f"{'at least ' if at_least else ''}{count:,} failed session{'s' if count != 1 else ''}"


def _filled(start: str, text: str) -> str:
    """Wrapped under its own beginning; names and addresses are never broken."""
    wrapper = textwrap.TextWrapper(
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.fill(text)
