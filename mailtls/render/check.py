"""One checked domain as a screen of text, as one line of many, as JSON, as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mailtls.lint.findings import Finding, Severity
from mailtls.lint.live.beside_rules import bimi_gaps, tags
from mailtls.observed import DnsAnswer, DnsStatus, MxHost, Observed, TlsLook
from mailtls.render.findings import findings_data, render_findings
from mailtls.render.foreign_text import code, markdown, plain, table_code
from mailtls.render.wrapping import wrapped
from mailtls.reports.mx_operator import provider_of
from mailtls.verdict import Fate, Outcome, Protection, Verdict, reports_go_to

SCHEMA_FILE = "check.v1.schema.json"
_GOOD = (Protection.ENFORCED, Protection.TESTING, Protection.NO_MAIL)
_LABEL = 10
_MARKS = {Outcome.OK: "ok", Outcome.STOPS: "--", Outcome.REFUSES: "NO", Outcome.NOTED: "!!", Outcome.UNKNOWN: "??"}
_STEP_COLOURS = {Outcome.OK: "32", Outcome.REFUSES: "31", Outcome.NOTED: "33"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A domain that was looked at and judged."""

    observed: Observed
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Severity | None:
        """None where nothing but notes was found."""
        found = {finding.severity for finding in self.findings} - {Severity.INFO}
        return Severity.ERROR if Severity.ERROR in found else next(iter(found), None)

    @property
    def unanswered(self) -> bool:
        """Nobody answered: the fault is more likely here than there."""
        asked = [one for one in (self.observed.sts, self.observed.tls_rpt, self.observed.mx) if one is not None]
        return bool(asked) and all(one.status is DnsStatus.FAILED for one in asked)


def screen(checked: Checked, *, width: int = 80, colour: bool = False, trace: bool = False) -> str:
    """The whole story of one domain; ends with a line end."""
    verdict = checked.verdict
    lines = [f"{_styled(verdict.policy_domain, '1', colour)}  {_state(verdict, colour)}"]
    lines += wrapped(verdict.headline, width, "  ", "  ")
    lines.append("")
    for fates in _alike(verdict.fates):
        lines += _labelled("mail to", ", ".join(_named(fate) for fate in fates), width)
        why = f" ({fates[0].why})" if fates[0].why else ""
        lines += _labelled("", f"a sender that honours MTA-STS: {fates[0].honouring}{why}", width)
        lines += _labelled("", f"one that does not: {fates[0].other}", width)
    for label, text in _facts(checked):
        lines += _labelled(label, text, width)
    for sentence in checked.observed.unasked:
        lines += _labelled("not asked", sentence, width)
    if trace:
        lines += ["", "  What a sender does that meets the domain for the first time:", *_trace(verdict, width, colour)]
    if checked.findings:
        lines.append("")
        lines.append(render_findings(checked.findings, "text", width=width, colour=colour, heads=False).rstrip("\n"))
    return "\n".join(lines) + "\n"


def line(checked: Checked, *, names: int = 30, width: int = 80, colour: bool = False) -> str:
    """One domain of many: name, state, the worst thing that was found. names: columns of the name."""
    verdict = checked.verdict
    first = next((f for f in checked.findings if f.severity is not Severity.INFO), None)
    told = f"{first.rule}: {first.message}" if first else _in_short(checked)
    text = f"{verdict.policy_domain:<{names}}  {verdict.protection:<8}  "
    room = max(width - len(text), 20)
    told = plain(told)
    shown = told if len(told) <= room else told[: room - 3] + "..."
    by_worst = {Severity.ERROR: "31", Severity.WARNING: "33"}
    return text + (_styled(shown, by_worst[checked.worst], colour) if checked.worst else shown) + "\n"


def _in_short(checked: Checked) -> str:
    """What there is to say about a domain in which nothing is wrong."""
    policy, hosts = checked.verdict.policy, checked.verdict.fates
    parts = [f"{len(hosts)} MX" if hosts else "takes no mail"]
    if policy is not None:
        parts.append(f"policy kept for {_span(policy.max_age)}")
    ends = [look.tls.certificate.not_after for look in checked.observed.https if look.tls and look.tls.certificate]
    if ends:
        parts.append(f"certificate until {min(ends):%Y-%m-%d}")
    return ", ".join(parts)


