"""What a proposal says and remembers on a forge."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.propose.forges.forge import PullRequest
from mailtls.propose.proposal import MOST_BODY, Body, Proposal, key_of, withdrawn

BODY = Body("testing → enforce", "14 of 14 days", "senders refuse", "nothing breaks", "close it")
PROMOTE = Proposal("promote", "contoso.example", "contoso.example: enforce", BODY, {"a.yaml": "x"}, "enforce")
CLOSED = PullRequest(1, PROMOTE.branch, "a" * 40, PROMOTE.title, PROMOTE.described(), False, False, "")
PARTS = [field.name for field in dataclasses.fields(Body)]
texts = st.text(alphabet="ab \n|", max_size=60).map(lambda text: text * 3000)


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("## ")]


def test_the_parts_of_a_body_stand_in_one_order() -> None:
    text = BODY.text()
    assert headings(text) == [
        "## What changes",
        "## Why now",
        "## What happens on merge",
        "## What happens if you wait",
        "## How to refuse",
    ]
    at = [text.index(getattr(BODY, part)) for part in PARTS]
    assert at == sorted(at)


@given(st.tuples(texts, texts, texts, texts, texts))
def test_no_body_is_too_long_and_none_loses_a_part(parts: tuple[str, str, str, str, str]) -> None:
    text = Body(*parts).text()
    assert len(text) <= MOST_BODY
    assert headings(text) == headings(BODY.text())


def test_the_evidence_is_cut_first_and_says_so() -> None:
    text = dataclasses.replace(BODY, why_now="| a row |\n" * 20_000).text()
    assert "more lines: `mailtls status` shows all" in text
    assert "close it" in text
    assert "senders refuse" in text


@pytest.mark.parametrize(
    ("closed", "answered"),
    [
        (CLOSED, True),
        (dataclasses.replace(CLOSED, is_open=True), False),
        (dataclasses.replace(CLOSED, merged=True), False),
        (dataclasses.replace(CLOSED, title="another"), True),
        (dataclasses.replace(CLOSED, body="no thanks"), True),
        (dataclasses.replace(CLOSED, body="no thanks", title="another"), False),
        (dataclasses.replace(CLOSED, body=CLOSED.body.replace("\n", "\r\n")), True),
        (dataclasses.replace(CLOSED, body=withdrawn(CLOSED.body)), False),
        (dataclasses.replace(CLOSED, body=dataclasses.replace(PROMOTE, unique="other").described()), False),
    ],
)
def test_what_counts_as_a_persons_answer(closed: PullRequest, answered: bool) -> None:
    assert PROMOTE.answered_by(closed) is answered


def test_a_line_like_ours_in_the_text_of_a_stranger_is_not_ours() -> None:
    foreign = dataclasses.replace(BODY, why_now=dataclasses.replace(PROMOTE, unique="other").described())
    closed = dataclasses.replace(CLOSED, body=dataclasses.replace(PROMOTE, body=foreign).described())
    assert PROMOTE.answered_by(closed)


@pytest.mark.parametrize(
    "branch", ["main", "mailtls/", "mailtls/promote", "mailtls/promote/x/y.example", "x/a/b.example"]
)
def test_a_branch_that_we_would_not_make_is_no_key(branch: str) -> None:
    assert key_of(branch) is None


def test_a_branch_is_the_key() -> None:
    assert key_of(PROMOTE.branch) == ("promote", "contoso.example")


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "Promote"},
        {"policy_domain": "../x"},
        {"policy_domain": "müller.example"},
        {"title": "a\nb"},
        {"title": " "},
    ],
)
def test_what_cannot_be_a_branch_or_a_title_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"title|A-labels"):
        dataclasses.replace(PROMOTE, **wrong)
