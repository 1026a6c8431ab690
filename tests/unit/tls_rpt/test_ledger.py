"""What is stored once: the normalised report, the ledger entry, its key."""

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_strategies import json_values, ledger_entries, names, reports, texts

from mailtls.tls_rpt.ledger import InvalidLedgerEntry, LedgerEntry
from mailtls.tls_rpt.report import (
    FailureDetail,
    InvalidReport,
    Report,
    ResultType,
    from_json,
    parse,
    report_key,
    to_json,
)

REPORT = parse(
    b"""{"organization-name": "Reporter", "report-id": "1", "contact-info": "tls@reporter.test",
    "date-range": {"start-datetime": "2026-11-30T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"},
    "policies": [{"policy": {"policy-type": "STS", "policy-domain": "contoso.example", "policy-string": ["mode: none"],
      "mx-host": "mx1.contoso.example"}, "summary": {"total-successful-session-count": 5},
      "failure-details": [{"result-type": "new-word", "failed-session-count": 2, "x": [1]}]}]}"""
)
ENTRY = LedgerEntry("contoso.example", "o3vrnil0", datetime(2026, 12, 1, 3, 12, 44, 5, UTC), "reporter.test", REPORT)


@given(reports)
def test_a_stored_report_is_read_back(report: Report) -> None:
    assert from_json(json.loads(json.dumps(to_json(report)))) == report


@given(ledger_entries)
def test_an_entry_is_read_back_from_one_line(entry: LedgerEntry) -> None:
    body = entry.render()
    assert LedgerEntry.parse(body) == entry
    assert body.endswith(b"}\n")
    assert body.count(b"\n") == 1
    assert body.isascii()


def test_the_form_that_queries_read() -> None:
    """Athena reads this as it stands, for years: one type for each name, times in UTC, lists always lists."""
    assert json.loads(ENTRY.render()) == {
        "version": 1,
        "policy_domain": "contoso.example",
        "mail": "o3vrnil0",
        "stored_at": "2026-12-01T03:12:44.000005+00:00",
        "signer": "reporter.test",
        "report": {
            "organization-name": "Reporter",
            "date-range": {"start-datetime": "2026-11-30T00:00:00Z", "end-datetime": "2026-11-30T23:59:59Z"},
            "contact-info": "tls@reporter.test",
            "report-id": "1",
            "policies": [
                {
                    "policy": {
                        "policy-type": "sts",
                        "policy-type-text": "STS",
                        "policy-string": ["mode: none"],
                        "policy-domain": "contoso.example",
                        "mx-host": ["mx1.contoso.example"],
                    },
                    "summary": {"total-successful-session-count": 5},
                    "failure-details": [
                        {
                            "result-type": "other",
                            "result-type-text": "new-word",
                            "failed-session-count": 2,
                            "unknown": {"/x": "[1]"},
                        }
                    ],
                }
            ],
            "notes": [
                "policies[0].failure-details[0].result-type 'new-word' is not known",
                "policies[0].failure-details[0].x is not in RFC 8460",
            ],
        },
    }


def changed(path: str, value: Any) -> bytes:
    data = json.loads(ENTRY.render())
    *parents, last = path.split("/")
    inner = data
    for parent in parents:
        inner = inner[int(parent)] if isinstance(inner, list) else inner[parent]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        changed("version", 2),
        changed("version", ...),
        changed("stored_at", "yesterday"),
        changed("stored_at", 5),
        changed("signer", ...),
        changed("report", []),
        changed("report/policies", {}),
        changed("report/policies/0/policy/policy-type", "new"),
        changed("report/policies/0/summary/total-successful-session-count", "5"),
        changed("report/policies/0/summary/total-successful-session-count", True),
        changed("report/policies/0/failure-details/0/result-type", "new"),
        changed("report/date-range/start-datetime", "2026-11-30"),
        changed("report/notes", "a"),
        changed("report/unknown", {"/x": 1}),
        changed("policy_domain", 5),
        changed("mail", None),
        changed("signer", ["reporter.test"]),
        changed("stored_at", "2026-12-01T03:12:44"),
    ],
)
def test_what_we_did_not_write_is_no_entry(body: bytes) -> None:
    with pytest.raises(InvalidLedgerEntry):
        LedgerEntry.parse(body)


