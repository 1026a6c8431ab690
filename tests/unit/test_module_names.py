"""No module of ours is named like one of the standard library.

The engine runs the program with `stacks/` first on the import path, and people run Python there: `import platform`
would find ours, and fail far away from the cause.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("mailtls", "components", "stacks", "report_lambda", "sandbox", "bench", "tests")


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_hides_one_of_the_standard_library(room):
    modules = [path for path in (ROOT / room).rglob("*.py") if path.stem != "__init__"]
    folders = [path.parent for path in (ROOT / room).rglob("__init__.py")]
    assert modules, f"{room} holds no module: has it moved?"
    hidden = [path.relative_to(ROOT).as_posix() for path in modules + folders if path.stem in sys.stdlib_module_names]
    assert not hidden
