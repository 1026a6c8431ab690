"""Property values as the engine and a provider exchange them: protobuf structs with marked special values.

Plain values are JSON's. Everything else is one of the dataclasses below, or `UNKNOWN`: a value that a preview cannot
know yet. The marks are fixed strings of the protocol (pulumi/sdk/go/common/resource/sig).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 a mark of the protocol, public and the same everywhere
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

Value = Any
"""None, bool, int, float, str, list[Value], dict[str, Value], or one of the special values of this module."""

Properties = dict[str, Value]


class WireError(ValueError):
    """The engine sent, or a provider returned, something that is no property value."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is not known before the deployment has run. There is one: `UNKNOWN`."""


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that the engine encrypts in the state and hides in its output."""

    value: Value


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: exactly one of text, path and uri is set, or none when the engine holds only its hash."""

    hash: str = ""
    text: str | None = None
    path: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A tree of files: one of path (a folder, a zip or a tar) and uri, or members by name; or only a hash."""

    hash: str = ""
    assets: Mapping[str, "Asset | Archive"] | None = None
    path: str | None = None
    uri: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceReference:
    """Another resource. id is None for a component, `UNKNOWN` before it is created."""

    urn: str
    id: "str | Unknown | None" = None
    package_version: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """A value with its dependencies; `value` is UNKNOWN while it is not known."""

    value: Value
    secret: bool = False
    dependencies: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------ from the wire


def read_struct(struct: struct_pb2.Struct) -> Properties:
    """A message's properties. Raises WireError."""
    return {key: read_value(value) for key, value in struct.fields.items()}


def read_value(value: struct_pb2.Value) -> Value:
    """One value. Numbers that are whole become int. Raises WireError."""
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value == _UNKNOWN else value.string_value
        case "list_value":
            return [read_value(item) for item in value.list_value.values]
        case "struct_value":
            properties = read_struct(value.struct_value)
            return _read_special(properties) if _SIGNATURE in properties else properties
        case _:
            return None


def _read_special(properties: Properties) -> Value:
    def get(key: str) -> Value:
        return properties.get(key)

    match properties[_SIGNATURE]:
        case signature if signature == _SECRET:
            return Secret(get("value"))
        case signature if signature == _ASSET:
            return Asset(get("hash") or "", get("text"), get("path"), get("uri"))
        case signature if signature == _ARCHIVE:
            return Archive(get("hash") or "", get("assets"), get("path"), get("uri"))
        case signature if signature == _RESOURCE:
            # The protocol writes a component without `id` and a resource that does not exist yet with "".
            identity = UNKNOWN if get("id") == "" else get("id")
            return ResourceReference(get("urn") or "", identity, get("packageVersion") or "")
        case signature if signature == _OUTPUT:
            known = properties.get("value", UNKNOWN)
            return Output(known, bool(get("secret")), tuple(get("dependencies") or ()))
        case signature:
            raise WireError(f"a value is marked {signature!r}, which is no mark of the protocol")


# -------------------------------------------------------------------------------------------------- to the wire


def write_struct(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    """The inverse of `read_struct`. Raises WireError."""
    return struct_pb2.Struct(fields={key: write_value(value) for key, value in properties.items()})


def write_value(value: Value) -> struct_pb2.Value:
    """The inverse of `read_value`. Raises WireError."""
    match value:
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case list() | tuple():
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[write_value(item) for item in value]))
        case Mapping():
            return struct_pb2.Value(struct_value=write_struct(value))
        case Unknown():
            return struct_pb2.Value(string_value=_UNKNOWN)
        case _:
            return struct_pb2.Value(struct_value=write_struct(_special(value)))


def _special(value: Value) -> Properties:
    content: Properties
    match value:
        case Secret():
            return {_SIGNATURE: _SECRET, "value": value.value}
        case Asset():
            content = {"text": value.text, "path": value.path, "uri": value.uri}
            return {_SIGNATURE: _ASSET, "hash": value.hash} | _given(content)
        case Archive():
            content = {"assets": value.assets, "path": value.path, "uri": value.uri}
            return {_SIGNATURE: _ARCHIVE, "hash": value.hash} | _given(content)
        case ResourceReference():
            identity = "" if value.id is UNKNOWN else value.id
            content = {"id": identity, "packageVersion": value.package_version or None}
            return {_SIGNATURE: _RESOURCE, "urn": value.urn} | _given(content)
        case Output():
            known = {} if value.value is UNKNOWN else {"value": value.value}
            return {_SIGNATURE: _OUTPUT, "secret": value.secret, "dependencies": value.dependencies} | known
        case _:
            raise WireError(f"{type(value).__name__} is no property value")


def _given(properties: Properties) -> Properties:
    return {key: value for key, value in properties.items() if value is not None}


# ---------------------------------------------------------------------------------------------- looking at values


def plain(value: Value) -> Value:
    """Without secrecy and dependencies, for the calls to the cloud; references become ids. UNKNOWN stays."""
    match value:
        case Secret():
            return plain(value.value)
        case Output():
            return plain(value.value)
        case ResourceReference():
            return value.id
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


def known_items(value: Value) -> list[Value]:
    """The items of a list that are known; none of a list that is unknown or left out."""
    return [item for item in value if item is not UNKNOWN] if isinstance(value, list) else []


def has_unknown(value: Value) -> bool:
    """Is anything in it not known yet?"""
    return any(part is UNKNOWN for part in _parts(value))


def has_secret(value: Value) -> bool:
    """Is anything in it secret?"""
    return any(isinstance(part, Secret) or (isinstance(part, Output) and part.secret) for part in _parts(value))


def _parts(value: Value) -> Iterator[Value]:
    yield value
    match value:
        case Secret() | Output():
            yield from _parts(value.value)
        case dict():
            for item in value.values():
                yield from _parts(item)
        case list():
            for item in value:
                yield from _parts(item)
        case ResourceReference():
            yield value.id
