"""Asks a provider what the engine would ask it, without an engine: for tests, and for trying out a resource type.

The questions go over the real protocol (gRPC, protobuf structs), so what passes here passes with the engine too.
"""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypedDict

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.providers.protocol.serve import start
from sandbox.providers.protocol.server import Provider
from sandbox.providers.protocol.wire import Properties, read_struct, write_struct


class Refused(Exception):
    """`Check` found the inputs wrong; the text has one line per failure."""


@dataclass(slots=True)
class Resource:
    """A resource as the engine's state holds it."""

    token: str
    id: str
    inputs: Properties
    outputs: Properties


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer to Diff. kinds: {path: "UPDATE", "ADD_REPLACE", …}."""

    kinds: dict[str, str] = field(default_factory=dict)
    replaces: tuple[str, ...] = ()
    delete_first: bool = False


class Driver:
    """One configured provider; use it in a `with` statement."""

    def __init__(self, provider: Provider[Any], config: Properties | None = None) -> None:
        self._server, port = start(provider)
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_GRPC_CHANNEL_OPTIONS)
        self._provider = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._provider.Handshake(provider_pb2.ProviderHandshakeRequest())
        self._provider.Configure(provider_pb2.ConfigureRequest(args=write_struct(config or {})))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
        self._server.stop(None)

    def check(
        self, token: str, inputs: Properties, olds: Properties | None = None, name: str = "one", **more: Any
    ) -> Properties:
        """The inputs with defaults and name. more: further fields of the request. Raises Refused."""
        answer = self._provider.Check(
            provider_pb2.CheckRequest(
                olds=write_struct(olds or {}),
                news=write_struct(inputs),
                randomSeed=b"seed",
                **_who(token, name),
                **more,
            )
        )
        if answer.failures:
            raise Refused("\n".join(failure.reason for failure in answer.failures))
        return read_struct(answer.inputs)

    def preview(self, token: str, inputs: Properties) -> Properties:
        """What a preview of its creation knows."""
        return self._create(token, self.check(token, inputs), preview=True).outputs

    def create(self, token: str, inputs: Properties, name: str = "one", timeout: float = 0) -> Resource:
        """Checks the inputs and makes it."""
        return self._create(token, self.check(token, inputs, name=name), name=name, timeout=timeout)

    def _create(
        self, token: str, checked: Properties, *, preview: bool = False, name: str = "one", timeout: float = 0
    ) -> Resource:
        answer = self._provider.Create(
            provider_pb2.CreateRequest(
                properties=write_struct(checked), preview=preview, timeout=timeout, **_who(token, name)
            )
        )
        return Resource(token, answer.id, checked, read_struct(answer.properties))

    def diff(self, resource: Resource, inputs: Properties) -> Difference:
        """What an update to `inputs` would do."""
        news = self.check(resource.token, inputs, resource.inputs)
        answer = self._provider.Diff(
            provider_pb2.DiffRequest(
                id=resource.id,
                olds=write_struct(resource.outputs),
                old_inputs=write_struct(resource.inputs),
                news=write_struct(news),
                **_who(resource.token),
            )
        )
        kinds = {path: provider_pb2.PropertyDiff.Kind.Name(one.kind) for path, one in answer.detailedDiff.items()}
        return Difference(kinds, tuple(answer.replaces), answer.deleteBeforeReplace)

    def update(self, resource: Resource, inputs: Properties, *, preview: bool = False) -> Resource:
        """Updates it in place."""
        news = self.check(resource.token, inputs, resource.inputs)
        answer = self._provider.Update(
            provider_pb2.UpdateRequest(
                id=resource.id,
                olds=write_struct(resource.outputs),
                old_inputs=write_struct(resource.inputs),
                news=write_struct(news),
                preview=preview,
                **_who(resource.token),
            )
        )
        return Resource(resource.token, resource.id, news, read_struct(answer.properties))

    def refresh(self, resource: Resource) -> Resource | None:
        """The resource as the cloud has it now; None when it is gone."""
        return self._read(resource.token, resource.id, resource.inputs, resource.outputs)

    def import_(self, token: str, identity: str) -> Resource | None:
        """A resource that only its id is known of."""
        return self._read(token, identity, {}, {})

    def _read(self, token: str, identity: str, inputs: Properties, outputs: Properties) -> Resource | None:
        answer = self._provider.Read(
            provider_pb2.ReadRequest(
                id=identity, inputs=write_struct(inputs), properties=write_struct(outputs), **_who(token)
            )
        )
        if not answer.id:
            return None
        return Resource(token, answer.id, read_struct(answer.inputs), read_struct(answer.properties))

    def delete(self, resource: Resource) -> None:
        """Deletes it."""
        self._provider.Delete(
            provider_pb2.DeleteRequest(
                id=resource.id,
                properties=write_struct(resource.outputs),
                old_inputs=write_struct(resource.inputs),
                **_who(resource.token),
            )
        )

    def invoke(self, token: str, arguments: Properties | None = None) -> Properties:
        """The answer of a function. Raises Refused."""
        answer = self._provider.Invoke(provider_pb2.InvokeRequest(tok=token, args=write_struct(arguments or {})))
        if answer.failures:
            raise Refused("\n".join(f"{failure.property} {failure.reason}" for failure in answer.failures))
        return read_struct(getattr(answer, "return"))

    def cancel(self) -> None:
        """The engine gives up."""
        self._provider.Cancel(empty_pb2.Empty())


class _Who(TypedDict):
    """The fields by which every request names its resource."""

    urn: str
    name: str
    type: str


def _who(token: str, name: str = "one") -> _Who:
    return {"urn": f"urn:pulumi:stack::project::{token}::{name}", "name": name, "type": token}
