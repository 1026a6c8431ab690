"""Unit tests touch no network. What several rooms share stands beside this file: `from sample_looks import seen`."""

import sys
from pathlib import Path

import pytest_socket

sys.path.append(str(Path(__file__).parent))


def pytest_runtest_setup() -> None:
    """A unit test that opens a socket fails; local ones of asyncio's own loop are let through."""
    pytest_socket.disable_socket(allow_unix_socket=True)
