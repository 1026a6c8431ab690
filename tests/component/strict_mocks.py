"""Run a Pulumi program without an engine and see what it asked for, strictly.

The SDK's own mocks take anything: misspelled keys in nested dicts, wrong types, two resources of one URN, calls that
nobody answers. Here each of these fails the run. What only the engine knows (order of work, replacement, hooks at
work) is tested with the engine; what is tested here is the graph that the program hands to it.

    def program():
        ReportPipeline("reports", {...})

    recording = run(program)
    rule = recording.one("aws:ses/receiptRule:ReceiptRule")
    assert recording.comes_after(rule, recording.one("aws:s3/bucketPolicy:BucketPolicy"))
    assert_well_formed(recording)
"""

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import pulumi
import sdk_types
from pulumi.runtime import mocks, rpc
from pulumi.runtime.settings import SETTINGS
from sample_outputs import CALLS, OUTPUTS, UnknownCall

Outputs = Callable[[str, dict[str, Any]], dict[str, Any]]
"""(resource name, inputs as sent) -> outputs beside the inputs; keys in camelCase, `id` for the resource's id."""
Answer = Callable[[dict[str, Any]], dict[str, Any]]
"""Arguments of a provider function as sent -> its result. May raise ProviderFailed."""

PROVIDERS = ("aws", "cloudflare")
STACK = "test"
PROJECT = "mailtls"
_STACK_TYPE = "pulumi:pulumi:Stack"
_EVENT_LOOP = asyncio.new_event_loop()
"""One for all runs, since the SDK goes on with what its threads began. Set anew for each run: the SDK takes the current
loop, and a test that calls `asyncio.run` leaves none behind."""


