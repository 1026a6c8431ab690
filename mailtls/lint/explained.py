"""What there is to say about a rule, a result type or a spec, as sections of plain sentences. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailtls.lint import sender_habits
from mailtls.lint.about import About
from mailtls.lint.catalogue import may_be_silenced, rule_address, rules
from mailtls.lint.findings import Finding
from mailtls.lint.sender_habits import habits_about
from mailtls.mta_sts.policy import WELL_KNOWN_PATH, Mode, policy_host
from mailtls.spec.model import MtaSts, PolicySpec
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, explain, severity
from mailtls.tls_rpt.report_values import ResultType

NO_POLICY_FOUND = "no-policy-found"
"""A policy type (RFC 8460 section 4.4) that people meet in reports and take for a failure."""

_WHAT_SENDERS_DO = {
    Mode.ENFORCE: "A sender that honours MTA-STS delivers only to a host that mx names, over TLS, with a valid "
    "certificate for the host's name. It tries the other hosts, then holds the mail, and returns it after some days.",
    Mode.TESTING: "A sender that honours MTA-STS delivers all the same, and reports each host that would have failed "
    "in enforce.",
    Mode.NONE: "A sender that honours MTA-STS acts as if there were no policy, and forgets the one that it held.",
}
_WITHOUT = "A sender without MTA-STS uses TLS where the host offers it, and any certificate will do for it."


@dataclass(frozen=True, slots=True)
class Section:
    """heading: one word. items: paragraphs; a line in one that begins with two spaces is a command to type."""

    heading: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """title: what is explained, and what it is."""

    title: str
    sections: tuple[Section, ...]


def words() -> tuple[str, ...]:
    """Everything that has an explanation, apart from domains."""
    return (*rules(), *map(str, ResultType), NO_POLICY_FOUND)


def explained_word(word: str) -> Explained | None:
    """A rule by its id, or a result type by its name, in any case; None where there is no such thing."""
    word = word.strip().lower().replace("_", "-")
    if about := rules().get(word):
        return explained_rule(about)
    if word == NO_POLICY_FOUND:
        return _explained_no_policy_found()
    result_type = ResultType.of(word)
    return None if result_type is ResultType.OTHER and word != ResultType.OTHER else explained_result_type(result_type)


def explained_rule(about: About) -> Explained:
    """A rule: why, what to do, where it comes from, what senders do, how to silence it."""
    address = rule_address(about)
    sections = [
        Section("why", (about.why,)),
        Section("do", (about.fix,)),
        Section(
            "see", (about.reference, address) if address and address not in about.reference else (about.reference,)
        ),
        *_senders(about.id),
    ]
    if may_be_silenced(about):
        sections.append(Section("silence", (f'Write into the spec:\n  suppress: {{{about.id}: "the reason"}}',)))
    return Explained(f"{about.id}: {about.severity}, from a rule about {about.group}", tuple(sections))


def explained_result_type(result_type: ResultType) -> Explained:
    """A result type of RFC 8460 section 4.3, or our word for all others: what it means, how bad it is, what to do, what
    senders do."""
    about = explain(result_type)
    names = {"policy_domain": "DOMAIN", "mx": "MX", "policy_host": policy_host("DOMAIN")}
    if result_type in OF_THE_POLICY_HOST:
        harm: tuple[str, ...] = (
            f"In every mode but none: {severity(result_type, Mode.ENFORCE)}. No mail is held: senders go on with the "
            "policy that they hold, or without one. The protection goes as their caches run out.",
        )
    else:
        harm = (
            f"In enforce: {severity(result_type, Mode.ENFORCE)}. The sender did not deliver there: it tries other "
            "hosts, retries, and returns the mail after some days.",
            f"In testing: {severity(result_type, Mode.TESTING)}. The mail was delivered; in enforce it would be held.",
        )
    return Explained(
        f"{result_type}: a result type of TLS reports",
        (
            Section("what", (about.meaning,)),
            Section("harm", harm),
            Section("do", tuple(step.format(**names) for step in about.remedy)),
            *_section_of(about.section),
            *_senders(str(result_type)),
        ),
    )


def _section_of(number: str) -> tuple[Section, ...]:
    return (Section("see", (f"RFC 8460 section {number}", _rfc_8460(number))),) if number else ()


def _explained_no_policy_found() -> Explained:
    return Explained(
        f"{NO_POLICY_FOUND}: a policy type in TLS reports, and no failure",
        (
            Section("what", ("The sender found neither an MTA-STS policy nor TLSA records to apply.",)),
            Section(
                "harm",
                ("None by itself. Where a policy is published and such rows become more, senders do not find it.",),
            ),
            Section("do", ("See what a sender finds:\n  mailtls check DOMAIN",)),
            Section("see", ("RFC 8460 section 4.4", _rfc_8460("4.4"))),
            *_senders(NO_POLICY_FOUND),
        ),
    )


def explained_spec(spec: PolicySpec, findings: Iterable[Finding]) -> Explained:
    """What one spec publishes, what senders do with it, and what the rules say. findings: of this domain."""
    sections = [Section("publish", tuple(_published(spec)))]
    if spec.mta_sts is not None:
        sections.append(Section("effect", (_WHAT_SENDERS_DO[spec.mta_sts.mode], _WITHOUT)))
        sections.append(Section("hosts", tuple(_hosts(spec.mta_sts))))
        sections += _senders(sender_habits.MAX_AGE, sender_habits.MX, *_MODE_TOPICS.get(spec.mta_sts.mode, ()))
    else:
        sections.append(Section("effect", (f"No policy: {_WITHOUT[0].lower()}{_WITHOUT[1:]}",)))
    said = [f"{finding.severity} {finding.rule}: {finding.message}. Do: {finding.fix}" for finding in findings]
    said += [f"silenced {rule}: {reason}" for rule, reason in spec.suppress.items()]
    sections.append(Section("rules", tuple(said) or ("Nothing to say.",)))
    return Explained(
        f"{spec.policy_domain}, as {spec.source.file}:{spec.source.line} asks", tuple(s for s in sections if s.items)
    )


_MODE_TOPICS = {Mode.TESTING: (sender_habits.MODE_TESTING,), Mode.NONE: (sender_habits.MODE_NONE,)}


def _published(spec: PolicySpec) -> Iterator[str]:
    if spec.mta_sts is not None:
        yield f"https://{policy_host(spec.policy_domain)}{WELL_KNOWN_PATH}: mode {spec.mta_sts.mode}."
        yield f"max_age {spec.mta_sts.max_age} ({lasting(spec.mta_sts.max_age)}): how long senders may keep it."
        yield f"TXT at _mta-sts.{spec.policy_domain}: its id changes whenever the file changes, after the file."
    if spec.tls_rpt is None:
        yield "No TLS reports are asked for."
    else:
        where = ", ".join(spec.tls_rpt.rua) or "the platform's own pipeline"
        yield f"TXT at _smtp._tls.{spec.policy_domain}: reports go to {where}."


def _hosts(sts: MtaSts) -> Iterator[str]:
    for pattern in sts.mx:
        if pattern.text.startswith("*."):
            yield f"{pattern}: every host with exactly one label before {pattern.text[2:]}."
        else:
            yield f"{pattern}: this host alone."


def lasting(seconds: int) -> str:
    """`2 weeks`, `36 hours`, `5 seconds`: the largest unit that divides it."""
    for unit, length in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds and seconds % length == 0:
            number = seconds // length
            return f"{number} {unit}" + ("s" if number > 1 else "")
    return f"{seconds} seconds"


def _senders(*topics: str) -> Sequence[Section]:
    said = tuple(
        f"{habit.sender}: {habit.does[0].lower()}{habit.does[1:]} {habit.so}" for habit in habits_about(*topics)
    )
    return [Section("senders", said)] if said else []


def _rfc_8460(section: str) -> str:
    return f"https://www.rfc-editor.org/rfc/rfc8460#section-{section}"
