"""What a report says, as values (RFC 8460 section 4): the standard's own words with `_` for `-`.

Text is kept as its sender wrote it and is never trusted: bounded by the size of the mail only, it may hold markup,
controls and line breaks. Whoever shows it cleans it first. No text holds a lone surrogate (`i_json` escapes them), so
that all of it can be encoded.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from mailtls.mta_sts.policy import Mode
from mailtls.tls_rpt import TlsRptError


class InvalidReport(TlsRptError):
    """The bytes are no report that anything could be said about. Keep the mail and tell somebody; the message says
    what is missing."""


class PolicyType(StrEnum):
    """Which policy the sender applied (section 4.4, `policy-type`)."""

    STS = "sts"
    TLSA = "tlsa"
    """DANE. `policy-domain` is then often the MX host, the TLSA base domain (section 1.1): see `attribution`."""
    NO_POLICY_FOUND = "no-policy-found"
    """The sender found none to apply: its sessions are no failures, whatever the summary counts."""
    OTHER = "other"
    """A word that the RFC does not have, or none; the word is in `policy_type_text`."""

    @classmethod
    def of(cls, text: str) -> "PolicyType":
        """The type that a report's word means, in any letter case."""
        return _POLICY_TYPES.get(text) or _POLICY_TYPES.get(_word(text), cls.OTHER)


class ResultType(StrEnum):
    """How sessions failed (section 4.3, and the registry of section 6.6, which holds the same eleven)."""

    STARTTLS_NOT_SUPPORTED = "starttls-not-supported"
    CERTIFICATE_HOST_MISMATCH = "certificate-host-mismatch"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_TRUSTED = "certificate-not-trusted"
    VALIDATION_FAILURE = "validation-failure"
    TLSA_INVALID = "tlsa-invalid"
    DNSSEC_INVALID = "dnssec-invalid"
    DANE_REQUIRED = "dane-required"
    STS_POLICY_FETCH_ERROR = "sts-policy-fetch-error"
    STS_POLICY_INVALID = "sts-policy-invalid"
    STS_WEBPKI_INVALID = "sts-webpki-invalid"
    OTHER = "other"
    """The list may grow (section 4.3): a word that is not here yet, or none; it is in `result_type_text`."""

    @classmethod
    def of(cls, text: str) -> "ResultType":
        """The type that a report's word means, in any letter case."""
        return _RESULT_TYPES.get(text) or _RESULT_TYPES.get(_word(text), cls.OTHER)


def _word(text: str) -> str:
    """`Sts_Policy_Invalid ` as the RFC writes it. A word of ours is short: longer text is not even looked at."""
    return text[:64].strip().lower().replace("_", "-") if len(text) <= 64 else ""


_POLICY_TYPES = {str(member): member for member in PolicyType}
_RESULT_TYPES = {str(member): member for member in ResultType}

Unknown = tuple[tuple[str, str], ...]
"""What the model has no field for, so that nothing seen is dropped: (JSON pointer, JSON text), sorted, each pointer
once. A pointer (RFC 6901) starts at the JSON object that the value was read from: a key that the RFC does not have, or
one that it has with a value that cannot be what it should be."""


@dataclass(frozen=True, slots=True)
class FailureDetail:
    """One row of `failure-details`: sessions that failed in one way. None: the report does not say; "": said nothing.

    result_type_text: the report's own word. failed_session_count: sessions, not negative.
    additional_information, failure_reason_code: text or a link of the sender's choice; never followed, never markup.
    """

    result_type: ResultType
    result_type_text: str
    sending_mta_ip: str | None = None
    receiving_mx_hostname: str | None = None
    receiving_mx_helo: str | None = None
    receiving_ip: str | None = None
    failed_session_count: int | None = None
    additional_information: str | None = None
    failure_reason_code: str | None = None
    unknown: Unknown = ()


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """One row of `policies`: a policy that was applied, and how its sessions went.

    policy_type_text: the report's own word. policy_domain: A-labels, "" when the report names none that is a name.
    policy_string: lines of the policy, or TLSA records. mx_host: mx patterns of the policy.
    total_*_session_count: sessions, not negative; None when the report does not say. The failure total and the sum of
    the details differ in the wild, and details overlap (section 4): never derive one from the other. One session can
    stand under two policies (sts and tlsa): never add policies of different types.
    """

    policy_type: PolicyType
    policy_type_text: str
    policy_string: tuple[str, ...] = ()
    policy_domain: str = ""
    mx_host: tuple[str, ...] = ()
    total_successful_session_count: int | None = None
    total_failure_session_count: int | None = None
    failure_details: tuple[FailureDetail, ...] = ()
    unknown: Unknown = ()

    @property
    def mode(self) -> Mode | None:
        """The MTA-STS mode that the sender applied, from policy-string; None when that holds no valid one.

        Only an sts policy has one. Of repeated mode lines the first counts, as in the policy file (RFC 8461 3.2).
        """
        if self.policy_type not in (PolicyType.STS, PolicyType.OTHER):
            return None
        for line in self.policy_string:
            name, colon, value = line.partition(":")
            if colon and name.strip().lower() == "mode":
                word = value.strip().lower()
                return Mode(word) if word in set(Mode) else None
        return None


@dataclass(frozen=True, slots=True)
class Report:
    """One report. Its policies may be about several domains (`attribution`).

    organization_name, report_id: "" when absent. contact_info: an address as a rule, never verified.
    start_datetime, end_datetime: aware, UTC. Some senders end at 23:59:59, others at the next midnight; equal when the
    report names no end that can be read. notes: what was odd about it, for people.
    """

    organization_name: str
    start_datetime: datetime
    end_datetime: datetime
    contact_info: str | None
    report_id: str
    policies: tuple[PolicyResult, ...]
    notes: tuple[str, ...] = ()
    unknown: Unknown = ()

    @property
    def day(self) -> date:
        """The UTC day that the report belongs to: the one on which its period began (section 4.1)."""
        return self.start_datetime.date()
