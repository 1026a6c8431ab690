"""One running emulator for all tests of the sandbox's AWS stand-in, and the DNS that it asks.

What several tests build stands beside them: `from deployed import issued_certificate`.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer
from sandbox.cloud.start import Emulator, start_emulator
from sandbox.control import ask

sys.path.append(str(Path(__file__).parent))

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def names() -> Iterator[NameServer]:
    """The name server that the emulator asks."""
    server = NameServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def emulator(names: NameServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Shared by all tests: each uses names of its own (`unique`)."""
    started = start_emulator(names.address, None, None, tmp_path_factory.mktemp("emulator") / "emulator.log")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def aws(emulator: Emulator) -> Callable[..., Any]:
    """`aws("acm", "us-east-1")`: the administrator's client; the region is the platform's when not given."""
    clients: dict[tuple[str, str], Any] = {}

    def client(service: str, region: str = account.REGION) -> Any:
        key = (service, region)
        if key not in clients:
            clients[key] = account.client(service, emulator.endpoint, region)
        return clients[key]

    return client


@pytest.fixture
def unique() -> Callable[..., str]:
    """A name that no other test has: letters, digits, hyphens."""
    return lambda stem="test": f"{stem}-t{next(_numbers)}"


@pytest.fixture
def move_clock(emulator: Emulator) -> Iterator[Callable[[float], None]]:
    """Sets the emulator's clock so many seconds ahead; it is back at the real time afterwards."""
    yield lambda offset: ask(emulator.endpoint, "POST", "/_sandbox/clock", offset=offset)
    ask(emulator.endpoint, "POST", "/_sandbox/clock", offset=0)
