"""Reports as they really arrive: each shape is read, nothing of it is dropped, and what was odd is noted.

The samples in wild/ are whole reports in the manner of their senders (wild/PROVENANCE.md); the table below changes one
thing at a time, in the order of the list that these shapes were gathered in.
"""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mailtls.mta_sts.policy import Mode
from mailtls.tls_rpt.report import (
    InvalidReport,
    PolicyResult,
    PolicyType,
    Report,
    ResultType,
    from_json,
    parse,
    to_json,
)

WILD = Path(__file__).parent / "wild"


def sample(name: str) -> Report:
    return parse((WILD / f"{name}.json").read_bytes())


# --------------------------------------------------------------------------------------------- whole reports, by sender


@pytest.mark.parametrize("path", sorted(WILD.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_is_read_whole(path: Path) -> None:
    """Each text and number of the sender is somewhere in what is stored."""
    report = parse(path.read_bytes())
    stored = json.dumps(to_json(report))
    for leaf in leaves(json.loads(path.read_bytes())):
        assert json.dumps(leaf)[1:-1] in stored or json.dumps(json.dumps(leaf)) in stored or json_array(leaf)
    assert from_json(json.loads(stored)) == report
    assert not report.unknown
    assert report.day == report.start_datetime.date()


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in leaves(member)]
    if isinstance(value, list):
        return [leaf for element in value for leaf in leaves(element)]
    return [] if isinstance(value, str) and value[10:11] == "T" else [value]  # times are stored in another form


def json_array(leaf: Any) -> bool:
    return isinstance(leaf, str) and leaf.startswith("[")


def test_google() -> None:
    report = sample("google")
    assert report.notes == ()
    assert report.organization_name == "Google Inc."
    assert report.end_datetime == datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    (policy,) = report.policies
    assert policy.mx_host == ("mx1.contoso.example", "*.mailhost.example")
    assert policy.mode is Mode.ENFORCE
    assert (policy.total_successful_session_count, policy.total_failure_session_count) == (8911, 3)
    expired, failed = policy.failure_details
    assert (expired.result_type, expired.failed_session_count) == (ResultType.CERTIFICATE_EXPIRED, 2)
    assert failed.receiving_mx_hostname == "mx3.contoso.example"
    assert failed.failure_reason_code is None


def test_microsoft() -> None:
    report = sample("microsoft")
    assert report.start_datetime == datetime(2026, 11, 30, tzinfo=UTC)
    assert "date-range.start-datetime '2026-11-30T00:00:00' has no zone: read as UTC" in report.notes
    sts, tlsa = report.policies
    assert [p.policy_type for p in report.policies] == [PolicyType.STS, PolicyType.TLSA]
    assert sts.failure_details[0].failure_reason_code == "4.7.1"
    assert sts.mx_host == ()
    assert tlsa.policy_string == (
        "3 1 1 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B566 64C5D3D6",
        "2 1 1 8D02536C887482BC34FF54E41D2BA659BF85B341A0A20AFADB5813DCFBCF286D",
    )
    assert tlsa.mode is None


def test_mail_ru() -> None:
    report = sample("mail_ru")
    assert report.end_datetime == datetime(2026, 12, 1, tzinfo=UTC)
    assert report.day == date(2026, 11, 30)  # the day that it began, although it ends on the next
    (detail,) = report.policies[0].failure_details
    assert detail.result_type is ResultType.STS_POLICY_FETCH_ERROR
    assert (detail.sending_mta_ip, detail.receiving_mx_hostname, detail.receiving_ip) == ("", "", None)
    assert "HTTP status 503" in (detail.failure_reason_code or "")


def test_postfix() -> None:
    sts, none = sample("postfix").policies
    assert sts.failure_details[0].receiving_mx_helo == "mail.contoso.example"
    assert sts.failure_details[0].additional_information == "https://sender.test/tls/20"
    assert none.policy_type is PolicyType.NO_POLICY_FOUND
    assert (none.policy_string, none.failure_details) == ((), ())


def test_the_rfcs_own_sample() -> None:
    """Peers refuse it for its mx-host, a string; a list of one string is what was meant (erratum 6241)."""
    report = sample("rfc_appendix_b")
    assert report.notes == ()
    (policy,) = report.policies
    assert policy.mx_host == ("*.mail.company-y.example",)
    assert [d.failed_session_count for d in policy.failure_details] == [100, 200, 3]
    assert policy.failure_details[2].failure_reason_code == "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED"


def test_a_clean_day() -> None:
    (policy,) = sample("clean_day").policies
    assert (policy.total_successful_session_count, policy.failure_details) == (558, ())


# ------------------------------------------------------------------------------------------------- one thing at a time

ABSENT: Any = object()
POLICY = "policies/0/policy"
SUMMARY = "policies/0/summary"
DETAIL = "policies/0/failure-details/0"


def changed(**changes: Any) -> bytes:
    """google.json with the members at these places set, or removed (ABSENT). Places: `path/to/member`."""
    data = json.loads((WILD / "google.json").read_bytes())
    for place, value in changes.items():
        *parents, last = place.split("/")
        inner = data
        for parent in parents:
            inner = inner[int(parent)] if isinstance(inner, list) else inner[parent]
        if value is ABSENT:
            del inner[last]
        else:
            inner[last] = value
    return json.dumps(data).encode()


def policy_of(place: str, value: Any) -> PolicyResult:
    """The first policy of the sample after a change; the stored form keeps all of it."""
    report = parse(changed(**{place: value}))
    assert from_json(to_json(report)) == report
    return report.policies[0]


@pytest.mark.parametrize(
    ("value", "mx_host"),
    [
        ("mx1.contoso.example", ("mx1.contoso.example",)),
        (["mx1.contoso.example", "*.mailhost.example"], ("mx1.contoso.example", "*.mailhost.example")),
        ([], ()),
        ("", ()),
        (None, ()),
        (ABSENT, ()),
        (["mx: mx1.contoso.example", "MX:mx2.contoso.example"], ("mx1.contoso.example", "mx2.contoso.example")),
        ("mx: mx1.contoso.example", ("mx1.contoso.example",)),
        ([None, "mx1.contoso.example"], ("mx1.contoso.example",)),
    ],
)
def test_mx_host_in_every_shape(value: Any, mx_host: tuple[str, ...]) -> None:
    assert policy_of(f"{POLICY}/mx-host", value).mx_host == mx_host


@pytest.mark.parametrize(
    ("policy_type", "value", "policy_string"),
    [
        ("sts", ["version: STSv1", "mode: none"], ("version: STSv1", "mode: none")),
        ("sts", ABSENT, ()),
        ("sts", None, ()),
        ("sts", [], ()),
        ("sts", "", ()),
        ("sts", "version: STSv1\r\nmode: none\r\n", ("version: STSv1", "mode: none")),
        ("sts", ["version: STSv1\nmode: none\n"], ("version: STSv1", "mode: none")),
        ("tlsa", ["3 1 1 ab"], ("3 1 1 ab",)),
        ("tlsa", '["3 1 1 ab","2 1 1 cd"]', ("3 1 1 ab", "2 1 1 cd")),
        ("tlsa", ['["3 1 1 ab","2 1 1 cd"]'], ("3 1 1 ab", "2 1 1 cd")),
        ("tlsa", "3 1 1 ab; 2 1 1 cd", ("3 1 1 ab", "2 1 1 cd")),  # the prose of section 4
        ("tlsa", ["[3 1 1 ab"], ("[3 1 1 ab",)),
        ("tlsa", ["[1, 2]"], ("[1, 2]",)),
    ],
)
def test_policy_string_in_every_shape(policy_type: str, value: Any, policy_string: tuple[str, ...]) -> None:
    report = parse(changed(**{f"{POLICY}/policy-type": policy_type, f"{POLICY}/policy-string": value}))
    assert report.policies[0].policy_string == policy_string


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-30T00:00:00Z", (2026, 11, 30)),
        ("2026-11-30T00:00:00+00:00", (2026, 11, 30)),
        ("2026-11-30T00:00:00", (2026, 11, 30)),
        ("2026-11-30T00:00:00.123Z", (2026, 11, 30, 0, 0, 0, 123000)),
        ("2026-11-30T00:00:00.1234567Z", (2026, 11, 30, 0, 0, 0, 123456)),
        ("2026-11-30t00:00:00z", (2026, 11, 30)),
        ("2026-11-30 00:00:00Z", (2026, 11, 30)),
        ("2026-11-30T01:30:00+01:30", (2026, 11, 30)),
        ("2026-11-29T24:00:00Z", (2026, 11, 30)),
        ("2026-11-29T23:59:60Z", (2026, 11, 29, 23, 59, 59)),
        ("2026-11-30", (2026, 11, 30)),
        (" 2026-11-30T00:00:00Z ", (2026, 11, 30)),
    ],
)
def test_dates_in_every_shape(text: str, moment: tuple[int, ...]) -> None:
    report = parse(changed(**{"date-range/start-datetime": text}))
    assert report.start_datetime == datetime(*moment, tzinfo=UTC)  # type: ignore[arg-type]
    assert report.start_datetime.tzinfo is UTC


