"""Edits of texts that people have really written, each with the text that comes out, to the character."""

import textwrap

import pytest

from mailtls.propose.yaml_edit import NotEditable, Remove, Set, edited
from mailtls.propose.yaml_write import Value

MODE = ("mta_sts", "mode")
MX = ("mta_sts", "mx")


def of(path: tuple[str | int, ...], domain: str | None = None) -> tuple[str | int, ...]:
    return path if domain is None else ("policy_domains", domain, *path)


def text_of(block: str) -> str:
    return textwrap.dedent(block).lstrip("\n")


SETS: list[tuple[str, tuple[str | int, ...], Value, str, str]] = [
    ("plain", MODE, "enforce", "mta_sts: {mode: testing}", "mta_sts: {mode: enforce}"),
    ("single quotes stay", MODE, "enforce", "mta_sts: {mode: 'testing'}", "mta_sts: {mode: 'enforce'}"),
    ("double quotes stay", MODE, "enforce", 'mta_sts: {"mode":"testing"}', 'mta_sts: {"mode":"enforce"}'),
    ("escapes in the old value", MODE, "enforce", 'mta_sts: {mode: "te\\x73ting"}', 'mta_sts: {mode: "enforce"}'),
    ("no quotes around a number", ("a",), 60, "a: '1d'", "a: 60"),
    ("on a line of its own", ("a", "b"), "none", "a:\n  b:\n      testing # c\n", "a:\n  b:\n      none # c\n"),
    ("a block scalar", ("a",), "none", "a: |-\n  testing\n\nb: 1\n", "a: none\n\nb: 1\n"),
    ("an explicit key", ("a",), "none", "? a\n: testing # c\n", "? a\n: none # c\n"),
    ("a directive and an end", ("b",), 1, "%YAML 1.1\n---\na: 2\n...\n# d\n", "%YAML 1.1\n---\na: 2\nb: 1\n...\n# d\n"),
    ("no line end", ("b",), True, "a: 1", "a: 1\nb: true"),
    ("CRLF", ("b",), True, "a: 1 # c\r\n# d\r\n", "a: 1 # c\r\nb: true\r\n# d\r\n"),
    ("CR alone", ("b",), True, "a: 1\rc: 2\r", "a: 1\rc: 2\rb: true\r"),
    ("a line separator in a comment", ("b",), True, "a: 1 # c\u2028d: 2\n", "a: 1 # c\u2028d: 2\u2028b: true\n"),
    ("beyond the BMP", ("b",), 2, "a: '\U0001f600' # \U0001f600\n", "a: '\U0001f600' # \U0001f600\nb: 2\n"),
    ("an empty value", ("a", "b"), 1, "a: # c\n", "a: {b: 1} # c\n"),
    ("an empty value with an anchor", ("a", "b"), 1, "a: &x # c\n", "a: &x {b: 1} # c\n"),
    ("null in words", ("a", "b"), 1, "a: ~ # c\n", "a: {b: 1} # c\n"),
    ("a key alone in brackets", ("p", "a", "b"), 1, "p: {a, c}", "p: {a: {b: 1}, c}"),
    ("the last key alone in brackets", ("p", "c", "b"), 1, "p: {a, c }", "p: {a, c: {b: 1} }"),
    ("empty brackets", ("a", "b"), 1, "a: { } # c\n", "a: {b: 1 } # c\n"),
    ("a last comma", ("a", "b"), 1, "a: {c: 2,}", "a: {c: 2, b: 1,}"),
    ("a key in quotes beside", ("a", "b"), 1, 'a: {"c": 2}', 'a: {"c": 2, "b": 1}'),
    ("maps on the way", ("c", "d", "e"), 3, "a:\n   b: 1\n", "a:\n   b: 1\nc:\n   d:\n      e: 3\n"),
    ("false becomes a map", ("a",), {"rua": ["mailto:a@b.c"]}, "a: false\n", 'a: {rua: ["mailto:a@b.c"]}\n'),
    ("a list item with a star", ("a", 1), "*.b", "a: [c]", 'a: [c, "*.b"]'),
    ("a list item in quotes beside", ("a", 1), "*.b", "a: ['c']", "a: ['c', '*.b']"),
    ("dashes in the column of the key", ("a", 1), "d", "a:\n- c # e\n# f\nb: 1\n", "a:\n- c # e\n- d\n# f\nb: 1\n"),
    ("a dash with its value below", ("a", 1), "d", "a:\n  -\n    c\n", "a:\n  -\n    c\n  - d\n"),
    ("lines in brackets", ("a", 1), "d", "a: [\n  c # e\n]\n", "a: [\n  c, # e\n  d\n]\n"),
    ("lines in brackets, last comma", ("a", 1), "d", "a: [\n  c, # e\n  ]\n", "a: [\n  c, # e\n  d,\n  ]\n"),
    ("lines in brackets, closed at once", ("a", 1), "d", "a: [b,\n  c]\n".replace("[b,", "["), "a: [\n  c,\n  d]\n"),
    ("commas in front", ("a", 2), "d", "a: [ b # x\n   , c # y\n   ]\n", "a: [ b # x\n   , c, d # y\n   ]\n"),
    ("words that some readers take for no text", ("a",), "no", "a: yes!", 'a: "no"'),
    ("a day", ("a",), "2026-12-24", "b: 1\n", 'b: 1\na: "2026-12-24"\n'),
    ("control characters", ("a",), 'x\n"\u0085\u202e', "b: 1\n", 'b: 1\na: "x\\U0000000a\\"\\U00000085\\U0000202e"\n'),
    ("the same", MODE, "testing", "mta_sts: {mode: 'testing'}", "mta_sts: {mode: 'testing'}"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "before", "after"), [row[1:] for row in SETS], ids=[row[0] for row in SETS])
