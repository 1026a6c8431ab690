"""The AWS account as the edges read it: live, through the same API as everybody."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandbox import account

Endpoint = Callable[[], str | None]
"""The emulator's URL; None while it has none."""


class StateUnknown(OSError):
    """The deployed state cannot be read: the emulator is not there, or refuses."""


class Service:
    """One AWS service in one region. Its client is made when the emulator's endpoint is known, and then shared."""

    def __init__(self, name: str, endpoint: Endpoint, region: str) -> None:
        self._name = name
        self._endpoint = endpoint
        self._region = region
        self._lock = threading.Lock()
        self._made_for: str | None = None
        self._client: Any = None

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """boto3's client; what fails inside becomes StateUnknown."""
        from botocore.exceptions import BotoCoreError, ClientError  # a fifth of a second, as in sandbox.account

        endpoint = self._endpoint()
        if endpoint is None:
            raise StateUnknown(f"{self._name}: the AWS emulator is not up yet")
        with self._lock:
            if self._made_for != endpoint:
                self._client = account.client(self._name, endpoint, self._region)
                self._made_for = endpoint
        try:
            yield self._client
        except (BotoCoreError, ClientError) as e:
            raise StateUnknown(f"{self._name}: {e}") from e
