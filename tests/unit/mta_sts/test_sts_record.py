"""The `_mta-sts` record: RFC 8461 section 3.1."""

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.mta_sts.record import (
    InvalidRecord,
    NoRecord,
    Record,
    RecordError,
    SeveralRecords,
    find,
    join,
    policy_id_of,
)

_ALNUM = string.ascii_letters + string.digits
extension_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", fullmatch=True).filter(
    lambda n: n not in ("v", "id")
)
extension_values = st.from_regex(r"[\x21-\x3a\x3c\x3e-\x7e]+", fullmatch=True)
records = st.builds(
    Record,
    st.text(alphabet=_ALNUM, min_size=1, max_size=32),
    st.lists(st.tuples(extension_names, extension_values), max_size=4, unique_by=lambda e: e[0]).map(tuple),
)


@given(records)
def test_what_is_written_is_read_back(record: Record) -> None:
    assert Record.parse(str(record)) == record
    assert str(record).startswith("v=STSv1; id=")
    assert find(["v=spf1 -all", str(record)]) == record


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("v=STSv1; id=20160831085700Z;", Record("20160831085700Z")),  # the RFC's example
        ("v=STSv1;id=a", Record("a")),
        ("v=STSv1; \t id=a \t;\t", Record("a")),
        ("v=STSv1 ; id=a", Record("a")),  # in the grammar; the discard rule is another matter
        ("v=STSv1; x=1; id=a; y=b:c,d/e;", Record("a", (("x", "1"), ("y", "b:c,d/e")))),
        ("v=STSv1; id=a; ID=b", Record("a", (("ID", "b"),))),
        ("v=STSv1; id=a; id=b; x=1; x=2", Record("a", (("x", "1"),))),  # the first counts
        ("v=STSv1; id=a; v=STSv1", Record("a")),
        ("v=STSv1; id=" + "Z" * 32, Record("Z" * 32)),
    ],
)
def test_liberal_where_the_grammar_is(text: str, record: Record) -> None:
    assert Record.parse(text) == record


@pytest.mark.parametrize(
    "text",
    [
        "", ";", "v=STSv1", "v=STSv1;", "v=STSv1; x=1;", "V=STSv1; id=a", "v=stsv1; id=a", "v=STSv2; id=a",
        "v=STSv1; ID=a", "v=STSv1; id=", "v=STSv1; id", "v=STSv1; id =a", "v=STSv1; id= a", "id=a; v=STSv1;",
        " v=STSv1; id=a", "v=STSv1; id=a ", "v=STSv1; id=a;;", "v=STSv1;; id=a", "v=STSv1 id=a", "v=STSv1, id=a",
        "v=STSv1; id=2016-08-31T08:57Z", "v=STSv1; id=a_b", "v=STSv1; id=a.b", "v=STSv1; id=" + "a" * 33,
        "v=STSv1; id=é", "v=STSv1; id=\u0661", "v=STSv1; id=a\n", "v=STSv1; id=a; x", "v=STSv1; id=a; x=",
        "v=STSv1; id=a; x=a b", "v=STSv1; id=a; x=a=b", "v=STSv1; id=a; _x=1", "v=STSv1; id=a; =1",
        "v=STSv1; id=a; x=é", "v=STSv1; id=a; " + "x" * 33 + "=1", "v=STSv1; id=a\x00", '"v=STSv1; id=a"',
        "v=STSv1;" + " " * 70_000, "v=STSv1; id=a; x=" + "y" * 70_000,
    ],
)  # fmt: skip
def test_strict_where_the_grammar_is(text: str) -> None:
    with pytest.raises(InvalidRecord):
        Record.parse(text)


@pytest.mark.parametrize(
    ("policy_id", "extensions"),
    [
        ("", ()),
        ("a-b", ()),
        ("a" * 33, ()),
        ("a\n", ()),
        ("a", (("id", "b"),)),
        ("a", (("v", "STSv1"),)),
        ("a", (("x", "1"), ("x", "2"))),
        ("a", (("x", ""),)),
        ("a", (("x", "1; y=2"),)),
        ("a", (("x y", "1"),)),
        ("a", tuple((f"x{n}", "y" * 100) for n in range(1000))),
    ],
)
def test_what_has_no_wire_form_cannot_be_built(policy_id: str, extensions: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(InvalidRecord):
        Record(policy_id, extensions)


def test_the_discard_rule_needs_the_literal_prefix() -> None:
    assert find(["v=STSv2; id=x", "v=STSv1; id=a", "V=STSv1; id=b", "v=STSv1 ; id=c", ""]) == Record("a")


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ([], NoRecord, "none of 0"),
        (["v=spf1 -all", "google-site-verification=x"], NoRecord, "none of 2"),
        (["v=STSv1 ; id=a"], NoRecord, "exactly v=STSv1;"),  # erratum 6285: senders discard it
        (["v=stsv1; id=a"], NoRecord, "exactly v=STSv1;"),
        (['"v=STSv1; id=a"'], NoRecord, "exactly v=STSv1;"),
        (["v=STSv1; id=a", "v=STSv1; id=a"], SeveralRecords, "2 MTA-STS records"),  # field pitfall 9
        (["v=STSv1; id=a", "v=STSv1;"], SeveralRecords, "2 MTA-STS records"),
        (["v=STSv1; id=a-b"], InvalidRecord, "'a-b'"),
    ],
)
def test_exactly_one_record_and_a_good_one(values: list[str], error: type[RecordError], said: str) -> None:
    with pytest.raises(error, match=said):
        find(values)


def test_character_strings_join_with_nothing_between() -> None:
    assert find([join([b"v=STSv1; i", b"d=20160831", b"085700Z;"])]) == Record("20160831085700Z")


@given(st.lists(st.binary(max_size=255), max_size=5))
def test_any_bytes_are_a_record_or_a_record_error(strings: list[bytes]) -> None:
    text = join([b"v=STSv1;", *strings])
    try:
        record = Record.parse(text)
    except RecordError:
        return
    assert Record.parse(str(record)) == record


@given(st.text(alphabet=" \t;=vidSTS1aZ0x._-é", max_size=60))
def test_any_text_is_a_record_or_a_record_error(text: str) -> None:
    for candidate in (text, "v=STSv1; id=a;" + text):
        try:
            Record.parse(candidate)
        except RecordError:
            continue


@given(st.text(min_size=1).filter(lambda v: v != "null"))
def test_every_object_version_has_an_id_that_fits(version_id: str) -> None:
    policy_id = policy_id_of(version_id)
    assert len(policy_id) == 24
    assert set(policy_id) <= set(string.ascii_lowercase + "234567")
    assert str(Record(policy_id))


def test_the_id_of_a_version_never_changes() -> None:
    """A release that changed it would make every sender fetch anew: this value is for ever."""
    assert policy_id_of("3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo") == _expected_id()
    assert policy_id_of("abc") == "xj4bnp4pahh6uqkbidpf3lrc"
    assert policy_id_of("abc") != policy_id_of("abd")


def _expected_id() -> str:
    """Base32 by hand: five bits a letter, from the left."""
    digest = hashlib.sha256(b"3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo").digest()
    bits = "".join(f"{octet:08b}" for octet in digest)
    return "".join("abcdefghijklmnopqrstuvwxyz234567"[int(bits[i : i + 5], 2)] for i in range(0, 120, 5))


@pytest.mark.parametrize("version_id", ["", "null"])
def test_an_unversioned_bucket_gives_no_id(version_id: str) -> None:
    with pytest.raises(InvalidRecord, match="not versioned"):
        policy_id_of(version_id)
