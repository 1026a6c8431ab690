"""What is wrong with a domain that no edit of its spec mends: certificates, drift, delegation, hosts. Pure.

The live rules find it and say what to do. Here each of their findings gets the one word by which status, log and metric
speak of it. What a decision answers by a proposal, a host that the policy lacks or has too many, is not repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailtls.lint.findings import Finding, Severity
from mailtls.lint.live import live_findings
from mailtls.observed import Observed
from mailtls.spec.model import PolicySpec


class Topic(StrEnum):
    """What a concern is about."""

    CERTIFICATE = "certificate"
    """Of the policy host or of an MX: wrong, or nearing its end."""
    DRIFT = "drift"
    """What senders find is not what Git says."""
    DELEGATION = "delegation"
    """The name of the policy host leads where it should not, or may be taken by others."""
    POLICY_HOST = "policy-host"
    """Senders cannot fetch the policy as they should."""
    MX_TLS = "mx-tls"
    """A host that takes mail offers no TLS that enforce accepts."""
    MX_RECORDS = "mx-records"
    """The MX records themselves are odd."""
    DNS = "dns"
    """DNS gave no answer, or different ones."""
    OTHER = "other"
    """Whatever a newer rule finds."""


@dataclass(frozen=True, slots=True)
class Concern:
    """finding: with what is so, and `fix`, what to do."""

    topic: Topic
    finding: Finding


TOPICS: Mapping[str, Topic] = {
    "policy-host-cert-invalid": Topic.CERTIFICATE,
    "policy-host-cert-expiry": Topic.CERTIFICATE,
    "caa-forbids-issuer": Topic.CERTIFICATE,
    "mx-cert-expiry": Topic.CERTIFICATE,
    "mx-cert-name": Topic.CERTIFICATE,
    "mx-cert-untrusted": Topic.CERTIFICATE,
    "policy-bytes-differ": Topic.DRIFT,
    "policy-invalid": Topic.DRIFT,
    "policy-read-differently": Topic.DRIFT,
    "sts-id-stale": Topic.DRIFT,
    "mta-sts-absent": Topic.DRIFT,
    "sts-record-count": Topic.DRIFT,
    "sts-record-invalid": Topic.DRIFT,
    "sts-other-txt-value": Topic.DRIFT,
    "sts-candidate-beside-ours": Topic.DRIFT,
    "tlsrpt-record-absent": Topic.DRIFT,
    "tlsrpt-record-count": Topic.DRIFT,
    "tlsrpt-record-invalid": Topic.DRIFT,
    "dangling-cname": Topic.DELEGATION,
    "mta-sts-cname-proxied": Topic.DELEGATION,
    "policy-unreachable": Topic.POLICY_HOST,
    "policy-not-seen": Topic.POLICY_HOST,
    "policy-redirect": Topic.POLICY_HOST,
    "policy-blocked-for-bots": Topic.POLICY_HOST,
    "policy-status": Topic.POLICY_HOST,
    "policy-too-large": Topic.POLICY_HOST,
    "policy-cut-off": Topic.POLICY_HOST,
    "policy-content-type": Topic.POLICY_HOST,
    "policy-host-addresses-differ": Topic.POLICY_HOST,
    "policy-slow": Topic.POLICY_HOST,
    "mx-starttls-missing": Topic.MX_TLS,
    "mx-tls-failed": Topic.MX_TLS,
    "mx-unreachable": Topic.MX_TLS,
    "dane-mismatch": Topic.MX_TLS,
    "mx-without-address": Topic.MX_RECORDS,
    "dns-no-answer": Topic.DNS,
    "dns-answers-differ": Topic.DNS,
}
"""By the rule that finds it."""
ANSWERED_BY_PROPOSALS = frozenset({"mx-not-in-policy", "policy-max-age-short"})
"""Rules whose findings `decide` answers."""


def concerns(observed: Observed, desired: PolicySpec) -> tuple[Concern, ...]:
    """The worst first. Notes are left out: they ask nobody to do anything."""
    return tuple(
        Concern(TOPICS.get(finding.rule, Topic.OTHER), finding)
        for finding in live_findings(observed, desired)
        if finding.severity is not Severity.INFO and finding.rule not in ANSWERED_BY_PROPOSALS
    )
