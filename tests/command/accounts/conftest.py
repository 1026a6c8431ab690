"""Accounts on loopback: `from stand_ins import ...`."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from stand_ins import Answer, NameServer, Serving, WebServer


@pytest.fixture
def served() -> Iterator[Serving]:
    """Serves HTTP by a function from request to answer; returns the base URL."""
    with ExitStack() as running:

        def serve(answer: Callable[..., Answer]) -> WebServer:
            return running.enter_context(WebServer(answer))

        yield serve


@pytest.fixture
def named() -> Iterator[Callable[[str], str]]:
    """Serves a zone file of the root, by UDP; returns `ADDRESS:PORT`."""
    with ExitStack() as running:
        yield lambda text: running.enter_context(NameServer(text)).address


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own accounts, resolvers and proxies gets into a test."""
    unwanted = ("AWS_", "CLOUDFLARE_", "MAILTLS_", "PULUMI_")
    for name in [name for name in os.environ if name.startswith(unwanted) or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
