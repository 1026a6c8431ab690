"""Every rule of the three grammars by its name: what it lets pass, and what it stops.

The names are those of the ABNF in RFC 8461 sections 3.1 and 3.2 and RFC 8460 section 3. Each piece stands
in a text that is right but for it.
"""

from dataclasses import dataclass

import pytest

from tests.fuzz.parsers import BY_NAME, attempt


@dataclass(frozen=True, slots=True)
class Row:
    """rule: its name in the ABNF. around: the text in which the pieces stand, at `@`. passes, stops: pieces."""

    rule: str
    around: str
    passes: tuple[str, ...]
    stops: tuple[str, ...]


STS_RECORD = (
    Row("sts-text-record", "@", ("v=STSv1;id=a", "v=STSv1;id=a;"), ("", "v=STSv1", "v=STSv1;", ";v=STSv1;id=a")),
    Row("sts-field", "v=STSv1;@", ("id=a", "x=1;id=a", "id=a;x=1"), ("x=1", "x", "=1;id=a")),
    Row("sts-field-delim", "v=STSv1@id=a", (";", " ;", "; ", "\t; \t"), ("", " ", ",", ";;", "\n;", "; ;")),
    Row("sts-version", "@;id=a", ("v=STSv1",), ("v=stsv1", "V=STSv1", "v=STSv2", "v =STSv1", "v= STSv1", "v=STSv11")),
    Row(
        "sts-id", "v=STSv1;@", ("id=a", "id=Z9", "id=" + "a" * 32), ("id=", "ID=a", "id=a_b", "id=" + "a" * 33, "id= a")
    ),
    Row("sts-extension", "v=STSv1;id=a;@", ("x=1", "x=:", "x=!"), ("x", "x=", "x =1", "x= 1", "x=1=2", "x=1 2")),
    Row(
        "sts-ext-name",
        "v=STSv1;id=a;@=1",
        ("x", "9", "x_-.", "x" * 32, "ID"),
        ("", "_x", "-x", ".x", "x y", "x" * 33, "x:", "é"),
    ),
    Row(
        "sts-ext-value",
        "v=STSv1;id=a;x=@",
        ("!", ":", "<", ">", "~", "a,b"),
        ("", "=", " ", "\x7f", "\x00", "a\tb", "é"),
    ),
)

