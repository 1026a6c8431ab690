"""Differences between two sets of inputs, and between what a program asked for and what the cloud says."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from sandbox.providers.protocol.wire import UNKNOWN, Properties, Value, has_unknown, plain


class Kind(Enum):
    """What happens to a property."""

    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One property that differs. path: as the engine writes it (`origins[0].domainName`, `tags["a.b"]`)."""

    path: str
    top: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Rules:
    """Which differences mean nothing: the order in lists at paths `unordered`, the writing of JSON `documents`.

    maps: paths whose keys are the user's own (tags, variables), so that one more in the cloud is a difference; one
    more property of an object is not. A path names properties only, without positions:
    `defaultCacheBehavior.allowedMethods`.
    """

    unordered: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    maps: frozenset[str] = frozenset()


def changes(old: Properties, new: Properties, rules: Rules) -> list[Change]:
    """What differs, in the order of names. An unknown new value counts as different."""
    found: list[Change] = []
    for key in sorted(set(old) | set(new)):
        if key.startswith("__"):
            continue
        found += [
            Change(path, key, kind) for path, kind in _changes(old.get(key), new.get(key), _step("", key), key, rules)
        ]
    return found


def as_asked(asked: Value, seen: Value, rules: Rules, route: str = "") -> Value:
    """The cloud's `seen` in the shape of `asked`: the same value where it means the same, else what is seen.

    The cloud answers with more than it was asked for (defaults, empty lists); that is no drift.
    """
    if _same(asked, seen, route, rules):
        return asked
    if isinstance(asked, dict) and isinstance(seen, dict):
        if route in rules.maps:
            return seen
        return {
            key: as_asked(value, seen.get(key), rules, f"{route}.{key}")
            for key, value in asked.items()
            if value is not None
        }
    if isinstance(asked, list) and isinstance(seen, list) and len(asked) == len(seen):
        return [as_asked(a, s, rules, route) for a, s in zip(asked, seen, strict=True)]
    return seen


def _changes(old: Value, new: Value, path: str, route: str, rules: Rules) -> Iterator[tuple[str, Kind]]:
    if _same(old, new, route, rules):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(set(old) | set(new)):
            yield from _changes(old.get(key), new.get(key), _step(path, key), f"{route}.{key}", rules)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and route not in rules.unordered:
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _changes(one, other, f"{path}[{index}]", route, rules)
    else:
        yield path, Kind.ADD if old is None else Kind.DELETE if new is None else Kind.UPDATE


def _same(old: Value, new: Value, route: str, rules: Rules) -> bool:
    if has_unknown(new):
        return False
    old, new = plain(old), plain(new)
    if old == new or (not old and not new and _is_empty(old) and _is_empty(new)):
        return True
    if route in rules.documents and isinstance(old, str) and isinstance(new, str):
        return same_document(old, new)
    if route in rules.unordered and isinstance(old, list) and isinstance(new, list):
        return sorted(map(_key, old)) == sorted(map(_key, new))
    if isinstance(old, dict) and isinstance(new, dict):
        keys = set(old) | set(new)
        return all(_same(old.get(key), new.get(key), f"{route}.{key}", rules) for key in keys)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return all(_same(one, other, route, rules) for one, other in zip(old, new, strict=True))
    return False


def _is_empty(value: Value) -> bool:
    """The cloud does not tell an empty list or map from none at all."""
    return value is None or value == [] or value == {}


def same_document(old: str, new: str) -> bool:
    """Are two texts the same JSON?"""
    try:
        return bool(json.loads(old) == json.loads(new))
    except ValueError:
        return old == new


def _key(value: Value) -> str:
    return "unknown" if value is UNKNOWN else json.dumps(value, sort_keys=True, default=str)


def _step(path: str, key: str) -> str:
    if not key.isidentifier():
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key
