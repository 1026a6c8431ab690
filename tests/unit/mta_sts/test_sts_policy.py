"""The policy file: RFC 8461 sections 3.2 and 4.1, and what peers get wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.mta_sts.policy import (
    MAX_AGE,
    MAX_POLICY_BYTES,
    WELL_KNOWN_PATH,
    InvalidPolicy,
    Mode,
    MxPattern,
    Policy,
    policy_host,
)

_OWN = ("version", "mode", "max_age", "mx")
hosts = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,8}[a-z0-9])?){0,3}", fullmatch=True)
patterns = st.builds(lambda wildcard, host: MxPattern(wildcard + host), st.sampled_from(["", "*."]), hosts)
field_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", fullmatch=True).filter(lambda n: n not in _OWN)
field_values = (
    st.text(st.characters(codec="utf-8", exclude_characters="".join(map(chr, range(32))) + "\x7f"), min_size=1)
    .map(lambda text: text.strip(" "))
    .filter(bool)
)
policies = st.builds(
    Policy,
    st.sampled_from(Mode),
    st.integers(0, MAX_AGE),
    st.lists(patterns, min_size=1, max_size=4).map(tuple),
    st.lists(st.tuples(field_names, field_values), max_size=3, unique_by=lambda e: e[0]).map(tuple),
)


@given(policies)
def test_what_is_written_is_read_back(policy: Policy) -> None:
    assert Policy.parse(policy.render()) == policy


@given(policies, st.randoms(use_true_random=False))
def test_order_and_line_ends_do_not_matter(policy: Policy, random: object) -> None:
    lines = policy.render().decode().split("\r\n")[:-1]
    scalars = [line for line in lines if not line.startswith("mx:")]
    random.shuffle(scalars)  # type: ignore[attr-defined]
    mx = [line + " \t" for line in lines if line.startswith("mx:")]
    again = Policy.parse("\n".join([*mx, *scalars]).encode())
    assert (again.mode, again.max_age, again.mx) == (policy.mode, policy.max_age, policy.mx)
    assert sorted(again.extensions) == sorted(policy.extensions)


def test_the_form_that_every_validator_takes() -> None:
    policy = Policy(Mode.TESTING, 1296000, (MxPattern("mx1.example.com"), MxPattern("*.example.net")))
    assert policy.render() == (
        b"version: STSv1\r\nmode: testing\r\nmx: mx1.example.com\r\nmx: *.example.net\r\nmax_age: 1296000\r\n"
    )


ENFORCE = b"version: STSv1\nmode: enforce\nmx: mx.example\nmax_age: 1"
MX = (MxPattern("mx.example"),)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (ENFORCE, Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE + b"\n", Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE.replace(b"\n", b"\r\n") + b"\r\n", Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE.replace(b": ", b":"), Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE.replace(b": ", b": \t "), Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE.replace(b"\n", b" \t\n"), Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE.replace(b"mx.example", b"MX.Example"), Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE.replace(b"max_age: 1", b"max_age: 0000000001"), Policy(Mode.ENFORCE, 1, MX)),
        (b"version: STSv1\nmode: none\nmax_age: 0", Policy(Mode.NONE, 0)),
        (b"version: STSv1\nmode: none\nmax_age: 31557600", Policy(Mode.NONE, MAX_AGE)),
        # peers refuse these: extension fields are accepted and kept (S18)
        (ENFORCE + b"\nx-note: hello w\xc3\xb6rld", Policy(Mode.ENFORCE, 1, MX, (("x-note", "hello wörld"),))),
        (ENFORCE + b"\nMode: none", Policy(Mode.ENFORCE, 1, MX, (("Mode", "none"),))),
        # of a field other than mx the first counts (S19), whatever a later one holds
        (ENFORCE + b"\nmode: none\nmax_age: x\nversion: STSv9", Policy(Mode.ENFORCE, 1, MX)),
        (ENFORCE + b"\nx: 1\nx: 2", Policy(Mode.ENFORCE, 1, MX, (("x", "1"),))),
        # Domain (RFC 5321 section 4.1.2) is letters, digits and hyphens: these match no host, and spoil no other line
        (ENFORCE + b"\nmx: 192.0.2.1", Policy(Mode.ENFORCE, 1, (*MX, MxPattern("192.0.2.1")))),
        (ENFORCE + b"\nmx: mail", Policy(Mode.ENFORCE, 1, (*MX, MxPattern("mail")))),
        (ENFORCE + b"\nmx: *.b.example", Policy(Mode.ENFORCE, 1, (MxPattern("mx.example"), MxPattern("*.b.example")))),
    ],
)  # fmt: skip
def test_liberal_where_the_grammar_is(data: bytes, expected: Policy) -> None:
    assert Policy.parse(data) == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1: a blank line"),
        (b"mode: enforce\nmx: mx.example\nmax_age: 1", "no version"),  # peers accept it
        (b"version: STSv1\nmode: enforce\nmx: mx.example", "no max_age"),  # peers accept it
        (b"version: STSv1\nmx: mx.example\nmax_age: 1", "no mode"),
        (b"version: STSv1\nmode: enforce\nmax_age: 1", "without an mx"),
        (b"version: STSv1\nmode: enforce\nnmx: mx.example\nmax_age: 1", "without an mx; 'nmx' is not a field"),
        (b"version: STSv1\nmode: testing\nMX: mx.example\nmax_age: 1", "without an mx"),
        (b"version: STSv1\nmode: testing\nmx: mx.example\nmax-age: 1", "no max_age; 'max-age' is not a field"),
        (ENFORCE.replace(b"STSv1", b"stsv1"), "line 1: version 'stsv1'"),
        (ENFORCE.replace(b"enforce", b"Enforce"), "line 2: mode 'Enforce'"),
        (ENFORCE.replace(b"max_age: 1", b"max_age: -1"), "line 4: max_age '-1'"),
        (ENFORCE.replace(b"max_age: 1", b"max_age: 31557601"), "line 4: max_age"),
        (ENFORCE.replace(b"max_age: 1", b"max_age: 00000000001"), "line 4: max_age"),
        (ENFORCE.replace(b"max_age: 1", b"max_age: 1.0"), "line 4: max_age"),
        (ENFORCE.replace(b"max_age: 1", "max_age: \u0661".encode()), "line 4: max_age"),
        (ENFORCE.replace(b"max_age: 1", b"max_age: 1d"), "line 4: max_age"),
        (ENFORCE.replace(b"mx.example", b"[192.0.2.1]"), "line 3: mx"),
        (ENFORCE.replace(b"mx.example", b"mx.example."), "ends in a dot"),
        (ENFORCE.replace(b"mx.example", b"mx_1.example"), "underscore"),
        (ENFORCE.replace(b"mx.example", "bücher.example".encode()), "not in A-labels"),
        (ENFORCE.replace(b"mx.example", b"m*.example"), "whole left-most label"),
        (ENFORCE.replace(b"mx.example", b"*"), "whole left-most label"),
        (ENFORCE.replace(b"mx.example", b"*.*.example"), "whole left-most label"),
        (ENFORCE.replace(b"mx.example", b".example"), "line 3: mx"),
        (ENFORCE.replace(b"mx.example", b"a.example, b.example"), "line 3: mx"),
        (ENFORCE.replace(b"mx.example", b""), "line 3: field mx"),
        (ENFORCE + b"\n\n", "line 5: a blank line"),
        (ENFORCE.replace(b"\n", b"\n\n", 1), "line 2: a blank line"),
        (b"\xef\xbb\xbf" + ENFORCE, "byte order mark"),
        (b" " + ENFORCE, "line 1"),
        (ENFORCE.replace(b"mode:", b"mode :"), "line 2"),
        (ENFORCE.replace(b"\n", b"\r"), "line 1"),
        (ENFORCE + b"\n# a comment", "line 5"),
        (ENFORCE + b"\nx: a\tb", "line 5"),
        (ENFORCE + b"\nx: a\x00b", "line 5"),
        (ENFORCE + b"\n" + b"x" * 33 + b": 1", "line 5"),
        (ENFORCE + b"\nx: \xff", "not UTF-8"),
        (ENFORCE + b"\nx: \xed\xa0\x80", "not UTF-8"),  # a surrogate is no UTF8-3
        (ENFORCE.decode().encode("utf-16"), "not UTF-8"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "line 1"),
        (ENFORCE + b"\nx: " + b"y" * MAX_POLICY_BYTES, "65536 is the most"),
    ],
)  # fmt: skip
def test_strict_where_the_grammar_is(data: bytes, said: str) -> None:
    with pytest.raises(InvalidPolicy, match=said):
        Policy.parse(data)


@pytest.mark.parametrize(
    "arguments",
    [
        (Mode.ENFORCE, 86400, ()),
        (Mode.TESTING, 86400, ()),
        (Mode.NONE, -1, ()),
        (Mode.NONE, MAX_AGE + 1, ()),
        (Mode.NONE, 1, (), (("mode", "enforce"),)),
        (Mode.NONE, 1, (), (("x", "1"), ("x", "2"))),
        (Mode.NONE, 1, (), (("x", "1\r\nmode: enforce"),)),
        (Mode.NONE, 1, (), (("x", " 1"),)),
        (Mode.NONE, 1, (), (("x", ""),)),
        (Mode.NONE, 1, (), (("x", "\ud800"),)),
        (Mode.NONE, 1, (), (("x:", "1"),)),
        (Mode.ENFORCE, 1, tuple(MxPattern(f"mx{n}.{'a' * 60}.example") for n in range(1000))),
    ],
)
def test_what_has_no_wire_form_cannot_be_built(arguments: tuple[Mode, int, tuple[MxPattern, ...]]) -> None:
    with pytest.raises(InvalidPolicy):
        Policy(*arguments)


@given(
    st.binary(max_size=200) | policies.map(lambda policy: policy.render()), st.binary(max_size=8), st.integers(0, 200)
)
def test_any_bytes_are_a_policy_or_an_invalid_policy(data: bytes, noise: bytes, at: int) -> None:
    for candidate in (data, data[:at] + noise + data[at:], data[at:], ENFORCE + b"\n" + data):
        try:
            policy = Policy.parse(candidate)
        except InvalidPolicy:
            continue
        assert Policy.parse(policy.render()) == policy


@pytest.mark.parametrize(
    ("pattern", "host", "matches"),
    [
        ("mail.example.com", "mail.example.com", True),
        ("mail.example.com", "Mail.EXAMPLE.com.", True),
        ("MAIL.example.com", "mail.example.com", True),
        ("mail.example.com", "a.mail.example.com", False),
        ("mail.example.com", "mail.example.com.evil.test", False),  # a peer's unanchored match
        ("mail.example.com", "evilmail.example.com", False),
        ("mail.example.com", "mailXexample.com", False),
        ("mail.example.com", "", False),
        ("*.example.com", "mail.example.com", True),
        ("*.example.com", "MAIL.example.com.", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", ".example.com", False),
        ("*.example.com", "foo.bar.example.com", False),  # a peer's two labels
        ("*.example.com", "mail.example.com.evil.test", False),
        ("*.example.com", "mail.badexample.com", False),
        ("*.example.com", "mailexample.com", False),
        ("*.mail.protection.outlook.com", "example-com.mail.protection.outlook.com", True),
        ("*.mail.protection.outlook.com", "x.y.mail.protection.outlook.com", False),
        ("*.mx.microsoft", "example-com.mx.microsoft", True),
        ("*.mx.microsoft", "example-com.h-v1.mx.microsoft", False),  # field pitfall 5
        ("*.h-v1.mx.microsoft", "example-com.h-v1.mx.microsoft", True),
        ("mx.xn--bcher-kva.example", "mx.bücher.example", True),
        ("mx.xn--bcher-kva.example", "mx.bucher.example", False),
        ("mail.example.com", "☕.example.com", False),
        ("mail.example.com", "mail.example.com\n", False),
    ],
)
def test_matching_is_anchored_and_by_label(pattern: str, host: str, matches: bool) -> None:
    assert MxPattern(pattern).matches(host) is matches


@given(hosts, st.text(max_size=20))
def test_a_pattern_matches_no_longer_and_no_shorter_name(host: str, text: str) -> None:
    pattern, wildcard = MxPattern(host), MxPattern(f"*.{host}")
    assert pattern.matches(host)
    assert not pattern.matches(f"{host}.{text}x.test")
    assert wildcard.matches(f"mx.{host}")
    assert not wildcard.matches(host)
    assert not wildcard.matches(f"a.mx.{host}")
    pattern.matches(text)  # never raises
    wildcard.matches(text)


def test_a_policy_allows_what_one_of_its_patterns_matches() -> None:
    policy = Policy.parse(ENFORCE + b"\nmx: *.b.example")
    assert [policy.allows(host) for host in ("mx.example", "x.b.example", "b.example")] == [True, True, False]


def test_where_the_policy_is() -> None:
    assert policy_host("contoso.example") + WELL_KNOWN_PATH == "mta-sts.contoso.example/.well-known/mta-sts.txt"
