"""What a resource type is to this framework: a handful of functions and a table of how its properties behave."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from threading import Event
from typing import Any, Generic, TypeVar

from sandbox.providers.protocol.schema import Problem
from sandbox.providers.protocol.wire import Properties

Cloud = TypeVar("Cloud")
"""What a provider holds after Configure: its connection to the cloud."""


class ProviderError(Exception):
    """An operation failed; the message is what the engine shows."""


class Gone(ProviderError):
    """The resource (or what it belongs to) does not exist in the cloud."""


class PartlyCreated(ProviderError):
    """The resource exists but is not as it should be: the engine records it and replaces it in the next update."""

    def __init__(self, message: str, identity: str, outputs: Properties) -> None:
        super().__init__(message)
        self.identity = identity
        self.outputs = outputs


@dataclass(frozen=True, slots=True)
class Call(Generic[Cloud]):
    """One operation on one resource. All properties are plain: no secrets, nothing unknown.

    id: "" when creating. inputs: the wanted ones (create, update), else the last known (empty when importing).
    state: all last known properties (update, read, delete). changed: names of inputs that changed (update).
    seconds: how long it may take. cancelled: set when the engine gives up.
    """

    cloud: Cloud
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    state: Properties = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    seconds: float = 60
    cancelled: Event = field(default_factory=Event)

    def wait_for(self, what: str, is_done: Callable[[], tuple[bool, str]]) -> None:
        """Asks `is_done` (done?, status) until it says so. Raises ProviderError when time is up or on cancel."""
        deadline, pause = time.monotonic() + self.seconds, 0.05
        while True:
            done, status = is_done()
            if done:
                return
            if time.monotonic() + pause > deadline:
                raise ProviderError(
                    f"timeout while waiting for {what} (last state: {status!r}, after {self.seconds:g} s)"
                )
            if self.cancelled.wait(pause):
                raise ProviderError(f"cancelled while waiting for {what} (last state: {status!r})")
            pause = min(pause * 1.5, 1.0)


@dataclass(frozen=True, slots=True)
class Created:
    """A new resource: its id and the properties that only the provider knows."""

    id: str
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as the cloud has it.

    inputs: what the cloud says its inputs are. One that the cloud does not tell is left out; None means that it is
    not set there. outputs: as in `Created`. id: the one to go on with, where an import's id is only another spelling.
    """

    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class AutoName:
    """The input that gets a name when the program gives none, and what names the cloud accepts."""

    property: str = "name"
    longest: int = 255
    prefix: str = ""
    lower_case: bool = False


@dataclass(frozen=True, slots=True)
class ResourceType(Generic[Cloud]):
    """One row of a provider's table.

    acts_on: the inputs that the functions really use, as dotted paths; `a.*` is everything below `a`. Any other is
        refused: a property that the SDK knows and the stand-in ignores would be a green light for nothing.
    update: gives the outputs that may have changed; None when every change replaces the resource.
    replace_on: inputs whose change replaces it.
    computed: inputs that the cloud fills in when they are left out; unknown in the preview of a creation.
    unknown_after: {output: inputs}: a change of one of these inputs makes the output unknown in a preview.
    derived: outputs that follow from the inputs alone, so that even a preview knows them.
    defaults: what the provider writes for an input that is left out.
    unordered: paths of lists that are sets to the cloud. documents: inputs that are JSON text, compared as JSON.
    choices: {path: allowed values}. check: anything else that the provider refuses before it calls the cloud.
    """

    token: str
    _: KW_ONLY
    acts_on: frozenset[str]
    create: Callable[[Call[Cloud]], Created]
    read: Callable[[Call[Cloud]], Found | None]
    delete: Callable[[Call[Cloud]], None]
    update: Callable[[Call[Cloud]], Properties] | None = None
    replace_on: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    unknown_after: Mapping[str, frozenset[str]] = field(default_factory=dict)
    derived: Callable[[Cloud, Properties], Properties] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    name: AutoName | None = None
    unordered: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    choices: Mapping[str, tuple[str | bool, ...]] = field(default_factory=dict)
    check: Callable[[Properties], Iterable[Problem]] | None = None
    seconds: float = 300


@dataclass(frozen=True, slots=True)
class Function(Generic[Cloud]):
    """A question to the cloud (`getZone`). arguments: the names it understands; any other is refused."""

    token: str
    _: KW_ONLY
    arguments: frozenset[str]
    run: Callable[[Cloud, Properties], Properties]


def words(text: str) -> frozenset[str]:
    """A set of names, written as one line of text."""
    return frozenset(text.split())
