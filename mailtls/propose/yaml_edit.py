"""One change of a YAML text, and every other character as it was. Pure: text in, text out.

A change is a splice at the places that the parser gives. Nothing is dumped, so comments, quotes, order, line ends and
indentation of all the rest cannot change. The new text is read again, and is only handed out when it says exactly what
was asked for; otherwise the edit is refused, in words.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mailtls.propose import yaml_write
from mailtls.propose.yaml_layout import Kind, Layout, Node
from mailtls.propose.yaml_write import Value
from mailtls.spec import yaml_text

Path = tuple[str | int, ...]
"""Keys and list indexes from the root down."""


@dataclass(frozen=True, slots=True)
class Set:
    """Give the value at `path`; maps on the way are made. The index behind the last item adds one to a list. A map that
    is there is not replaced as a whole: set its keys."""

    path: Path
    value: Value


@dataclass(frozen=True, slots=True)
class Remove:
    """Take away a key with its value, or an item of a list, and the comment on its line. A map or list that held
    nothing else stays, empty."""

    path: Path


Edit = Set | Remove


class NotEditable(ValueError):
    """The edit cannot be made without touching something else. line: from 1, where the reason is. The text says what to
    do by hand."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _NoPlaceError(LookupError):
    """The data has no such place; the text says which."""


