"""JSON of a stranger: bounds come before work, only named errors come out, and nothing is dropped."""

import json
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from report_strategies import json_values, report_like

from mailtls.tls_rpt import i_json
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import InvalidReport, Report, parse, to_json

START = b'"date-range": {"start-datetime": "2026-11-30T00:00:00Z"}'


def report_with(member: bytes) -> bytes:
    return b"{" + START + b', "policies": [], "x": ' + member + b"}"


def entry_of(report: Report) -> LedgerEntry:
    return LedgerEntry("contoso.example", "mail1", datetime(2026, 12, 1, tzinfo=UTC), "reporter.test", report)


def check(data: bytes) -> None:
    """The bytes are a report that can be stored and read back, or an InvalidReport."""
    try:
        report = parse(data)
    except InvalidReport:
        return
    entry = entry_of(report)
    assert LedgerEntry.parse(entry.render()) == entry
    report.organization_name.encode()  # no lone surrogates


# ----------------------------------------------------------------------------------------------------------- fuzzing


@given(st.binary(max_size=100))
@example(b"\xff\xfe{\x00}\x00")
@example(b"\xef\xbb\xbf\xef\xbb\xbf{}")
@example(b'{"policies": [], "date-range": {"start-datetime": "\xd9\xa1999-01-01"}}')
def test_any_bytes(data: bytes) -> None:
    check(data)
    check(report_with(data))
    check(report_with(b'"' + data + b'"'))


@given(report_like)
def test_any_json_under_the_keys_of_the_rfc(value: Any) -> None:
    check(json.dumps(value).encode())
    check(json.dumps({"date-range": {"start-datetime": "2026-11-30T00:00:00Z"}, "policies": value}).encode())


@given(report_like)
def test_nothing_is_dropped(value: Any) -> None:
    """Every text that came in, in a row or beside it, is somewhere in what is stored."""
    row = {"policy": {"policy-type": "sts", "mark": "MARK1"}, "failure-details": [{"mark": "MARK2"}], "any": value}
    text = json.dumps({"date-range": {"start-datetime": "2026-11-30"}, "policies": [row], "any": value})
    stored = json.dumps(to_json(parse(text.encode())))
    assert "MARK1" in stored
    assert "MARK2" in stored
    for word in words(value):
        assert json.dumps(word)[1:-1].replace("\\", "") in stored.replace("\\", "")


def words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [word for name, member in value.items() for word in [name, *words(member)]]
    if isinstance(value, list):
        return [word for element in value for word in words(element)]
    return [value] if isinstance(value, str) else []


@given(json_values)
def test_json_values_come_through_decoding(value: Any) -> None:
    """Against the standard library: the same value, save for what I-JSON has no form for, which becomes text."""
    decoded, _ = i_json.decode(json.dumps(value).encode())
    assert decoded == expected(value)
    assert json.loads(i_json.encode(decoded)) == decoded


