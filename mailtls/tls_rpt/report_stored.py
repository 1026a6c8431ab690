"""The normalised form of a report, as the ledger stores it: the RFC's names, one type per name, nothing lost.

It can be queried without this program (Athena reads it as it stands): times end in `Z`, lists are lists, types are
words of the closed enumerations, and a sender's own word stands beside them (`policy-type-text`) where it differs.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from mailtls.tls_rpt.report_values import (
    FailureDetail,
    InvalidReport,
    PolicyResult,
    PolicyType,
    Report,
    ResultType,
    Unknown,
)

_DETAIL_TEXTS = {
    "sending-mta-ip": "sending_mta_ip",
    "receiving-mx-hostname": "receiving_mx_hostname",
    "receiving-mx-helo": "receiving_mx_helo",
    "receiving-ip": "receiving_ip",
    "additional-information": "additional_information",
    "failure-reason-code": "failure_reason_code",
}
_Value = TypeVar("_Value")


def to_json(report: Report) -> dict[str, Any]:
    """`report` as JSON values: `from_json(to_json(report)) == report`, also after a trip through a file.

    Absent members are left out; `unknown` is {JSON pointer: JSON text}.
    """
    data: dict[str, Any] = {
        "organization-name": report.organization_name,
        "date-range": {
            "start-datetime": _render_datetime(report.start_datetime),
            "end-datetime": _render_datetime(report.end_datetime),
        },
        "report-id": report.report_id,
        "policies": [_policy_to_json(policy) for policy in report.policies],
        "notes": list(report.notes),
    }
    if report.contact_info is not None:
        data["contact-info"] = report.contact_info
    return _with_unknown(data, report.unknown)


def from_json(data: Mapping[str, Any]) -> Report:
    """The inverse, for what `to_json` wrote and nothing else. Raises InvalidReport."""
    try:
        return Report(
            organization_name=_typed(data["organization-name"], str),
            start_datetime=_parse_datetime(data["date-range"]["start-datetime"]),
            end_datetime=_parse_datetime(data["date-range"]["end-datetime"]),
            contact_info=_optional(data, "contact-info", str),
            report_id=_typed(data["report-id"], str),
            policies=_tuple(data["policies"], _policy_from_json),
            notes=_texts(data["notes"]),
            unknown=_unknown(data),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as e:
        raise InvalidReport(f"not a stored report: {e!r}") from e


def _policy_to_json(policy: PolicyResult) -> dict[str, Any]:
    data: dict[str, Any] = {
        "policy-type": str(policy.policy_type),
        "policy-string": list(policy.policy_string),
        "policy-domain": policy.policy_domain,
        "mx-host": list(policy.mx_host),
    }
    if policy.policy_type_text != policy.policy_type:
        data["policy-type-text"] = policy.policy_type_text
    summary = {
        "total-successful-session-count": policy.total_successful_session_count,
        "total-failure-session-count": policy.total_failure_session_count,
    }
    row = {
        "policy": data,
        "summary": {key: count for key, count in summary.items() if count is not None},
        "failure-details": [_detail_to_json(detail) for detail in policy.failure_details],
    }
    return _with_unknown(row, policy.unknown)


def _policy_from_json(row: Mapping[str, Any]) -> PolicyResult:
    data = row["policy"]
    policy_type = PolicyType(data["policy-type"])
    return PolicyResult(
        policy_type=policy_type,
        policy_type_text=_typed(data.get("policy-type-text", str(policy_type)), str),
        policy_string=_texts(data["policy-string"]),
        policy_domain=_typed(data["policy-domain"], str),
        mx_host=_texts(data["mx-host"]),
        total_successful_session_count=_optional(row["summary"], "total-successful-session-count", int),
        total_failure_session_count=_optional(row["summary"], "total-failure-session-count", int),
        failure_details=_tuple(row["failure-details"], _detail_from_json),
        unknown=_unknown(row),
    )


def _detail_to_json(detail: FailureDetail) -> dict[str, Any]:
    data: dict[str, Any] = {"result-type": str(detail.result_type)}
    if detail.result_type_text != detail.result_type:
        data["result-type-text"] = detail.result_type_text
    for key, field in _DETAIL_TEXTS.items():
        text = getattr(detail, field)
        if text is not None:
            data[key] = text
    if detail.failed_session_count is not None:
        data["failed-session-count"] = detail.failed_session_count
    return _with_unknown(data, detail.unknown)


def _detail_from_json(data: Mapping[str, Any]) -> FailureDetail:
    result_type = ResultType(data["result-type"])
    return FailureDetail(
        result_type=result_type,
        result_type_text=_typed(data.get("result-type-text", str(result_type)), str),
        failed_session_count=_optional(data, "failed-session-count", int),
        unknown=_unknown(data),
        **{field: _optional(data, key, str) for key, field in _DETAIL_TEXTS.items()},
    )


def _with_unknown(data: dict[str, Any], unknown: Unknown) -> dict[str, Any]:
    return {**data, "unknown": dict(unknown)} if unknown else data


def _unknown(data: Mapping[str, Any]) -> Unknown:
    return tuple(sorted((_typed(pointer, str), _typed(text, str)) for pointer, text in data.get("unknown", {}).items()))


def _render_datetime(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse_datetime(text: Any) -> datetime:
    moment = datetime.fromisoformat(_typed(text, str))
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment.astimezone(UTC)


def _typed(value: Any, wanted: type[_Value]) -> _Value:
    if type(value) is not wanted:
        raise TypeError(f"{type(value).__name__} where {wanted.__name__} is stored")
    return value


def _optional(data: Mapping[str, Any], key: str, wanted: type[_Value]) -> _Value | None:
    return None if key not in data else _typed(data[key], wanted)


def _tuple(value: Any, read: Callable[[Any], _Value]) -> tuple[_Value, ...]:
    return tuple(read(element) for element in _typed(value, list))


def _texts(value: Any) -> tuple[str, ...]:
    return _tuple(value, lambda element: _typed(element, str))