@pytest.mark.parametrize("end", ["2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z", ABSENT, "", "soon", 5])
def test_a_report_belongs_to_the_day_of_its_start(end: Any) -> None:
    assert parse(changed(**{"date-range/end-datetime": end})).day == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("place", "value", "field", "expected"),
    [
        ("contact-info", None, "contact_info", None),
        ("contact-info", ABSENT, "contact_info", None),
        ("organization-name", ABSENT, "organization_name", ""),
        ("organization-name", "", "organization_name", ""),
        ("report-id", "134091456000000000+", "report_id", "134091456000000000+"),
        ("report-id", ABSENT, "report_id", ""),
        ("report-id", 134091456, "report_id", "134091456"),
    ],
)
def test_missing_and_empty_members_of_the_report(place: str, value: Any, field: str, expected: Any) -> None:
    assert getattr(parse(changed(**{place: value})), field) == expected


@pytest.mark.parametrize("value", [ABSENT, "", None, " "])
def test_no_policy_found_for_no_domain(value: Any) -> None:
    report = parse(changed(**{f"{POLICY}/policy-type": "no-policy-found", f"{POLICY}/policy-domain": value}))
    assert report.policies[0].policy_domain == ""
    assert report.policies[0].policy_type is PolicyType.NO_POLICY_FOUND


