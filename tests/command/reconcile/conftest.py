"""Five domains on loopback for each test of the command."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from served_domains import Internet, Place, internet, write_all

__all__ = ["internet"]


@pytest.fixture
def mailtls(internet: tuple[Internet, Path], tmp_path: Path) -> Place:
    write_all(tmp_path)
    return Place(*internet, tmp_path)
