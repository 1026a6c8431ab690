"""From a stored report to the causes that somebody should hear of. Pure.

A cause is (policy domain, result type, receiving MX or policy host): one alert, one state object, one quiet time.
Text of the report's sender never becomes part of a cause unless it is a valid host name. What the limits below leave
over is told of in one alert more (CauseKind.FURTHER), so no failure that is news stays untold.
"""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from ipaddress import ip_address
from itertools import islice

from mailtls import names
from mailtls.mta_sts.policy import InvalidPolicy, Mode, MxPattern, policy_host
from mailtls.reports.bucket_layout import alert_states_of
from mailtls.reports.sender_text import clean
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, Severity, severity
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, Report, ResultType

MAX_CAUSES_PER_REPORT = 10
"""The largest ones of a report; one mail must not open hundreds of alerts."""
MAX_CAUSES = 50
"""Of one domain, alive at a time, at hosts that anybody could invent (`is_at_own_host` tells which are not): whoever
owns some domain can sign reports about them, and the alerts that this brings about have an end. A host that a wildcard
of the policy allows is one of these. Causes at the domain's own hosts are not counted and not held back: there are at
most as many as hosts times result types."""
MAX_CAUSES_OF_SIGNER = 10
"""Of MAX_CAUSES, those that one signing domain may have seen when it opens another: one stranger alone does not fill
them."""
MAX_ADDRESSES = 20
MAX_PATTERNS = 20
"""Both are kept for the message only. Whether an MX is outside the policy is judged by all patterns."""


class CauseKind(StrEnum):
    """What an alert is about; each has its own text."""

    SESSIONS = "sessions"  # sessions failed, for the reason that the result type names
    MX_OUTSIDE_POLICY = "mx-outside-policy"  # validation-failure at an MX that the policy does not list
    FURTHER = "further"  # sessions failed, for causes that the limits above leave without an alert of their own
    SILENCE = "silence"  # a domain that had reports gets none
    CERTIFICATE = "certificate"  # the policy host's certificate nears its end


@dataclass(frozen=True, slots=True)
class Cause:
    """policy_domain: one of ours. result_type: None for causes that no report names. host: "" when none is named."""

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
        return f"{alert_states_of(self.policy_domain)}{self.id}.json"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one stored report says of one cause.

    report: key of the ledger entry. reporter: the proven signing domain. organization, words: the sender's own words.
    day: UTC day on which the report's period began. failed: sum of failed-session-count under `policy_type`.
    uncounted: a failure-detail without a count was among them, so `failed` is a lower bound.
    mode: the strictest one that the sender applied. mixed: to some of the sessions it applied another one.
    addresses: receiving IPs that failed. patterns: mx of the policy that the sender applied. Both hold valid ones only,
    and the first few of them.
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
    mixed: bool = False


Row = tuple[PolicyResult, list[FailureDetail]]
"""One row of `policies`, and those of its failure-details that are meant."""


@dataclass(frozen=True, slots=True)
class Failures:
    """The failed sessions of one cause in one report, by the rows that name it."""

    rows: list[Row]

    @property
    def counted(self) -> tuple[PolicyType, int]:
        """Failed sessions, and the policy type under which they stand.

        Rows of one type are different sessions: on the day of a promotion some met the old policy and some the new one.
        But a session may stand under two types (sts and tlsa): the larger one counts, never their sum.
        """
        by_type: dict[PolicyType, int] = {}
        for policy, details in self.rows:
            failed = sum(detail.failed_session_count or 0 for detail in details)
            by_type[policy.policy_type] = by_type.get(policy.policy_type, 0) + failed
        return max(by_type.items(), key=lambda item: item[1])


def failures(report: Report, own: OwnDomain) -> dict[Cause, Failures]:
    """Every cause that the report names. Cheap: a report may hold a hundred thousand."""
    found: dict[Cause, Failures] = {}
    deployed = frozenset(_valid(own.mx))
    for policy in report.policies:
        for cause, details in _by_cause(policy, own, deployed).items():
            found.setdefault(cause, Failures([])).rows.append((policy, details))
    return found


def together(found: Iterable[Failures]) -> Failures:
    """Those of several causes as one."""
    return Failures([row for of_cause in found for row in of_cause.rows])


def is_at_own_host(cause: Cause, own: OwnDomain) -> bool:
    """Is it at no host, at the policy host, or at an MX that the policy lists by name? There are only so many of these,
    while a wildcard allows hosts without end."""
    return cause.host in ("", policy_host(own.policy_domain), *own.mx)


def largest(found: dict[Cause, Failures]) -> dict[Cause, Failures]:
    """The causes of one report that may reach a person: at most MAX_CAUSES_PER_REPORT, most failures first."""
    chosen = heapq.nsmallest(MAX_CAUSES_PER_REPORT, found.items(), key=lambda item: (-item[1].counted[1], item[0].id))
    return dict(chosen)


