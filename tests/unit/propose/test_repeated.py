"""Failures are counted while they are equal; what anybody wrote into the issue is believed no further than that."""

from mailtls.propose import repeated


def test_three_equal_ones_stall_and_another_cause_or_subject_begins_anew() -> None:
    seen: dict[str, repeated.Failure] = {}
    for times in (1, 2, 3):
        one = repeated.failure("contoso.example", "promote", "a branch has the name").after(seen)
        assert (one.times, one.is_stalled) == (times, times == 3)
        seen = repeated.remembered(f"text\n{repeated.lines([one], 1000)}\n")
        assert seen == {"contoso.example": one}
    assert repeated.failure("contoso.example", "promote", "another cause").after(seen).times == 1
    assert repeated.failure("contoso.example", "add-mx", "a branch has the name").after(seen).times == 1
    assert repeated.failure("fabrikam.example", "promote", "a branch has the name").after(seen).times == 1


def test_a_text_of_anybody_is_no_trouble() -> None:
    assert repeated.remembered("<!-- failed x 1 2 3 -->\n<!-- failed a.example " + "0" * 16 + " zz 4 -->") == {}
    line = f"<!-- failed a.example {'0' * 16} {'1' * 16} 3 -->\r"
    assert repeated.remembered(line)["a.example"].is_stalled


def test_what_does_not_fit_is_left_out_the_oft_repeated_kept() -> None:
    often = repeated.Failure("b.example", "0" * 16, "1" * 16, 9)
    once = repeated.failure("a.example", "look", "no answer")
    assert repeated.lines([once, often], len(often.line) + 1) == often.line
