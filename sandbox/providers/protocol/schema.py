"""What properties a resource type has, read from the installed SDK.

The real providers refuse a property that they do not know. Mocks do not, and neither would a stand-in that takes what
it is given: a misspelled key in a nested object would be dropped in silence and every test stay green. The SDK's type
hints hold the provider's whole schema, so the stand-in checks against that and cannot drift from the pinned version.

Importing a service's SDK takes up to seconds (Cloudflare's), so what is derived is kept in the cache per version.
"""

import importlib
import importlib.metadata
import inspect
import json
import re
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.cache import cache_dir, write_atomically
from sandbox.providers.protocol.wire import UNKNOWN, Archive, Asset, Value, plain

_FORMAT = 1
"""Raised when what is derived changes, so that cached schemas of older code are not read."""

Shape = Mapping[str, Any]
"""The shape of one value, JSON: {"kind": "string" | "number" | "integer" | "boolean" | "asset" | "archive" | "any"},
{"kind": "list" | "map", "of": Shape}, {"kind": "object", "name": str, "properties": {name: Shape}, "required": [name]}.
Objects that contain themselves end in "any" where they would repeat."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One resource type: the shape of its inputs (an object) and the names of what only the provider sets."""

    token: str
    inputs: Shape
    outputs: frozenset[str]

    @property
    def input_names(self) -> frozenset[str]:
        """Names of all inputs, as the engine spells them (camelCase)."""
        return frozenset(self.inputs["properties"])

    @property
    def maps(self) -> frozenset[str]:
        """Paths of inputs whose keys are the user's own, at any depth (`tags`, `environment.variables`)."""
        return frozenset(_maps(self.inputs, ""))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why inputs are refused: the property's path (`origins[0].domainName`) and what is wrong with it."""

    path: str
    reason: str


@dataclass(slots=True)
class Schemas:
    """The schemas of one SDK package, derived when first asked for. package: `pulumi_aws`."""

    package: str
    _known: dict[str, Schema] = field(default_factory=dict)

    def of(self, token: str) -> Schema:
        """The schema of `aws:s3/bucket:Bucket`. Raises LookupError when the SDK has no such resource."""
        if token not in self._known:
            self._known[token] = self._read(token)
        return self._known[token]

    def _read(self, token: str) -> Schema:
        version = importlib.metadata.version(self.package)
        file = cache_dir() / "schemas" / f"{_FORMAT}-{self.package}-{version}" / f"{token.replace('/', '-')}.json"
        if file.exists():
            data = json.loads(file.read_text(encoding="utf-8"))
        else:
            data = _derive(self.package, token)
            write_atomically(file, json.dumps(data))
        return Schema(token, data["inputs"], frozenset(data["outputs"]))


# ---------------------------------------------------------------------------------------------------- checking


def problems(value: Value, shape: Shape, path: str = "") -> Iterator[Problem]:
    """Everything in `value` that `shape` does not allow. Unknown and absent values pass."""
    value = plain(value)
    if value is UNKNOWN or value is None:
        return
    kind = shape["kind"]
    if kind == "object":
        yield from _object_problems(value, shape, path)
    elif kind in ("list", "map"):
        yield from _collection_problems(value, shape, path)
    elif not _is_a(kind, value):
        yield Problem(path, f"expected {_article(kind)}, got {_describe(value)}")