def expected(value: Any) -> Any:
    if isinstance(value, dict):
        return {expected(name): expected(member) for name, member in value.items()}
    if isinstance(value, list):
        return [expected(element) for element in value]
    if isinstance(value, str):
        return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if len(str(value)) <= i_json.MAX_INTEGER_CHARACTERS else str(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else json.dumps(value)
    return value


# ------------------------------------------------------------------------------------------------------ known nastiness


@pytest.mark.parametrize(
    ("member", "kept"),
    [
        (b"NaN", '"NaN"'),
        (b"Infinity", '"Infinity"'),
        (b"-Infinity", '"-Infinity"'),
        (b"1e999", '"1e999"'),
        (b"123456789012345678901234567890", '"123456789012345678901234567890"'),
        (b"9" * 5000, '"' + "9" * 5000 + '"'),  # int() refuses more than 4,300 digits
        (b"1." + b"0" * 5000, '"1.' + "0" * 5000 + '"'),
        (b'"\\ud800"', '"\\\\ud800"'),
        (b'"\\udfff\\ud83d\\ude00"', '"\\\\udfff\\ud83d\\ude00"'),  # the pair after it is a character
        (b'"a\\u0000b"', '"a\\u0000b"'),
        (b'"a\x00b\x1f"', '"a\\u0000b\\u001f"'),
        (b'"\xff"', '"\\u00ff"'),
        (b'"\\u202egnp.exe"', '"\\u202egnp.exe"'),
    ],
)
def test_what_no_double_and_no_utf_8_holds_is_kept_as_text(member: bytes, kept: str) -> None:
    report = parse(report_with(member))
    assert report.unknown == (("/x", kept),)
    check(report_with(member))


def test_two_names_that_become_one_are_both_kept() -> None:
    report = parse(report_with(b'{"\\ud800": 1, "\\\\ud800": 2}'))
    ((_, kept),) = report.unknown
    assert sorted(json.loads(kept).values()) == [1, 2]


def test_header_injection_stays_text() -> None:
    """Here it is only kept: who shows it cleans it (mailtls/reports/sender_text.py)."""
    data = report_with(b"1").replace(b'"policies"', b'"organization-name": "A\\r\\nBcc: b@evil.test", "policies"')
    assert parse(data).organization_name == "A\r\nBcc: b@evil.test"
    assert b"\n" not in entry_of(parse(data)).render()[:-1]


DEEP: list[Callable[[int], bytes]] = [
    lambda n: b"[" * n,
    lambda n: b"[" * n + b"]" * n,
    lambda n: b'{"a":' * n + b"1" + b"}" * n,
    lambda n: report_with(b"[" * n + b"]" * n),
    lambda n: report_with(b'{"a":' * n + b"1" + b"}" * n),
    lambda n: report_with(b'{"\\ud800":' * n + b"1" + b"}" * n),
    lambda n: b"[" * n + b'"\\ud800"' + b"]" * n,
]


@pytest.mark.parametrize("depth", [66, 500, 990, 5000, 100_000, 1_000_000])
@pytest.mark.parametrize("nested", DEEP)
def test_a_megabyte_of_nesting(nested: Callable[[int], bytes], depth: int) -> None:
    with pytest.raises(InvalidReport):
        parse(nested(depth))


def test_nesting_that_reports_may_have() -> None:
    check(report_with(b"[" * 50 + b"]" * 50))
    assert parse(report_with(b"[" * 50 + b"]" * 50)).unknown


def test_arrays_inside_a_string_are_bounded_too() -> None:
    row = {"policy": {"policy-type": "tlsa", "policy-string": ["[" * 100_000, "[" * 500 + "]" * 500]}}
    text = json.dumps({"date-range": {"start-datetime": "2026-11-30"}, "policies": [row]})
    assert parse(text.encode()).policies[0].policy_string == ("[" * 100_000, "[" * 500 + "]" * 500)


@pytest.mark.parametrize(
    "data",
    [
        b"{" + START + b', "policies": [' + b"{}," * 10_000_000,
        b"[" * 20_000_000,
        b"{" + START + b', "policies": [' + b"0," * 10_000_000,
        b'{"a":1,' * 3_000_000,
    ],
    ids=["rows", "brackets", "numbers", "objects"],
)
def test_too_many_values_are_refused_before_they_are_made(data: bytes) -> None:
    """20 MB of text that would become gigabytes of values."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidReport, match="more than 250,000 values"):
            parse(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_the_smallest_rows_in_the_largest_number_fit_into_the_functions_memory() -> None:
    rows = 5_000
    tracemalloc.start()
    try:
        report = parse(b"{" + START + b', "policies": [' + b",".join([b"{}"] * rows) + b"]}")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(report.policies) == rows
    assert peak / rows * (i_json.MAX_VALUES / 2) < 200_000_000


@given(
    st.sampled_from([b"\x00", b"\xff", "é".encode(), b'\\"', b"\\\\", "\u2028".encode(), b"\\ud800", b"a"]),
    st.sampled_from(["organization-name", "x", "policies"]),
)
def test_what_is_stored_is_at_most_seven_times_what_came(unit: bytes, key: str) -> None:
    """So that rendering an entry, before its size is known, takes a bounded amount of memory."""
    text = b'"' + unit * 1000 + b'"'
    value = b"[" + text + b"]" if key == "policies" else text
    data = b"{" + START + b', "' + key.encode() + b'": ' + value + b', "policies": []}'
    size = len(entry_of(parse(data)).render())
    assert size < 7 * len(data) + 1000


@pytest.mark.timeout(120)
def test_quadratic_traps() -> None:
    """Not a measurement: any of these takes hours where a step looks back at all that it has seen."""
    many = b"".join(b'"k": %d,' % n for n in range(20_000))
    deep_words = ("_" * 1_000_000, "mx:" * 300_000, "2026-11-30T24:00" * 50_000, "," * 1000, "\n" * 1_000_000)
    parse(b"{" + many + START + b', "policies": []}')
    for word in deep_words:
        policy = {"policy-type": word, "policy-string": word, "mx-host": word, "policy-domain": word}
        row = {"policy": policy, "failure-details": [{"result-type": word, "failed-session-count": word}]}
        parse(
            json.dumps(
                {"date-range": {"start-datetime": "2026-11-30", "end-datetime": word}, "policies": [row]}
            ).encode()
        )


def test_the_stack_is_not_the_strangers() -> None:
    """Whatever the depth that we are called at: an InvalidReport, not a RecursionError."""

    def deeper(levels: int) -> None:
        if levels:
            deeper(levels - 1)
        else:
            with pytest.raises(InvalidReport):
                parse(report_with(b"[" * 400 + b"]" * 400))

    deeper(sys.getrecursionlimit() - 400)