_POLICY = "version: STSv1\nmode: none\nmax_age: 1"
STS_POLICY = (
    Row(
        "sts-policy-record",
        "@",
        (_POLICY, _POLICY + "\n", _POLICY + " \t", "max_age: 1\nmode: none\nversion: STSv1", _POLICY + " \n"),
        (
            "",
            "\n" + _POLICY,
            f"{_POLICY}\n\n",
            f"{_POLICY}\r",
            _POLICY.replace("\n", "\n\n", 1),
            "\ufeff" + _POLICY,
            " " + _POLICY,
        ),
    ),
    Row(
        "sts-policy-field",
        "@",
        (_POLICY, _POLICY.replace("none", "enforce") + "\nmx: a.example"),
        (
            "mode: none\nmax_age: 1",
            "version: STSv1\nmax_age: 1",
            "version: STSv1\nmode: none",
            _POLICY.replace("none", "enforce"),
            _POLICY.replace("none", "testing"),
        ),
    ),
    Row("sts-policy-field-delim", "version@STSv1\nmode: none\nmax_age: 1", (":", ": ", ":\t "), ("", " :", "=", ";")),
    Row("sts-policy-version", "@\nmode: none\nmax_age: 1", ("version: STSv1", "version:STSv1"), ("version STSv1", "")),
    Row(
        "sts-policy-version-field", "@: STSv1\nmode: none\nmax_age: 1", ("version",), ("Version", "VERSION", "versions")
    ),
    Row(
        "sts-policy-version-value", "version: @\nmode: none\nmax_age: 1", ("STSv1",), ("stsv1", "STSv2", "STSv1.0", "")
    ),
    Row("sts-policy-mode", "version: STSv1\n@\nmax_age: 1", ("mode: none", "mode:none"), ("mode none", "mode")),
    Row("sts-policy-mode-field", "version: STSv1\n@: none\nmax_age: 1", ("mode",), ("Mode", "MODE", "mod")),
    Row(
        "sts-policy-mode-value",
        "version: STSv1\nmode: @\nmx: a.example\nmax_age: 1",
        ("testing", "enforce", "none"),
        ("Testing", "ENFORCE", "None", "report", "enforce x", ""),
    ),
    Row("sts-policy-mx", _POLICY + "\n@", ("mx: a.example", "mx: a.example\nmx: b.example"), ("mx a.example", "mx")),
    Row(
        "sts-policy-mx-field",
        "version: STSv1\nmode: enforce\nmax_age: 1\n@: a.example",
        ("mx",),
        ("MX", "Mx", "nmx", "m"),
    ),
    Row(
        "sts-policy-mx-value",
        _POLICY + "\nmx: @",
        ("a.example", "*.example", "A.EXAMPLE", "xn--bcher-kva.example", "mail", "192.0.2.1", "a-b.example"),
        (
            "",
            "*",
            "*.*.example",
            "a.*.example",
            "m*.example",
            ".example",
            "a.example.",
            "a_b.example",
            "-a.example",
            "a-.example",
            "bücher.example",
            "[192.0.2.1]",
            "a..example",
            "a.example b.example",
            "a" * 64 + ".example",
        ),
    ),
    Row("sts-policy-max-age", "version: STSv1\nmode: none\n@", ("max_age: 1", "max_age:1"), ("max_age 1", "max_age")),
    Row("sts-policy-max-age-field", "version: STSv1\nmode: none\n@: 1", ("max_age",), ("Max_age", "max-age", "maxage")),
    Row(
        "sts-policy-max-age-value",
        "version: STSv1\nmode: none\nmax_age: @",
        ("0", "1", "31557600", "0000000001"),
        ("", "-1", "+1", "1.0", "1d", "1e3", "31557601", "9999999999", "00000000001", "\u0661"),
    ),
    Row("sts-policy-extension", _POLICY + "\n@", ("x: 1", "x:1", "x: a: b"), ("x", "x 1", "x:", ": 1", "# x", "x : 1")),
    Row(
        "sts-policy-ext-name",
        _POLICY + "\n@: 1",
        ("x", "9", "x_-.", "x" * 32),
        ("", "_x", "-x", ".x", "x y", "x" * 33, "é", " x"),
    ),
    Row(
        "sts-policy-term",
        "version: STSv1@mode: none@max_age: 1@",
        ("\n", "\r\n"),
        ("\r", "\n\r", ";", "\r\r\n", "\x0b"),
    ),
    Row("sts-policy-ext-value", _POLICY + "\nx: @", ("a", "a b", "a  b", "a: b"), ("", "a\tb", "a\x00b", "a\x0bb")),
    Row("sts-policy-alphanum", _POLICY + "\n@x: 1", ("a", "Z", "0"), ("_", "-", ".", "é", "\u0661", "*")),
    Row(
        "sts-policy-vchar",
        _POLICY + "\nx: @",
        ("!", "~", "\u00e9", "\u20ac", "\U0001f600"),
        ("\x00", "\x1f", "\x7f", "\t", "\x1b"),
    ),
)