def data(checked: Checked) -> dict[str, Any]:
    """Plain data, as `check.v1.schema.json` has it."""
    observed, verdict = checked.observed, checked.verdict
    policy = verdict.policy
    return {
        "policy_domain": verdict.policy_domain,
        "at": observed.at.isoformat(timespec="seconds"),
        "protection": str(verdict.protection),
        "verdict": verdict.headline,
        "policy": {"mode": str(policy.mode), "max_age": policy.max_age, "mx": [str(mx) for mx in policy.mx]}
        if policy
        else None,
        "rua": list(reports_go_to(observed)),
        "hosts": [
            {
                "host": fate.host,
                "preference": fate.preference,
                "provider": provider_of(fate.host, verdict.policy_domain) or None,
                "honouring": fate.honouring.name.lower(),
                "other": fate.other.name.lower(),
                "why": fate.why,
                "port_25": _port_25(observed, fate.host),
            }
            for fate in verdict.fates
        ],
        "policy_host": [
            {
                "address": look.address,
                "status": look.status,
                "failure": look.failure,
                "tls": _tls_data(look.tls),
            }
            for look in observed.https
        ],
        "beside": {
            "dnssec": observed.mx.authenticated if observed.mx else None,
            "dane_hosts": [host.host for host in _with_dane(observed)],
            "dmarc": list(observed.dmarc.values) if observed.dmarc else None,
            "bimi": list(observed.bimi.values) if observed.bimi else None,
            "caa": list(observed.caa.values) if observed.caa else None,
        },
        "steps": [
            {"number": step.number, "title": step.title, "outcome": str(step.outcome), "saw": list(step.saw)}
            for step in verdict.steps
        ],
        "findings": findings_data(checked.findings),
        "unasked": list(observed.unasked),
    }


def _with_dane(observed: Observed) -> list[MxHost]:
    """The MX hosts with TLSA records that DNSSEC proves."""
    return [host for host in observed.mail_hosts if host.tlsa and host.tlsa.values and host.tlsa.authenticated]


def _port_25(observed: Observed, name: str) -> list[dict[str, Any]]:
    """One row an address of the MX host `name`; [] where port 25 was not asked."""
    return [
        {
            "address": look.address,
            "unreachable": look.unreachable,
            "starttls": look.starttls,
            "failure": look.failure,
            "tls": _tls_data(look.tls),
        }
        for host in observed.mail_hosts
        if host.host == name
        for look in host.smtp or ()
    ]


def _tls_data(tls: TlsLook | None) -> dict[str, Any] | None:
    if tls is None:
        return None
    seen = tls.certificate
    return {
        "version": tls.version,
        "fault": str(tls.fault) if tls.fault else None,
        "detail": tls.detail,
        "dns_ids": list(seen.dns_ids[:20]) if seen else [],
        "issuer": seen.issuer if seen else None,
        "not_before": seen.not_before.isoformat() if seen else None,
        "not_after": seen.not_after.isoformat() if seen else None,
    }


def markdown_section(checked: Checked) -> str:
    """One domain as Markdown."""
    verdict = checked.verdict
    lines = [f"### {code(verdict.policy_domain)}: {verdict.protection}", "", markdown(verdict.headline), ""]
    if verdict.fates:
        lines += ["| mail to | a sender that honours MTA-STS | one that does not |", "|---|---|---|"]
        lines += [f"| {table_code(_named(fate))} | {_honouring(fate)} | {fate.other} |" for fate in verdict.fates]
        lines.append("")
    return "\n".join(lines) + "\n" + render_findings(checked.findings, "markdown") + "\n"


def _honouring(fate: Fate) -> str:
    """As a cell of a table: with the reason, which may hold a stranger's words."""
    why = f" ({markdown(fate.why)})" if fate.why else ""
    return f"{fate.honouring}{why}".replace("|", "\\|")


def _state(verdict: Verdict, colour: bool) -> str:
    bad = verdict.loses_mail or verdict.protection is Protection.OFF
    shade = "31" if bad else "32" if verdict.protection in _GOOD else "33"
    return _styled(verdict.protection.upper(), shade, colour)


def _alike(fates: Sequence[Fate]) -> Iterator[list[Fate]]:
    """Hosts with the same fate, one after another."""
    for _, group in groupby(fates, key=lambda fate: (fate.honouring, fate.other, fate.why)):
        yield list(group)


def _named(fate: Fate) -> str:
    return fate.host if fate.preference is None else f"{fate.preference} {fate.host}"


