"""One spec's plain data, which fits the schema, into a PolicySpec: what a schema cannot say.

Names are judged here by the `idna` package (UTS 46 and IDNA 2008, strictly), so that what is stored is the right
A-label; `mailtls.names` alone is more liberal.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any

import idna

from mailtls import names
from mailtls.mta_sts.policy import InvalidPolicy, Mode, MxPattern
from mailtls.spec import alerts
from mailtls.spec.controller import controller, single_values
from mailtls.spec.duration import seconds
from mailtls.spec.errors import Fault, quoted
from mailtls.spec.model import MtaSts, PolicySpec, Source, TlsRpt
from mailtls.spec.schema import spec_schema
from mailtls.tls_rpt.record import Record, report_uri

MAX_POLICY_DOMAIN = names.MAX_NAME_OCTETS - len("_smtp._tls.")
"""Octets. The longest of the names in front of a policy domain must fit into a name too."""
MAX_REPORT_RECORD = 2000
"""Octets. Cloudflare takes 2048 characters of TXT content, where each string of 255 octets has quotes around it and a
space before the next; Route 53 takes 4000."""

_MX_RECORD = re.compile(r"[0-9]+\s+(\S+)")


def build(data: Mapping[str, Any], source: Source) -> tuple[PolicySpec | None, list[Fault]]:
    """The spec, or None and everything that is wrong with it. `data` fits the schema and has a `policy_domain`."""
    faults: list[Fault] = []
    domain = _policy_domain(data["policy_domain"], faults)
    mta_sts = _mta_sts(data["mta_sts"], faults) if "mta_sts" in data else None
    tls_rpt = _tls_rpt(data.get("tls_rpt", {}), faults)
    suppress = _suppress(data.get("suppress", {}), faults)
    for_controller = controller(data, faults)
    muted = alerts.mute(data, faults)
    if "mta_sts" not in data and tls_rpt is None:
        faults.append(Fault(("tls_rpt",), "neither mta_sts nor tls_rpt: nothing would be published; remove the spec"))
    if faults or domain is None:
        return None, faults
    owner, contact = data.get("owner"), data.get("contact")
    return PolicySpec(domain, mta_sts, tls_rpt, owner, contact, source, suppress, for_controller, muted), []


def value_faults(data: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with the single values of `data`, which fits the schema but need not be a whole spec: defaults, or
    what is left of a spec (a list item of None was judged already)."""
    faults: list[Fault] = []
    if "policy_domain" in data:
        _policy_domain(data["policy_domain"], faults)
    mta_sts = data.get("mta_sts", {})
    _mx(mta_sts.get("mx", ()), faults)
    seconds(mta_sts.get("max_age", 0), ("mta_sts", "max_age"), faults)
    seconds(data.get("adopted", {}).get("max_age", 0), ("adopted", "max_age"), faults)
    single_values(data, faults)
    alerts.single_values(data, faults)
    _tls_rpt(data.get("tls_rpt", {}), faults)
    _suppress(data.get("suppress", {}), faults)
    return faults


def strict_host_name(text: str) -> str:
    """`names.host_name` where Unicode and `xn--` labels must be right by IDNA 2008. Raises names.InvalidName."""
    if names.is_plain_host(text) and "xn--" not in text:
        return text
    if not text.isascii() or "xn--" in text.lower():
        try:
            text = idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
        except idna.IDNAError as e:
            raise names.InvalidName(f"not a name by IDNA 2008: {e}") from e
    return names.host_name(text)


def _policy_domain(text: str, faults: list[Fault]) -> str | None:
    try:
        domain = strict_host_name(text)
    except names.InvalidName as e:
        message = f"{quoted(text)} is not a mail domain: {_taken_for_domain(text) or e}"
        faults.append(Fault(("policy_domain",), message, rule="policy-domain-invalid"))
        return None
    if len(domain) > MAX_POLICY_DOMAIN:
        message = f"{len(domain)} octets; {MAX_POLICY_DOMAIN} is the most, since _smtp._tls. is put in front"
        faults.append(Fault(("policy_domain",), message, rule="policy-domain-invalid"))
    return domain


def _taken_for_domain(text: str) -> str | None:
    """What a text is that people write where a mail domain belongs, and what to write; None where nothing is known."""
    text = text.strip()
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        pass
    else:
        return "it is an IP address; write the domain that stands behind the @ of the mail addresses"
    if len(text.replace(",", " ").split()) > 1:
        return "one name is wanted; several go under policy_domains"
    if "://" in text:
        return _written("it is a URL", text.split("://", 1)[1])
    if "@" in text:
        return _written("it is a mail address", text.rsplit("@", 1)[1])
    if "/" in text or ":" in text:
        return _written("it has a path or a port", text)
    if text.startswith("*."):
        return "a policy is for one name, not for those below it; each that receives mail has a spec of its own"
    return None


def _written(what: str, rest: str) -> str:
    """`what` it is, and the name in `rest` where there is one."""
    host = re.split(r"[/:?#]", rest.rsplit("@", 1)[-1], maxsplit=1)[0]
    try:
        return f"{what}; write {strict_host_name(host)}"
    except names.InvalidName:
        return f"{what}; write the domain alone, as in contoso.example"


