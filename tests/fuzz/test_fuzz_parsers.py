"""Any text at all: refused in the parser's own words, or read as the grammar has it, and never slow.

The coverage-guided run is `coverage_guided.py`; docs/fuzzing.md says how. What it found worth keeping is `corpus/`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.parsers import BY_NAME, CORPUS, PARSERS, Parser, attempt, check
from tests.fuzz.readers import READER_BY_NAME

each_parser = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)


def mutated(parser: Parser) -> st.SearchStrategy[bytes]:
    """The seed with pieces cut out and words of the grammar put in."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        data = parser.seed
        for _ in range(draw(st.integers(0, 6))):
            start = draw(st.integers(0, len(data)))
            end = draw(st.integers(start, min(len(data), start + 8)))
            word = draw(st.one_of(st.sampled_from(parser.words), st.binary(max_size=4)))
            data = data[:start] + word * draw(st.integers(1, 3)) + data[end:]
        return data

    return build()


@each_parser
@given(data=st.data())
def test_a_damaged_text_is_refused_or_in_the_grammar(parser: Parser, data: st.DataObject) -> None:
    check(parser, data.draw(mutated(parser)))


@each_parser
@given(data=st.data())
def test_words_of_the_grammar_in_any_order(parser: Parser, data: st.DataObject) -> None:
    check(parser, b"".join(data.draw(st.lists(st.sampled_from(parser.words), max_size=25))))


@each_parser
@given(octets=st.binary(max_size=300))
def test_any_octets(parser: Parser, octets: bytes) -> None:
    check(parser, octets)


@pytest.mark.parametrize("name", ["sts-record", "tlsrpt-record"])
@settings(max_examples=40)
@given(data=st.data())
def test_what_the_grammar_makes_is_read(name: str, data: st.DataObject) -> None:
    """The other direction: texts made from the grammar. Refused is only what prose adds to it."""
    parser = BY_NAME[name]
    text = data.draw(st.from_regex(parser.grammar, fullmatch=True))
    _, refusal = attempt(parser, text.encode("ascii"))
    assert not refusal or any(reason in refusal for reason in OF_PROSE), refusal


OF_PROSE = ("has no id", "is not 1 to 32", "has no rua", "reports go to", "rua ", "stands in the record twice")
"""What the RFCs say beside the ABNF, as our refusals have it: required fields, and what a report URI is."""


@each_parser
def test_every_piece_of_the_corpus(parser: Parser) -> None:
    files = sorted((CORPUS / parser.name).iterdir())
    outcomes = {check(parser, file.read_bytes()) is None for file in files}
    assert outcomes == {True, False}, "a corpus in which all is accepted, or all refused, tests half"


def test_the_corpus_has_no_folder_without_a_parser_and_stays_small() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(BY_NAME) | set(READER_BY_NAME)
    assert sum(file.stat().st_size for file in CORPUS.rglob("*") if file.is_file()) < 200_000