TLSRPT_RECORD = (
    Row(
        "tlsrpt-record",
        "@",
        ("v=TLSRPTv1;rua=mailto:a@b.example", "v=TLSRPTv1;rua=mailto:a@b.example;"),
        ("", "v=TLSRPTv1", "v=TLSRPTv1;", ";v=TLSRPTv1;rua=mailto:a@b.example"),
    ),
    Row("field-delim", "v=TLSRPTv1@rua=https://b.example", (";", " ;", "; ", "\t; \t"), ("", " ", ",", ";;", "\n;")),
    Row("tlsrpt-field", "v=TLSRPTv1;@", ("rua=https://b.example", "x=1;rua=https://b.example"), ("x=1", "rua", "=1")),
    Row(
        "tlsrpt-version",
        "@;rua=https://b.example",
        ("v=TLSRPTv1",),
        ("v=tlsrptv1", "V=TLSRPTv1", "v=TLSRPTv2", "v =TLSRPTv1"),
    ),
    Row(
        "tlsrpt-rua",
        "v=TLSRPTv1;@",
        (
            "rua=https://b.example",
            "rua=https://b.example,https://c.example",
            "rua=https://b.example \t, https://c.example",
        ),
        ("rua=", "RUA=https://b.example", "rua= https://b.example", "rua=https://b.example,", "rua=,https://b.example"),
    ),
    Row(
        "tlsrpt-uri",
        "v=TLSRPTv1;rua=@",
        ("https://b.example/x", "https://b.example/%2C%21%3B", "https://b.example:8443/?a=1"),
        (
            "b.example",
            "https://b.example/!10m",
            "https://b.example/a b",
            "https://b.example/%zz",
            "https://b.example/é",
            "<https://b.example>",
        ),
    ),
    Row("tlsrpt-extension", "v=TLSRPTv1;rua=https://b.example;@", ("x=1", "x=!"), ("x", "x=", "x =1", "x= 1", "x=1=2")),
    Row(
        "tlsrpt-ext-name",
        "v=TLSRPTv1;rua=https://b.example;@=1",
        ("x", "9", "x_-.", "x" * 32, "ruf"),
        ("", "_x", "-x", ".x", "x y", "x" * 33, "é"),
    ),
    Row(
        "tlsrpt-ext-value",
        "v=TLSRPTv1;rua=https://b.example;x=@",
        ("!", ":", "<", ">", "~", "a,b"),
        ("", "=", " ", "\x7f", "\x00", "a\tb", "é"),
    ),
)

GRAMMARS = {"sts-record": STS_RECORD, "sts-policy": STS_POLICY, "tlsrpt-record": TLSRPT_RECORD}
CASES = [(name, row) for name, rows in GRAMMARS.items() for row in rows]
each_row = pytest.mark.parametrize(("name", "row"), CASES, ids=lambda value: getattr(value, "rule", ""))


def octets(row: Row, piece: str) -> bytes:
    return row.around.replace("@", piece).encode("utf-8")


@each_row
def test_a_rule_of_the_grammar_lets_pass(name: str, row: Row) -> None:
    for piece in row.passes:
        BY_NAME[name].parse(octets(row, piece))


@each_row
def test_a_rule_of_the_grammar_stops(name: str, row: Row) -> None:
    parser = BY_NAME[name]
    for piece in row.stops:
        assert attempt(parser, octets(row, piece))[1], f"{octets(row, piece)!r} was accepted"


def test_every_rule_of_the_three_grammars_is_here() -> None:
    sts = {"text-record", "field", "field-delim", "version", "id", "extension", "ext-name", "ext-value"}
    assert {row.rule for row in STS_RECORD} == {f"sts-{rule}" for rule in sts}
    fields = {f"{name}{part}" for name in ("version", "mode", "mx", "max-age") for part in ("", "-field", "-value")}
    rest = {"record", "field", "field-delim", "extension", "ext-name", "term", "ext-value", "alphanum", "vchar"}
    assert {row.rule for row in STS_POLICY} == {f"sts-policy-{rule}" for rule in fields | rest}
    tlsrpt = {"record", "field", "version", "rua", "uri", "extension", "ext-name", "ext-value"}
    assert {row.rule for row in TLSRPT_RECORD} == {f"tlsrpt-{rule}" for rule in tlsrpt} | {"field-delim"}
