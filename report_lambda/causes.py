"""From a stored report to the causes that somebody should hear of. Pure.

A cause is (policy domain, result type, receiving MX or policy host): one alert, one state object, one quiet time.
Text of the report's sender never becomes part of a cause unless it is a valid host name.
"""

import hashlib
import heapq
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from mailtls import names
from mailtls.mta_sts.policy import InvalidPolicy, Mode, MxPattern, policy_host
from mailtls.tls_rpt.contract import OwnDomain, Prefix
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, Severity, severity
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, Report, ResultType
from report_lambda.sender_text import clean

MAX_CAUSES_PER_REPORT = 10
"""The largest ones of a report; one mail must not open hundreds of alerts. All of it is in the ledger."""
MAX_ADDRESSES = 20
MAX_PATTERNS = 20


class CauseKind(StrEnum):
    """What an alert is about; each has its own text."""

    SESSIONS = "sessions"  # sessions failed, for the reason that the result type names
    MX_OUTSIDE_POLICY = "mx-outside-policy"  # validation-failure at an MX that the policy does not list
    SILENCE = "silence"  # a domain that had reports gets none
    CERTIFICATE = "certificate"  # the policy host's certificate nears its end


@dataclass(frozen=True, slots=True)
class Cause:
    """policy_domain: one of ours. result_type: "" for causes that no report names. host: "" when none is named."""

    kind: CauseKind
    policy_domain: str
    result_type: ResultType | None = None
    host: str = ""

    @property
    def id(self) -> str:
        """12 hexadecimal digits, the same for the same cause for ever."""
        parts = (self.kind, self.policy_domain, self.result_type or "", self.host)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    @property
    def key(self) -> str:
        """Key of its state object."""
        return f"{states_of(self.policy_domain)}{self.id}.json"


