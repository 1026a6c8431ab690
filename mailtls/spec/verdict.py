"""Whether data fits a schema, and nothing more, fast: a JSON Schema turned into functions once.

jsonschema spends most of its time on bookkeeping for errors that are not there: half of all the time that loading took.
This compiler knows only the keywords that `policy_spec.v1.schema.json` uses and refuses to compile any other, so a
keyword that is added to the schema cannot be passed over. jsonschema stays the judge: what does not pass here goes to
it for its reasons, and a test holds the two verdicts against each other.
"""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

Verdict = Callable[[Any], bool]

_ANNOTATIONS = frozenset({"title", "description", "examples", "default"})  # and all x-...

_TYPES: Mapping[str, Verdict] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == value // 1,  # 1.0 is an integer in JSON Schema
}


def compiled(schema: Mapping[str, Any]) -> Verdict:
    """The verdict of `schema`. Raises NotImplementedError for a keyword that is not known here."""
    keywords = {
        keyword: value
        for keyword, value in schema.items()
        if keyword not in _ANNOTATIONS and not keyword.startswith("x-")
    }
    if keywords.keys() == {"type", "additionalProperties", "properties"} and keywords["type"] == "object":
        return _closed_object(keywords)
    if keywords.keys() <= {"type", "minLength", "maxLength", "pattern"} and keywords.get("type") == "string":
        return _text(keywords)
    return _all([_check(keyword, value, schema) for keyword, value in keywords.items()])


def _closed_object(keywords: Mapping[str, Any]) -> Verdict:
    """What most maps of a spec are, in one look at each key."""
    if keywords["additionalProperties"] is not False:
        raise NotImplementedError("the fast verdict knows additionalProperties: false only")
    verdicts = {key: compiled(part) for key, part in keywords["properties"].items()}

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        for key, below in value.items():
            verdict = verdicts.get(key)
            if verdict is None or not verdict(below):
                return False
        return True

    return check


def _text(keywords: Mapping[str, Any]) -> Verdict:
    """What most values of a spec are."""
    least, most = keywords.get("minLength", 0), keywords.get("maxLength", sys.maxsize)
    if "pattern" not in keywords:
        return lambda value: isinstance(value, str) and least <= len(value) <= most
    search = re.compile(keywords["pattern"]).search
    return lambda value: isinstance(value, str) and least <= len(value) <= most and search(value) is not None


def _check(keyword: str, expected: Any, schema: Mapping[str, Any]) -> Verdict:
    """One keyword. A keyword for one type lets every other type pass, as the standard has it."""
    match keyword:
        case "type":
            return _any([_TYPES[name] for name in ([expected] if isinstance(expected, str) else expected)])
        case "enum":
            return _one_of(expected)
        case "const":
            return _one_of([expected])
        case "not":
            refused = compiled(expected)
            return lambda value: not refused(value)
        case "anyOf":
            return _any([compiled(branch) for branch in expected])
        case "pattern":
            search = re.compile(expected).search
            return lambda value: not isinstance(value, str) or search(value) is not None
        case "minLength":
            return lambda value: not isinstance(value, str) or len(value) >= expected
        case "maxLength":
            return lambda value: not isinstance(value, str) or len(value) <= expected
        case "minimum":
            return lambda value: not _is_number(value) or value >= expected
        case "maximum":
            return lambda value: not _is_number(value) or value <= expected
        case "minItems":
            return lambda value: not isinstance(value, list) or len(value) >= expected
        case "maxItems":
            return lambda value: not isinstance(value, list) or len(value) <= expected
        case "items":
            item = compiled(expected)
            return lambda value: not isinstance(value, list) or all(map(item, value))
        case "properties":
            return _properties({key: compiled(part) for key, part in expected.items()})
        case "additionalProperties" if expected is False:
            known = schema["properties"].keys()
            return lambda value: not isinstance(value, dict) or value.keys() <= known
    raise NotImplementedError(f"the fast verdict does not know {keyword}: {expected!r}")


def _all(verdicts: list[Verdict]) -> Verdict:
    """A loop and no `all()`: a generator for each value would be a third of the time."""
    if len(verdicts) == 1:
        return verdicts[0]

    def check(value: Any) -> bool:
        for verdict in verdicts:  # noqa: SIM110
            if not verdict(value):
                return False
        return True

    return check


def _any(verdicts: list[Verdict]) -> Verdict:
    if len(verdicts) == 1:
        return verdicts[0]

    def check(value: Any) -> bool:
        for verdict in verdicts:  # noqa: SIM110
            if verdict(value):
                return True
        return False

    return check


def _one_of(values: list[Any]) -> Verdict:
    """Equality of JSON: true is not 1, while 1 is 1.0."""
    pairs = [(isinstance(value, bool), value) for value in values]
    return lambda value: (isinstance(value, bool), value) in pairs


def _properties(verdicts: Mapping[str, Verdict]) -> Verdict:
    def check(value: Any) -> bool:
        if isinstance(value, dict):
            for key, below in value.items():
                verdict = verdicts.get(key)
                if verdict is not None and not verdict(below):
                    return False
        return True

    return check


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
