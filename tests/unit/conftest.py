"""Unit tests touch no network, and hypothesis keeps no clock."""

import pytest_socket
from hypothesis import settings

settings.register_profile("mailtls", deadline=None, max_examples=100)
settings.load_profile("mailtls")


def pytest_runtest_setup() -> None:
    """A unit test that opens a socket fails; local ones of asyncio's own loop are let through."""
    pytest_socket.disable_socket(allow_unix_socket=True)