def secret(value: Any) -> dict[str, Any]:
    """`value` as an input that the engine keeps encrypted."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


class StrictMockError(AssertionError):
    """The program asked for something that no engine, provider or reviewer would take. One line per finding."""


class ProviderFailed(grpc.RpcError):  # type: ignore[misc]
    """A provider's error, in its words, as it comes from the engine."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """One resource as the program registered it.

    inputs: as sent to the provider, camelCase. dependencies: URNs, explicit ones and those of inputs together.
    hooks: `before_create` and so on -> names of the hooks. import_id: "" when nothing is imported.
    outputs: what `register_outputs` was given; None when it was never called.
    """

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    protect: bool
    dependencies: frozenset[str]
    property_dependencies: dict[str, frozenset[str]]
    hooks: dict[str, tuple[str, ...]]
    ignore_changes: tuple[str, ...]
    import_id: str
    aliases: tuple[Any, ...]
    outputs: dict[str, Any] | None = None


@dataclass(slots=True)
class Recording:
    """What one run asked for, in the order in which it asked.

    hooks: name -> the function behind it. result: what the program returned, outputs resolved.
    """

    resources: list[Registration] = field(default_factory=list)
    hooks: dict[str, Callable[..., Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    result: Any = None

    def of(self, type_token: str) -> list[Registration]:
        """All resources of a type, such as `aws:sqs/queue:Queue`."""
        return [resource for resource in self.resources if resource.type == type_token]

    def one(self, type_token: str, name: str | None = None) -> Registration:
        """The only resource of a type, or the one of that name."""
        found = [resource for resource in self.of(type_token) if name is None or resource.name == name]
        if len(found) != 1:
            there = ", ".join(f"{resource.type} {resource.name}" for resource in self.resources)
            raise AssertionError(f"{len(found)} resources are {type_token} {name or ''}; registered: {there}")
        return found[0]

    def by_urn(self, urn: str) -> Registration:
        """The resource with that URN."""
        return next(resource for resource in self.resources if resource.urn == urn)

    def children(self, parent: Registration) -> list[Registration]:
        """Direct children."""
        return [resource for resource in self.resources if resource.parent == parent.urn]

    def comes_after(self, later: Registration, earlier: Registration) -> bool:
        """Would the engine wait for `earlier` (directly or by way of others) before it begins with `later`?"""
        seen: set[str] = set()
        waiting = [later.urn]
        known = {resource.urn: resource for resource in self.resources}
        while waiting:
            resource = known.get(waiting.pop())
            new = resource.dependencies - seen if resource is not None else frozenset()
            seen |= new
            waiting += new
        return earlier.urn in seen

    def hooks_of(self, resource: Registration, moment: str) -> list[Callable[..., Any]]:
        """The functions that the engine would run at `moment` (`before_create`, ...)."""
        return [self.hooks[name] for name in resource.hooks.get(moment, ())]


def run(
    program: Callable[[], Any],
    *,
    outputs: Mapping[str, Outputs] | None = None,
    calls: Mapping[str, Answer] | None = None,
    preview: bool = False,
    stack: str = STACK,
    config: Mapping[str, str] | None = None,
) -> Recording:
    """Run `program` under strict mocks.

    outputs, calls: by type token and by function token, instead of the table in sample_outputs. preview: outputs of
    resources are unknown, so nothing in an `apply` runs. Raises what the program raises, or StrictMockError.
    """
    asyncio.set_event_loop(_EVENT_LOOP)
    recording = Recording()
    answers = _Answers(recording, {**OUTPUTS, **(outputs or {})}, {**CALLS, **(calls or {})}, preview)
    monitor = _StrictMonitor(answers, recording, stack)
    mocks.set_mocks(monitor.mocks, project=PROJECT, stack=stack, preview=preview, monitor=monitor)
    # hooks need a callback server, which the SDK starts for a real engine only
    SETTINGS.callbacks = _HookRegistry(recording, monitor.problems)
    pulumi.runtime.set_all_config(dict(config or {}))

    def keep_result() -> pulumi.Output[None]:
        return pulumi.Output.from_input(program()).apply(lambda result: setattr(recording, "result", result))

    try:
        mocks.test(keep_result)()
    except Exception as e:
        if monitor.problems:
            raise StrictMockError("\n".join(monitor.problems)) from e
        raise
    finally:
        SETTINGS.callbacks = None
    if monitor.problems:
        raise StrictMockError("\n".join(monitor.problems))
    return recording


def assert_well_formed(recording: Recording) -> None:
    """What holds for every component: its token, its outputs, and every cloud resource has one of ours as parent."""
    components = {resource.urn: resource for resource in recording.resources if not resource.custom}
    findings = []
    for component in components.values():
        kind = component.type.rpartition(":")[2]
        if component.type != f"mailtls:index:{kind}" or not kind[:1].isupper():
            findings.append(f"{component.name}: {component.type} is not a token of the form mailtls:index:<Class>")
        if component.outputs is None:
            findings.append(f"{component.name} ({component.type}) never called register_outputs")
    for resource in recording.resources:
        if resource.custom and resource.parent not in components:
            findings.append(f"{resource.name} ({resource.type}) is a child of no component")
        parent = components.get(resource.parent)
        if parent is not None and not resource.name.startswith(parent.name):
            findings.append(f"{resource.name} ({resource.type}) does not begin with its parent's name, {parent.name}")
    assert not findings, "\n".join(findings)


class _Answers(mocks.Mocks):
    """Stands for the providers: inputs come back as outputs, with what only the provider knows beside them."""

    def __init__(
        self, recording: Recording, outputs: Mapping[str, Outputs], calls: Mapping[str, Answer], preview: bool
    ) -> None:
        self._recording = recording
        self._outputs = outputs
        self._calls = calls
        self._preview = preview

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self._preview or args.custom is False:  # None: a resource that is read, such as another stack
            return "", args.inputs
        answer = self._outputs.get(args.typ)
        extra = answer(args.name, args.inputs) if answer is not None else {}
        state = {**args.inputs, **{key: value for key, value in extra.items() if key != "id"}}
        return extra.get("id") or f"{args.name}-id", state

    def call(self, args: mocks.MockCallArgs) -> Any:
        self._recording.calls.append((args.token, args.args))
        answer = self._calls.get(args.token)
        if answer is None:
            raise UnknownCall(f"nobody answers the provider function {args.token}")
        return answer(args.args)


class _StrictMonitor(mocks.MockMonitor):
    """Stands for the engine's resource monitor. Registrations arrive on several threads."""

    def __init__(self, answers: _Answers, recording: Recording, stack: str) -> None:
        super().__init__(answers)
        self.problems: list[str] = []
        self._recording = recording
        self._stack = stack
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """As the engine does: the types of all ancestors but the stack's. The SDK's own keeps only the parent's."""
        ancestors = parent.split("::")[2] if parent else ""
        qualified = type_ if ancestors in ("", _STACK_TYPE) else f"{ancestors}${type_}"
        return f"urn:pulumi:{self._stack}::{PROJECT}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:
        if request.type != _STACK_TYPE:
            with self._lock:
                self._record(request)
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        with self._lock:
            outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
            for index, resource in enumerate(self._recording.resources):
                if resource.urn == request.urn:
                    self._recording.resources[index] = dataclasses.replace(resource, outputs=outputs)
        return super().RegisterResourceOutputs(request)

    def _record(self, request: Any) -> None:
        urn = self.make_urn(request.parent, request.type, request.name)
        if any(resource.urn == urn for resource in self._recording.resources):
            self.problems.append(f"two resources are {urn}")
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
        if request.custom and request.type.partition(":")[0] in PROVIDERS:
            self.problems += sdk_types.problems(request.type, request.name, inputs)
        self._recording.resources.append(
            Registration(
                type=request.type,
                name=request.name,
                urn=urn,
                parent=request.parent,
                custom=request.custom,
                inputs=inputs,
                protect=request.protect,
                dependencies=frozenset(request.dependencies),
                property_dependencies={
                    key: frozenset(value.urns) for key, value in request.propertyDependencies.items()
                },
                hooks=dict(_hooks(request)),
                ignore_changes=tuple(request.ignoreChanges),
                import_id=request.importId,
                aliases=tuple(request.aliases),
            )
        )


class _HookRegistry:
    """Stands for the SDK's callback server."""

    def __init__(self, recording: Recording, problems: list[str]) -> None:
        self._recording = recording
        self._problems = problems

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        if hook.name in self._recording.hooks:
            self._problems.append(f"two hooks are named {hook.name}")
        self._recording.hooks[hook.name] = hook.callback


def _hooks(request: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for descriptor, names in request.hooks.ListFields():
        yield descriptor.name, tuple(names)
