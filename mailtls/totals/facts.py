"""One stored report about one domain -> what it counts, as rows that can be added up."""

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv6Address, ip_address

from mailtls import names
from mailtls.reports.sender_text import clean
from mailtls.reports.served import Stated
from mailtls.rollout.evidence import organisation
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, ResultType

UNPROVEN = " (unproven)"
"""Behind the name of an organisation that reported by HTTPS POST."""
MAX_ORGANISATION = 60
"""Characters of a name that nobody has proven."""


@dataclass(frozen=True, slots=True, order=True)
class NamedPolicy:
    """An MTA-STS policy as a report repeats it. mode: its word; "" where it names none that RFC 8461 has.
    digits: 12 hexadecimal ones of all that the report says of it, whatever the order of lines."""

    mode: str
    digits: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions that one report counts for one policy. organisation: see `who_reported`. policy: what it names, where
    that can be read. successful, failed: as the report's summary says; what it does not say is 0."""

    policy_domain: str
    day: date
    policy_type: PolicyType
    organisation: str
    policy: NamedPolicy | None
    successful: int
    failed: int


@dataclass(frozen=True, slots=True)
class Failures:
    """Sessions that failed in one way, as one report says.

    result_type: None where the summary counts more failures than the report explains. mx: the receiving host, "" where
    none is named that is a name. sending: the address that they came from, "" likewise. failed: at least so many; a
    detail without a count is one. Details overlap and differ from the summary in the wild (RFC 8460 section 4), so they
    add up to no total.
    """

    policy_domain: str
    day: date
    policy_type: PolicyType
    organisation: str
    result_type: ResultType | None
    mx: str
    sending: str
    failed: int


Fact = Sessions | Failures


def facts_of(entry: LedgerEntry) -> Iterator[Fact]:
    """All that the entry counts, in its order."""
    who, day = who_reported(entry), entry.report.day
    for row in entry.report.policies:
        successful, failed = row.total_successful_session_count or 0, row.total_failure_session_count or 0
        yield Sessions(entry.policy_domain, day, row.policy_type, who, _named(row), successful, failed)
        explained = 0
        for detail in row.failure_details:
            if detail.failed_session_count == 0:
                continue
            explained += detail.failed_session_count or 1
            yield _failures(entry.policy_domain, day, row.policy_type, who, detail)
        if failed > explained:
            yield Failures(entry.policy_domain, day, row.policy_type, who, None, "", "", failed - explained)


def who_reported(entry: LedgerEntry) -> str:
    """The organisation behind a report: of the domain whose signature was verified. Where none was (a report read from
    a file), the report's own word for it; of one that came by HTTPS POST that word is marked."""
    if entry.signer:
        return _organisation(entry.signer)
    said = _unproven(entry.report.organization_name)
    return f"{said}{UNPROVEN}" if entry.is_posted else said


def is_failure(policy_type: PolicyType) -> bool:
    """Can its sessions fail? Not those of a sender that found no policy: there was nothing to keep to."""
    return policy_type is not PolicyType.NO_POLICY_FOUND


def _failures(domain: str, day: date, policy_type: PolicyType, who: str, detail: FailureDetail) -> Failures:
    mx = host(detail.receiving_mx_hostname or "")
    sending = address(detail.sending_mta_ip or "")
    return Failures(domain, day, policy_type, who, detail.result_type, mx, sending, detail.failed_session_count or 1)


def _named(row: PolicyResult) -> NamedPolicy | None:
    return _policy(row.policy_string) if row.policy_type is PolicyType.STS and row.policy_string else None


@functools.lru_cache(maxsize=1024)  # a policy is repeated by every report of its days
def _policy(policy_string: tuple[str, ...]) -> NamedPolicy | None:
    stated = Stated.of(policy_string)
    if not stated.says_something:
        return None
    told = "\n".join([stated.mode or "", stated.max_age or "", *sorted(stated.mx)])
    mode = stated.mode if stated.mode in ("enforce", "testing", "none") else ""
    return NamedPolicy(mode or "", hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()[:12])


_organisation = functools.lru_cache(maxsize=4096)(organisation)


@functools.lru_cache(maxsize=4096)
def _unproven(name: str) -> str:
    return clean(name, MAX_ORGANISATION)


@functools.lru_cache(maxsize=4096)
def host(text: str) -> str:
    """A name as it is compared; "" for what is none."""
    try:
        return names.host_name(text)
    except names.InvalidName:
        return ""


@functools.lru_cache(maxsize=4096)
def address(text: str) -> str:
    """An address as people write it; "" for what is none. No scope (`fe80::1%...`): it may be any text."""
    try:
        read = ip_address(text.strip()) if "%" not in text else None
    except ValueError:
        return ""
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return str(mapped or read or "")
