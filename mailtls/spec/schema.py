"""The schema: loaded once, and its verdicts turned into words.

`policy_spec.v1.schema.json` is the one list of keys: editors complete from it, `docs/spec-reference.md` is rendered
from it, and the loader judges by it. Beside the vocabulary of JSON Schema 2020-12 it uses annotations of its own:
`x-error` and `x-expected` (how a fault is said), `x-rule` (the name of such a fault), `x-unknown` (how a key is refused
that a map does not have), `x-default` (a default that is no constant), `x-planned` (keys that the design has and that
nothing acts on yet).
"""

import difflib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from mailtls.spec.errors import SPEC_INVALID, Fault, quoted
from mailtls.spec.verdict import Verdict, compiled
from mailtls.spec.yaml_refusal import blank_missing, key_without_blank

if TYPE_CHECKING:  # it takes longer to import than a thousand good specs to read, and they never need it
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_SWITCHED_OFF = (None, False, "off", "no", "false")
_SWITCHED_ON = ("on", "yes", "true")
"""Nearer to "none" by its letters, and meant as anything but that."""

SCHEMA_FILE = "policy_spec.v1.schema.json"
DEFAULTS_SCHEMA_FILE = "policy_defaults.v1.schema.json"
"""For editors alone: a defaults.yaml holds the keys of a spec, so this refers to the other file."""


@cache
def schema() -> Mapping[str, Any]:
    """The schema document. Treat it as read-only."""
    document: Mapping[str, Any] = json.loads(resources.files(__package__).joinpath(SCHEMA_FILE).read_text("utf-8"))
    return document


@cache
def spec_schema() -> Mapping[str, Any]:
    """The part that one spec must fit, its defaults filled in."""
    part: Mapping[str, Any] = schema()["$defs"]["policy_spec"]
    return part


@cache
def _validator() -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(spec_schema())


@cache
def _verdict() -> Verdict:
    return compiled(spec_schema())


def is_valid(spec: object) -> bool:
    """The verdict alone, fast: whether one spec, its defaults filled in, fits the schema."""
    return _verdict()(spec)


def faults(spec: object) -> Iterator[Fault]:
    """Everything in which one spec does not fit the schema, in words."""
    for error in _validator().iter_errors(spec):
        yield from _in_words(error)


def _in_words(error: "ValidationError") -> Iterator[Fault]:
    path = tuple(error.absolute_path)
    part: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    value: Any = error.instance
    if error.validator == "additionalProperties":
        for key in value:
            if key not in part["properties"]:
                yield Fault((*path, key), _unknown_key(key, part, path), at_key=True, rule="key-unknown")
        return
    if isinstance(value, list) and part.get("type") == "array":
        limit = f"{len(value)} entries, {part['maxItems']} is the most"
        message = limit if value else f"an empty list {part['x-error']}"
    else:
        message = f"{quoted(value)} {part.get('x-error', 'is not allowed')}{_nearest(value, part)}"
        if isinstance(value, str) and part.get("type") == "array" and value.startswith("-"):
            message += "; a blank is missing after the -"
        elif isinstance(value, str) and part.get("type") == "array":
            message += f"; write it in brackets: [{quoted(value)}]"
    said = f"{message} ({part['x-expected']})" if "x-expected" in part else message
    yield Fault(path, said, rule=part.get("x-rule", SPEC_INVALID))


def _nearest(value: object, part: Mapping[str, Any]) -> str:
    """`; did you mean "enforce"?` where the value is nearly one of a closed list."""
    choices = part.get("enum", ())
    word = value.lower()[:40] if isinstance(value, str) else value
    if "none" in choices and word in _SWITCHED_OFF:
        return '; did you mean "none"?'
    if not isinstance(word, str) or word in _SWITCHED_ON:
        return ""
    near = difflib.get_close_matches(word, choices, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def _unknown_key(key: str, part: Mapping[str, Any], path: tuple[str | int, ...]) -> str:
    """What to say about a key that the schema does not have at this place."""
    if key in part.get("x-planned", ()):
        return "is planned but not yet acted on; remove it"
    if glued := key_without_blank(key):
        return blank_missing(glued)
    known = {name.replace("-", "_"): name for name in part["properties"]}
    unknown = part.get("x-unknown", "is not a key here")
    near = difflib.get_close_matches(key.lower().replace("-", "_")[:40], known, n=1)
    if near:
        return f"{unknown}; did you mean {known[near[0]]}?"
    for parent, child in spec_schema()["properties"].items():
        if key in child.get("properties", ()):
            return f"is not a key here; did you mean {parent}.{key}?"
    if path and key in spec_schema()["properties"]:
        return f"is not a key here; it belongs beside {path[-1]}, not under it"
    return f"{unknown} ({', '.join(known.values())})"
