"""Names: one stored form, judged beside the `idna` package."""

import unicodedata

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls import names


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("contoso.example", "contoso.example"),
        ("Contoso.EXAMPLE.", "contoso.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),  # decomposed and upper case: the same name
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),  # IDNA 2008: not strasse, as the 2003 rules had it
        ("STRAẞE.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),  # the final sigma stays
        ("日本。example", "xn--wgv71a.example"),  # an ideographic full stop is a dot
        ("\uff4d\uff58\uff0eexample", "mx.example"),  # full-width letters and dot
        ("_mta-sts.contoso.example", "_mta-sts.contoso.example"),
        ("example", "example"),
        ("r3---sn-4g5e.example", "r3---sn-4g5e.example"),  # seen in DNS, though IDNA reserves the place
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 62] * 4) + ".", ".".join(["a" * 62] * 4)),
    ],
)
def test_a_name_has_one_stored_form(text: str, stored: str) -> None:
    assert names.a_labels(text) == stored
    assert names.a_labels(stored) == stored


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", ".example", "a..example", "a.example..", " a.example", "a b.example", "a.example\n", "*.example",
        "a@b.example", "https://a.example", "a\x00.example", "a\u00a0b.example", "☕.example", "a\u202eb.example",
        "xn--ü.example", "-ü.example", "ü-.example", "\u0301a.example", "\u200b.example", "\u00ad.example",
        "a" * 64 + ".example", "ü" * 60 + ".example", ".".join(["a" * 63] * 4), "a" * 100_000, "ü" * 100_000,
        "a\ud800.example", "\uff20.example",
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(names.InvalidName):
        names.a_labels(text)


@pytest.mark.parametrize(
    "text",
    ["mx_1.example", "_x.example", "-mx.example", "mx-.example", "192.0.2.1", "192.0.2.1.", "a.0", "2001:db8::1",
     "[192.0.2.1]", "mx.example:25", "mx1", "\uff11\uff19\uff12.0.2.1"],
)  # fmt: skip
def test_a_host_has_a_full_name_and_no_address(text: str) -> None:
    with pytest.raises(names.InvalidName):
        names.host_name(text)


def test_a_host_name_is_stored_like_any_name() -> None:
    assert names.host_name("MX1.Bücher.example.") == "mx1.xn--bcher-kva.example"
    assert names.host_name("3com.example") == "3com.example"
    assert names.host_name("localhost", least_labels=1) == "localhost"


@given(st.text(max_size=80) | st.text(alphabet="aéß.-_xn0\u0661" + "\u200d\u0301\u0130ς", max_size=40))
def test_any_text_is_a_name_or_an_invalid_name(text: str) -> None:
    try:
        stored = names.a_labels(text)
    except names.InvalidName:
        return
    assert stored.isascii()
    assert stored == stored.lower()
    assert 0 < len(stored) <= names.MAX_NAME_OCTETS
    assert names.a_labels(stored) == stored
    assert names.a_labels(names.u_labels(stored)) == stored


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cn", "Co")), min_size=1, max_size=12))
def test_idna_and_we_store_the_same(label: str) -> None:
    text = f"{label}.example"
    try:
        expected = idna.encode(text, uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        return
    assert names.a_labels(text) == expected


def test_idna_and_we_store_the_same_for_every_letter_of_the_basic_plane() -> None:
    """Every 11th character that this Python's Unicode knows, in a label that idna accepts."""
    different = []
    for code_point in range(0x80, 0x10000, 11):
        character = chr(code_point)
        if unicodedata.category(character) in ("Cn", "Cs", "Co"):
            continue
        text = f"a{character}b.example"
        try:
            expected = idna.encode(text, uts46=True, std3_rules=True).decode()
        except idna.IDNAError:
            continue
        if names.a_labels(text) != expected:
            different.append(hex(code_point))
    assert different == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("xn--bcher-kva.example", "bücher.example"),
        ("XN--BCHER-KVA.example", "bücher.example"),
        ("contoso.example", "contoso.example"),
        ("xn--zzzz.example", "xn--zzzz.example"),  # decodes to nothing sensible
        ("xn--.example", "xn--.example"),
        ("xn--a.example", "xn--a.example"),
        ("xn--strae-oqa.example", "straße.example"),
        ("xn--53h.example", "xn--53h.example"),  # a symbol: not for display
        ("xn--ab-j1t.example", "xn--ab-j1t.example"),  # holds a joiner, which nobody would see
    ],
)
def test_people_see_unicode_only_where_it_is_the_same_name(name: str, shown: str) -> None:
    assert names.u_labels(name) == shown


@given(st.text(max_size=60))
def test_showing_never_fails(text: str) -> None:
    names.u_labels(f"xn--{text}")


@pytest.mark.parametrize(
    ("name", "suffix", "under"),
    [
        ("mail.example.com", "example.com", True),
        ("example.com", "example.com", True),
        ("Example.COM.", "example.com", True),
        ("example.com", "mail.example.com", False),
        ("badexample.com", "example.com", False),
        ("mail.example.com.evil.test", "mail.example.com", False),
        ("mail.example.com.evil.test", "example.com", False),
        ("example.com", "", False),
        ("", "example.com", False),
    ],
)
def test_under_goes_by_label(name: str, suffix: str, under: bool) -> None:
    assert names.is_under(name, suffix) is under


@given(st.text(alphabet="ab0-.", max_size=80) | st.from_regex(r"[a-z0-9.-]{50,70}\.[a-z]{2}", fullmatch=True))
def test_a_name_that_is_known_at_one_look_is_one_label_by_label_too(text: str) -> None:
    if names.is_plain_host(text):
        assert names.domain_name(text) == text
        assert len(text.split(".")) >= 2
        assert not text.split(".")[-1].isdigit()


@pytest.mark.parametrize("text", ["a.example", "a-b.example", "1.2.example", "xn--bcher-kva.example"])
def test_nearly_every_name_is_known_at_one_look(text: str) -> None:
    assert names.is_plain_host(text)


@pytest.mark.parametrize("text", ["a", "a.1", "a..b", "-a.b", "a-.b", "A.b", "a.b.", "a_b.c", "a" * 64 + ".b", "*.a.b"])
def test_what_is_not_known_at_one_look(text: str) -> None:
    assert not names.is_plain_host(text)
