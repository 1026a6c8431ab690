"""From a stored report to the causes that somebody should hear of. Pure.

A cause is (policy domain, result type, receiving MX or policy host): one alert, one state object, one quiet time.
Text of the report's sender never becomes part of a cause unless it is a valid host name. What the limits below leave
over is told of in one alert more (CauseKind.FURTHER), so no failure that is news stays untold.
"""

import dataclasses
import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import islice

from mailtls import names
from mailtls.mta_sts.policy import Mode, policy_host
from mailtls.reports.applied import Basis, Judge, allows, stated_patterns, valid_patterns
from mailtls.reports.bucket_layout import alert_states_of
from mailtls.reports.sender_text import clean, quoted
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import OF_THE_POLICY_HOST, Severity, says_mx_is_outside
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
MAX_NETWORKS = 3
"""All are kept for the message only. Whether an MX is outside the policy is judged by all patterns."""
MAX_WORDS = 5
"""Likewise, of the words that one report has for how sessions failed."""
WITHOUT_A_POLICY = OF_THE_POLICY_HOST | {ResultType.STARTTLS_NOT_SUPPORTED, ResultType.DANE_REQUIRED}
"""What a person should hear of even where the sender found no policy (RFC 8460 section 4.3): no TLS at all, no policy
because of a fault of ours, mail held for want of TLSA records. A certificate that nobody asked for fails nothing."""


class CauseKind(StrEnum):
    """What an alert is about; each has its own text."""

    SESSIONS = "sessions"  # sessions failed, for the reason that the result type names
    MX_OUTSIDE_POLICY = "mx-outside-policy"  # sessions failed at an MX that the policy does not list
    POLICY_LOST = "policy-lost"  # a sender that applied the policy finds none (lost_policy.py)
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
    day: UTC day on which the report's period began. last_day: the one on which it ended; None: the same.
    failed: sum of failed-session-count under `policy_type`.
    uncounted: a failure-detail without a count was among them, so `failed` is a lower bound.
    undetailed: failed sessions in the summaries of the same rows that no failure-detail counts.
    sessions: all that the report counts for the domain under `policy_type`; 0: it gives no count.
    mode: the strictest one that the sender applied. mixed: to some of the sessions it applied another one.
    basis: how the mode is known; a claim only where no row of a known policy failed. last_served: see `applied`.
    addresses: receiving IPs that failed. patterns: mx of the policy that the sender applied. Both hold valid ones only,
    and the first few of them. networks: those that the failing sessions came from, /24 and /48, the first few.
    result_words: how the report names the failures, its own words.
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
    last_day: date | None = None
    undetailed: int = 0
    sessions: int = 0
    basis: Basis = Basis.KNOWN
    last_served: date | None = None
    result_words: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    @property
    def at_most(self) -> int:
        """Failed sessions if all that have no detail were of this cause: what a threshold should look at."""
        return self.failed + self.undetailed


Row = tuple[PolicyResult, list[FailureDetail]]
"""One row of `policies`, and those of its failure-details that are meant."""


@dataclass(frozen=True, slots=True)
class Failures:
    """The failed sessions of one cause in one report, by the rows that name it."""

    rows: list[Row]

    @property
    def counted(self) -> tuple[PolicyType, int]:
        """Failed sessions, and the policy type under which they stand: the larger of the types (`larger_type`)."""
        by_type: dict[PolicyType, int] = {}
        for policy, details in self.rows:
            failed = sum(detail.failed_session_count or 0 for detail in details)
            by_type[policy.policy_type] = by_type.get(policy.policy_type, 0) + failed
        return larger_type(by_type)


def larger_type(by_type: dict[PolicyType, int]) -> tuple[PolicyType, int]:
    """Sessions by policy type -> the type that counts, with its sessions.

    Rows of one type are different sessions: on the day of a promotion some met the old policy and some the new one.
    But a session may stand under two types (sts and tlsa): the larger one counts, never their sum.
    """
    return max(by_type.items(), key=lambda item: item[1])