@pytest.mark.parametrize("value", [ABSENT, "", None])
@pytest.mark.parametrize("key", ["sending-mta-ip", "receiving-ip", "receiving-mx-hostname"])
def test_failures_without_addresses(key: str, value: Any) -> None:
    detail = policy_of(f"{DETAIL}/{key}", value).failure_details[0]
    assert getattr(detail, key.replace("-", "_")) == ("" if value == "" else None)
    assert detail.failed_session_count == 2


@pytest.mark.parametrize("value", [ABSENT, None, {}, [], "none"])
def test_a_policy_without_a_summary(value: Any) -> None:
    policy = policy_of(SUMMARY, value)
    assert (policy.total_successful_session_count, policy.total_failure_session_count) == (None, None)
    assert len(policy.failure_details) == 2


@pytest.mark.parametrize("value", [ABSENT, None, []])
def test_a_policy_without_failure_details(value: Any) -> None:
    assert policy_of("policies/0/failure-details", value).failure_details == ()


@pytest.mark.parametrize(
    ("value", "count"), [(ABSENT, None), (None, None), ("3", 3), (" 3 ", 3), (3.0, 3), (-1, None), ("many", None)]
)
def test_counts_missing_and_as_strings(value: Any, count: int | None) -> None:
    assert policy_of(f"{SUMMARY}/total-failure-session-count", value).total_failure_session_count == count
    assert policy_of(f"{DETAIL}/failed-session-count", value).failure_details[0].failed_session_count == count


