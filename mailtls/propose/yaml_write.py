"""Plain data as YAML text that every reader takes for the same: ours (YAML 1.2) and those of YAML 1.1.

Text is plain only where no reader could take it for anything else; otherwise it stands in quotes.
"""

import re

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]
"""What a spec holds. A text in single or double quotes, or plain, is for the writer to choose."""

LONGEST_LINE = 100
"""Characters. A longer list is written as lines with dashes, where that is possible."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*|[0-9]{1,8}[mhdw]")
_TAKEN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""Words that some reader takes for something else than text."""


def scalar(value: Value, style: str = "") -> str:
    """One value. style: the quote that is wished for text; "" as plain as it may be."""
    if isinstance(value, str):
        return _text(value, style)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def flow(value: Value) -> str:
    """Any value on one line, lists and maps in brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def block_pair(key: str, value: Value, indent: int, key_style: str = "") -> list[str]:
    """A key and its value as lines without line ends. indent: spaces of a deeper level."""
    name = scalar(key, key_style)
    if isinstance(value, dict) and value:
        inner = [line for each, one in value.items() for line in block_pair(each, one, indent)]
        return [f"{name}:", *(" " * indent + line for line in inner)]
    line = f"{name}: {flow(value)}"
    if isinstance(value, list) and len(line) > LONGEST_LINE:
        return [f"{name}:", *(" " * indent + f"- {flow(item)}" for item in value)]
    return [line]


def _text(text: str, style: str) -> str:
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if style != '"' and _PLAIN.fullmatch(text) and text.lower() not in _TAKEN:
        return text
    return '"' + "".join(map(_in_double_quotes, text)) + '"'


def _in_double_quotes(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
