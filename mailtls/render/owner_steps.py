"""What somebody else's DNS team has to do for one domain: plain steps, the exact records, and what a missing one does.

One text for all: it is pasted into a ticket or a mail, so it is Markdown that reads well as plain text.
"""

from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.records import PLACEHOLDERS, PlannedRecord, Purpose, planned_records
from mailtls.render.records import policy_address
from mailtls.render.wrapping import wrapped
from mailtls.spec.model import PolicySpec

_WHAT = {
    Purpose.CERTIFICATE: "Let the certificate be issued",
    Purpose.POLICY_HOST: "Point the policy host at us",
    Purpose.REPORTS: "Ask senders for reports",
    Purpose.ANNOUNCEMENT: "Announce the policy, last of all",
}
_NOTES = {
    Purpose.CERTIFICATE: "Keep this record for ever: the certificate is renewed by it.",
    Purpose.POLICY_HOST: "A plain CNAME, not proxied (at Cloudflare: DNS only). No A or AAAA record beside it.",
    Purpose.REPORTS: "If a TXT record that begins with v=TLSRPTv1 is there, tell us first: two count as none.",
    Purpose.ANNOUNCEMENT: "Only when we say that the policy is served. If a TXT record that begins with v=STSv1 is "
    "there, tell us first: two count as none. The id changes with each new policy: we send you the new value, and "
    "the old record is changed, not joined by a second.",
}
_MISSING = {
    Purpose.CERTIFICATE: "the certificate is not issued, or not renewed, and the policy host fails some weeks later.",
    Purpose.POLICY_HOST: "senders cannot fetch the policy. New ones use no policy at all, and others go on with the "
    "last one that they fetched until it runs out.",
    Purpose.REPORTS: "no reports come, and nobody learns that a sender cannot deliver over TLS.",
    Purpose.ANNOUNCEMENT: "senders that have no policy look for none; those that hold one go on with it until it "
    "runs out.",
}


def owner_steps(spec: PolicySpec, width: int | None = None) -> str:
    """The whole text. width: columns at which prose is wrapped; None: not at all, as Markdown has it."""
    text = _text(spec)
    if width is None:
        return text
    return "".join(_wrapped(line, width) + "\n" for line in text.splitlines())


def _wrapped(line: str, width: int) -> str:
    """Prose in lines of `width`; a record or a command, which is indented, stays on one line."""
    if line.startswith("    "):
        return line
    further = "  " if line.startswith("- ") else ""
    return "\n".join(wrapped(line, width, "", further))


def _text(spec: PolicySpec) -> str:
    domain = spec.policy_domain
    records = planned_records(spec)
    parts = [f"# DNS records for {domain}\n", _why(spec)]
    if any(record.placeholders for record in records):
        parts.append(
            "A value in angle brackets, as in `<policy-id>`, is not known yet. Do not add a record that still has one: "
            "ask us for it.\n"
        )
    if spec.mta_sts:
        parts.append(
            f"If {domain}, or a domain above it, has CAA records, one of them has to allow amazon.com, which issues "
            f"the certificate of {policy_host(domain)}.\n"
        )
    for number, record in enumerate(records, start=1):
        parts.append(_step(number, record))
    parts.append(_check(spec, records))
    known = [text for text in PLACEHOLDERS if any(text in record.placeholders for record in records)]
    if known:
        parts.append("## Values that are not known yet\n")
        parts.append("\n".join(f"- `{text}`: {PLACEHOLDERS[text]}" for text in known) + "\n")
    if spec.contact:
        parts.append(f"Questions: {spec.contact}\n")
    return "\n".join(parts)


def _why(spec: PolicySpec) -> str:
    if spec.mta_sts is None:
        return "Senders will report, once a day, whether they could deliver over TLS. Mail is delivered as before.\n"
    if spec.mta_sts.mode is Mode.ENFORCE:
        what = "Senders that honour MTA-STS will deliver to the hosts in the policy, over valid TLS, and to no other."
    elif spec.mta_sts.mode is Mode.TESTING:
        what = "Senders that honour MTA-STS will report where enforcing would fail. No mail is held back."
    else:
        what = "The policy is withdrawn. The records have to stay until senders have forgotten the one before."
    return f"{what} The records are added in this order.\n"


def _step(number: int, record: PlannedRecord) -> str:
    return (
        f"## {number}. {_WHAT[record.purpose]}\n\n"
        f"    name   {record.name}\n"
        f"    type   {record.type}\n"
        f"    TTL    {record.ttl}\n"
        f"    value  {record.value}\n\n"
        f"{_NOTES[record.purpose]}\n\n"
        f"Without it: {_MISSING[record.purpose]}\n"
    )


def _check(spec: PolicySpec, records: tuple[PlannedRecord, ...]) -> str:
    """Commands that anybody can run."""
    lines = [
        f"    dig +short {record.type} {record.name}" for record in records if record.purpose is not Purpose.CERTIFICATE
    ]
    if spec.mta_sts:
        lines.append(f"    curl {policy_address(spec.policy_domain)}")
    lines.append(f"    mailtls check {spec.policy_domain}")
    return "## See whether it works\n\n" + "\n".join(lines) + "\n"