def _mta_sts(data: Mapping[str, Any], faults: list[Fault]) -> MtaSts | None:
    before = len(faults)
    mx = _mx(data.get("mx", ()), faults)
    if "mode" not in data:
        expected = spec_schema()["properties"]["mta_sts"]["properties"]["mode"]["x-expected"]
        faults.append(Fault(("mta_sts", "mode"), f"missing, here and in every defaults.yaml ({expected})"))
        return None
    mode = Mode(data["mode"])
    if not data.get("mx") and mode is not Mode.NONE:
        message = f"mode {mode} needs the hosts that may receive the mail: mx: [mx1.example.com] (RFC 8461 section 3.2)"
        faults.append(Fault(("mta_sts", "mx"), message, rule="mx-required"))
    max_age = seconds(data.get("max_age", default_max_age(mode)), ("mta_sts", "max_age"), faults)
    if len(faults) > before:
        return None
    try:
        return MtaSts(mode, mx, max_age)
    except InvalidPolicy as e:
        faults.append(Fault(("mta_sts",), str(e)))
        return None


def default_max_age(mode: Mode) -> str:
    """What a left-out max_age means, as a spec would say it: a day while it is tried or taken back, then a week."""
    by_mode: Mapping[str, str] = spec_schema()["properties"]["mta_sts"]["properties"]["max_age"]["x-default-by-mode"]
    return by_mode[mode]


def _mx(texts: Sequence[str | None], faults: list[Fault]) -> tuple[MxPattern, ...]:
    patterns: list[MxPattern] = []
    for index, text in enumerate(texts):
        if text is None:
            continue
        try:
            pattern = _mx_pattern(text)
            if pattern in patterns:
                raise names.InvalidName("it stands in the list already; remove one")
            patterns.append(pattern)
        except ValueError as e:  # InvalidName, InvalidPolicy
            message = f"{quoted(text)} is not an MX host: {e}"
            faults.append(Fault(("mta_sts", "mx", index), message, rule=_broken_mx_rule(text)))
    return tuple(patterns)


def _broken_mx_rule(text: str) -> str:
    """The rule that a text breaks which is no pattern."""
    if text.startswith(".") or "*" in text.removeprefix("*."):  # some programs take the dot in front for a wildcard
        return "wildcard-not-leftmost-label"
    return "wildcard-public-suffix" if _is_wildcard_of_everything(text) else "mx-not-a-hostname"


def _is_wildcard_of_everything(text: str) -> bool:
    return text.startswith("*.") and "." not in text[2:].removesuffix(".")


def _mx_pattern(text: str) -> MxPattern:
    """One pattern as people write them: any case, Unicode, a trailing dot. Raises ValueError with what to write."""
    if names.is_plain_host(text.removeprefix("*.")) and "xn--" not in text:
        return MxPattern(text)
    if record := _MX_RECORD.fullmatch(text):
        raise names.InvalidName(f"the preference stays in DNS; write {quoted(record[1])}")
    if text.startswith("."):
        raise names.InvalidName(f'for every host one label below write "*{text[:80]}"')
    wildcard, base = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if "*" in base:
        raise names.InvalidName('a wildcard is the whole left-most label and stands for one label: "*.example.com"')
    if _is_wildcard_of_everything(text):
        raise names.InvalidName("everybody can register a name there, so it keeps nobody out; write the MX host's name")
    return MxPattern(wildcard + strict_host_name(base))


def _tls_rpt(data: Mapping[str, Any] | bool, faults: list[Fault]) -> TlsRpt | None:
    if isinstance(data, bool):  # the schema lets no other than false pass
        return None
    uris: list[str] = []
    for index, text in enumerate(data.get("rua", ())):
        if text is None:
            continue
        try:
            uri = report_uri(text)
            if uri in uris:
                raise ValueError("it stands in the list already; remove one")
            uris.append(uri)
        except ValueError as e:  # InvalidName too
            rule = "rua-uri-encoding" if any(c in text for c in ",!;") else "rua-not-a-uri"
            faults.append(Fault(("tls_rpt", "rua", index), f"{quoted(text)} is not a report URI: {e}", rule=rule))
    octets = len(str(Record(tuple(uris)))) if uris else 0
    if octets > MAX_REPORT_RECORD:
        most = f"{MAX_REPORT_RECORD} is the most that every DNS provider takes; write fewer or shorter URIs"
        faults.append(Fault(("tls_rpt", "rua"), f"a TXT record of {octets} octets; {most}"))
    return TlsRpt(tuple(uris))


def _suppress(data: Mapping[str, str], faults: list[Fault]) -> dict[str, str]:
    """Rule to reason, each reason as one line of printable text."""
    if not data:
        return {}
    reasons = {
        rule: " ".join("".join(c if c.isprintable() else " " for c in text).split()) for rule, text in data.items()
    }
    faults += [
        Fault(
            ("suppress", rule),
            f"{quoted(data[rule])} is not a reason (suppression-without-reason)",
            rule="suppression-without-reason",
        )
        for rule, reason in reasons.items()
        if not reason
    ]
    return reasons