def test_a_value_is_set(path: tuple[str | int, ...], value: Value, before: str, after: str) -> None:
    assert edited(before, [Set(path, value)]) == after


REMOVALS: list[tuple[str, tuple[str | int, ...], str, str]] = [
    ("a line with its comment", ("b",), "a: 1\nb: 2 # c\n# d\n", "a: 1\n# d\n"),
    ("the last line without a line end", ("b",), "a: 1\r\nb: 2", "a: 1"),
    ("a block", ("b",), "a: 1\nb: # x\n  # y\n  c: 1\n\n  d: [1,\n 2]\n\n# e\nf: 1\n", "a: 1\n\n# e\nf: 1\n"),
    ("all of a block", ("a", "b"), "a: # x\n  b: 1\nc: 2\n", "a: {} # x\nc: 2\n"),
    ("all of a block with an anchor", ("a", "b"), "a: &y # x\n  b: 1\nc: 2\n", "a: &y {} # x\nc: 2\n"),
    ("an item", ("a", 0), "a:\n- b # x\n- c\n", "a:\n- c\n"),
    ("all of a list", ("a", 0), "a:\n- b # x\n", "a: []\n"),
    ("the first in brackets", ("a", "b"), "a: {b: 1, c: 2}", "a: {c: 2}"),
    ("the last in brackets", ("a", "c"), "a: {b: 1, c: 2 }", "a: {b: 1 }"),
    ("the last before a comma", ("a", 1), "a: [b, c,]", "a: [b,]"),
    ("all in brackets", ("a", 0), "a: [b]", "a: []"),
    ("a line in brackets", ("a", 0), "a: [\n  b, # x\n  c # y\n]\n", "a: [\n  c # y\n]\n"),
    ("the last line in brackets", ("a", 1), "a: [\n  b, # x\n  c # y\n]\n", "a: [\n  b, # x\n]\n"),
    ("commas in front", ("a", 1), "a: [ b # x\n   , c\n   ]\n", "a: [ b # x\n   \n   ]\n"),
]


@pytest.mark.parametrize(("path", "before", "after"), [row[1:] for row in REMOVALS], ids=[row[0] for row in REMOVALS])
def test_a_key_or_an_item_is_removed(path: tuple[str | int, ...], before: str, after: str) -> None:
    assert edited(before, [Remove(path)]) == after


SHARED = text_of(
    """
    policy_domains:
      a.example: &all # head office
        mta_sts: &policy {mode: testing, mx: &hosts [mx1.a.example]}
      b.example: *all
      c.example:
        mta_sts: *policy # the same
      d.example: {mta_sts: {mode: none, mx: *hosts}}
    """
)