def _facts(checked: Checked) -> Iterator[tuple[str, str]]:
    observed, verdict = checked.observed, checked.verdict
    providers = dict.fromkeys(
        provider for fate in verdict.fates if (provider := provider_of(fate.host, verdict.policy_domain))
    )
    if providers:
        yield "provider", ", ".join(providers)
    if observed.sts is not None:
        values = [value for value in observed.sts.values if value.startswith("v=STSv1")]
        ttl = f" (TTL {observed.sts.ttl})" if observed.sts.ttl is not None else ""
        yield "record", " and ".join(values) + ttl if values else _nothing(observed.sts)
    if verdict.policy is not None:
        mx = ", ".join(map(str, verdict.policy.mx)) or "none"
        yield "policy", f"{verdict.policy.mode}, kept for {_span(verdict.policy.max_age)}; mx {mx}"
    for number, server in enumerate(_servers(checked)):
        yield "" if number else "served by", server
    if observed.tls_rpt is not None:
        yield "reports", ", ".join(reports_go_to(observed)) or _nothing(observed.tls_rpt)
    if observed.dmarc is not None or observed.caa is not None:
        yield "beside", _beside(observed)


def _nothing(answer: DnsAnswer) -> str:
    """What stands in the place of a record that senders do not find."""
    if answer.failure:
        return "no answer"
    return "none that is valid" if answer.values else "none"


def _servers(checked: Checked) -> Iterator[str]:
    for look in checked.observed.https:
        certificate = look.tls.certificate if look.tls else None
        until = f", certificate until {certificate.not_after:%Y-%m-%d}" if certificate else ""
        issuer = f" ({certificate.issuer})" if certificate and certificate.issuer else ""
        yield f"{look.address}: {look.status or 'no answer'}{until}{issuer}"


def _beside(observed: Observed) -> str:
    """DNSSEC, DANE, DMARC, BIMI, CAA in one line."""
    signed = observed.mx is not None and observed.mx.authenticated
    hosts = observed.mail_hosts
    dane = _with_dane(observed)
    dmarc = tags(observed.dmarc, "v=DMARC1")
    parts = [
        f"DNSSEC {'yes' if signed else 'not proved'}",
        f"DANE {f'{len(dane)} of {len(hosts)} MX' if dane else 'no'}",
        f"DMARC {_dmarc(observed, dmarc)}",
        f"BIMI {_bimi(observed.bimi, dmarc)}",
        f"CAA {'yes' if observed.caa and observed.caa.values else 'no'}",
    ]
    return ", ".join(parts)


def _dmarc(observed: Observed, record: Mapping[str, str] | None) -> str:
    """What it asks for: of a parent's record, `sp` counts before `p` (RFC 7489 section 6.3)."""
    if record is None or observed.dmarc is None:
        return "no"
    parents = observed.dmarc.name != f"_dmarc.{observed.policy_domain}"
    tag = "sp" if parents and "sp" in record else "p"
    return f"{tag}={record.get(tag, '?')[:12]}" + (" of a parent" if parents else "")


def _bimi(answer: DnsAnswer | None, dmarc: Any) -> str:
    published = answer is not None and any(value.lower().startswith("v=bimi1") for value in answer.values)
    ready = not bimi_gaps(dmarc)
    if published:
        return "published" if ready else "published, DMARC keeps it from working"
    return "no"


def _trace(verdict: Verdict, width: int, colour: bool) -> Iterator[str]:
    for step in verdict.steps:
        mark = _styled(_MARKS[step.outcome], _STEP_COLOURS.get(step.outcome, "0"), colour)
        yield f"  {step.number} {mark} {step.title}"
        for sentence in step.saw:
            yield from wrapped(plain(sentence), width, "       ", "         ")
    yield "    ok goes on   -- goes on without MTA-STS   !! would be refused in enforce"
    yield "    NO refuses   ?? not looked at"


def _labelled(label: str, text: str, width: int) -> list[str]:
    return wrapped(plain(text), width, f"  {label:<{_LABEL}}", " " * (_LABEL + 2))


def _span(seconds: int) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            count = seconds // length
            return f"{count} {unit}" + ("s" if count > 1 else "")
    return f"{seconds} seconds"


def _styled(text: str, shade: str, colour: bool) -> str:
    return f"\x1b[{shade}m{text}\x1b[0m" if colour else text
