"""The records of decisions: each has a number of its own, its title bears it, and it says whether it holds."""

import re
from pathlib import Path

import pytest

RECORDS = sorted((Path(__file__).parents[2] / "docs" / "adr").glob("*.md"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_each_record_has_its_number_and_its_status(record: Path) -> None:
    title, blank, status, *_ = record.read_text().splitlines()
    assert re.match(r"# \d+\. \S", title)
    assert int(title.removeprefix("# ").partition(".")[0]) == int(record.name[:4])
    assert blank == ""
    assert re.match(r"Status: (accepted|superseded by ADR \d+)\.", status)


def test_no_number_is_given_twice() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    assert len(numbers) == len(set(numbers))
