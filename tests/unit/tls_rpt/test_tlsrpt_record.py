"""The `_smtp._tls` record: RFC 8460 section 3."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.tls_rpt.record import (
    InvalidRecord,
    NoRecord,
    Record,
    RecordError,
    SeveralRecords,
    find,
    join,
    report_uri,
)

hosts = st.lists(st.sampled_from(["a", "mx1", "example", "xn--bcher-kva", "b-2", "test"]), min_size=2, max_size=4).map(
    ".".join
)
URI_TEXT = string.ascii_letters + string.digits + "._~+-"
escapes = st.integers(0, 255).map("%{:02X}".format)
local_parts = st.lists(st.sampled_from(URI_TEXT) | escapes, min_size=1, max_size=20).map("".join)
paths = st.lists(st.sampled_from(URI_TEXT + "/@$&'()*=:?#[]") | escapes, max_size=20).map(
    lambda text: "/" + "".join(text)
)
mail_uris = st.builds("mailto:{}@{}".format, local_parts, hosts)
https_uris = st.builds("https://{}{}{}".format, hosts, st.sampled_from(["", ":8443"]), st.just("") | paths)
extension_names = st.builds(
    "{}{}".format, st.sampled_from("xX0"), st.text(string.ascii_letters + string.digits + "_-.", max_size=31)
)
extension_values = st.text("".join(map(chr, range(0x21, 0x7F))).translate({ord(c): None for c in ";="}), min_size=1)
records = st.builds(
    Record,
    st.lists(mail_uris | https_uris, min_size=1, max_size=4, unique=True).map(tuple),
    st.lists(st.tuples(extension_names, extension_values), max_size=4, unique_by=lambda e: e[0]).map(tuple),
)


@given(records)
def test_what_is_written_is_read_back(record: Record) -> None:
    assert Record.parse(str(record)) == record
    assert str(record).startswith("v=TLSRPTv1; rua=")
    assert find(["v=spf1 -all", str(record)]) == record


A, B = "mailto:a@example.com", "https://reports.example.org/v1/tlsrpt"


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("v=TLSRPTv1;rua=mailto:reports@example.com", Record(("mailto:reports@example.com",))),  # the RFC's examples
        ("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", Record(("https://reporting.example.com/v1/tlsrpt",))),
        (f"v=TLSRPTv1; rua={A};", Record((A,))),
        (f"v=TLSRPTv1 \t; \trua={A} \t; ", Record((A,))),  # in the grammar; the discard rule is another matter
        (f"v=TLSRPTv1; rua={A},{B}", Record((A, B))),
        (f"v=TLSRPTv1; rua={A} \t, \t{B}", Record((A, B))),
        (f"v=TLSRPTv1; rua={B}; rua={A}", Record((B, A))),  # 1*(field-delim tlsrpt-field) lets rua come again
        (f"v=TLSRPTv1; rua={A}; rua={A}", Record((A,))),
        (f"v=TLSRPTv1; rua={A}; v=TLSRPTv1", Record((A,))),
        (f"v=TLSRPTv1; x=1; rua={A}; y=b:c,d/e!; x=2", Record((A,), (("x", "1"), ("y", "b:c,d/e!")))),
        (f"v=TLSRPTv1; rua={A}; ruf={B.replace('=', '')}", Record((A,), (("ruf", B),))),  # unknown, so kept and ignored
        ("v=TLSRPTv1; rua=MAILTO:A@Example.COM,HTTPS://R.example/X", Record(("mailto:A@Example.COM", "https://R.example/X"))),
        ("v=TLSRPTv1; rua=mailto:a%2Cb%21@example.com", Record(("mailto:a%2Cb%21@example.com",))),
        ("v=TLSRPTv1; rua=mailto:a@example.com?subject=a%20b", Record(("mailto:a@example.com?subject=a%20b",))),
        ("v=TLSRPTv1; rua=https://example.com:8443/?key=1&x=2", Record(("https://example.com:8443/?key=1&x=2",))),
        (f"v=TLSRPTv1; rua=ftp://example.com/,{A},tel:+1-201-555-0123", Record((A,))),  # two schemes are used, no other
        ("v=TLSRPTv1; rua=mailto:" + "a" * 64 + "@example.com", Record(("mailto:" + "a" * 64 + "@example.com",))),
    ],
)  # fmt: skip
def test_liberal_where_the_grammar_is(text: str, record: Record) -> None:
    assert Record.parse(text) == record


@pytest.mark.parametrize(
    "text",
    [
        "", ";", "v=TLSRPTv1", "v=TLSRPTv1;", "v=TLSRPTv1; x=1;", f"V=TLSRPTv1; rua={A}", f"v=tlsrptv1; rua={A}",
        f"v=TLSRPTv2; rua={A}", f"v=TLSRPT1; rua={A}", f"v=TLSRPTv1; RUA={A}", "v=TLSRPTv1; rua=", "v=TLSRPTv1; rua",
        f"v=TLSRPTv1; rua ={A}", f"v=TLSRPTv1; rua= {A}", f"v = TLSRPTv1; rua={A}", f"rua={A}; v=TLSRPTv1;",
        f" v=TLSRPTv1; rua={A}", f"v=TLSRPTv1; rua={A} ", f"v=TLSRPTv1; rua={A};;", f"v=TLSRPTv1;; rua={A}",
        f"v=TLSRPTv1 rua={A}", f"v=TLSRPTv1, rua={A}", f"v=TLSRPTv1; rua={A},", f"v=TLSRPTv1; rua=,{A}",
        f"v=TLSRPTv1; rua={A},,{B}", f"v=TLSRPTv1; rua={A} {B}", "v=TLSRPTv1; rua=a@example.com",
        "v=TLSRPTv1; rua=mailto:", "v=TLSRPTv1; rua=mailto:a", "v=TLSRPTv1; rua=mailto:@example.com",
        "v=TLSRPTv1; rua=mailto:a@", "v=TLSRPTv1; rua=mailto:a@b@example.com", "v=TLSRPTv1; rua=https:",
        "v=TLSRPTv1; rua=https:///x", "v=TLSRPTv1; rua=http://example.com/", "v=TLSRPTv1; rua=ftp://example.com/",
        f"v=TLSRPTv1; rua={A}!10m",  # DMARC's size: a raw "!" here is none (T02, grammar)
        "v=TLSRPTv1; rua=mailto:a b@example.com", "v=TLSRPTv1; rua=mailto:ü@example.com",
        "v=TLSRPTv1; rua=mailto:a@bücher.example", "v=TLSRPTv1; rua=mailto:a%2@example.com",
        "v=TLSRPTv1; rua=mailto:a%zz@example.com", "v=TLSRPTv1; rua=<mailto:a@example.com>",
        f"v=TLSRPTv1; rua={A}\n", f"v=TLSRPTv1; rua={A}\x00", f'"v=TLSRPTv1; rua={A}"', f"v=TLSRPTv1; rua={A}; x",
        f"v=TLSRPTv1; rua={A}; x=", f"v=TLSRPTv1; rua={A}; x=a b", f"v=TLSRPTv1; rua={A}; x=a=b",
        f"v=TLSRPTv1; rua={A}; _x=1", f"v=TLSRPTv1; rua={A}; =1", f"v=TLSRPTv1; rua={A}; x=é",
        f"v=TLSRPTv1; rua={A}; {'x' * 33}=1", f"v=TLSRPTv1; rua=mailto:{'a' * 65}@example.com",
        "v=TLSRPTv1;" + " " * 70_000, f"v=TLSRPTv1; rua={A}; x=" + "y" * 70_000, f"v=TLSRPTv1; rua={A}" + "," * 60_000,
    ],
)  # fmt: skip
def test_strict_where_the_grammar_is(text: str) -> None:
    with pytest.raises(InvalidRecord):
        Record.parse(text)


@pytest.mark.parametrize(
    ("rua", "extensions"),
    [
        ((), ()),
        (("reports@example.com",), ()),
        (("mailto:a@example.com", "MAILTO:a@example.com"), ()),
        (("mailto:a@example.com,mailto:b@example.com",), ()),
        (("mailto:a@example.com; x=1",), ()),
        (("ftp://example.com/",), ()),
        ((A,), (("rua", B),)),
        ((A,), (("v", "TLSRPTv1"),)),
        ((A,), (("x", "1"), ("x", "2"))),
        ((A,), (("x", ""),)),
        ((A,), (("x", "1; y=2"),)),
        ((A,), (("x y", "1"),)),
        ((A,), tuple((f"x{n}", "y" * 100) for n in range(1000))),
    ],
)
def test_what_has_no_wire_form_cannot_be_built(rua: tuple[str, ...], extensions: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(InvalidRecord):
        Record(rua, extensions)


def test_the_discard_rule_needs_the_literal_prefix() -> None:
    """T02: what does not begin with `v=TLSRPTv1;` is discarded before anything is counted."""
    others = [f"v=TLSRPTv2; rua={B}", f"V=TLSRPTv1; rua={B}", f"v=TLSRPTv1 ; rua={B}", f"v=TLSRPTv10; rua={B}", ""]
    assert find([*others, f"v=TLSRPTv1; rua={A}"]) == Record((A,))


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ([], NoRecord, "none of 0"),
        (["v=spf1 -all", "v=STSv1; id=a"], NoRecord, "none of 2 TXT values is a TLS-RPT record$"),
        ([f"v=TLSRPTv1 ; rua={A}"], NoRecord, "exactly v=TLSRPTv1;"),
        ([f"v=tlsrptv1; rua={A}"], NoRecord, "exactly v=TLSRPTv1;"),
        ([f"v=TLS-RPTv1; rua={A}"], NoRecord, "exactly v=TLSRPTv1;"),
        ([f'"v=TLSRPTv1; rua={A}"'], NoRecord, "exactly v=TLSRPTv1;"),
        ([f"v=TLSRPTv1; rua={A}"] * 2, SeveralRecords, "2 TLS-RPT records"),  # field pitfall 9
        ([f"v=TLSRPTv1; rua={A}", "v=TLSRPTv1;"], SeveralRecords, "2 TLS-RPT records"),
        (["v=TLSRPTv1; rua=mailto:x"], InvalidRecord, "write mailto:reports@example.org"),
        (["v=TLSRPTv1; ruf=mailto:a@example.com"], InvalidRecord, "no rua"),
    ],
)
def test_exactly_one_record_and_a_good_one(values: list[str], error: type[RecordError], said: str) -> None:
    with pytest.raises(error, match=said):
        find(values)


def test_character_strings_join_with_nothing_between() -> None:
    """T03."""
    assert find([join([b"v=TLSRPTv1; ru", b"a=mailto:a@exam", b"ple.com;"])]) == Record((A,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reports@example.com", 'write "mailto:reports@example.com"'),
        ("example.com", "write a mailto: or https: URI"),
        ("http://example.com/", "write a mailto: or https: URI"),
        ("mailto:a@example.com,b@example.com", "one list entry for each address"),
        ("mailto:a,b@example.com", 'write "mailto:a%2Cb@example.com"'),
        ("mailto:a@example.com!10m", 'write "mailto:a@example.com%2110m"'),
        ("https://example.com/a;b", 'write "https://example.com/a%3Bb"'),
        ("mailto:a b@example.com", "percent-encode"),
        ("mailto:a@ex_ample.com", "underscore"),
        ("mailto:a@192.0.2.1", "address"),
        ("https://user:secret@example.com/", "without a user"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:99999/", "range"),
    ],
)
def test_what_is_no_report_uri_is_told_how_to_be_one(text: str, said: str) -> None:
    with pytest.raises(InvalidRecord, match=said):
        report_uri(text)


@given(st.lists(st.binary(max_size=255), max_size=5))
def test_any_bytes_are_a_record_or_a_record_error(strings: list[bytes]) -> None:
    for text in (join([b"v=TLSRPTv1;", *strings]), join([b"v=TLSRPTv1; rua=mailto:a@example.com,", *strings])):
        try:
            record = Record.parse(text)
        except RecordError:
            continue
        assert Record.parse(str(record)) == record


@given(st.text(alphabet=string.punctuation + " \tv=TLSRPTv1ruamailtohttps0é", max_size=60))
def test_any_text_is_a_record_or_a_record_error(text: str) -> None:
    for candidate in (text, f"v=TLSRPTv1; rua={A};" + text, "v=TLSRPTv1; rua=https://" + text):
        try:
            Record.parse(candidate)
        except RecordError:
            continue
