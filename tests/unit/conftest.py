"""Unit tests touch no network."""

import pytest_socket


def pytest_runtest_setup() -> None:
    """A unit test that opens a socket fails; local ones of asyncio's own loop are let through."""
    pytest_socket.disable_socket(allow_unix_socket=True)
