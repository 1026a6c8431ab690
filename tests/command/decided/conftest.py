"""Samples of decisions stand with the unit tests, the repository one folder up."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "unit")]
