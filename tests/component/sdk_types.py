"""Check a resource's inputs, as they would go to the provider, against the SDK's own type hints.

Catches unknown and missing keys at every depth and wrong scalar types. Not caught: values out of a service's list of
words (the SDK types those as plain strings).
"""

import collections.abc
import inspect
import sys
import typing
from typing import Any

import pulumi
from pulumi import _types
from pulumi.output import Unknown
from pulumi.runtime import rpc

_ARGS: dict[str, type] = {}
"""Type token -> the class that holds its inputs."""
_NOT_A_VALUE = ("Awaitable", "Output", "NoneType")


def problems(type_token: str, name: str, inputs: dict[str, Any]) -> list[str]:
    """One line per finding; none when the provider's schema would take the inputs."""
    if type_token not in _ARGS:
        _index(f"pulumi_{type_token.partition(':')[0]}")
    if type_token not in _ARGS:
        return [f"{name}: the SDK knows no type {type_token}"]
    found: list[str] = []
    _check(inputs, _ARGS[type_token], name, found)
    return found


def _index(package: str) -> None:
    for module_name, module in list(sys.modules.items()):
        if module is None or module_name.partition(".")[0] != package:
            continue
        for candidate in list(vars(module).values()):
            if inspect.isclass(candidate) and issubclass(candidate, pulumi.CustomResource):
                token = getattr(candidate, "pulumi_type", None)
                module_of = sys.modules[candidate.__module__]
                # a resource whose `...Args` name is taken by a nested type keeps its own in `...InitArgs`
                args = getattr(module_of, f"{candidate.__name__}InitArgs", None)
                args = args or getattr(module_of, f"{candidate.__name__}Args", None)
                if token and args is not None:
                    _ARGS[token] = args


def _check(value: Any, hint: Any, path: str, found: list[str]) -> None:
    if hint is None or value is None or isinstance(value, Unknown) or value is rpc.UNKNOWN:
        return
    if rpc.is_rpc_secret(value):
        _check(rpc.unwrap_rpc_secret(value), hint, path, found)
        return
    if isinstance(value, pulumi.Asset | pulumi.Archive) or hint in (pulumi.Asset, pulumi.Archive):
        if not (inspect.isclass(hint) and isinstance(value, hint)):
            found.append(f"{path}: expected {hint}, got {type(value).__name__}")
        return
    origin = typing.get_origin(hint)
    if inspect.isclass(hint) and _types.is_input_type(hint):
        _check_object(value, hint, path, found)
    elif origin in (list, collections.abc.Sequence):
        if not isinstance(value, list | tuple):
            found.append(f"{path}: expected a list, got {value!r}")
            return
        for index, item in enumerate(value):
            _check(item, _plain(typing.get_args(hint)[0]), f"{path}[{index}]", found)
    elif origin in (dict, collections.abc.Mapping):
        if not isinstance(value, dict):
            found.append(f"{path}: expected a map, got {value!r}")
            return
        for key, item in value.items():
            _check(item, _plain(typing.get_args(hint)[1]), f"{path}.{key}", found)
    elif origin is typing.Union:
        _check_union(value, hint, path, found)
    else:
        _check_scalar(value, hint, path, found)


def _check_object(value: Any, hint: type, path: str, found: list[str]) -> None:
    if not isinstance(value, dict):
        found.append(f"{path}: expected an object ({hint.__name__}), got {value!r}")
        return
    hints = _types.input_type_types(hint)
    for key, item in value.items():
        if key.startswith("__"):  # the SDK's own marks
            continue
        if key in hints:
            _check(item, hints[key], f"{path}.{key}", found)
        else:
            found.append(f"{path}.{key}: {hint.__name__} knows no such property")
    found += [f"{path}.{key}: {hint.__name__} needs it" for key in sorted(_required(hint) - set(value))]


def _check_union(value: Any, hint: Any, path: str, found: list[str]) -> None:
    first: list[str] | None = None
    for member in typing.get_args(hint):
        misfits: list[str] = []
        _check(value, _plain(member), path, misfits)
        if not misfits:
            return
        first = first or misfits
    found += first or []


def _check_scalar(value: Any, hint: Any, path: str, found: list[str]) -> None:
    fits = {
        bool: isinstance(value, bool),
        int: isinstance(value, int | float) and not isinstance(value, bool) and value == int(value),
        float: isinstance(value, int | float) and not isinstance(value, bool),
        str: isinstance(value, str),
    }
    if not fits.get(hint, True):
        found.append(f"{path}: expected {hint.__name__}, got {value!r}")


def _plain(hint: Any) -> Any:
    """`Input[T]` -> `T`, also where T is optional or has a dict form beside it."""
    if typing.get_origin(hint) is typing.Union:
        for member in typing.get_args(hint):
            name = getattr(typing.get_origin(member) or member, "__name__", "")
            if name not in _NOT_A_VALUE and not name.endswith("ArgsDict") and not isinstance(member, typing.ForwardRef):
                return _plain(member)
    return hint


def _required(hint: type) -> set[str]:
    names = _types.input_type_py_to_pulumi_names(hint)
    parameters = inspect.signature(hint.__init__).parameters.values()
    return {
        names[parameter.name]
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty and parameter.name in names
    }
