"""Rules about where reports go, and how people are reached (RFC 8460 section 3)."""

from mailtls.lint.findings import Severity
from mailtls.lint.spec_rule import NOTHING, Published, Said, SpecRule, about_specs
from mailtls.mta_sts.policy import Mode
from mailtls.spec.model import PolicySpec


def _asks_for_tls(spec: PolicySpec) -> bool:
    """Whether senders are asked to look at the TLS of this domain's mail."""
    return spec.mta_sts is not None and spec.mta_sts.mode is not Mode.NONE


def _tls_rpt_missing(spec: PolicySpec, _published: Published) -> Said:
    if spec.tls_rpt is not None or spec.mta_sts is None or spec.mta_sts.mode is Mode.NONE:
        return NOTHING
    if spec.mta_sts.mode is Mode.TESTING:
        message = "testing without reports tests nothing: senders deliver all the same, and nobody hears what failed"
    else:
        message = "enforce without reports: when senders hold mail, nobody here learns of it"
    return [(message, "take tls_rpt: false out, or name a rua")]


def _rua_under_protected_domain(spec: PolicySpec, _published: Published) -> Said:
    if spec.tls_rpt is None or not spec.tls_rpt.rua or not _asks_for_tls(spec):
        return NOTHING
    return [
        (
            f"{uri} is a mailbox of the domain that the reports are about: when mail to it fails, so may the report "
            "that says so",
            "write an address under another domain",
        )
        for uri in spec.tls_rpt.rua
        if uri.startswith("mailto:") and _domain_of(uri) == spec.policy_domain
    ]


def _rua_several(spec: PolicySpec, _published: Published) -> Said:
    if spec.tls_rpt is None or len(spec.tls_rpt.rua) < 2:
        return NOTHING
    return [
        (
            f"{len(spec.tls_rpt.rua)} report URIs: Microsoft mails the first only ({spec.tls_rpt.rua[0]}), and a "
            "sender may use any one of them",
            "name one, and pass the reports on from there",
        )
    ]


def _contact_under_protected_domain(spec: PolicySpec, _published: Published) -> Said:
    if spec.contact is None or not _asks_for_tls(spec) or _domain_of(spec.contact) != spec.policy_domain:
        return NOTHING
    return [
        (
            f"{spec.contact} is an address of this very domain: when senders hold its mail, they hold this too",
            "write an address under another domain",
        )
    ]


def _domain_of(address: str) -> str:
    """What stands behind the @ of an address or a mailto: URI, in lower case."""
    return address.partition("?")[0].rpartition("@")[2].lower().removesuffix(".")


RULES = (
    SpecRule(
        about_specs(
            "tls-rpt-missing",
            Severity.WARNING,
            "Reports are the only way to learn what senders see. Testing without them tests nothing, and in enforce "
            "mail is held without a word.",
            "Take `tls_rpt: false` out, or name a `rua`.",
            "RFC 8460 section 1",
        ),
        _tls_rpt_missing,
        ("tls_rpt",),
    ),
    SpecRule(
        about_specs(
            "rua-under-protected-domain",
            Severity.WARNING,
            "A report that says that mail to the domain fails is itself mail to the domain. Senders are told to "
            "deliver reports whatever the TLS says, and not all do; a host that is down takes none of them.",
            "Write an address under another domain, or leave `rua` out.",
            "RFC 8460 section 5.3.1",
        ),
        _rua_under_protected_domain,
        ("tls_rpt", "rua"),
    ),
    SpecRule(
        about_specs(
            "rua-several",
            Severity.WARNING,
            "A sender may use any one of several URIs. Microsoft mails the first only, Google each one: two readers "
            "see two different halves.",
            "Name one `rua`, and pass the reports on from there.",
            'RFC 8460 section 3; docs/rules.md, "What senders do"',
        ),
        _rua_several,
        ("tls_rpt", "rua"),
    ),
    SpecRule(
        about_specs(
            "contact-under-protected-domain",
            Severity.WARNING,
            "The contact is asked when the domain's mail fails, and mail to it fails then too.",
            "Write an address under another domain.",
            "RFC 8461 section 5",
        ),
        _contact_under_protected_domain,
        ("contact",),
    ),
)
