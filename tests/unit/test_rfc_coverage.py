"""docs/rfc-coverage.md names files and tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rfc-coverage.md").read_text()
ROWS = [row for row in re.findall(r"^\| [0-9].*$", PAGE, re.MULTILINE) if row.count(" | ") == 3]


def test_every_row_names_a_file_and_a_test_that_exist() -> None:
    tests = {path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(ROWS) > 30
    for row in ROWS:
        _, _, where, proof = row.strip("| ").split(" | ")
        assert (ROOT / where.strip("`")).is_file(), where
        file, _, name = proof.strip("`").partition("::")
        assert f"\ndef {name}(" in tests[file], proof


def test_no_row_is_misshapen() -> None:
    assert len(ROWS) == len(re.findall(r"^\| [0-9]", PAGE, re.MULTILINE))
