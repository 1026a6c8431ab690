"""ARCHITECTURE.md is a map: every path in it leads somewhere, and no folder of the house is missing from it."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "ARCHITECTURE.md").read_text()


def test_every_path_in_it_exists() -> None:
    paths = set(re.findall(r"`((?:[\w.]+/)+[\w.]*|\w+\.(?:py|toml|md))`", TEXT))
    forbidden = {"utils.py", "helpers.py", "common.py"}
    # named where their folder is the subject
    inside = ("", "sandbox", "mailtls/observe", "mailtls/propose", "mailtls/tls_rpt")
    missing = {
        path for path in paths - forbidden if not any((REPOSITORY / folder / path).exists() for folder in inside)
    }
    # `defaults.yaml` is a name, not a place; `contract.py` and the like stand beside their folder
    assert missing == set()
    assert len(paths) > 20


def test_every_room_is_on_it() -> None:
    rooms = {path.parent.name for path in REPOSITORY.glob("*/__init__.py")}
    rooms |= {path.parent.name for path in REPOSITORY.glob("sandbox/*/__init__.py")}
    rooms |= {path.parent.name for path in REPOSITORY.glob("mailtls/*/__init__.py")}
    assert {room for room in rooms if f"{room}/" not in TEXT} == set()


def test_no_file_has_a_name_without_a_subject() -> None:
    names = {"utils.py", "helpers.py", "common.py", "misc.py"}
    rooms = ("mailtls", "components", "stacks", "report_lambda", "sandbox", "tests")
    assert [path for room in rooms for path in (REPOSITORY / room).rglob("*.py") if path.name in names] == []
