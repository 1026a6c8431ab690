"""A decoded JSON object -> `Report`, liberally: whatever was seen in the wild is read, what has no place is kept.

Needed is only what makes it a report of some day: `policies` and a start. All else may be missing, empty or of another
type; then its field says so, the value stands in `unknown` and a note tells it.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from mailtls import names
from mailtls.tls_rpt import shown
from mailtls.tls_rpt.i_json import InvalidJson, decode
from mailtls.tls_rpt.json_members import Members, Notes, kind_of
from mailtls.tls_rpt.report_values import FailureDetail, InvalidReport, PolicyResult, PolicyType, Report, ResultType

MAX_DATE_CHARACTERS = 64

_LEAP_SECOND = re.compile(r"([^:]*:[0-9]{2}):60")
_END_OF_DAY = re.compile(r"([^T ]*)[T ]24:00(?::00)?(?:[.]0*)?")


def read(value: Any, odd: tuple[str, ...] = ()) -> Report:
    """The report in a decoded JSON text. odd: what decoding noted. Raises InvalidReport."""
    if not isinstance(value, dict):
        raise InvalidReport(f"the JSON text is {kind_of(value)}, not an object")
    try:
        return _report(Members(value, "", Notes(odd)))
    except InvalidJson as e:
        raise InvalidReport(str(e)) from e


def _report(data: Members) -> Report:
    if not isinstance(data.value("policies"), list | dict):
        raise InvalidReport("no policies: no report")
    start, end = _date_range(data)
    organization_name = data.text("organization-name")
    report_id = data.text("report-id")
    contact_info = data.text("contact-info")
    policies = tuple(map(_policy_result, data.rows("policies")))
    data.keep_rest()
    if not organization_name:
        data.odd("organization-name", "is missing or empty")
    if not report_id:
        data.odd("report-id", "is missing or empty")
    if not policies:
        data.odd("policies", "holds no policy")
    return Report(
        organization_name=organization_name or "",
        start_datetime=start,
        end_datetime=end,
        contact_info=contact_info,
        report_id=report_id or "",
        policies=policies,
        notes=data.notes.lines(),
        unknown=data.unknown(),
    )


def _policy_result(row: Members) -> PolicyResult:
    policy = row.object("policy")
    summary = row.object("summary")
    type_text = policy.text("policy-type") or ""
    policy_type = PolicyType.of(type_text)
    if policy_type is PolicyType.OTHER:
        policy.odd("policy-type", f"{shown(type_text)} is not known" if type_text else "is missing or empty")
    policy_string = _policy_string(policy, policy_type)
    policy_domain = _policy_domain(policy)
    mx_host = _mx_host(policy)
    successful = summary.count("total-successful-session-count")
    failed = summary.count("total-failure-session-count")
    failure_details = tuple(map(_failure_detail, row.rows("failure-details")))
    for members in (policy, summary, row):
        members.keep_rest()
    return PolicyResult(
        policy_type=policy_type,
        policy_type_text=type_text,
        policy_string=policy_string,
        policy_domain=policy_domain,
        mx_host=mx_host,
        total_successful_session_count=successful,
        total_failure_session_count=failed,
        failure_details=failure_details,
        unknown=row.unknown(),
    )


def _policy_domain(policy: Members) -> str:
    text = policy.text("policy-domain")
    if text is None or not text.strip():
        return ""
    try:
        name = names.a_labels(text.strip())
    except names.InvalidName as e:
        policy.odd("policy-domain", f"is no name: {e}")
        policy.keep("policy-domain", text)
        return ""
    if not text.isascii():
        policy.odd("policy-domain", f"{shown(text)} is not in A-labels")
        policy.keep("policy-domain", text)
    return name


def _policy_string(policy: Members, policy_type: PolicyType) -> tuple[str, ...]:
    """Lines of the policy. Besides the list of the RFC: one string of many lines, and an array inside a string."""
    texts = policy.texts("policy-string")
    if len(texts) == 1 and isinstance(policy.value("policy-string"), str):
        policy.odd("policy-string", "is a string, not a list")
        if policy_type is PolicyType.TLSA and not texts[0].lstrip().startswith("["):
            texts = [record.strip() for record in texts[0].split(";")]  # as the prose of section 4 has it
    lines: list[str] = []
    for text in texts:
        if text.lstrip().startswith("[") and (inner := _array_in(text)) is not None:
            policy.odd("policy-string", "holds a JSON array inside a string")
            lines.extend(inner)
        elif "\n" in text:
            policy.odd("policy-string", "holds several lines in one string")
            lines.extend(filter(None, text.replace("\r", "").split("\n")))
        else:
            lines.append(text)
    return tuple(lines)


def _array_in(text: str) -> list[str] | None:
    """The strings of a JSON array that somebody encoded twice; None when it is something else."""
    try:
        value, _ = decode(text.encode())
    except InvalidJson:
        return None
    if isinstance(value, list) and all(isinstance(element, str) for element in value):
        return value
    return None


def _mx_host(policy: Members) -> tuple[str, ...]:
    """Patterns. A lone string is the RFC's own sample (corrected by erratum 6241), so it is no oddity."""
    hosts = policy.texts("mx-host")
    for place, text in enumerate(hosts):
        if text[:3].lower() == "mx:":  # whole lines of the policy instead of its patterns
            policy.odd("mx-host", f"{shown(text)} begins with mx:")
            hosts[place] = text[3:].strip()
    return tuple(hosts)


