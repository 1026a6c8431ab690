"""Mails, reports and stored entries: the corpus of the coverage-guided runs, and damaged seeds, in the suite."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.parsers import CORPUS
from tests.fuzz.readers import READERS, Reader

each_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)


@each_reader
def test_the_corpus_breaks_nothing(reader: Reader) -> None:
    texts = [file.read_bytes() for file in sorted((CORPUS / reader.name).iterdir())]
    assert len(texts) > 20
    for text in texts:
        reader.check(text)


@each_reader
def test_the_seed_is_read_and_not_refused(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a run would look at refusals alone."""
    monkeypatch.setattr("tests.fuzz.readers.said", lambda refusal: pytest.fail(str(refusal)))
    reader.check(reader.seed)


@each_reader
@given(data=st.data())
def test_a_damaged_seed_is_refused_in_words_or_read(reader: Reader, data: st.DataObject) -> None:
    text = bytearray(reader.seed)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text)))
        match data.draw(st.integers(0, 2)):
            case 0:
                del text[at : at + data.draw(st.integers(0, 40))]
            case 1:
                text[at:at] = data.draw(st.sampled_from(reader.words))
            case 2:
                text[at:at] = data.draw(st.binary(max_size=8))
    reader.check(bytes(text))
