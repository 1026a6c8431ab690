"""What a YAML parser refuses, in words for whoever wrote the file: where the fault begins and what to write.

The parser tells where it could not go on, which is often far behind the fault: an unclosed quote is refused at the end
of the file. Only a text that was refused comes here, so the time that looking takes does not matter.
"""

import re

import yaml

from mailtls.spec.errors import quoted

Refusal = tuple[int, int, str]
"""Line and column, from 1, and what is wrong there."""

_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7})(?: |$)")
_TAB_INDENT = re.compile(r" *\t")
_KEY_WITHOUT_BLANK = re.compile(r"[ -]*(?P<key>[A-Za-z_][A-Za-z0-9_-]*):(?=[^\s:/])")
_PLAIN_WORD = re.compile(r"[^\s,\]}#'\"]+")
_NO_START = frozenset("@`%")


def in_words(text: str, error: yaml.MarkedYAMLError) -> Refusal:
    """Why `text` was refused. `error`: what the parser raised for it."""
    lines = text.splitlines() or [""]
    place = _place(error.problem_mark or error.context_mark)
    opened = _place(error.context_mark or error.problem_mark)
    return (
        _conflict(lines)
        or _tab(lines, place)
        or _star(lines, place, opened, error)
        or _quote(text, place, opened, error)
        or _start_of_value(lines, place, error)
        or _bracket(text, place, error)
        or _colon(lines, place, opened, error)
        or _indentation(lines, place, error)
        or (*place, f"not YAML: {error.problem or error.context}")
    )


def key_without_blank(text: str) -> str | None:
    """The key of `key:value`, which YAML reads as one word; None where the text is nothing like that."""
    found = _KEY_WITHOUT_BLANK.match(text)
    return found["key"] if found else None


def blank_missing(key: str) -> str:
    """What to say about `key:value`."""
    return f'a blank is missing after "{key}:"'


def _place(mark: yaml.Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _line(lines: list[str], number: int) -> str:
    """A line by its number from 1; the end of the file has none."""
    return lines[number - 1] if number <= len(lines) else ""


def _conflict(lines: list[str]) -> Refusal | None:
    for number, line in enumerate(lines, 1):
        if _CONFLICT.match(line):
            return number, 1, "a merge conflict that nobody has resolved"
    return None


def _tab(lines: list[str], place: tuple[int, int]) -> Refusal | None:
    if found := _TAB_INDENT.match(_line(lines, place[0])):
        return place[0], found.end(), "a tab indents this line; YAML takes spaces only"
    return None


def _star(
    lines: list[str], place: tuple[int, int], opened: tuple[int, int], error: yaml.MarkedYAMLError
) -> Refusal | None:
    at = place if "undefined alias" in (error.problem or "") else opened
    if "alias" not in f"{error.context} {error.problem}":
        return None
    word = _PLAIN_WORD.match(_line(lines, at[0])[at[1] - 1 :])
    shown = quoted(word[0]) if word else '"*.example.com"'
    return *at, f"a plain * refers to an anchor, and there is none of this name; put a wildcard in quotes: {shown}"


def _quote(text: str, place: tuple[int, int], opened: tuple[int, int], error: yaml.MarkedYAMLError) -> Refusal | None:
    """A quote that is never closed, or that closes only where the next one was meant to open."""
    if error.context == "while scanning a quoted scalar" and "escape" not in (error.problem or ""):
        return *opened, "the quote that opens here is never closed"
    if "escape" in (error.problem or ""):
        return *place, "in double quotes a backslash begins an escape; use single quotes, or write it twice"
    for token in _tokens(text):
        if isinstance(token, yaml.ScalarToken) and not token.plain and token.style in ("'", '"'):
            start, end = _place(token.start_mark), _place(token.end_mark)
            if start[0] < end[0] == place[0]:
                return (
                    *start,
                    f"the quote that opens here is closed only in line {end[0]}; close it where it should end",
                )
    return None


def _tokens(text: str) -> list[yaml.Token]:
    """The tokens before the fault."""
    found: list[yaml.Token] = []
    try:
        found.extend(yaml.scan(text, Loader=yaml.CBaseLoader))
    except yaml.YAMLError:
        return found
    return found


def _start_of_value(lines: list[str], place: tuple[int, int], error: yaml.MarkedYAMLError) -> Refusal | None:
    character = _line(lines, place[0])[place[1] - 1 : place[1]]
    if "cannot start any token" in (error.problem or "") and character in _NO_START:
        return *place, f"a value cannot begin with {character}; put it in quotes"
    return None


def _bracket(text: str, place: tuple[int, int], error: yaml.MarkedYAMLError) -> Refusal | None:
    if "while parsing a flow" not in (error.context or ""):
        return None
    opens: list[yaml.Token] = []
    for token in _tokens(text):
        if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
            opens.append(token)
        elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken) and opens:
            opens.pop()
        if _place(token.end_mark) > place:
            break
    if not opens:
        return None
    opened = _place(opens[-1].start_mark)
    bracket, closing = ("[", "]") if isinstance(opens[-1], yaml.FlowSequenceStartToken) else ("{", "}")
    if opened[0] == place[0]:
        return *place, f"a comma, or the {closing} for the {bracket} in column {opened[1]}, is missing here"
    return *opened, f"the {bracket} that opens here is not closed, or a comma is missing before line {place[0]}"


def _colon(
    lines: list[str], place: tuple[int, int], opened: tuple[int, int], error: yaml.MarkedYAMLError
) -> Refusal | None:
    problem = error.problem or ""
    if "mapping values are not allowed" not in problem and "expected ':'" not in problem:
        return None
    for number in range(place[0], max(place[0] - 3, 0), -1):
        if key := key_without_blank(_line(lines, number)):
            indent = len(_line(lines, number)) - len(_line(lines, number).lstrip(" -"))
            return number, indent + 1, blank_missing(key)
    if "expected ':'" in problem:
        return *opened, 'a key, and no ": " after it'
    before = _line(lines, place[0])[: place[1] - 1]
    if ": " in before:
        return *place, 'a second ": " in one line; put the value in quotes'
    return _indented(place)


def _indentation(lines: list[str], place: tuple[int, int], error: yaml.MarkedYAMLError) -> Refusal | None:
    if error.problem == "did not find expected key" and _line(lines, place[0])[place[1] - 1 :].startswith(":"):
        return *place, "no key stands before this colon"
    if error.problem in ("did not find expected key", "did not find expected '-' indicator"):
        return _indented(place)
    if "another document" in (error.problem or ""):
        return (
            *place,
            "a second document begins (---); several specs go under policy_domains, or into files of their own",
        )
    return None


def _indented(place: tuple[int, int]) -> Refusal:
    return *place, "this line is not indented like the ones above it; keys of one map begin in one column"