def sighting(key: str, entry: LedgerEntry, found: Failures, own: OwnDomain) -> Sighting:
    """What the ledger entry stored at `key` says of the cause of `found`."""
    policies = {id(policy): policy for policy, _ in found.rows}.values()  # of causes put together many name the same
    modes = {applied_mode(policy, own): policy for policy in policies}
    mode = strictest(modes)
    details = [detail for _, of_row in found.rows for detail in of_row]
    policy_type, failed = found.counted
    addresses = dict.fromkeys(detail.receiving_ip for detail in details if detail.receiving_ip)
    said = next((detail for detail in details if detail.failure_reason_code or detail.additional_information), None)
    words = (said.failure_reason_code, said.additional_information) if said else ()
    return Sighting(
        report=key,
        reporter=entry.signer,
        organization=clean(entry.report.organization_name, 40),
        day=entry.report.day,
        policy_type=policy_type,
        failed=failed,
        uncounted=any(detail.failed_session_count is None for detail in details),
        mode=mode,
        severity=worst(severity(result_type, mode) for result_type in {detail.result_type for detail in details}),
        addresses=tuple(islice(filter(None, map(_address, addresses)), MAX_ADDRESSES)),
        patterns=tuple(islice(_valid(_stated(modes[mode]) or own.mx), MAX_PATTERNS)),
        words=" ".join(filter(None, (clean(text, 100) for text in words))),
        mixed=len(modes) > 1,
    )


def strictest(modes: Iterable[Mode | None]) -> Mode | None:
    """The one under which most is held back. None: it is not known."""
    ranked = (Mode.ENFORCE, Mode.TESTING, None, Mode.NONE)
    return min(modes, key=ranked.index, default=None)


def worst(severities: Iterable[Severity]) -> Severity:
    """The one to act on first; INFO when there is none."""
    ranked = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    return min(severities, key=ranked.index, default=Severity.INFO)


def _by_cause(policy: PolicyResult, own: OwnDomain, deployed: frozenset[str]) -> dict[Cause, list[FailureDetail]]:
    """The failures of one policy by cause; what is the same for all of the policy is found out once."""
    failing = [detail for detail in _details(policy) if detail.failed_session_count != 0]
    if not failing or policy.policy_type is PolicyType.NO_POLICY_FOUND:  # no policy, so nothing failed it
        return {}
    listed = _listed(policy, deployed)
    by_cause: dict[Cause, list[FailureDetail]] = {}
    for detail in failing:
        by_cause.setdefault(_cause(detail, listed, own), []).append(detail)
    return by_cause


def _details(policy: PolicyResult) -> tuple[FailureDetail, ...]:
    if policy.failure_details or not policy.total_failure_session_count:
        return policy.failure_details
    # failures in the summary but no detail: somebody should still hear of it
    return (FailureDetail(ResultType.OTHER, "", failed_session_count=policy.total_failure_session_count),)


def _cause(detail: FailureDetail, listed: frozenset[str], own: OwnDomain) -> Cause:
    if detail.result_type in OF_THE_POLICY_HOST:
        return Cause(CauseKind.SESSIONS, own.policy_domain, detail.result_type, policy_host(own.policy_domain))
    host = _host(detail.receiving_mx_hostname)
    # no result type says "outside the policy" (Google sends a bare validation-failure), so compare with the policy
    unlisted = host and listed and not _allows(listed, host)
    outside = unlisted and detail.result_type is ResultType.VALIDATION_FAILURE
    kind = CauseKind.MX_OUTSIDE_POLICY if outside else CauseKind.SESSIONS
    return Cause(kind, own.policy_domain, detail.result_type, host)


def _listed(policy: PolicyResult, deployed: frozenset[str]) -> frozenset[str]:
    """All valid mx patterns of an MTA-STS policy; none for other policies."""
    if policy.policy_type is not PolicyType.STS:
        return frozenset()
    stated = _stated(policy)
    return frozenset(_valid(stated)) if stated else deployed


def _allows(listed: frozenset[str], host: str) -> bool:
    """`MxPattern.matches` for all patterns at once, by two look-ups: a report may hold a hundred thousand failures and
    as many patterns."""
    return host in listed or f"*.{host.partition('.')[2]}" in listed


def _stated(policy: PolicyResult) -> tuple[str, ...]:
    """mx of the policy that the sender applied, as its report says: from policy-string, else from mx-host. () when it
    does not say; then the policy that is deployed now is the best guess."""
    in_string = [line.partition(":")[2] for line in policy.policy_string if line.strip().lower().startswith("mx:")]
    in_host = [text.strip().removeprefix("mx:") for text in policy.mx_host]
    return tuple(in_string or in_host)


def _valid(patterns: Iterable[str]) -> Iterator[str]:
    """Those that are mx patterns, in lower case: anything else may be prose."""
    for text in dict.fromkeys(text.strip().lower() for text in patterns):
        try:
            yield MxPattern(text).text
        except InvalidPolicy:
            continue


def _address(text: str) -> str:
    """The address as it is written in short, "" for what is none. No scope (`fe80::1%...`): it may be any text."""
    try:
        return str(ip_address(text.strip())) if "%" not in text else ""
    except ValueError:
        return ""


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
