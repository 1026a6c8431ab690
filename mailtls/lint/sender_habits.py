"""What senders and reporters really do where the RFCs leave room or are not kept: read in their sources, autumn 2026.

Data only: rules cite it, `mailtls explain` and docs/rules.md show it. A sender may change with any release; the date
says how old the knowledge is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

AS_OF = "autumn 2026"

MODE_TESTING = "mode testing"
MODE_NONE = "mode none"
MAX_AGE = "max_age"
MX = "mx"
REPORTS = "reports"
NO_POLICY_FOUND = "no-policy-found"


@dataclass(frozen=True, slots=True)
class Habit:
    """sender: a product or an operator. does: one or two sentences. so: what follows for a policy domain.
    topics: ids of rules, result types of RFC 8460, and the words above."""

    sender: str
    does: str
    so: str
    topics: frozenset[str]


def habits_about(*topics: str) -> Iterator[Habit]:
    """The habits that have to do with any of `topics`, in the order of the table."""
    wanted = frozenset(topics)
    return (habit for habit in HABITS if habit.topics & wanted)


def _habit(sender: str, does: str, so: str, *topics: str) -> Habit:
    return Habit(sender, does, so, frozenset(topics))


HABITS: tuple[Habit, ...] = (
    _habit(
        "Stalwart",
        "Calls a policy without mx invalid in every mode, and reports it as sts-policy-invalid without a "
        "policy-string.",
        "Keep the mx lines while a domain goes out by mode none; such a report about it is no alarm.",
        "mx-lines-missing-in-none",
        "sts-policy-invalid",
        MODE_NONE,
    ),
    _habit(
        "Stalwart",
        "Keeps a policy for one day where max_age is under an hour or 31557600. It looks at the id each time and "
        "fetches when it differs.",
        "Stay between one day and 52 weeks, and count every wait as one day at least.",
        "max-age-under-an-hour",
        "max-age-at-maximum",
        MAX_AGE,
    ),
    _habit(
        "Postfix with the plugin postfix-mta-sts-resolver or tlspol",
        "Learns of enforce policies only, so in testing and none its reports say no-policy-found.",
        "After a step from enforce to testing these reports change without a fault. They speak neither for nor against "
        "a step to enforce.",
        NO_POLICY_FOUND,
        MODE_TESTING,
        MODE_NONE,
    ),
    _habit(
        "Postfix before 3.10.5 with a plugin for MTA-STS",
        "Connects to any MX of DNS and compares the certificate, not the MX name, with the patterns; `*.x` means any "
        "depth to it.",
        "An MX with the certificate of its sibling passes there and fails at Google: one sender's silence is no proof.",
        "certificate-host-mismatch",
        "validation-failure",
        "wildcard-own-domain",
    ),
    _habit(
        "Postfix 3.11",
        "Counts sessions that reuse a connection too, so a site's numbers multiply with its upgrade. Failed "
        "connections are not reported.",
        "Watch the share of failures, not their number.",
        REPORTS,
    ),
    _habit(
        "tlspol",
        "Keeps a policy until max_age has run out, whatever the id says.",
        "A changed id does not reach every cache: a wait is as long as the longest max_age that was served.",
        "max-age-long-while-testing",
        MAX_AGE,
    ),
    _habit(
        "tlspol",
        "Counts a TXT value with white space before the first `;` as an MTA-STS record.",
        "`v=STSv1 ; ...` beside the record makes two, which count as none.",
        "sts-candidate-beside-ours",
    ),
    _habit(
        "postfix-mta-sts-resolver",
        "Counts every TXT value that begins with v=STSv1 as a record. When a fetch fails after the id changed, it "
        "keeps the old policy.",
        "Leave no value at `_mta-sts` that begins like that but the record itself.",
        "sts-candidate-beside-ours",
        "sts-policy-fetch-error",
    ),
    _habit(
        "KumoMTA",
        "Joins all TXT values at `_mta-sts` into one text before it reads it.",
        "Any second value there, of whatever kind, makes the record unreadable to it.",
        "sts-other-txt-value",
    ),
    _habit(
        "KumoMTA",
        "When a fetch fails after the id changed, it delivers without a policy.",
        "Serve the new file before the new id, always.",
        "sts-policy-fetch-error",
        "sts-webpki-invalid",
    ),
    _habit(
        "KumoMTA",
        "Skips an MX that the policy does not name, and judges the mail of domains with equal MX records together.",
        "Domains on the same hosts need the same mx list.",
        "same-mx-other-policy",
        "mx-not-in-policy",
        MX,
    ),
    _habit(
        "mox",
        "Fetches a policy once a day, and again before delivery where it is older than 12 hours.",
        "A change reaches it within a day.",
        MAX_AGE,
    ),
    _habit("Momentum", "Fetches a policy every 24 hours.", "A change reaches it within a day.", MAX_AGE),
    _habit(
        "Google",
        "Delivers the first mail after a change by the policy that it knew before.",
        "A single failed session after a change is no alarm.",
        MAX_AGE,
    ),
    _habit(
        "Google",
        "Reports an MX that the policy does not name as validation-failure, without a reason.",
        "At validation-failure compare the MX records with the mx list first.",
        "validation-failure",
        "mx-not-in-policy",
        MX,
    ),
    _habit(
        "Google",
        "Mails its report to each rua, and sends some reports again.",
        "A report that comes twice counts once.",
        "rua-several",
        REPORTS,
    ),
    _habit(
        "Microsoft",
        "Mails its report to the first rua only. Its dates have no zone.",
        "The first rua is the one that has to work.",
        "rua-several",
        REPORTS,
    ),
    _habit(
        "Microsoft",
        "Reports the same sessions under the MTA-STS policy and under the TLSA records.",
        "Do not add the two.",
        "tlsa-invalid",
        REPORTS,
    ),
    _habit(
        "Microsoft 365 as the receiving side",
        "Has given tenants hosts like contoso-example.h-v1.mx.microsoft since 2026, beside "
        "contoso-example.mail.protection.outlook.com.",
        "`*.mx.microsoft` matches none of them. Name the exact host, and name it before the MX record moves.",
        "m365-two-label-wildcard",
        "m365-legacy-pattern-only",
    ),
    _habit("Exim", "Has no MTA-STS of its own.", "Its mail comes with or without TLS, whatever the policy says."),
)