HOSTILE: dict[str, dict[str, Callable[[int], bytes]]] = {
    "sts-record": {
        "delimiters": lambda n: b"v=STSv1" + b";" * n,
        "white space": lambda n: b"v=STSv1;" + b" " * n + b"id=a",
        "white space around delimiters": lambda n: b"v=STSv1" + b" ; " * (n // 3),
        "fields": lambda n: b"v=STSv1; id=a" + b";x=1" * (n // 4),
        "different fields": lambda n: b"v=STSv1; id=a;" + b"".join(b"x%d=1;" % i for i in range(n // 8)),
        "one value": lambda n: b"v=STSv1; id=a; x=" + b"y" * n,
        "one name": lambda n: b"v=STSv1; id=a; " + b"y" * n,
        "equals signs": lambda n: b"v=STSv1; id=a; x" + b"=" * n,
        "octets that are no ASCII": lambda n: b"v=STSv1; id=" + b"\xff" * n,
    },
    "sts-policy": {
        "line ends": lambda n: b"\n" * n,
        "colons": lambda n: b"version" + b":" * n,
        "trailing white space": lambda n: b"version: STSv1" + b" " * n + b"\x00",
        "inner white space": lambda n: b"version: STSv1\nx: a" + b" " * n + b"a",
        "mx lines": lambda n: b"version: STSv1\nmode: enforce\nmax_age: 1\n" + b"mx: a.example\n" * (n // 14),
        "different fields, one of them nearly mx": lambda n: (
            b"version: STSv1\nmode: enforce\nmax_age: 1\n" + b"".join(b"nmx%d: 1\n" % i for i in range(n // 10))
        ),
        "different fields, one of them nearly max_age": lambda n: (
            b"version: STSv1\nmode: none\n" + b"".join(b"max-age%d: 1\n" % i for i in range(n // 13))
        ),
        "labels": lambda n: b"version: STSv1\nmode: enforce\nmax_age: 1\nmx: " + b"a." * (n // 2) + b"a",
        "hyphens": lambda n: b"version: STSv1\nmode: enforce\nmax_age: 1\nmx: a" + b"-" * n + b".example",
        "hyphens between letters": lambda n: (
            b"version: STSv1\nmode: enforce\nmax_age: 1\nmx: " + b"a-" * (n // 2) + b"."
        ),
        "punycode": lambda n: b"version: STSv1\nmode: enforce\nmax_age: 1\nmx: xn--" + b"a" * n + b".example",
        "carriage returns": lambda n: b"version: STSv1" + b"\r" * n,
        "letters of four octets": lambda n: b"version: STSv1\nx: " + "\U0001f600".encode() * (n // 4),
    },
    "tlsrpt-record": {
        "commas": lambda n: b"v=TLSRPTv1; rua=mailto:a@a.example" + b"," * n,
        "the same URI": lambda n: b"v=TLSRPTv1; rua=" + b",".join([b"mailto:a@a.example"] * (n // 19)),
        "different URIs": lambda n: (
            b"v=TLSRPTv1; rua=" + b",".join(b"mailto:a%d@a.example" % i for i in range(n // 24))
        ),
        "rua fields": lambda n: b"v=TLSRPTv1; " + b"rua=mailto:a@a.example;" * (n // 23),
        "percent signs": lambda n: b"v=TLSRPTv1; rua=mailto:" + b"%41" * (n // 3) + b"@a.example",
        "at signs": lambda n: b"v=TLSRPTv1; rua=mailto:" + b"a@" * (n // 2) + b"a.example",
        "brackets": lambda n: b"v=TLSRPTv1; rua=https://" + b"[" * n,
        "slashes": lambda n: b"v=TLSRPTv1; rua=https:" + b"/" * n,
        "labels": lambda n: b"v=TLSRPTv1; rua=mailto:a@" + b"a." * (n // 2) + b"a",
        "exclamation marks": lambda n: b"v=TLSRPTv1; rua=mailto:a" + b"!" * n + b"@a.example",
    },
}
SIZE = 30_000
"""Octets: half of what the longest readable text has."""
MOST_STEPS_AN_OCTET = 30


@pytest.mark.parametrize(
    ("name", "shape"), [(name, shape) for name, shapes in HOSTILE.items() for shape in shapes], ids=lambda value: value
)
def test_work_grows_no_faster_than_the_text(name: str, shape: str) -> None:
    """Lines and calls are counted and no clock is asked, so a slow machine is no finding."""
    parser, make = BY_NAME[name], HOSTILE[name][shape]
    small, large = steps(parser, make(SIZE // 2)), steps(parser, make(SIZE))
    assert large <= 2.2 * small + 1000, (small, large)
    assert large <= MOST_STEPS_AN_OCTET * SIZE, large


def steps(parser: Parser, data: bytes) -> int:
    """Lines of Python and calls into C that parsing takes."""
    count = 0

    def trace(frame: object, event: str, arg: object) -> object:
        nonlocal count
        count += 1
        return trace

    def profile(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        check(parser, data)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return count


@each_parser
def test_the_limit_is_looked_at_before_any_work(parser: Parser) -> None:
    assert steps(parser, parser.seed + b" " * 10_000_000) < 200


def test_the_script_of_the_coverage_guided_run_knows_every_parser() -> None:
    script = (Path(__file__).parent / "coverage_guided.py").read_text("utf-8")
    assert "choices=sorted(TARGETS)" in script
