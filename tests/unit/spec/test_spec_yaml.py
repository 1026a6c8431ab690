"""YAML of strangers: bounded, YAML 1.2, and no fault but the named one."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mailtls.spec import yaml_text
from mailtls.spec.yaml_text import YamlFault


def read(text: str) -> Any:
    node = yaml_text.compose(text)
    return None if node is None else yaml_text.to_data(node)


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("none", "none"), ("no", "no"), ("No", "No"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("true", True), ("True", True), ("FALSE", False), ("'true'", "true"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("nil", "nil"), ('""', ""),
        ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("2026-12-24", "2026-12-24"),
        ("10", 10), ("0", 0), ("-3", -3), ("+3", 3), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), ("0b1", "0b1"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("1.2.3", "1.2.3"), (".", "."), ("-", [None]),
        (".inf", float("inf")), ("-.INF", float("-inf")), ("7d", "7d"), ("192.0.2.1", "192.0.2.1"),
        ("=", "="), ("! x", "x"), ("|\n  text\n", "text\n"),
    ],
)  # fmt: skip
def test_scalars_are_of_yaml_1_2(scalar: str, value: object) -> None:
    data = read(f"key: {scalar}") if scalar != "-" else {"key": read("-")}
    assert data == {"key": value}
    assert type(data["key"]) is type(value)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a: 1\nb: 2\na: 3", 3, 1, "twice"),
        ("a: 1\n'a': 3", 2, 1, "twice"),
        ("x: {a: 1, a: 1}", 1, 11, "twice"),
        ("1: x", 1, 1, "not text"),
        ("true: x", 1, 1, "not text"),
        ("a: 010", 1, 4, "begins with a zero"),
        ("a: [1, -007]", 1, 8, "begins with a zero"),
        (": x", 1, 1, "no key"),
        ("? [a]\n: x", 1, 3, "not text"),
        ("a: &x {b: 1}\nc: {<<: *x}", 2, 5, "merge keys"),
        ("a: !!python/object/apply:os.system ['true']", 1, 4, "tag"),
        ("a: !!str 5", 1, 4, "tag"),
        ("!thing\na: 5", 1, 1, "tag"),
        ("a: b\n---\nc: d", 2, 1, "a second document"),
        ("a: [b", 1, 4, "is not closed"),
        ("a: *b", 1, 4, "put a wildcard in quotes"),
        ("\ta: b", 1, 1, "a tab"),
        ("é: b\nü: \x01", 2, 4, "control character"),
        ("a: " + "9" * 19, 1, 4, "digits"),
        ("[" * 100_000, 1, 1, "levels deep"),
        ("- " * 100_000, 1, 1, "levels deep"),
        ("{a: " * 100_000, 1, 1, "levels deep"),
        ("&a [*a]", 1, 1, "levels deep"),
        ("a: &a {b: *a}", 1, 4, "levels deep"),
    ],
)
def test_what_is_not_read_is_refused_with_its_place(text: str, line: int, column: int, said: str) -> None:
    with pytest.raises(YamlFault, match=said) as raised:
        read(text)
    assert (raised.value.line, raised.value.column) == (line, column)


def test_aliases_cost_what_they_stand_for() -> None:
    with pytest.raises(YamlFault, match="aliases counted"):
        read(BOMB)


def test_a_file_is_measured_before_it_is_parsed() -> None:
    assert yaml_text.decode(b" " * yaml_text.MAX_FILE_BYTES)
    with pytest.raises(YamlFault, match="larger"):
        yaml_text.decode(b" " * (yaml_text.MAX_FILE_BYTES + 1))


@given(
    st.binary(max_size=300)
    | st.text(max_size=200, alphabet="ab1:-[]{}&*!|>'\"#%@`, \n\t\\?~<é\x01\u2028").map(str.encode)
)
def test_any_bytes_are_data_or_a_fault_with_a_place(data: bytes) -> None:
    place = (1, 1)
    try:
        node = yaml_text.compose(yaml_text.decode(data))
        if node is not None:
            yaml_text.to_data(node)
            yaml_text.places(node)
            yaml_text.key_lines(node, "a")
    except YamlFault as fault:
        place = (fault.line, fault.column)
    assert min(place) >= 1


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8).filter(
    lambda text: text[:1] not in "+-.0123456789"  # 1e3 is text to the writer's YAML 1.1 and a number in 1.2
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**16), 10**16) | texts | st.just(""),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain, st.booleans())
def test_what_a_yaml_writer_writes_is_read_back(data: object, flow: bool) -> None:
    """PyYAML's emitter as an outside judge; it quotes whatever YAML 1.1 would misread, which 1.2 reads alike."""
    assert read(yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)) == data