def _failure_detail(row: Members) -> FailureDetail:
    type_text, sending_ip, mx_hostname, mx_helo, receiving_ip, information, reason = row.text_of_each(*_DETAIL_TEXTS)
    result_type = ResultType.of(type_text or "")
    if result_type is ResultType.OTHER:
        row.odd("result-type", f"{shown(type_text)} is not known" if type_text else "is missing or empty")
    failed = row.count("failed-session-count")
    # the names that section 4.4 gives the values, and drafts gave the keys, are used as keys by some
    if information is None:
        information = _text_under(row, "additional-info-uri", "additional-information")
    if reason is None:
        reason = _text_under(row, "failure-error-code", "failure-reason-code")
    row.keep_rest()
    return FailureDetail(
        result_type,
        type_text or "",
        sending_ip,
        mx_hostname,
        mx_helo,
        receiving_ip,
        failed,
        information,
        reason,
        row.unknown(),
    )


_DETAIL_TEXTS = (
    "result-type",
    "sending-mta-ip",
    "receiving-mx-hostname",
    "receiving-mx-helo",
    "receiving-ip",
    "additional-information",
    "failure-reason-code",
)


def _text_under(row: Members, other: str, key: str) -> str | None:
    """The text of a member that `key` should have been the name of."""
    if not row.has(other):
        return None
    row.odd(other, f"stands for {key}")
    return row.text(other)


def _date_range(data: Members) -> tuple[datetime, datetime]:
    dates = data.object("date-range")
    start = _moment(dates, "start-datetime")
    if start is None:
        raise InvalidReport(f"start-datetime is {shown(repr(dates.value('start-datetime')))}: of no day, no report")
    end = _moment(dates, "end-datetime")
    if end is None:
        dates.odd("end-datetime", "is missing or no time")
    elif end < start:
        dates.odd("end-datetime", "is before start-datetime")
    dates.keep_rest()
    return start, end or start


def _moment(dates: Members, key: str) -> datetime | None:
    """A time in UTC; None, and kept, when it is none."""
    text = dates.text(key)
    if text is None:
        return None
    try:
        written = _read_datetime(text)
        moment = written.replace(tzinfo=UTC) if written.tzinfo is None else written.astimezone(UTC)
    except (ValueError, OverflowError):
        dates.keep(key, text)
        return None
    if written.tzinfo is None:
        dates.odd(key, f"{shown(text)} has no zone: read as UTC")
    elif written.utcoffset():
        dates.odd(key, f"{shown(text)} is not in UTC")
    return moment


def _read_datetime(text: str) -> datetime:
    """RFC 3339 section 5.6 and more: no zone, fractions of any length, the ends of a day and of a leap second.

    Raises ValueError, OverflowError.
    """
    if len(text) > MAX_DATE_CHARACTERS:
        raise ValueError(f"{len(text)} characters are no time")
    text = text.strip().upper()
    if "24:00" in text and (end_of_day := _END_OF_DAY.match(text)):
        midnight = f"{end_of_day[1]}T00:00:00{text[end_of_day.end() :]}"
        return datetime.fromisoformat(midnight) + timedelta(days=1)
    return datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", text, count=1) if ":60" in text else text)
