"""Lists of names as people have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.discover import name_list
from mailtls.discover.name_list import NameListError, read_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("contoso.example\nfabrikam.example\n", ["contoso.example", "fabrikam.example"]),
        ("contoso.example\r\n\r\n# brands\r\nb\u00fccher.example", ["contoso.example", "xn--bcher-kva.example"]),
        ("\ufeffContoso.Example.\ncontoso.example", ["contoso.example"]),
        ("Domain,Owner\ncontoso.example,mail-team\n", ["contoso.example"]),
        ('owner;"Domain name"\nmail-team;contoso.example\n', ["contoso.example"]),
        ("contoso.example,mail-team\n", ["contoso.example"]),
        ('"contoso.example"\n', ["contoso.example"]),
    ],
)
def test_lists_and_tables(text: str, names: list[str]) -> None:
    assert list(read_names(text.encode(), "names.csv")) == names


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"contoso.example\nfoo bar\n", "names.csv:2: 'foo bar' is no mail domain"),
        (b"name,owner\n,mail-team\n", "names.csv:2: '' is no mail domain"),
        (b"http://contoso.example/\n", "names.csv:1: "),
        (b"192.0.2.1\n", "names.csv:1: "),
        (b"# nothing\n\n", "names.csv: no names in it"),
        (b"a.example\n\xff\n", "names.csv:2: not UTF-8"),
        (b'a.example\n"' + b"a" * 200_000 + b'"\n', "names.csv:2: not a table"),
    ],
)
def test_a_fault_has_its_line(data: bytes, said: str) -> None:
    with pytest.raises(NameListError) as raised:
        read_names(data, "names.csv")
    assert str(raised.value).startswith(said)


def test_every_fault_is_told_up_to_twenty() -> None:
    with pytest.raises(NameListError) as raised:
        read_names(b"a b\n" * 50, "names.csv")
    assert len(str(raised.value).splitlines()) == 21


def test_size_and_number_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NameListError, match="larger than"):
        read_names(b"\n" * (name_list.MAX_LIST_BYTES + 1), "n")
    monkeypatch.setattr(name_list, "MAX_NAMES", 2)
    with pytest.raises(NameListError, match="n:3: more than 2 names"):
        read_names(b"a.example\nb.example\nc.example\n", "n")


@given(st.one_of(st.binary(max_size=200), st.text(alphabet=',;"\n\r #a.example', max_size=60).map(str.encode)))
def test_anything_is_read_or_refused(data: bytes) -> None:
    said = "n:"
    try:
        assert read_names(data, "n")
    except NameListError as e:
        said = str(e)
    assert said.startswith("n:")