@pytest.mark.parametrize(
    ("word", "policy_type"),
    [
        ("sts", PolicyType.STS),
        ("STS", PolicyType.STS),
        ("Tlsa", PolicyType.TLSA),
        ("no-policy-found", PolicyType.NO_POLICY_FOUND),
        ("NO_POLICY_FOUND", PolicyType.NO_POLICY_FOUND),
        ("invalid-policy-type", PolicyType.OTHER),  # peers refuse the report
        ("x" * 10_000, PolicyType.OTHER),
        ("", PolicyType.OTHER),
    ],
)
def test_policy_types_known_and_not(word: str, policy_type: PolicyType) -> None:
    policy = policy_of(f"{POLICY}/policy-type", word)
    assert (policy.policy_type, policy.policy_type_text) == (policy_type, word)


@pytest.mark.parametrize(
    ("word", "result_type"),
    [
        ("certificate-expired", ResultType.CERTIFICATE_EXPIRED),
        ("Certificate_Expired", ResultType.CERTIFICATE_EXPIRED),
        ("STARTTLS-NOT-SUPPORTED", ResultType.STARTTLS_NOT_SUPPORTED),
        ("certificate-revoked", ResultType.OTHER),
        ("", ResultType.OTHER),
    ],
)
def test_result_types_known_and_not(word: str, result_type: ResultType) -> None:
    detail = policy_of(f"{DETAIL}/result-type", word).failure_details[0]
    assert (detail.result_type, detail.result_type_text) == (result_type, word)


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ("x-note", "/x-note"),
        ("date-range/x-note", "/date-range/x-note"),
        ("policies/0/x-note", "/x-note"),
        (f"{POLICY}/x-note", "/policy/x-note"),
        (f"{SUMMARY}/x-note", "/summary/x-note"),
        (f"{DETAIL}/x-note", "/x-note"),
    ],
)
def test_unknown_keys_at_every_level_are_kept(place: str, pointer: str) -> None:
    report = parse(changed(**{place: {"a": [1, None]}}))
    policy = report.policies[0]
    where = report if place.count("/") < 2 and "policies" not in place else policy
    kept = policy.failure_details[0].unknown if place.startswith(DETAIL) else where.unknown
    assert kept == ((pointer, '{"a":[1,null]}'),)
    assert any("x-note" in note for note in report.notes)


def test_senders_text_is_kept_as_it_is() -> None:
    """Markup, links, controls: never trusted, never rendered, always kept."""
    text = "<script>alert(1)</script>\r\n=cmd|' /C calc'!A0 \x1b[31m https://evil.test/"
    for key in ("additional-information", "failure-reason-code"):
        detail = policy_of(f"{DETAIL}/{key}", text).failure_details[0]
        assert getattr(detail, key.replace("-", "_")) == text


def test_keys_by_the_names_of_their_values() -> None:
    """The RFC calls the value of additional-information additional-info-uri; some senders use it as the key."""
    detail = policy_of(f"{DETAIL}/additional-info-uri", "https://sender.test/1").failure_details[0]
    assert detail.additional_information == "https://sender.test/1"
    both = json.loads(changed(**{f"{DETAIL}/additional-info-uri": "B"}))
    both["policies"][0]["failure-details"][0]["additional-information"] = "A"
    detail = parse(json.dumps(both).encode()).policies[0].failure_details[0]
    assert (detail.additional_information, detail.unknown) == ("A", (("/additional-info-uri", '"B"'),))


@pytest.mark.parametrize("total", [1, 2, 300])
def test_totals_are_never_derived_from_details(total: int) -> None:
    policy = policy_of(f"{SUMMARY}/total-failure-session-count", total)
    assert policy.total_failure_session_count == total
    assert sum(detail.failed_session_count or 0 for detail in policy.failure_details) == 3


def test_a_byte_order_mark() -> None:
    report = parse(b"\xef\xbb\xbf" + changed())
    assert report.policies == sample("google").policies
    assert report.notes == ("begins with a byte order mark",)


def test_duplicate_keys_last_counts_and_earlier_are_kept() -> None:
    text = changed().replace(b'"policy-type":', b'"policy-type": "tlsa", "policy-type":')
    text = text.replace(b'"report-id":', b'"report-id": "one", "report-id": "two", "report-id":')
    report = parse(text)
    assert report.policies[0].policy_type is PolicyType.STS
    assert report.policies[0].unknown == (("/policy/policy-type (earlier 1)", '"tlsa"'),)
    assert report.report_id == "2026-11-30T00:00:00Z_contoso.example"
    assert report.unknown == (("/report-id (earlier 1)", '"one"'), ("/report-id (earlier 2)", '"two"'))


