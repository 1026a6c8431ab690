import csv
import io

import pytest

from mailtls.render.csv_cells import csv_line


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    line = csv_line([f'{start}HYPERLINK("http://x";"y")', 5, None])
    (row,) = csv.reader(io.StringIO(line))
    assert row[0].startswith("'")
    assert row[1:] == ["5", ""]


def test_a_cell_cannot_leave_its_place_or_move_a_cursor() -> None:
    line = csv_line(['a","b\nc\x1b[2J'])
    assert "\x1b" not in line
    assert list(csv.reader(io.StringIO(line))) == [['a","b c\\u001b[2J']]