@dataclass(frozen=True, slots=True)
class _Splice:
    """text in place of what stands from start to end."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Sequence[Edit]) -> str:
    """`text` after the edits, one after the other. What is so already is left alone. Raises NotEditable."""
    for edit in edits:
        text = _edited(text, edit)
    return text


def _edited(text: str, edit: Edit) -> str:
    before = _data(text)
    after = copy.deepcopy(before)
    try:
        _change(after, edit)
    except _NoPlaceError as e:
        raise NotEditable(_line_of(text, edit.path), str(e)) from e
    if _same(before, after):
        return text
    layout = Layout(text)
    if layout.root is None:
        raise NotEditable(1, "the file holds no spec")
    splices = sorted(_Editor(layout, after).splices(layout.root, edit), key=lambda one: (one.start, one.end))
    new = _spliced(layout, splices)
    try:
        done = _same(_data(new), after)
    except NotEditable:
        done = False
    if not done:
        raise NotEditable(
            layout.line(splices[0].start), "this cannot be changed without touching more; edit it by hand"
        )
    return new


def _data(text: str) -> Any:
    try:
        node = yaml_text.compose(text)
        return {} if node is None else yaml_text.to_data(node)
    except yaml_text.YamlFault as e:
        raise NotEditable(e.line, e.message) from e


def _same(one: object, other: object) -> bool:
    """Equal, in the same order, and of the same types: 1 is not true, and not 1.0."""
    return repr(one) == repr(other)


def _change(data: Any, edit: Edit) -> None:
    """Make the edit in plain data. Raises _NoPlaceError."""
    for depth, step in enumerate(edit.path[:-1]):
        if isinstance(data, dict) and data.get(step) is None and isinstance(edit, Set):
            data[step] = {}
        data = _inside(data, step, edit.path[:depth])
    last = edit.path[-1]
    if isinstance(edit, Remove):
        _inside(data, last, edit.path[:-1])
        del data[last]
    elif isinstance(data, list) and last == len(data):
        data.append(edit.value)
    else:
        if not isinstance(data, dict):
            _inside(data, last, edit.path[:-1])
        data[last] = edit.value


def _inside(data: Any, step: str | int, path: Path) -> Any:
    """What `data`, which stands at `path`, holds at `step`. Raises _NoPlaceError."""
    if isinstance(data, dict) and isinstance(step, str) and step in data:
        return data[step]
    if isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):
        return data[step]
    if isinstance(data, dict | list):
        raise _NoPlaceError(f"{_shown((*path, step))} is not written here")
    raise _NoPlaceError(f"{_shown(path)} is a plain value here, which holds no {step!r}; edit it by hand")


def _shown(path: Path) -> str:
    return ".".join(map(str, path))


def _line_of(text: str, path: Path) -> int:
    """The line of the innermost key on the way to `path` that is written."""
    node = yaml_text.compose(text)
    found = {} if node is None else yaml_text.places(node)
    while path and path not in found:
        path = path[:-1]
    return found[path].key[0] if path in found else 1


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _spliced(layout: Layout, splices: list[_Splice]) -> str:
    parts: list[str] = []
    at = 0
    for splice in splices:
        if splice.start < at:
            raise NotEditable(layout.line(splice.start), "two changes meet here; edit it by hand")
        parts += [layout.text[at : splice.start], splice.text]
        at = splice.end
    return "".join([*parts, layout.text[at:]])


@dataclass(frozen=True, slots=True)
class _Editor:
    """Where to splice what. after: the data that the new text shall hold."""

    layout: Layout
    after: Any

    def splices(self, root: Node, edit: Edit) -> list[_Splice]:
        """All splices of one edit."""
        path, node = edit.path, root
        trail = [root]
        for depth, step in enumerate(path):
            if node.kind is Kind.ALIAS:
                value = yaml_write.flow(_at(self.after, path[:depth]))
                return [_Splice(node.start, node.end, value), *self._unshared(trail)]
            child = self._child(node, step)
            if child is None:
                return [*self._inserted(node, path, depth), *self._unshared(trail)]
            trail.append(child)
            node = child
        if isinstance(edit, Set):
            return [self._replaced(node, edit.value), *self._unshared(trail), *self._rescued(node, within=True)]
        return [*self._removed(trail[-2], path[-1]), *self._unshared(trail[:-1]), *self._rescued(node)]

    def _child(self, node: Node, step: str | int) -> Node | None:
        if isinstance(step, int):
            return node.items[step] if step < len(node.items) else None
        for key, value in node.pairs:
            if self.layout.resolved(key).name == step:
                return value
        return None

    # values in place of others

    def _replaced(self, node: Node, value: Value) -> _Splice:
        if node.kind in (Kind.LIST, Kind.MAP):
            self._check_replaceable(node)
        style = node.style if node.style in ("'", '"') else ""
        text = yaml_write.flow(value) if isinstance(value, list | dict) else yaml_write.scalar(value, style)
        if node.content == node.end:  # nothing stands there
            return self._in_empty_place(node, text)
        return _Splice(node.content, node.end, text)

    def _check_replaceable(self, node: Node) -> None:
        within = self.layout.text[node.content : node.end]
        if not node.flow or "#" in within:
            raise NotEditable(self.layout.line(node.content), f"{node.kind} with lines of its own; edit it by hand")

    def _in_empty_place(self, node: Node, text: str) -> _Splice:
        """After a key that has no value: `one.example:`, or in brackets `one.example` alone."""
        at = len(self.layout.text[: node.content].rstrip())
        has_colon = self.layout.colon_before(at) == at - 1 or node.anchor is not None
        return _Splice(at, at, f" {text}" if has_colon else f": {text}")

    # new keys and items

    def _inserted(self, node: Node, path: Path, depth: int) -> list[_Splice]:
        """A key that `node` does not have, with all that is below it, or a new last item."""
        step = path[depth]
        value: Value = _at(self.after, path[: depth + 1])
        if node.kind is Kind.SCALAR:  # null, or _change would have refused it
            return [self._replaced(node, {str(step): value})]
        if node.kind is Kind.LIST:
            style = self.layout.resolved(node.items[-1]).style if node.items else ""
            text = yaml_write.scalar(value, style if style in ("'", '"') else "")
            if node.flow:
                return self._into_brackets(node, text)
            dash = self.layout.dash_before(node.items[-1].start)
            return [self._line_after(node, self._column(dash), [f"- {text}"])]
        style = node.pairs[-1][0].style if node.pairs else ""
        if node.flow:
            return self._into_brackets(node, f"{yaml_write.scalar(str(step), style)}: {yaml_write.flow(value)}")
        return [
            self._line_after(
                node, self._column(node.content), yaml_write.block_pair(str(step), value, self._indent(node), style)
            )
        ]

    def _column(self, index: int) -> int:
        return index - self.layout.line_start(index)

    def _indent(self, node: Node) -> int:
        """Spaces of a deeper level, as the maps in this map have it, or the first of the file that is deeper."""
        for outer in (node, self.layout.root):
            for each in outer.walk() if outer else ():
                for _, value in each.pairs:
                    if each.flow or value.flow or value.kind is not Kind.MAP:
                        continue
                    deeper = self._column(value.content) - self._column(each.content)
                    if deeper > 0:
                        return deeper
        return 2

    def _line_after(self, node: Node, column: int, lines: list[str]) -> _Splice:
        """New lines behind the last line of a block; a comment on that line stays on it."""
        at = self.layout.line_end(node.end)
        text = "".join(self.layout.line_break + " " * column + line for line in lines)
        return _Splice(at, at, text)

    def _into_brackets(self, node: Node, text: str) -> list[_Splice]:
        """A new last member of a list or map in brackets: on a line of its own where the last one has one."""
        layout = self.layout
        if not node.children:
            return [_Splice(node.content + 1, node.content + 1, text)]
        first, last = node.children[-1]
        comma = layout.comma_between(last.end, node.end)
        margin = layout.margin(first.start)
        if margin.strip(" \t"):
            return [_Splice(last.end, last.end, f", {text}")]
        new_line = f"{layout.line_break}{margin}{text}"
        at = layout.line_end(last.end if comma is None else comma)
        if at >= node.end:  # the bracket closes on the same line
            return [_Splice(last.end, last.end, f",{new_line}")]
        if comma is None:
            return [_Splice(last.end, last.end, ","), _Splice(at, at, new_line)]
        return [_Splice(at, at, new_line + ",")]

    # less

    def _removed(self, parent: Node, step: str | int) -> list[_Splice]:
        if parent.kind is Kind.LIST and isinstance(step, int):
            first = last = parent.items[step]
            start = first.start if parent.flow else self.layout.dash_before(first.start)
        else:
            first, last = next(pair for pair in parent.pairs if self.layout.resolved(pair[0]).name == step)
            start = first.start
        if parent.flow:
            return self._out_of_brackets(parent, start, last.end)
        if self.layout.margin(start).strip(" "):
            raise NotEditable(self.layout.line(start), "more than this stands on the line; remove it by hand")
        gone = self._whole_lines(start, last.end)
        return [*self._left_empty(parent, gone), gone] if len(parent.children) == 1 else [gone]

    def _whole_lines(self, start: int, end: int) -> _Splice:
        """Away with the lines from start to end, and with the line break of one of them."""
        first, after = self.layout.line_start(start), self.layout.next_line(end)
        if after == self.layout.line_end(end) and first:  # the last line, without a line break of its own
            text = self.layout.text
            first -= 2 if text[first - 2 : first] == "\r\n" else 1
        return _Splice(first, after, "")

    def _left_empty(self, parent: Node, gone: _Splice) -> list[_Splice]:
        """A block that loses all it has becomes `{}` or `[]`, behind its key."""
        colon = self.layout.colon_before(parent.content - 1)
        if parent is self.layout.root or colon is None:
            raise NotEditable(self.layout.line(parent.content), "this is all that the file holds; edit it by hand")
        behind = colon + 1
        if parent.anchor is not None and not self.layout.users(parent):
            behind = parent.start + 1 + len(parent.anchor)
        if behind > gone.start:
            raise NotEditable(self.layout.line(parent.content), "more than this stands on the line; edit it by hand")
        return [_Splice(behind, behind, " []" if parent.kind is Kind.LIST else " {}")]

    def _out_of_brackets(self, parent: Node, start: int, end: int) -> list[_Splice]:
        layout = self.layout
        following = [child[0].start for child in parent.children if child[0].start > start]
        comma = layout.comma_between(end, following[0] if following else parent.end)
        through = end if comma is None else comma + 1
        rest = layout.text[through : layout.line_end(through)].strip(" \t")
        if not layout.margin(start).strip(" \t") and (not rest or rest.startswith("#")):
            return [self._whole_lines(start, through)]
        before = [child[1].end for child in parent.children if child[1].end <= start]
        if following or not before:
            while layout.text[through : through + 1] in (" ", "\t") and following:
                through += 1
            return [_Splice(start, through, "")]
        ahead = layout.comma_between(before[-1], start)
        return [_Splice(start if ahead is None else ahead, end, "")]

    # anchors that others use

    def _unshared(self, nodes: Sequence[Node]) -> list[_Splice]:
        """What aliases elsewhere share with what is edited moves to the first of them, as it was."""
        found = []
        for node in nodes:
            if users := self.layout.users(node):
                found += [self._moved_to(users[0], node), self._without_anchor(node)]
        return found

    def _rescued(self, gone: Node, within: bool = False) -> list[_Splice]:
        """The same for what goes as a whole, or only for what is within it: aliases inside it go with it."""
        found = []
        for node in gone.walk():
            if within and node is gone:
                continue
            users = [one for one in self.layout.users(node) if not gone.start <= one.start < gone.end]
            if users:
                found.append(self._moved_to(users[0], node))
        return found

    def _moved_to(self, alias: Node, node: Node) -> _Splice:
        return _Splice(alias.start, alias.end, f"&{node.anchor} {yaml_write.flow(self._as_it_was(node))}")

    def _as_it_was(self, node: Node) -> Any:
        """The data of one node, before the edit."""
        composed = yaml_text.compose(self.layout.text)
        whole = {} if composed is None else yaml_text.to_data(composed)
        return _at(whole, self._path_to(node))

    def _path_to(self, wanted: Node) -> Path:
        def search(node: Node, path: Path) -> Path | None:
            if node is wanted:
                return path
            steps: list[tuple[str | int, Node]] = [
                *((self.layout.resolved(key).name, value) for key, value in node.pairs),
                *enumerate(node.items),
            ]
            for step, child in steps:
                if (found := search(child, (*path, step))) is not None:
                    return found
            return None

        found = search(self.layout.root, ()) if self.layout.root else None
        if found is None:  # an anchor on a key
            raise NotEditable(self.layout.line(wanted.start), f"the key has the anchor &{wanted.anchor}; edit by hand")
        return found

    def _without_anchor(self, node: Node) -> _Splice:
        """Takes the anchor away, and the blanks behind it; those before it where its line holds nothing else of it."""
        text, start, end = self.layout.text, node.start, node.start + 1 + len(node.anchor or "")
        if self.layout.line_end(end) < node.content or node.content == node.end:
            while text[start - 1] in (" ", "\t"):
                start -= 1
        else:
            while text[end] in (" ", "\t"):
                end += 1
        return _Splice(start, end, "")