def test_a_very_large_report() -> None:
    detail = json.loads(changed())["policies"][0]["failure-details"][0]
    report = parse(changed(**{"policies/0/failure-details": [detail] * 10_000}))
    assert len(report.policies[0].failure_details) == 10_000


def test_an_internationalised_policy_domain() -> None:
    policy = policy_of(f"{POLICY}/policy-domain", "Bücher.example.")
    assert policy.policy_domain == "xn--bcher-kva.example"
    assert policy.unknown == (("/policy/policy-domain", json.dumps("Bücher.example.")),)
    assert policy_of(f"{POLICY}/policy-domain", "XN--BCHER-KVA.example.").policy_domain == "xn--bcher-kva.example"


@pytest.mark.parametrize("text", ["not a name!", "a" * 5000, "a..b", "https://contoso.example/"])
def test_a_policy_domain_that_is_no_name_is_kept(text: str) -> None:
    policy = policy_of(f"{POLICY}/policy-domain", text)
    assert policy.policy_domain == ""
    assert policy.unknown == (("/policy/policy-domain", json.dumps(text)),)


def test_one_policy_without_its_list() -> None:
    """T21."""
    alone = json.loads(changed())["policies"][0]
    assert parse(changed(policies=alone)).policies == sample("google").policies


def test_modes_are_read_from_the_policy_string_only_where_it_has_one() -> None:
    def mode(policy_type: str, *lines: str) -> Mode | None:
        about = {f"{POLICY}/policy-type": policy_type, f"{POLICY}/policy-string": list(lines)}
        return parse(changed(**about)).policies[0].mode

    assert mode("sts", "version: STSv1", "mode: testing") is Mode.TESTING
    assert mode("sts", " MODE :ENFORCE ") is Mode.ENFORCE
    assert mode("sts", "mode: testing", "mode: enforce") is Mode.TESTING  # of a repeated field the first counts
    assert mode("sts", "mode: strict", "mode: enforce") is None
    assert mode("sts") is None
    assert mode("tlsa", "mode: enforce") is None
    assert mode("no-policy-found", "mode: enforce") is None
    assert mode("new-type", "mode: enforce") is Mode.ENFORCE


# ------------------------------------------------------------------------------------------------ what is no report

START = b'"date-range": {"start-datetime": "2026-11-30T00:00:00Z"}'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"null", "null, not an object"),
        (b"[]", "a list, not an object"),
        (b'"report"', "a string, not an object"),
        (b"{}", "no policies"),
        (b"{" + START + b"}", "no policies"),
        (b"{" + START + b', "policies": null}', "no policies"),
        (b"{" + START + b', "policies": "none"}', "no policies"),
        (b'{"policies": []}', "of no day, no report"),
        (b'{"policies": [], "date-range": "2026-11-30"}', "of no day, no report"),
        (changed(**{"date-range/start-datetime": "yesterday"}), "'yesterday'"),
        (changed(**{"date-range/start-datetime": "2026-13-01T00:00:00Z"}), "of no day"),
        (changed(**{"date-range/start-datetime": "0001-01-01T00:00:00+01:00"}), "of no day"),
        (changed(**{"date-range/start-datetime": "9999-12-31T24:00:00Z"}), "of no day"),
        (changed(**{"date-range/start-datetime": "1" * 100_000}), "of no day"),
        (changed(**{"date-range/start-datetime": 1795996800}), "of no day"),
        (b"<html>not found</html>", "not JSON"),
        (changed()[:-1], "not JSON"),
        (changed() + changed(), "not JSON"),
    ],
)
def test_what_is_no_report_is_named_so(data: bytes, said: str) -> None:
    with pytest.raises(InvalidReport, match=said):
        parse(data)


def test_notes_are_bounded() -> None:
    report = parse(changed(policies=[{}] * 1000))
    assert len(report.notes) == 101
    assert report.notes[-1].startswith("and ")
