"""YAML text into plain data, for people's configuration and nothing more.

The text may come from a stranger's pull request, so what it can cost is bounded before it is spent: bytes, depth, and
values after aliases are followed. No tags, no merge keys, no key twice. Plain scalars are read by the core schema of
YAML 1.2 (section 10.3.2), not by PyYAML's YAML 1.1: `no`, `on`, `12:30` and dates are text. `010`, which is ten by 1.2
and eight by 1.1, is refused.

The C parser composes nodes, which carry their place; converting them here is faster than PyYAML's constructor and is
where the bounds are kept.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml._yaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from mailtls.spec import yaml_refusal

MAX_FILE_BYTES = 1 << 20
"""A file of a thousand domains is a tenth of this."""
MAX_DEPTH = 16
"""The deepest spec has five levels."""
SHORT = 1000
"""Characters that cannot hold more levels than the stack does: nobody counts them, which is a tenth of the time."""
MAX_VALUES = 200_000
"""Keys, values, lists and maps in one file, an alias counted as often as it is used. Plain text of MAX_FILE_BYTES that
people write stays below; nine lines of aliases to aliases do not."""
MAX_INTEGER_DIGITS = 18

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_START = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_INTEGER_BASES = {"0o": 8, "0x": 16}

_PLAIN, _QUOTED, _COLLECTION = "plain", "quoted", "collection"
_SCALARS = frozenset({_PLAIN, _QUOTED})


class YamlFault(Exception):
    """The text is not YAML of the kind that is read here. line, column: from 1."""

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column of a key and of its value, from 1. For a list item and the root they are the same."""

    key: tuple[int, int]
    value: tuple[int, int]


class _Composer(CParser):
    """The C parser alone, without a resolver of YAML 1.1. The tag of a node tells only how it was written, unless the
    author wrote a tag. For texts that are too short to be deep."""

    def resolve(self, kind: type[Node], _value: object, implicit: object) -> str:
        if kind is not ScalarNode:
            return _COLLECTION
        return _PLAIN if implicit[0] else _QUOTED  # type: ignore[index]  # a pair for scalars: plain, quoted

    def descend_resolver(self, _parent: object, _index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


class _DepthLimited(_Composer):
    """The C code composes by recursion and would go on until the stack ends."""

    _depth = 0

    def descend_resolver(self, _parent: object, _index: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise YamlFault(1, 1, f"more than {MAX_DEPTH} levels deep")

    def ascend_resolver(self) -> None:
        self._depth -= 1


def decode(data: bytes) -> str:
    """A file's bytes as text. Raises YamlFault when they are too many or not UTF-8."""
    if len(data) > MAX_FILE_BYTES:
        raise YamlFault(1, 1, f"the file is larger than {MAX_FILE_BYTES} bytes; split it")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise YamlFault(1, 1, "the file is UTF-16; save it as UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        before = data[: e.start].decode()
        raise YamlFault(
            before.count("\n") + 1, len(before) - before.rfind("\n"), "the file is not UTF-8; save it as UTF-8"
        ) from e


def compose(text: str) -> Node | None:
    """The node tree of one document; None for a text without any. Raises YamlFault."""
    composer = _Composer(text) if len(text) <= SHORT else _DepthLimited(text)
    try:
        return composer.get_single_node()
    except yaml.MarkedYAMLError as e:
        raise YamlFault(*yaml_refusal.in_words(text, e)) from e
    except yaml.YAMLError as e:
        raise YamlFault(*_reader_place(text, e), "not YAML: a control character that no YAML file may hold") from e
    finally:
        composer.dispose()


def to_data(node: Node) -> Any:
    """Plain data of a node tree: dict, list, str, int, float, bool, None. Raises YamlFault."""
    budget = MAX_VALUES

    def convert(node: Node, depth: int) -> Any:
        nonlocal budget
        budget -= 1
        if budget < 0:
            raise _fault(node, f"more than {MAX_VALUES} values, aliases counted as often as they are used")
        tag = node.tag
        if tag in _SCALARS:
            return _scalar(node)
        if tag != _COLLECTION:
            raise _fault(node, f"the tag {tag[:60]!r} is not read here; remove it")
        if depth >= MAX_DEPTH:  # an alias to one of its own parents has no end
            raise _fault(node, f"more than {MAX_DEPTH} levels deep, or an alias to what holds it")
        if isinstance(node, SequenceNode):
            return [convert(item, depth + 1) for item in node.value]
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            budget -= 1
            key = _scalar(key_node) if key_node.tag in _SCALARS else convert(key_node, depth + 1)
            if type(key) is not str:
                raise _fault(key_node, f"the key {key!r:.60} is not text; put it in quotes")
            if key in data:
                raise _fault(key_node, f"the key {key!r:.60} stands here twice")
            if key == "<<" and key_node.tag == _PLAIN:
                raise _fault(key_node, "merge keys (<<) are not read here; use a defaults.yaml")
            if value_node.tag in _SCALARS:  # most values: a call less for each
                budget -= 1
                data[key] = _scalar(value_node)
            else:
                data[key] = convert(value_node, depth + 1)
        return data

    return convert(node, 0)


def key_lines(node: Node, inner: str) -> dict[tuple[str, ...], int]:
    """Line (from 1) of every key of the root map, and of the map under the key `inner`. Cheap, unlike `places`."""
    lines: dict[tuple[str, ...], int] = {}
    if isinstance(node, MappingNode):
        for key_node, value_node in node.value:
            lines[key_node.value,] = key_node.start_mark.line + 1
            if key_node.value == inner and isinstance(value_node, MappingNode):
                for inner_node, _ in value_node.value:
                    lines[inner, inner_node.value] = inner_node.start_mark.line + 1
    return lines


def places(node: Node) -> dict[tuple[str | int, ...], Place]:
    """Place of every key and item of a node tree that `to_data` accepts, by its path from the root."""
    found: dict[tuple[str | int, ...], Place] = {(): Place(_start(node), _start(node))}

    def walk(node: Node, path: tuple[str | int, ...]) -> None:
        for key, key_node, value_node in _children(node):
            found[*path, key] = Place(_start(key_node), _start(value_node))
            walk(value_node, (*path, key))

    walk(node, ())
    return found


def _children(node: Node) -> Iterator[tuple[str | int, Node, Node]]:
    if isinstance(node, MappingNode):
        for key_node, value_node in node.value:
            yield key_node.value, key_node, value_node
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield index, item, item


def _scalar(node: Node) -> object:
    """YAML 1.2 core schema: null, booleans, integers, floats, and text for all the rest and for what has quotes."""
    text: str = node.value
    if node.tag == _QUOTED:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START:
        return text
    if _LEADING_ZERO.fullmatch(text):
        raise _fault(node, f"{text[:60]} begins with a zero, which some programs read as octal; write it without")
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_INTEGER_DIGITS:
            raise _fault(node, f"a number of more than {MAX_INTEGER_DIGITS} digits")
        return int(text, _INTEGER_BASES.get(text[:2], 10))
    if len(text) <= 2 * MAX_INTEGER_DIGITS and _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _start(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _fault(node: Node, message: str) -> YamlFault:
    return YamlFault(*_start(node), message)


def _reader_place(text: str, error: yaml.YAMLError) -> tuple[int, int]:
    """Where the C reader stopped: it counts octets of the UTF-8 form."""
    octets = getattr(error, "position", 0)
    before = text.encode()[: octets if isinstance(octets, int) else 0].decode(errors="ignore")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