@pytest.mark.parametrize(
    ("domain", "changed"),
    [
        ("b.example", {"  b.example: *all": "  b.example: {mta_sts: {mode: enforce, mx: [mx1.a.example]}}"}),
        ("c.example", {"*policy #": "{mode: enforce, mx: [mx1.a.example]} #"}),
        ("d.example", {"mode: none": "mode: enforce"}),
        (
            "a.example",
            {
                "a.example: &all #": "a.example: #",
                "mta_sts: &policy {mode: testing": "mta_sts: {mode: enforce",
                "b.example: *all": "b.example: &all {mta_sts: {mode: testing, mx: [mx1.a.example]}}",
                "*policy #": "&policy {mode: testing, mx: [mx1.a.example]} #",
            },
        ),
    ],
)
def test_what_others_share_by_an_anchor_stays_theirs(domain: str, changed: dict[str, str]) -> None:
    expected = SHARED
    for old, new in changed.items():
        assert expected.count(old) == 1
        expected = expected.replace(old, new)
    assert edited(SHARED, [Set(of(MODE, domain), "enforce")]) == expected


def test_an_anchor_that_goes_is_left_to_the_first_that_uses_it() -> None:
    after = edited(SHARED, [Remove(("policy_domains", "a.example"))])
    assert after == text_of(
        """
        policy_domains:
          b.example: &all {mta_sts: {mode: testing, mx: [mx1.a.example]}}
          c.example:
            mta_sts: &policy {mode: testing, mx: [mx1.a.example]} # the same
          d.example: {mta_sts: {mode: none, mx: &hosts [mx1.a.example]}}
        """
    )


def test_an_anchor_inside_what_is_replaced_is_left_to_others_too() -> None:
    text = "a: {b: [&x mx1.a.example, c]}\nd: *x\n"
    assert edited(text, [Set(("a", "b"), ["e"])]) == "a: {b: [e]}\nd: &x mx1.a.example\n"


def test_an_item_of_a_shared_list_changes_for_one() -> None:
    after = edited(SHARED, [Set(of((*MX, 1), "d.example"), "mx2.d.example")])
    assert after == SHARED.replace("mx: *hosts", "mx: [mx1.a.example, mx2.d.example]")


def test_a_long_list_is_written_in_lines() -> None:
    hosts: list[Value] = [f"mx{number}.contoso.example" for number in range(9)]
    after = edited("mta_sts:\n    mode: testing\n", [Set(MX, hosts)])
    assert after == "mta_sts:\n    mode: testing\n    mx:\n" + "".join(f"        - {host}\n" for host in hosts)


REFUSED: list[tuple[str, Set | Remove, str, int, str]] = [
    ("not there", Remove(("a", "b")), "a: {c: 1}", 1, "a.b is not written here"),
    ("no map", Set(("a", "b"), 1), "c: 1\na: [1]\n", 2, "a.b is not written here"),
    ("a word", Set(("a", "b"), 1), "c: 1\na: manual\n", 2, "a is a plain value here, which holds no 'b'"),
    ("all there is", Remove(("a",)), "# x\na: 1\n", 2, "all that the file holds"),
    ("a map as a whole", Set(("a",), 1), "b: 1\na:\n  c: 1\n", 3, "a map with lines of its own"),
    ("a list with comments", Set(("a",), ["x"]), "a: [b, # c\n  d]\n", 1, "a list with lines of its own"),
    ("a key after a question mark", Remove(("b",)), "a: 1\n? b\n: 2\n", 2, "more than this stands on the line"),
    ("blank lines that belong to a text", Set(("b",), 1), "a: |+\n  x\n\n# c\n", 2, "cannot be changed"),
    ("no YAML", Set(("b",), 1), "a: [\n", 1, "is not closed"),
    ("a merge key", Set(("b",), 1), "x: 1\n<<: {a: 1}\n", 2, "merge keys"),
]


@pytest.mark.parametrize(
    ("edit", "text", "line", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_cannot_be_done_is_refused_in_words(edit: Set | Remove, text: str, line: int, words: str) -> None:
    with pytest.raises(NotEditable, match=words) as refused:
        edited(text, [edit])
    assert refused.value.line == line


def test_nothing_changes_when_one_of_several_edits_is_refused() -> None:
    with pytest.raises(NotEditable):
        edited("a: 1\n", [Set(("b",), 2), Remove(("c",))])