def failed_by_result_type(report: Report) -> dict[ResultType, int]:
    """failed-session-count by result type, each session once: of rows of several policy types about one MX the larger
    type counts."""
    counted: dict[tuple[ResultType, str], dict[PolicyType, int]] = {}
    for policy in report.policies:
        for detail in policy.failure_details:
            by_type = counted.setdefault((detail.result_type, _host(detail.receiving_mx_hostname)), {})
            failed = detail.failed_session_count or 0
            by_type[policy.policy_type] = by_type.get(policy.policy_type, 0) + failed
    failed_of: dict[ResultType, int] = {}
    for (result_type, _), by_type in counted.items():
        failed_of[result_type] = failed_of.get(result_type, 0) + larger_type(by_type)[1]
    return failed_of


def failures(report: Report, own: OwnDomain) -> dict[Cause, Failures]:
    """Every cause that the report names. Cheap: a report may hold a hundred thousand."""
    found: dict[Cause, Failures] = {}
    deployed = frozenset(valid_patterns(own.mx))
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


def sighting(key: str, entry: LedgerEntry, found: Failures, judge: Judge) -> Sighting:
    """What the ledger entry stored at `key` says of the cause of `found`. judge: of the entry's report."""
    policies = list({id(policy): policy for policy, _ in found.rows}.values())  # many causes name the same
    judged = [(judge.applied(policy), policy) for policy in policies]
    basis = next((basis for basis in Basis if any(row.basis is basis for row, _ in judged)), Basis.KNOWN)
    counting = [(row, policy) for row, policy in judged if row.basis is basis]
    modes = {row.mode: policy for row, policy in counting}
    mode = strictest(modes)
    details = [detail for _, of_row in found.rows for detail in of_row]
    pairs = {(detail.result_type, judge.applied(policy)) for policy, of_row in found.rows for detail in of_row}
    policy_type, failed = found.counted
    addresses = dict.fromkeys(detail.receiving_ip for detail in details if detail.receiving_ip)
    senders = dict.fromkeys(detail.sending_mta_ip for detail in details if detail.sending_mta_ip)
    said = next((detail for detail in details if detail.failure_reason_code or detail.additional_information), None)
    words = (said.failure_reason_code, said.additional_information) if said else ()
    last_day = last_day_of(entry.report)
    return Sighting(
        report=key,
        reporter=entry.signer,
        organization=clean(entry.report.organization_name, 40),
        day=entry.report.day,
        policy_type=policy_type,
        failed=failed,
        uncounted=any(detail.failed_session_count is None for detail in details),
        mode=mode,
        severity=worst(row.severity(result_type) for result_type, row in pairs),
        addresses=tuple(islice(dict.fromkeys(filter(None, map(_address, addresses))), MAX_ADDRESSES)),
        patterns=tuple(islice(valid_patterns(stated_patterns(modes[mode]) or judge.own.mx), MAX_PATTERNS)),
        words=" ".join(filter(None, (clean(text, 100) for text in words))),
        mixed=len({row.mode for row, _ in judged}) > 1,
        last_day=last_day if last_day != entry.report.day else None,
        sessions=sum(_sessions(row) for row in entry.report.policies if row.policy_type is policy_type),
        undetailed=sum(_undetailed(policy) for policy in policies if policy.policy_type is policy_type),
        basis=basis,
        last_served=max((row.last_served for row, _ in counting if row.last_served), default=None),
        result_words=tuple(islice(dict.fromkeys(filter(None, map(_result_word, details))), MAX_WORDS)),
        networks=tuple(islice(dict.fromkeys(filter(None, map(_network, senders))), MAX_NETWORKS)),
    )


def last_day_of(report: Report) -> date:
    """The last UTC day of its period: some end at 23:59:59, others at the next midnight."""
    return max(report.day, (report.end_datetime - timedelta(microseconds=1)).date())


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
    failing = _failing(policy)
    if not failing:
        return {}
    listed = _listed(policy, deployed)
    by_cause: dict[Cause, list[FailureDetail]] = {}
    for detail in failing:
        by_cause.setdefault(_cause(detail, listed, own), []).append(detail)
    return by_cause


