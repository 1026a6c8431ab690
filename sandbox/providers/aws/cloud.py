"""The connection to AWS that all resource types share, and the rule that it never leaves this machine."""

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.providers.protocol.resource_type import Call, Gone, ProviderError
from sandbox.providers.protocol.wire import Properties

_LOOPBACK = ("127.0.0.1", "::1")
_GONE = ("notfound", "nosuch", "nonexistent", "doesnotexist", "404")
_CONNECTIONS = 64


class AwsError(ProviderError):
    """AWS refused a call. code: as in the API reference, `NoSuchBucket`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Missing(AwsError, Gone):
    """AWS says that what the call names does not exist."""


class Service:
    """A boto3 client whose errors are ours: `service.create_queue(QueueName=…)`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        method = getattr(self._client, operation)

        def call(**parameters: Any) -> Any:
            try:
                return method(**parameters)
            except ClientError as e:
                code = str(e.response.get("Error", {}).get("Code", ""))
                kind = Missing if any(word in code.lower() for word in _GONE) else AwsError
                raise kind(code, str(e)) from e
            except BotoCoreError as e:  # parameters that the API does not have, nobody listens, no credentials
                raise AwsError(type(e).__name__, f"{type(self._client).__name__}.{operation}: {e}") from e

        return call

    def pages(self, operation: str, key: str, **parameters: Any) -> list[Any]:
        """All items under `key` of an operation that answers page by page."""
        paginator = self._client.get_paginator(operation)
        return [item for page in paginator.paginate(**parameters) for item in page.get(key) or ()]


class Aws:
    """One configured provider. Safe to use from many threads."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """config: the provider's configuration (`region`, `endpoints`, `defaultTags`, …).

        Raises ProviderError when there is no region, or when an endpoint is not on this machine.
        """
        self.region = str(
            config.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION", "")
        )
        if not self.region:
            raise ProviderError("no AWS region: set aws:region in the stack's configuration, or AWS_REGION")
        self.default_tags: dict[str, str] = dict((config.get("defaultTags") or {}).get("tags") or {})
        self._config = dict(config)
        self._endpoint = local_endpoint(os.environ.get("AWS_ENDPOINT_URL", ""))
        self._endpoints = {
            service: local_endpoint(url)
            for entry in config.get("endpoints") or ()
            for service, url in entry.items()
            if url
        }
        self._services: dict[tuple[str, str], Service] = {}
        self._session: Any = None
        self._account: str | None = None
        self._lock = threading.RLock()

    def service(self, name: str, region: str | None = None) -> Service:
        """The API called `name` (boto3's spelling) in `region`, the provider's own when not given."""
        key = (name, region or self.region)
        with self._lock:
            if key not in self._services:
                self._services[key] = Service(self._client(*key))
            return self._services[key]

    @property
    def account(self) -> str:
        """The account's id, asked for once."""
        with self._lock:
            if self._account is None:
                self._account = str(self.service("sts").get_caller_identity()["Account"])
            return self._account

    def arn(self, service: str, resource: str, region: str | None = None) -> str:
        """An ARN in this account. region: "" for services that have none in their ARNs."""
        return f"arn:aws:{service}:{self.region if region is None else region}:{self.account}:{resource}"

    def tags(self, inputs: Properties) -> dict[str, str]:
        """The resource's tags with the provider's default tags."""
        return self.default_tags | (inputs.get("tags") or {})

    def _client(self, name: str, region: str) -> Any:
        # Half a second, and the engine waits ten for the port: not at the top.
        import boto3
        from botocore.config import Config

        if self._session is None:
            self._session = boto3.session.Session(
                aws_access_key_id=self._config.get("accessKey"),
                aws_secret_access_key=self._config.get("secretKey"),
                aws_session_token=self._config.get("token"),
            )
        return self._session.client(
            name,
            region_name=region,
            endpoint_url=self._endpoints.get(name, self._endpoint),
            config=Config(
                max_pool_connections=_CONNECTIONS,
                retries={"mode": "standard", "max_attempts": 3},
                s3={"addressing_style": "path"},
                # An inherited proxy would carry the calls off this machine.
                proxies={},
            ),
        )


def local_endpoint(url: str) -> str:
    """`url` when it is plain HTTP on the loopback interface. Raises ProviderError for any other."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        raise ProviderError(
            f"this is the sandbox's stand-in for the AWS provider, and it talks to this machine only: "
            f"AWS_ENDPOINT_URL must be http://127.0.0.1:PORT or http://[::1]:PORT, not {url or 'unset'!r}"
        )
    return url


def service(call: Call[Aws], name: str) -> Service:
    """The API called `name` in the resource's region."""
    return call.cloud.service(name, region_of(call))


def region_of(call: Call[Aws]) -> str:
    """Where the resource is: its own `region`, else the provider's."""
    return str(call.inputs.get("region") or call.state.get("region") or call.cloud.region)


def tags_all(cloud: Aws, inputs: Properties) -> Properties:
    """`tagsAll`, for `ResourceType.derived`."""
    return {"tagsAll": cloud.tags(inputs)}


def tag_list(cloud: Aws, inputs: Properties) -> list[dict[str, str]]:
    """Tags as most APIs take them: `[{"Key": …, "Value": …}]`."""
    return [{"Key": key, "Value": value} for key, value in cloud.tags(inputs).items()]


def given(**parameters: Any) -> dict[str, Any]:
    """Those parameters that are not None: boto3 takes no None."""
    return {name: value for name, value in parameters.items() if value is not None}
