"""JSON text of a stranger -> Python values, bounded (RFC 8460 section 4 asks for I-JSON, RFC 7493).

More is accepted than I-JSON allows, and nothing is lost by it:

- a byte order mark; text that is not UTF-8 is read as Latin-1; raw control characters in strings;
- duplicate names: the last counts, earlier ones stay under `name (earlier 1)`, `name (earlier 2)`, …;
- `NaN`, `Infinity`, numbers that no double holds exactly or finitely: they become text;
- lone surrogates: they become the six characters of their escape, `\\ud800`, so that every string can be encoded.
"""

import json
import math
import re
from typing import Any

from mailtls.tls_rpt import TlsRptError

MAX_VALUES = 250_000
"""Members and elements in one text: more than 20,000 failure-details. Counted before decoding: an empty row costs 3
bytes of text, and 50 microseconds and a kilobyte where it is read."""
MAX_DEPTH = 64
"""Of arrays and objects. A report needs 6."""
MAX_INTEGER_CHARACTERS = 18
"""Every integer of that length is exact; longer ones are kept as text. No count of sessions is that long."""
MAX_FLOAT_CHARACTERS = 40

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class InvalidJson(TlsRptError):
    """The text is no JSON, or larger or deeper than any report. place: bytes before the fault, where known."""

    def __init__(self, told: str, place: int | None = None) -> None:
        super().__init__(told)
        self.place = place


def decode(data: bytes) -> tuple[Any, tuple[str, ...]]:
    """The value of a JSON text, and notes on what was odd about the text as a whole. Raises InvalidJson."""
    if count_values(data) > MAX_VALUES:
        raise InvalidJson(f"more than {MAX_VALUES:,} values")
    notes = []
    encoding, skipped = "utf-8", 0
    if data.startswith(_BYTE_ORDER_MARK):
        skipped = len(_BYTE_ORDER_MARK)
        data = data[skipped:]
        notes.append("begins with a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError as e:
        encoding = "latin-1"
        text = data.decode(encoding)
        notes.append(f"byte {e.start} is not UTF-8: read as Latin-1")
    try:
        try:
            value = _STRICT.decode(text)
        except json.JSONDecodeError as e:
            if not e.msg.startswith("Invalid control character"):
                raise
            value = _LENIENT.decode(text)
            notes.append("raw control characters in a string")
    except json.JSONDecodeError as e:
        place = skipped + len(text[: e.pos].encode(encoding))
        raise InvalidJson(f"not JSON: {e.msg} at character {e.pos}", place) from e
    except RecursionError as e:
        raise InvalidJson(f"nested deeper than {MAX_DEPTH}") from e
    if _SURROGATE_ESCAPE.search(text):  # most texts have none and need no second walk
        value = _escaped(value, 0)
    return value, tuple(notes)


def count_values(data: bytes) -> int:
    """How many members and elements the text can hold at most. Counted without decoding: escapes of `,`, `[` and `{`
    are among them, because a string of a report may hold JSON again."""
    separators = (b",", b"[", b"{", b"\\u002", b"\\u005", b"\\u007")
    return sum(map(data.count, separators))


def encode(value: Any) -> str:
    """One JSON text per value, names sorted: equal values, equal texts. Raises InvalidJson beyond MAX_DEPTH."""
    if _is_deep(value):
        raise InvalidJson(f"nested deeper than {MAX_DEPTH}")
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _is_deep(value: Any) -> bool:
    """Without recursion, so that no text of a stranger decides about our stack."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return False
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    last = {name: place for place, (name, _) in enumerate(pairs)}
    counts: dict[str, int] = {}
    for place, (name, value) in enumerate(pairs):
        if place == last[name]:
            continue
        renamed = name
        while renamed in members:
            counts[name] = counts.get(name, 0) + 1
            renamed = f"{name} (earlier {counts[name]})"
        members[renamed] = value
    return members


def _integer(literal: str) -> int | str:
    return int(literal) if len(literal) <= MAX_INTEGER_CHARACTERS else literal


def _float(literal: str) -> float | str:
    if len(literal) > MAX_FLOAT_CHARACTERS:
        return literal
    number = float(literal)
    return number if math.isfinite(number) else literal


def _escaped(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise InvalidJson(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    if isinstance(value, list):
        return [_escaped(element, depth + 1) for element in value]
    if isinstance(value, dict):  # two names may become one
        return _object([(_escaped(name, depth), _escaped(member, depth + 1)) for name, member in value.items()])
    return value


_HOOKS: dict[str, Any] = {
    "object_pairs_hook": _object,
    "parse_int": _integer,
    "parse_float": _float,
    "parse_constant": str,
}
_STRICT = json.JSONDecoder(**_HOOKS)
_LENIENT = json.JSONDecoder(strict=False, **_HOOKS)