def _failing(policy: PolicyResult) -> list[FailureDetail]:
    """The details that count sessions, or may. Failures in the summary that no detail counts: somebody should still
    hear of them, by what the details say of the kind if there are any."""
    details = policy.failure_details
    if policy.policy_type is PolicyType.NO_POLICY_FOUND:
        details = tuple(detail for detail in details if detail.result_type in WITHOUT_A_POLICY)
    failing = [detail for detail in details if detail.failed_session_count != 0]
    if failing or not policy.total_failure_session_count:
        return failing
    if details:  # counts of zero that the summary denies
        return [dataclasses.replace(detail, failed_session_count=None) for detail in details]
    if policy.policy_type is PolicyType.NO_POLICY_FOUND:  # no policy, so nothing failed it
        return []
    return [FailureDetail(ResultType.OTHER, "", failed_session_count=policy.total_failure_session_count)]


def _undetailed(policy: PolicyResult) -> int:
    """Failed sessions of the summary beyond those that the details count; 0 where there are no details at all."""
    if not policy.failure_details or policy.policy_type is PolicyType.NO_POLICY_FOUND:
        return 0
    counted = sum(detail.failed_session_count or 0 for detail in policy.failure_details)
    return max(0, (policy.total_failure_session_count or 0) - counted)


def _sessions(policy: PolicyResult) -> int:
    return (policy.total_successful_session_count or 0) + (policy.total_failure_session_count or 0)


def _cause(detail: FailureDetail, listed: frozenset[str], own: OwnDomain) -> Cause:
    if detail.result_type in OF_THE_POLICY_HOST:
        return Cause(CauseKind.SESSIONS, own.policy_domain, detail.result_type, policy_host(own.policy_domain))
    host = _host(detail.receiving_mx_hostname)
    # no result type says "outside the policy" (Google sends a bare validation-failure), so compare with the policy
    # (RFC 8461 section 4.1); where that cannot be, the sender's reason may say it
    outside = not allows(listed, host) if host and listed else _says_outside(detail)
    if outside:  # whatever the result type: one MX outside is one cause
        return Cause(CauseKind.MX_OUTSIDE_POLICY, own.policy_domain, ResultType.VALIDATION_FAILURE, host)
    return Cause(CauseKind.SESSIONS, own.policy_domain, detail.result_type, host)


def _says_outside(detail: FailureDetail) -> bool:
    if detail.result_type not in (ResultType.VALIDATION_FAILURE, ResultType.OTHER):
        return False  # then the type says what was wrong
    word = detail.result_type_text if detail.result_type is ResultType.OTHER else ""
    return any(map(says_mx_is_outside, (word, detail.failure_reason_code, detail.additional_information)))


def _listed(policy: PolicyResult, deployed: frozenset[str]) -> frozenset[str]:
    """All valid mx patterns of an MTA-STS policy; none for other policies."""
    if policy.policy_type is not PolicyType.STS:
        return frozenset()
    stated = stated_patterns(policy)
    return frozenset(valid_patterns(stated)) if stated else deployed


def _result_word(detail: FailureDetail) -> str:
    """The result type; for one that we do not know the sender's own word, in quotes."""
    if detail.result_type is not ResultType.OTHER:
        return detail.result_type
    return quoted(clean(detail.result_type_text, 40)) if detail.result_type_text else ""


def _address(text: str) -> str:
    """The address as people write it, "" for what is none. No scope (`fe80::1%...`): it may be any text."""
    try:
        address = ip_address(text.strip()) if "%" not in text else None
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None  # sockets of both families write so
    return str(mapped or address or "")


def _network(text: str) -> str:
    """The network that a sending address is in, as far as the address tells: /24, or /48 of IPv6."""
    address = _address(text)
    bits = 48 if ":" in address else 24
    return str(ip_network(f"{address}/{bits}", strict=False)) if address else ""


def _host(text: str | None) -> str:
    try:
        return names.host_name(text or "")
    except names.InvalidName:
        return ""
