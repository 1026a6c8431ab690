"""Which controls the pack speaks about: what shows each, what it does not show, and what is missing for one domain.

The sentences about a control are ours; its text is its publisher's. References: ISO/IEC 27001:2022, Annex A; Directive
(EU) 2022/2555 (NIS2), article 21(2).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mailtls.audit.facts import DomainEvidence
from mailtls.totals.period import Period

Gaps = Callable[[DomainEvidence, Period], list[str]]


@dataclass(frozen=True, slots=True)
class Control:
    """reference: as an auditor writes it. about: its subject in our words. shown: what in the pack speaks for it.
    not_shown: what somebody else has to show. gaps: what is missing for a domain, a sentence each."""

    reference: str
    about: str
    shown: str
    not_shown: str
    gaps: Gaps


def _no_policy(of: DomainEvidence, period: Period) -> list[str]:
    return [] if any(version.mode for version in of.policies) else ["no policy was in force"]


def _protection(of: DomainEvidence, period: Period) -> list[str]:
    found = _no_policy(of, period)
    for version in of.policies:
        until = f"{version.until:%Y-%m-%d}" if version.until else "today"
        stretch = f"from {version.since:%Y-%m-%d} to {until}"
        if not version.file:
            found.append(f"{stretch} nothing was served")
        elif not version.mode:
            found.append(f"{stretch} the file served was no policy")
        elif version.mode != "enforce":
            found.append(f"{stretch} in {version.mode}: senders deliver also where TLS fails")
    return found


def _monitoring(of: DomainEvidence, period: Period) -> list[str]:
    found = []
    if of.reports.missing:
        found.append(f"{of.reports.missing} of {of.reports.due} days have no report")
    if of.reports.unread:
        found.append(f"reports of {len(of.reports.unread)} days could not be read whole")
    found += [
        f"{failure.what} at {failure.host or 'no named host'}, last seen {failure.last}: not all of those that saw it "
        "have reported without it since"
        for failure in of.failures
        if failure.clean_since is None
    ]
    return found


def _cryptography(of: DomainEvidence, period: Period) -> list[str]:
    if of.look is None:
        return ["the policy host was not looked at"]
    if of.look.certificate is None:
        return ["no certificate of the policy host was seen"]
    return [f"policy host: {of.look.certificate.fault}"] if of.look.certificate.fault else []


def _service(of: DomainEvidence, period: Period) -> list[str]:
    found = _cryptography(of, period)
    if of.look is not None and not of.look.policy_sha256:
        found.append("no policy was fetched when this pack was made")
    return found


def _changes(of: DomainEvidence, period: Period) -> list[str]:
    found = [
        f"the version served from {version.since:%Y-%m-%d %H:%M} UTC has no commit: it was changed by hand, or the "
        "repository does not hold it"
        for version in of.policies
        if version.file and version.change is None
    ]
    unasked = sum(1 for version in of.policies if version.change is not None and version.review is None)
    if unasked:
        found.append(
            f"who reviewed {unasked} of the versions is not in this pack: the forge was not asked, or knew none"
        )
    return found


CONTROLS: Sequence[Control] = (
    Control(
        "ISO/IEC 27001:2022 A.5.14",
        "Rules for the transfer of information between organisations.",
        "Which policy told senders to use TLS towards which hosts, from when to when, in its very bytes, and which "
        "organisations reported that they applied it.",
        "Mail that the domain sends; senders that do not look at MTA-STS; what happens to mail after its arrival.",
        _protection,
    ),
    Control(
        "ISO/IEC 27001:2022 A.8.16",
        "Watching networks and systems for what is not as it should be.",
        "The daily reports of senders, as stored; days without one; each kind of failure with its first and last day "
        "and the day by which all that saw it had reported without it.",
        "Senders that send no reports; that a person read an alert; attacks, which no report can prove.",
        _monitoring,
    ),
    Control(
        "ISO/IEC 27001:2022 A.8.20",
        "Networks and their devices are secured and controlled.",
        "Which hosts the policy lets mail go to, and the hosts that DNS named when this pack was made.",
        "How these hosts are configured, patched and reached.",
        _protection,
    ),
    Control(
        "ISO/IEC 27001:2022 A.8.21",
        "Security of network services: what was agreed is in place and watched.",
        "The policy host as a sender meets it: record, certificate, bytes of the policy and their version.",
        "Contracts with who runs the mail hosts; availability between two looks.",
        _service,
    ),
    Control(
        "ISO/IEC 27001:2022 A.8.24",
        "Rules for the use of cryptography are set and kept.",
        "TLS with a valid certificate is asked of every sender that looks (mode enforce), and the certificate of the "
        "policy host.",
        "Cipher suites that sender and mail host agree on; keys of the mail hosts; encryption of the content.",
        lambda of, period: [*_protection(of, period), *_cryptography(of, period)],
    ),
    Control(
        "ISO/IEC 27001:2022 A.8.32",
        "Changes follow a procedure.",
        "For each policy that was served: commit, author, day, and where the forge was asked the pull request and who "
        "approved it. Exceptions with their reasons and days.",
        "That a review was thorough; changes of DNS or mail hosts outside of the repository.",
        _changes,
    ),
    Control(
        "NIS2 art. 21(2)(g)",
        "Basic practices of cyber hygiene.",
        "Encrypted transport is switched on, watched, and its faults are followed to their end.",
        "Training of people, and every practice that is not about mail transport.",
        _monitoring,
    ),
    Control(
        "NIS2 art. 21(2)(h)",
        "Policies and procedures about cryptography and, where it fits, encryption.",
        "The published rule itself, its history, and how changes of it are approved.",
        "The organisation's written policy on cryptography.",
        lambda of, period: [*_protection(of, period), *_changes(of, period)],
    ),
)

NOT_PROVEN = (
    "That no mail was ever delivered in the clear. Senders that do not look at MTA-STS may do so, and tell nobody.",
    "That reports are complete or true. They are what senders say; a valid DKIM signature shows who says it.",
    "That a day without a report had none. A report bucket that keeps fewer days than lie between the first day of the "
    "period and the making of this pack has deleted the earliest; reports posted by HTTPS are not in the pack.",
    "That nobody changed this pack before it was handed over. The manifest shows changes after its digest was written "
    "down elsewhere: keep the digest apart from the pack.",
    "What happened between two looks. A look is one moment, from one place.",
)
"""What an auditor might read into the pack and should not."""