def _object_problems(value: Value, shape: Shape, path: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(path, f"expected an object, got {_describe(value)}")
        return
    for key, item in value.items():
        if key.startswith("__"):  # the engine's own, `__defaults`
            continue
        if key not in shape["properties"]:
            yield Problem(_join(path, key), "is no property of it" + _hint(key, shape["properties"]))
        else:
            yield from problems(item, shape["properties"][key], _join(path, key))
    for key in shape["required"]:
        if value.get(key) is None:
            yield Problem(_join(path, key), "is required and missing")


def _collection_problems(value: Value, shape: Shape, path: str) -> Iterator[Problem]:
    wanted = list if shape["kind"] == "list" else dict
    if not isinstance(value, wanted):
        yield Problem(path, f"expected a {shape['kind']}, got {_describe(value)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems(item, shape["of"], f"{path}[{index}]")
    else:
        for key, item in value.items():
            yield from problems(item, shape["of"], _join(path, key))


def _is_a(kind: str, value: Value) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "asset" | "archive":
            return isinstance(value, Asset | Archive)
        case _:
            return True


def _maps(shape: Shape, path: str) -> Iterator[str]:
    match shape["kind"]:
        case "map":
            yield path
        case "list":
            yield from _maps(shape["of"], path)
        case "object":
            for key, inner in shape["properties"].items():
                yield from _maps(inner, _join(path, key))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _describe(value: Value) -> str:
    return f"{type(value).__name__} {value!r}"[:80]


def _hint(key: str, known: Mapping[str, Any]) -> str:
    import difflib  # only a wrong program pays for it

    near = difflib.get_close_matches(key, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


# ---------------------------------------------------------------------------------------------------- deriving


def _derive(package: str, token: str) -> dict[str, Any]:
    import pulumi._types as hints  # the SDK is not needed once the schema is cached

    resource = _resource_class(package, token)
    module = sys.modules[resource.__module__]
    # `…InitArgs` where a nested type has taken the usual name (`BucketVersioning` is also a property of `Bucket`).
    arguments = getattr(module, f"{resource.__name__}InitArgs", None) or getattr(module, f"{resource.__name__}Args")
    inputs = _object_shape(arguments, ())
    outputs = sorted(set(hints.resource_types(resource)) - set(inputs["properties"]))
    return {"inputs": inputs, "outputs": outputs}


def _resource_class(package: str, token: str) -> type:
    """`aws:lambda/function:Function` is class Function of package `pulumi_aws.lambda_`."""
    match = re.fullmatch(r"\w+:(\w+)/\w+:(\w+)", token)
    if match is None:
        raise LookupError(f"{token} is no resource type")
    module, name = match.groups()
    where = package if module == "index" else f"{package}.{module}{'_' if module in ('lambda',) else ''}"
    found = getattr(importlib.import_module(where), name, None)
    if found is None or getattr(found, "pulumi_type", None) != token:
        raise LookupError(f"{package} has no resource type {token}")
    return typing.cast(type, found)


def _object_shape(arguments: type, inside: tuple[type, ...]) -> dict[str, Any]:
    import pulumi._types as hints

    names = hints.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments.__init__).parameters.values()  # type: ignore[misc]  # a class, not an instance
    required = [names[p.name] for p in parameters if p.default is p.empty and p.name in names]
    properties = {name: _shape(hint, (*inside, arguments)) for name, hint in hints.input_type_types(arguments).items()}
    return {"kind": "object", "name": arguments.__name__, "properties": properties, "required": sorted(required)}


def _shape(hint: Any, inside: tuple[type, ...]) -> dict[str, Any]:
    import pulumi
    import pulumi._types as hints

    hint = _without_input(hint)
    origin = typing.get_origin(hint)
    if origin is not None and issubclass(origin, Mapping):
        return {"kind": "map", "of": _shape(typing.get_args(hint)[1], inside)}
    if origin is not None and issubclass(origin, Sequence):
        return {"kind": "list", "of": _shape(typing.get_args(hint)[0], inside)}
    if inspect.isclass(hint):
        if hints.is_input_type(hint):
            return {"kind": "any"} if hint in inside else _object_shape(hint, inside)
        for kind, classes in {
            "boolean": (bool,),
            "integer": (int,),
            "number": (float,),
            "string": (str,),
            "asset": (pulumi.Asset,),
            "archive": (pulumi.Archive,),
        }.items():
            if issubclass(hint, classes):
                return {"kind": kind}
    return {"kind": "any"}


def _without_input(hint: Any) -> Any:
    """`Optional[Input[T]]` is a union of T, its awaitable, its output and its dictionary form: T."""
    while typing.get_origin(hint) is typing.Union:
        for member in typing.get_args(hint):
            name = getattr(typing.get_origin(member) or member, "__name__", "")
            if name not in ("Awaitable", "Output", "NoneType") and not name.endswith("ArgsDict"):
                hint = member
                break
        else:
            return Any
    return hint
