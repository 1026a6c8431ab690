"""The rules that the loader keeps: a spec that breaks one is no spec, and nothing is built from it.

The loader (`mailtls.spec`) finds such a fault with its line and column and names its rule; here is what there is to say
about each, so that a report, docs/rules.md and `mailtls explain` have one list. No spec can silence one.
"""

from collections.abc import Iterable

from mailtls.lint.about import About
from mailtls.lint.findings import Finding, Severity
from mailtls.lint.spec_rule import about_specs
from mailtls.spec.errors import SPEC_INVALID, SpecError
from mailtls.spec.model import Source


def fault_findings(errors: Iterable[SpecError]) -> tuple[Finding, ...]:
    """The loader's faults as findings. The message says what to write too, so the fix is empty."""
    return tuple(
        Finding(
            error.rule,
            Severity.ERROR,
            f"{error.key}: {error.message}" if error.key else error.message,
            Source(error.file, error.line, error.column),
            "",
            "",
            "",
        )
        for error in errors
    )


def _fault(rule: str, why: str, fix: str, reference: str = "docs/spec-reference.md") -> About:
    return about_specs(rule, Severity.ERROR, why, fix, reference)


ABOUTS: tuple[About, ...] = (
    _fault(
        "file-not-read",
        "A file that somebody may take for a deployed spec is not one: its name ends in .yml, it is a link that leads "
        "out of the folder, it cannot be opened, or there is no spec at all.",
        "Rename the file, put it where the link points from, or name another folder.",
    ),
    _fault(
        "yaml-invalid",
        "The text is not YAML of the kind that is read here, so nothing in the file counts.",
        "Correct the line that is named.",
    ),
    _fault(
        "key-unknown",
        "A key that nothing acts on: most often a known one with a letter too many, whose value would then be missing.",
        "Write the key that is named, or take it out.",
    ),
    _fault(
        SPEC_INVALID,
        "A value that the key cannot have, or a key that has to be there and is not.",
        "Write what the message says.",
    ),
    _fault(
        "policy-domain-invalid",
        "What stands there is not the name of a mail domain, so no record could carry it.",
        "Write what stands behind the @ of the mail addresses.",
        "RFC 8461 section 1.1",
    ),
    _fault(
        "duplicate-policy-domain",
        "Two specs fight over one policy and one record, and the last one would win.",
        "Remove one of the two.",
        "RFC 8461 section 3.1",
    ),
    _fault(
        "mx-required",
        "A policy in testing or enforce without mx names no host that may receive mail: senders hold all of it, or "
        "call the policy invalid.",
        "Name the hosts of the MX records under `mx`.",
        "RFC 8461 section 3.2",
    ),
    _fault(
        "mx-not-a-hostname",
        "An address, an underscore, a port or a URL matches no MX host, so mail for that host is held in enforce.",
        "Write the name that the MX record has.",
        "RFC 8461 section 3.2",
    ),
    _fault(
        "wildcard-not-leftmost-label",
        "A wildcard is the whole left-most label and stands for exactly one: `m*.x`, `*.*.x` and `.x` are no patterns.",
        'Write `"*.example.com"`, or better the names that the MX records have.',
        "RFC 8461 section 4.1",
    ),
    _fault(
        "max-age-out-of-range",
        "The time is none that a policy may have: below 0, over 31557600 seconds, or no time at all. Senders call such "
        "a policy invalid.",
        "Write seconds, or 30m, 12h, 7d, 2w.",
        "RFC 8461 section 3.2",
    ),
    _fault(
        "rua-not-a-uri",
        "Reports go to `mailto:` and `https:` URIs only; anything else is dropped by every sender.",
        "Write `mailto:reports@example.org` or an https: address.",
        "RFC 8460 section 3",
    ),
    _fault(
        "rua-uri-encoding",
        "A raw `,`, `!` or `;` ends the URI inside the record: reports would go to half an address.",
        "Percent-encode them: `%2C`, `%21`, `%3B`.",
        "RFC 8460 section 3",
    ),
    _fault(
        "suppression-without-reason",
        "A silenced rule says nothing about the next fault either; without a reason nobody can tell when to take it "
        "out.",
        "Write why the rule does not apply here, in one sentence.",
        "docs/spec-reference.md",
    ),
)
