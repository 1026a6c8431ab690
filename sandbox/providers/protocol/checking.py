"""What a provider makes of a program's inputs before anything is done: defaults, a name, and refusals."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from sandbox.providers.protocol.naming import automatic_name
from sandbox.providers.protocol.resource_type import AutoName, ResourceType
from sandbox.providers.protocol.schema import Problem, Schema, problems
from sandbox.providers.protocol.wire import UNKNOWN, Properties, Value, plain, read_struct

DEFAULTS = "__defaults"
"""The input that lists which others the provider filled in; the real one keeps it under the same name."""

NOT_ACTED_ON = "is known to the provider, but its stand-in does not act on it yet"


def checked(
    request: provider_pb2.CheckRequest, kind: ResourceType[Any], schema: Schema, common: Mapping[str, Value]
) -> tuple[Properties, list[Problem]]:
    """The inputs with defaults and name filled in, and everything that the real provider or its stand-in cannot do.

    common: defaults of every type that has such an input.
    """
    news = {key: value for key, value in read_struct(request.news).items() if value is not None}
    wrong: list[Problem] = []
    defaults = {**common, **kind.defaults}
    if kind.name is not None and kind.name.property not in news:
        name = _kept_name(request, kind.name) or automatic_name(request, kind.name)
        if isinstance(name, Problem):
            wrong.append(name)
        else:
            defaults[kind.name.property] = name
    filled = [key for key in defaults if key in schema.input_names and key not in news]
    news |= {key: defaults[key] for key in filled} | {DEFAULTS: sorted(filled)}
    wrong += problems(news, schema.inputs)
    if not wrong:  # the rest reads the inputs, and may rely on their shape
        wrong += _not_acted_on(plain(news), kind.acts_on | set(kind.defaults) | {"region"})
        wrong += _no_choice(plain(news), kind.choices)
        wrong += kind.check(plain(news)) if kind.check else ()
    return news, wrong


def _kept_name(request: provider_pb2.CheckRequest, rule: AutoName) -> str:
    """The automatic name that the resource bears; "" when it has none."""
    olds = read_struct(request.olds)
    return str(plain(olds.get(rule.property)) or "") if rule.property in olds.get(DEFAULTS, ()) else ""


def _not_acted_on(value: Value, acts_on: frozenset[str], route: str = "") -> Iterator[Problem]:
    if isinstance(value, list):
        for item in value:
            yield from _not_acted_on(item, acts_on, route)
    elif isinstance(value, dict):
        for key, item in value.items():
            path = f"{route}.{key}" if route else key
            if key.startswith("__") or f"{path}.*" in acts_on or item is None:
                continue
            if path in acts_on:
                yield from () if not isinstance(item, dict | list) else _not_acted_on(item, acts_on, path)
            elif not any(one.startswith(f"{path}.") for one in acts_on):
                yield Problem(path, NOT_ACTED_ON)
            else:
                yield from _not_acted_on(item, acts_on, path)


def _no_choice(value: Value, choices: Mapping[str, tuple[str | bool, ...]], route: str = "") -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _no_choice(item, choices, f"{route}.{key}" if route else key)
    elif isinstance(value, list):
        for item in value:
            yield from _no_choice(item, choices, route)
    elif route in choices and value is not UNKNOWN and value is not None and value not in choices[route]:
        yield Problem(route, f"is {value!r}; it must be one of {', '.join(map(str, choices[route]))}")
