"""A TLS report (RFC 8460 section 4): bytes of a JSON text -> `Report`, its stored form, its key in the ledger.

>>> parse(b'{"date-range": {"start-datetime": "2026-11-30T00:00:00Z"}, "policies": []}').day
datetime.date(2026, 11, 30)
"""

import hashlib
import json

from mailtls.tls_rpt import i_json, report_reader
from mailtls.tls_rpt.contract import Prefix
from mailtls.tls_rpt.report_stored import from_json, to_json
from mailtls.tls_rpt.report_values import (
    FailureDetail,
    InvalidReport,
    PolicyResult,
    PolicyType,
    Report,
    ResultType,
    Unknown,
)

__all__ = [
    "FailureDetail",
    "InvalidReport",
    "PolicyResult",
    "PolicyType",
    "Report",
    "ResultType",
    "Unknown",
    "from_json",
    "other_content_key",
    "parse",
    "report_key",
    "to_json",
]


def parse(data: bytes) -> Report:
    """Read a report as it came: inflated, otherwise untouched (`message` does that).

    Takes every shape that is known from the wild and keeps what it does not know (`unknown`). The caller bounds the
    size of `data`; the number and depth of values in it are bounded here. Raises InvalidReport and nothing else.
    """
    try:
        value, odd = i_json.decode(data)
    except i_json.InvalidJson as e:
        raise InvalidReport(str(e)) from e
    return report_reader.read(value, odd)


def report_key(report: Report, policy_domain: str, signer: str = "") -> str:
    """Key of the ledger entry: `reports/<policy domain>/<day>/<32 hexadecimal digits>.json`.

    The digits are made from organization, report-id, start, end and policy domain (ADR 5), so that a report that comes
    again meets its own key. All of these are the sender's words and easily guessed: `signer`, the proven DKIM domain,
    keeps a stranger from taking the key of somebody else's report before that arrives.
    """
    identity = [
        report.organization_name,
        report.report_id,
        report.start_datetime.isoformat(),
        report.end_datetime.isoformat(),
        policy_domain,
        *([signer] if signer else []),
    ]
    digest = hashlib.sha256(json.dumps(identity).encode("ascii")).hexdigest()[:32]
    return f"{Prefix.REPORTS}{policy_domain}/{report.day.isoformat()}/{digest}.json"


def other_content_key(key: str, report: Report) -> str:
    """Key of a later report under the same identity (`key`) that says something else (ADR 18):
    `other-content/<policy domain>/<day>/<32 digits of the identity>/<12 of its content>.json`."""
    content = json.dumps(to_json(report), sort_keys=True).encode("ascii")
    stem = key.removeprefix(Prefix.REPORTS).removesuffix(".json")
    return f"{Prefix.OTHER_CONTENT}{stem}/{hashlib.sha256(content).hexdigest()[:12]}.json"
