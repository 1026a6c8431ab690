"""Text of a stranger, before it stands in a message."""

from hypothesis import given
from hypothesis import strategies as st

from mailtls.reports.sender_text import clean


@given(st.text(), st.integers(1, 300))
def test_senders_text_is_one_bounded_printable_line(text, limit):
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.isprintable()
    assert clean(cleaned, limit) == cleaned
