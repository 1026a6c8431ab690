"""Rules about the hosts that a policy names (RFC 8461 section 4.1)."""

from mailtls import names
from mailtls.lint.findings import Severity
from mailtls.lint.public_suffixes import is_public_suffix
from mailtls.lint.spec_rule import NOTHING, Published, Said, SpecRule, about_specs
from mailtls.mta_sts.policy import Mode
from mailtls.spec.model import PolicySpec

M365_BEFORE = "mail.protection.outlook.com"
M365_SINCE = "mx.microsoft"


def _m365_two_label_wildcard(spec: PolicySpec, _published: Published) -> Said:
    if spec.mta_sts is None or M365_SINCE not in spec.mta_sts.wildcards:
        return NOTHING
    return [
        (
            f'"*.{M365_SINCE}" matches no host of Microsoft 365: a * stands for one label, and the hosts have two, as '
            "in contoso-example.h-v1.mx.microsoft",
            "write the very name that the MX record has",
        )
    ]


def _wildcard_public_suffix(spec: PolicySpec, _published: Published) -> Said:
    if spec.mta_sts is None or not spec.mta_sts.wildcards:
        return NOTHING
    return [
        (
            f'"*.{base}" protects nothing: everybody can register a name there and get a certificate for it',
            "write the names that the MX records have",
        )
        for base in spec.mta_sts.wildcards
        if is_public_suffix(base)
    ]


def _wildcard_own_domain(spec: PolicySpec, _published: Published) -> Said:
    if spec.mta_sts is None or not spec.mta_sts.wildcards:
        return NOTHING
    return [
        (
            f'"*.{base}" accepts every host directly under {base} that has a certificate: a web server, a machine '
            "that was forgotten",
            "write the names that the MX records have",
        )
        for base in spec.mta_sts.wildcards
        if names.is_under(spec.policy_domain, base) and not is_public_suffix(base)
    ]


def _m365_legacy_pattern_only(spec: PolicySpec, _published: Published) -> Said:
    if spec.mta_sts is None or spec.mta_sts.mode is Mode.NONE:
        return NOTHING
    patterns = [pattern.text for pattern in spec.mta_sts.mx]
    if not any(text.endswith("." + M365_BEFORE) for text in patterns):
        return NOTHING
    if any(text.endswith("." + M365_SINCE) for text in patterns):
        return NOTHING
    return [
        (
            f"names only the older hosts of Microsoft 365 (*.{M365_BEFORE}); a tenant that turns DNSSEC on moves to a "
            f"host under {M365_SINCE}, which this policy does not name",
            "before such a move add the new host, wait until the longest max_age served before has run out, then "
            "change the MX record",
        )
    ]


def _mx_lines_missing_in_none(spec: PolicySpec, _published: Published) -> Said:
    if spec.mta_sts is None or spec.mta_sts.mode is not Mode.NONE or spec.mta_sts.mx:
        return NOTHING
    return [
        (
            "mode none without mx: a big sender calls such a policy invalid and reports it as sts-policy-invalid, and "
            "whoever gets no valid policy may go on with the one that it holds",
            "keep the mx lines until the domain is retired",
        )
    ]


def _first_in_enforce(spec: PolicySpec, published: Published) -> Said:
    if published is None or spec.mta_sts is None or spec.mta_sts.mode is not Mode.ENFORCE:
        return NOTHING
    if spec.policy_domain in published:
        return NOTHING
    return [
        (
            f"the first policy of {spec.policy_domain} is in enforce: a host that fails gets no mail, and no report "
            "has shown yet whether one does",
            "write mode: testing, and enforce after two weeks of clean reports",
        )
    ]


RULES = (
    SpecRule(
        about_specs(
            "m365-two-label-wildcard",
            Severity.ERROR,
            "A `*` stands for exactly one label, and the new hosts of Microsoft 365 have two before mx.microsoft. The "
            "pattern matches none of them, so in enforce no mail arrives.",
            "Write the very name that the MX record has, as the admin center shows it.",
            "RFC 8461 section 4.1",
        ),
        _m365_two_label_wildcard,
        ("mta_sts", "mx"),
    ),
    SpecRule(
        about_specs(
            "wildcard-public-suffix",
            Severity.ERROR,
            "Everybody can register a name under `com` or `co.uk` and get a certificate for it, so a policy that "
            "accepts every host there keeps nobody out.",
            "Write the names that the MX records have.",
            "RFC 8461 section 10.4",
        ),
        _wildcard_public_suffix,
        ("mta_sts", "mx"),
    ),
    SpecRule(
        about_specs(
            "wildcard-own-domain",
            Severity.WARNING,
            "Every host directly under the name that has a certificate may receive the mail: a web server, a machine "
            "that was forgotten, one that somebody took over.",
            "Write the names that the MX records have.",
            "RFC 8461 section 10.4",
        ),
        _wildcard_own_domain,
        ("mta_sts", "mx"),
    ),
    SpecRule(
        about_specs(
            "m365-legacy-pattern-only",
            Severity.INFO,
            "Microsoft 365 gives tenants hosts under mx.microsoft when they turn DNSSEC on. A policy that names only "
            "mail.protection.outlook.com then names no MX, and in enforce no mail arrives.",
            "Before such a move add the exact new host, wait until the longest max_age that was ever served has run "
            "out, then change the MX record.",
            'RFC 8461 section 8.1; docs/rules.md, "What senders do"',
        ),
        _m365_legacy_pattern_only,
        ("mta_sts", "mx"),
    ),
    SpecRule(
        about_specs(
            "mx-lines-missing-in-none",
            Severity.WARNING,
            "The RFC lets mode none stand without mx. Stalwart calls such a policy invalid and reports it, and a "
            "sender without a valid new policy may go on with the one that it holds: the way out does not lead out.",
            "Keep the mx lines until the domain is retired.",
            'RFC 8461 section 8.3; docs/rules.md, "What senders do"',
        ),
        _mx_lines_missing_in_none,
        ("mta_sts", "mx"),
    ),
    SpecRule(
        about_specs(
            "first-in-enforce",
            Severity.WARNING,
            "A host that fails gets no mail in enforce, and before the first reports nobody knows whether one does. "
            "Judged where it is known what is published: by `pulumi up` and `pulumi preview`.",
            "Write `mode: testing`, and enforce after two weeks of clean reports.",
            "RFC 8461 section 5",
        ),
        _first_in_enforce,
        ("mta_sts", "mode"),
    ),
)
