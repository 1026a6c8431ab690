"""What a patch's proof may use: clients of the running emulator, names of its own, DNS that it fills, the clock."""

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox import account
from sandbox.cloud.emulator.name_server import NameServer


class ProofFailed(RuntimeError):
    """The running emulator does not behave as the patch says."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Probe:
    """One proof's view of the emulator at `endpoint`. State and clock are reset when all proofs are through.

    names: the name server that the emulator asks while proofs run; a proof adds the records that it needs.
    """

    def __init__(self, endpoint: str, names: NameServer) -> None:
        self.endpoint = endpoint
        self.names = names
        self._clients: dict[tuple[str, str], Any] = {}
        self._numbers = itertools.count(1)

    def client(self, service: str, region: str = account.REGION) -> Any:
        """The administrator's boto3 client, made once per service and region."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service,
                region_name=region,
                endpoint_url=self.endpoint,
                aws_access_key_id=account.ACCESS_KEY,
                aws_secret_access_key=account.SECRET_KEY,
                # no retries: refusals such as LimitExceeded are what proofs look for
                config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            )
        return self._clients[key]

    def name(self, stem: str = "proof") -> str:
        """A name that no other proof has: letters, digits and hyphens."""
        return f"{stem}-{next(self._numbers)}"

    def domain(self) -> str:
        """A domain that no other proof has."""
        return f"{self.name('domain')}.example"

    def refused(self, code: str, call: Callable[..., Any], /, **arguments: Any) -> str:
        """The message of the refusal with `code`. Raises ProofFailed when the call passes or another code comes."""
        try:
            call(**arguments)
        except ClientError as e:
            error = e.response["Error"]
            if error["Code"] != code:
                raise ProofFailed(f"{call.__name__} was refused with {error['Code']}, not {code}: {e}") from e
            return str(error["Message"])
        raise ProofFailed(f"{call.__name__} was taken; it should be refused with {code}")

    def holds(self, truth: object, what: str) -> None:
        """Raises ProofFailed, saying `what` does not hold, unless `truth`."""
        if not truth:
            raise ProofFailed(f"does not hold: {what}")

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A plain HTTP request, unsigned; any status is an answer. `Host` may be given in `headers`."""
        request = urllib.request.Request(  # noqa: S310 the emulator's own URL
            self.endpoint + path, data=body, method=method, headers=dict(headers or {})
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _AnyStatus())
        with opener.open(request, timeout=10) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, response.read())

    def move_clock(self, offset: float) -> None:
        """Sets the emulator's clock `offset` seconds ahead of the real one."""
        self.request("POST", "/_sandbox/clock", json.dumps({"offset": offset}).encode())


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Answers as they come: no exception for 4xx, no redirect followed."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response
