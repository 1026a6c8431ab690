"""Where everything stands in a YAML text, to the character: the tree of a text with what a tree of values forgets.

Made from the parser's events and tokens. A node knows its anchor, an alias stays an alias, and dashes, commas and
colons have places too. All positions are indexes into the text, from 0. Only for texts that `yaml_text.compose` and
`to_data` accept: they keep the bounds.
"""

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml

BREAKS = "\r\n\x85\u2028\u2029"
"""What ends a line, and a comment, for the parser (YAML 1.1 section 4.2)."""
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


class Kind(StrEnum):
    """What a node is."""

    SCALAR = "a value"
    LIST = "a list"
    MAP = "a map"
    ALIAS = "an alias"


@dataclass(slots=True)
class Node:
    """One node. start: with its anchor. content: without. end: after its last character; comments and line ends behind
    it are not its own. An empty value has no character.

    flow: written in brackets. style: of a scalar, the quote, `|` or `>`; "" for a plain one. name: of an alias, or the
    text of a scalar. pairs: of a map. items: of a list.
    """

    kind: Kind
    start: int
    content: int
    end: int
    flow: bool = False
    style: str = ""
    name: str = ""
    anchor: str | None = None
    pairs: list[tuple["Node", "Node"]] = field(default_factory=list)
    items: list["Node"] = field(default_factory=list)

    @property
    def children(self) -> list[tuple["Node", "Node"]]:
        """Of a map, its pairs; of a list, each item twice."""
        return self.pairs or [(item, item) for item in self.items]

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in the order of the text."""
        yield self
        for first, second in self.children:
            yield from first.walk()
            if second is not first:
                yield from second.walk()


class Layout:
    """A text and its tree. root: None where the text holds no document."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._dashes: list[int] = []
        self._commas: list[int] = []
        self._colons: list[int] = []
        self._content: dict[int, int] = {}
        self._read_tokens()
        self.anchors: dict[str, Node] = {}
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CBaseLoader)
        self.root = self._document()
        self.line_break = found[0] if (found := _BREAK.search(text)) else "\n"

    def resolved(self, node: Node) -> Node:
        """The node itself, or the one that an alias stands for."""
        return self.anchors[node.name] if node.kind is Kind.ALIAS else node

    def users(self, node: Node) -> list[Node]:
        """The aliases that refer to `node`, in the order of the text."""
        if node.anchor is None or self.root is None:
            return []
        return [one for one in self.root.walk() if one.kind is Kind.ALIAS and one.name == node.anchor]

    def dash_before(self, index: int) -> int:
        """The dash of a block list's item that begins at `index`."""
        return self._dashes[bisect.bisect_right(self._dashes, index) - 1]

    def colon_before(self, index: int) -> int | None:
        """The last `:` between a key and its value up to `index`."""
        at = bisect.bisect_right(self._colons, index)
        return self._colons[at - 1] if at else None

    def comma_between(self, start: int, end: int) -> int | None:
        """The first comma of a list or map in brackets in this part."""
        at = bisect.bisect_left(self._commas, start)
        return self._commas[at] if at < len(self._commas) and self._commas[at] < end else None

    def line_start(self, index: int) -> int:
        """Where the line of `index` begins."""
        while index and self.text[index - 1] not in BREAKS:
            index -= 1
        return index

    def line_end(self, index: int) -> int:
        """Where the line of `index` ends, before its line break."""
        found = _BREAK.search(self.text, index)
        return found.start() if found else len(self.text)

    def next_line(self, index: int) -> int:
        """Where the line after that of `index` begins; the end of the text where there is none."""
        found = _BREAK.search(self.text, index)
        return found.end() if found else len(self.text)

    def margin(self, index: int) -> str:
        """What stands before `index` on its line."""
        return self.text[self.line_start(index) : index]

    def line(self, index: int) -> int:
        """The number of the line, from 1."""
        return len(_BREAK.findall(self.text, 0, index)) + 1

    def _read_tokens(self) -> None:
        anchor: yaml.Token | None = None
        for token in yaml.scan(self.text, Loader=yaml.CBaseLoader):
            at = token.start_mark.index
            match token:
                case yaml.BlockEntryToken():
                    self._dashes.append(at)
                case yaml.FlowEntryToken():
                    self._commas.append(at)
                case yaml.ValueToken():
                    self._colons.append(at)
            if anchor is not None:
                starts_content = isinstance(
                    token,
                    yaml.ScalarToken
                    | yaml.BlockMappingStartToken
                    | yaml.BlockSequenceStartToken
                    | yaml.FlowMappingStartToken
                    | yaml.FlowSequenceStartToken
                    | yaml.BlockEntryToken,
                )
                self._content[anchor.start_mark.index] = at if starts_content else anchor.end_mark.index
            anchor = token if isinstance(token, yaml.AnchorToken) else None

    def _document(self) -> Node | None:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self._node(next(self._events))
        return None

    def _node(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.AliasEvent):
            return Node(Kind.ALIAS, start, start, end, name=str(event.anchor))
        content = start if event.anchor is None else self._content[start]
        if isinstance(event, yaml.ScalarEvent):
            style = event.style or ""
            if style in ("|", ">"):  # the parser counts the empty lines behind it, too
                end = start + len(self.text[start:end].rstrip(BREAKS + " "))
            node = Node(Kind.SCALAR, start, content, end, style=style, name=event.value)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Node(Kind.LIST, start, content, end, flow=bool(event.flow_style))
        else:
            node = Node(Kind.MAP, start, content, end, flow=bool(event.flow_style))
        if event.anchor is not None:
            node.anchor = event.anchor
            self.anchors[event.anchor] = node
        if node.kind is not Kind.SCALAR:
            self._fill(node)
        return node

    def _fill(self, node: Node) -> None:
        """Read what is in a list or map, and where it ends."""
        for event in self._events:
            end = event.end_mark.index
            if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                node.end = end if node.flow else node.end
                return
            first = self._node(event)
            if node.kind is Kind.LIST:
                node.items.append(first)
                last = first
            else:
                last = self._node(next(self._events))
                node.pairs.append((first, last))
            node.end = max(node.end, last.end)