@given(json_values)
def test_any_json_is_a_stored_report_or_an_invalid_one(value: Any) -> None:
    stored = to_json(REPORT)
    for key in stored:
        try:
            from_json({**stored, key: value})
        except InvalidReport:
            continue


@given(st.binary(max_size=40), st.integers(0, 400))
def test_any_bytes_are_an_entry_or_an_invalid_one(noise: bytes, at: int) -> None:
    body = ENTRY.render()
    for candidate in (noise, body[:at], body[:at] + noise + body[at:]):
        try:
            LedgerEntry.parse(candidate)
        except InvalidLedgerEntry:
            continue


# ------------------------------------------------------------------------------------------------------------- keys

KEY = "reports/contoso.example/2026-11-30/0efe80f3d3795746de4715b60bf3fd20.json"


@settings(max_examples=30)
@given(reports, names, texts)
def test_a_key_is_safe_and_says_domain_and_day(report: Report, policy_domain: str, signer: str) -> None:
    key = report_key(report, policy_domain, signer)
    day = report.start_datetime.date().isoformat()
    assert re.fullmatch(rf"reports/{re.escape(policy_domain)}/{day}/[0-9a-f]{{32}}\.json", key)
    assert report_key(report, policy_domain, signer) == key


def test_a_report_that_comes_again_meets_its_key() -> None:
    """Whatever else is in it: the first content counts. Also when the other one writes its times with an offset."""
    key = report_key(REPORT, "contoso.example", "reporter.test")
    others = [
        {"contact_info": None},
        {"policies": ()},
        {"notes": ("other",)},
        {"unknown": (("/x", "1"),)},
        {"start_datetime": REPORT.start_datetime.astimezone(timezone(timedelta(hours=1)))},
    ]
    for change in others[:4]:
        assert report_key(dataclasses.replace(REPORT, **change), "contoso.example", "reporter.test") == key
    again = json.loads(json.dumps(to_json(REPORT)))
    again["date-range"]["start-datetime"] = "2026-11-30T01:00:00+01:00"
    assert report_key(parse(json.dumps(again).encode()), "contoso.example", "reporter.test") == key


@pytest.mark.parametrize(
    "change",
    [
        {"organization_name": "Other"},
        {"report_id": "2"},
        {"start_datetime": REPORT.start_datetime + timedelta(seconds=1)},
        {"end_datetime": REPORT.end_datetime + timedelta(seconds=1)},
        # a separator inside a value makes no other report's identity
        {"organization_name": 'Reporter", "1'},
    ],
)
def test_another_identity_is_another_key(change: dict[str, Any]) -> None:
    other = dataclasses.replace(REPORT, **change)
    assert report_key(other, "contoso.example", "reporter.test") != report_key(
        REPORT, "contoso.example", "reporter.test"
    )


def test_nobody_takes_the_key_of_somebody_elses_report() -> None:
    keys = {report_key(REPORT, domain, signer) for domain in ("a.example", "b.example") for signer in ("", "x", "y")}
    assert len(keys) == 6


def test_a_key_never_changes() -> None:
    """A release that changed it would store every re-sent report a second time: this value is for ever."""
    assert report_key(REPORT, "contoso.example", "reporter.test") == KEY


def test_a_detail_keeps_the_senders_word_only_where_it_differs() -> None:
    detail = FailureDetail(ResultType.CERTIFICATE_EXPIRED, "certificate-expired")
    policy = dataclasses.replace(REPORT.policies[0], failure_details=(detail,))
    stored = to_json(dataclasses.replace(REPORT, policies=(policy,)))
    assert stored["policies"][0]["failure-details"] == [{"result-type": "certificate-expired"}]