def states_of(policy_domain: str) -> str:
    """Prefix of the keys of all states of one domain."""
    return f"{Prefix.ALERTS}{policy_domain}/"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one stored report says of one cause.

    report: key of the ledger entry. reporter: the proven signing domain. organization, words: the sender's own words.
    day: UTC day on which the report's period began. failed: sum of failed-session-count.
    uncounted: a failure-detail without a count was among them, so `failed` is a lower bound.
    addresses: receiving IPs that failed. patterns: mx of the policy that the sender applied.
    """

    report: str
    reporter: str
    organization: str
    day: date
    policy_type: PolicyType
    failed: int
    uncounted: bool
    mode: Mode | None
    severity: Severity
    addresses: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Failures:
    """The failed sessions of one cause in one policy of a report. failed: their sum."""

    policy: PolicyResult
    details: list[FailureDetail]
    failed: int


def failures(report: Report, own: OwnDomain) -> dict[Cause, Failures]:
    """Every cause that the report names. Cheap: a report may hold a hundred thousand."""
    found: dict[Cause, Failures] = {}
    for policy in report.policies:
        for cause, details in _by_cause(policy, own).items():
            failed = sum(detail.failed_session_count or 0 for detail in details)
            # a session may be counted under two policy types (sts and tlsa): the larger one, never their sum
            if cause not in found or failed > found[cause].failed:
                found[cause] = Failures(policy, details, failed)
    return found


def largest(found: dict[Cause, Failures]) -> dict[Cause, Failures]:
    """The causes of one report that may reach a person: at most MAX_CAUSES_PER_REPORT, most failures first."""
    chosen = heapq.nsmallest(MAX_CAUSES_PER_REPORT, found.items(), key=lambda item: (-item[1].failed, item[0].id))
    return dict(chosen)


def sighting(key: str, entry: LedgerEntry, found: Failures, own: OwnDomain) -> Sighting:
    """What the ledger entry stored at `key` says of the cause of `found`."""
    policy, details = found.policy, found.details
    mode = applied_mode(policy, own)
    addresses = dict.fromkeys(detail.receiving_ip for detail in details if detail.receiving_ip)
    said = next((detail for detail in details if detail.failure_reason_code or detail.additional_information), None)
    words = (said.failure_reason_code, said.additional_information) if said else ()
    return Sighting(
        report=key,
        reporter=entry.signer,
        organization=clean(entry.report.organization_name, 40),
        day=entry.report.day,
        policy_type=policy.policy_type,
        failed=found.failed,
        uncounted=any(detail.failed_session_count is None for detail in details),
        mode=mode,
        severity=severity(details[0].result_type, mode),
        addresses=tuple(clean(address, 45) for address in list(addresses)[:MAX_ADDRESSES]),
        patterns=tuple(clean(pattern, 80) for pattern in applied_patterns(policy, own)),
        words=" ".join(filter(None, (clean(text, 100) for text in words))),
    )


def _by_cause(policy: PolicyResult, own: OwnDomain) -> dict[Cause, list[FailureDetail]]:
    """The failures of one policy by cause; what is the same for all of the policy is found out once."""
    failing = [detail for detail in _details(policy) if detail.failed_session_count != 0]
    if not failing or policy.policy_type is PolicyType.NO_POLICY_FOUND:  # no policy, so nothing failed it
        return {}
    listed = _listed(policy, own)
    by_cause: dict[Cause, list[FailureDetail]] = {}
    for detail in failing:
        by_cause.setdefault(_cause(detail, listed, own), []).append(detail)
    return by_cause


def _details(policy: PolicyResult) -> tuple[FailureDetail, ...]:
    if policy.failure_details or not policy.total_failure_session_count:
        return policy.failure_details
    # failures in the summary but no detail: somebody should still hear of it
    return (FailureDetail(ResultType.OTHER, "", failed_session_count=policy.total_failure_session_count),)


def _cause(detail: FailureDetail, listed: tuple[MxPattern, ...], own: OwnDomain) -> Cause:
    if detail.result_type in OF_THE_POLICY_HOST:
        return Cause(CauseKind.SESSIONS, own.policy_domain, detail.result_type, policy_host(own.policy_domain))
    host = _host(detail.receiving_mx_hostname)
    # no result type says "outside the policy" (Google sends a bare validation-failure), so compare with the policy
    unlisted = host and listed and not any(pattern.matches(host) for pattern in listed)
    outside = unlisted and detail.result_type is ResultType.VALIDATION_FAILURE
    kind = CauseKind.MX_OUTSIDE_POLICY if outside else CauseKind.SESSIONS
    return Cause(kind, own.policy_domain, detail.result_type, host)


def _listed(policy: PolicyResult, own: OwnDomain) -> tuple[MxPattern, ...]:
    """The mx patterns of an MTA-STS policy, as far as they are valid; () for other policies."""
    if policy.policy_type is not PolicyType.STS:
        return ()
    return tuple(pattern for text in applied_patterns(policy, own) if (pattern := _pattern(text)) is not None)


def applied_patterns(policy: PolicyResult, own: OwnDomain) -> tuple[str, ...]:
    """mx of the policy that the sender applied: from policy-string, else from mx-host, else as deployed now."""
    in_string = [
        line.partition(":")[2].strip() for line in policy.policy_string if line.strip().lower().startswith("mx:")
    ]
    in_host = [text.strip().removeprefix("mx:").strip() for text in policy.mx_host]
    return tuple(text.lower() for text in in_string or in_host or own.mx)[:MAX_PATTERNS]


def _pattern(text: str) -> MxPattern | None:
    try:
        return MxPattern(text)
    except InvalidPolicy:
        return None


def applied_mode(policy: PolicyResult, own: OwnDomain) -> Mode | None:
    """The mode that the sender applied: as its report says, as deployed only when the report does not say.

    DANE has no testing: whoever validates TLSA records holds mail that fails (RFC 7672 section 2.2).
    """
    if policy.policy_type is PolicyType.TLSA:
        return Mode.ENFORCE
    if policy.mode is not None:
        return policy.mode
    return Mode(own.mode) if own.mode is not None else None


def _host(text: str | None) -> str:
    try:
        return names.host_name(text or "")
    except names.InvalidName:
        return ""
