"""Folders of specs as people write them, drawn by hypothesis: every way to write a value, and comments everywhere.

The texts are written here from plain data, by code that shares nothing with the editor. A value that is to be changed
stands as MARK, so that a test knows the text with another value in exactly its place.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

MARK = "\ue000"
"""Stands for the mode of the domain in question."""

HOSTS = ["mx1.contoso.example", "mx2.contoso.example", "*.mailhost.example", "mx.bücher.example", "in.fabrikam.example"]
COMMENTS = [
    "# plain",
    "# grün, 'quoted' and \"quoted\"",
    "# mode: enforce, {[",
    "#",
    "# 日本 : - *a &b",
    "# \U0001f600",
]
DOMAINS = ["one.example", "two.example", "bücher.example", "four.example"]

Draw = Any


@dataclass
class Folder:
    """files: name to text, MARK and all. domain: the one to change, as it is written. own, shared: the data of its spec
    in its own file, and in the defaults.yaml. file: its own."""

    files: dict[str, str]
    domain: str
    own: dict[str, Any]
    shared: dict[str, Any]
    file: str
    mode: str
    aliased: bool
    newline: str = "\n"

    def bytes_with(self, mode: str) -> dict[str, bytes]:
        """The files with a mode in place of MARK."""
        return {name: text.replace(MARK, mode).encode() for name, text in self.files.items()}

    @property
    def data(self) -> dict[str, Any]:
        """The spec as a whole."""
        policy = {**self.shared.get("mta_sts", {}), **self.own.get("mta_sts", {})}
        return {**self.shared, **self.own, "mta_sts": policy}


@dataclass
class Writer:
    """Writes data in the manner of one person. draw: hypothesis's."""

    draw: Draw
    indent: int
    newline: str
    anchors: dict[str, str] = field(default_factory=dict)

    def chance(self, of: int = 4) -> bool:
        """One in `of`; not, when hypothesis simplifies."""
        return bool(self.draw(st.integers(0, of - 1)) == of - 1)

    def comment(self) -> str:
        return " " * self.draw(st.integers(1, 3)) + self.draw(st.sampled_from(COMMENTS)) if self.chance() else ""

    def between(self, margin: str) -> list[str]:
        """Lines that mean nothing."""
        choices: list[list[str]] = [[""], [margin + self.draw(st.sampled_from(COMMENTS))], ["  # elsewhere", "", " "]]
        return list(self.draw(st.sampled_from(choices))) if self.chance(5) else []

    def scalar(self, value: Any) -> str:
        if not isinstance(value, str):
            return str(value)
        needs_quotes = value[0] == "*" or "," in value
        styles = ["'{}'", '"{}"'] if needs_quotes else ["{}", "'{}'", '"{}"']
        return str(self.draw(st.sampled_from(styles))).format(value)

    def flow(self, value: Any, margin: str) -> str:
        """On one line or several, with or without a last comma."""
        if not isinstance(value, dict | list):
            return self.scalar(value)
        parts = (
            [f"{self.scalar(key)}: {self.flow(one, margin + '  ')}" for key, one in value.items()]
            if isinstance(value, dict)
            else [self.flow(one, margin + "  ") for one in value]
        )
        opens, closes = "{}" if isinstance(value, dict) else "[]"
        last = "," if parts and self.chance() else ""
        if not parts or not self.chance(3):
            blank = " " if self.chance() else ""
            return f"{opens}{blank}{', '.join(parts)}{last}{blank}{closes}"
        deeper = self.newline + margin + "    "
        lines = "".join(
            f"{deeper}{part}{',' if index < len(parts) - 1 else last}{self.comment()}"
            for index, part in enumerate(parts)
        )
        return f"{opens}{lines}{self.newline}{margin}  {closes}"

    def pair(self, key: str, value: Any, margin: str) -> list[str]:
        """Lines of a key and its value."""
        written = self.scalar(key)
        anchor = f" &{self.anchors[key]}" if key in self.anchors else ""
        blocks = isinstance(value, dict | list) and value and self.draw(st.booleans())
        if not blocks:
            return [f"{margin}{written}:{anchor} {self.flow(value, margin)}{self.comment()}"]
        head = f"{margin}{written}:{anchor}{self.comment()}"
        if isinstance(value, dict):
            return [head, *self.pairs(value, margin + " " * self.indent)]
        deeper = margin if self.draw(st.booleans()) else margin + " " * self.indent
        gap = " " * self.draw(st.integers(1, 3))
        items = [
            line
            for item in value
            for line in (*self.between(deeper), f"{deeper}-{gap}{self.scalar(item)}{self.comment()}")
        ]
        return [head, *items]

    def pairs(self, data: dict[str, Any], margin: str) -> list[str]:
        return [line for key, value in data.items() for line in (*self.between(margin), *self.pair(key, value, margin))]

    def whole(self, lines: list[str]) -> str:
        """A file: perhaps with a mark of its encoding, and perhaps without a last line end."""
        start = "\ufeff" if self.chance(6) else ""
        lines = [*(["---"] if self.chance(6) else []), *self.between(""), *lines, *self.between("")]
        return start + self.newline.join(lines) + ("" if self.chance(3) else self.newline)


@st.composite
def folders(draw: Draw) -> Folder:
    """One spec, or a map of several with anchors; with or without defaults."""
    writer = Writer(draw, draw(st.sampled_from([2, 2, 4, 1])), draw(st.sampled_from(["\n", "\n", "\r\n"])))
    shared = draw(st.sampled_from([{}, {"owner": "mail-team"}, {"mta_sts": {"mode": "testing", "mx": [HOSTS[4]]}}]))
    mode = draw(st.sampled_from(["none", "testing", "enforce"]))
    own = _own(draw, shared, MARK)
    as_map = draw(st.booleans())
    beside = {domain: _own(draw, shared, "testing") for domain in DOMAINS[1:]}
    files = {}
    if shared:
        files["defaults.yaml"] = writer.whole(writer.pairs(shared, ""))
    aliased = False
    if as_map:
        lines, aliased = _map(writer, own, beside)
        files["all.yaml"] = writer.whole(lines)
    else:
        files["one.yaml"] = writer.whole(writer.pairs({"policy_domain": DOMAINS[0], **own}, ""))
        lines = ["policy_domains:", *(line for name in beside for line in writer.pair(name, beside[name], "  "))]
        files["others.yaml"] = writer.whole(lines)
    file = "all.yaml" if as_map else "one.yaml"
    return Folder(files, DOMAINS[0], _plain(own, mode), shared, file, mode, aliased, writer.newline)


def _own(draw: Draw, shared: dict[str, Any], mode: str) -> dict[str, Any]:
    """The data of one spec, without its domain. The mode is there unless the defaults have one."""
    policy: dict[str, Any] = {}
    has_mode = "mta_sts" in shared
    if not has_mode or draw(st.booleans()):
        policy["mode"] = mode
    if not has_mode or draw(st.booleans()):
        policy["mx"] = draw(st.lists(st.sampled_from(HOSTS), min_size=1, max_size=4, unique=True))
    if draw(st.booleans()):
        policy["max_age"] = draw(st.sampled_from(["2w", 86400, "12h"]))
    data: dict[str, Any] = {"mta_sts": policy} if policy else {}
    if draw(st.booleans()):
        data["contact"] = "hostmaster@mailhost.example"
    if draw(st.booleans()):
        data["suppress"] = {"max-age-short-in-enforce": "no weeks, not yet"}
    return dict(draw(st.permutations(list(data.items()))))


def _map(writer: Writer, own: dict[str, Any], beside: dict[str, dict[str, Any]]) -> tuple[list[str], bool]:
    """Lines of a map of domains, the one in question first or last. Some share by an anchor."""
    names = list(beside)
    if "mta_sts" not in own or not writer.chance(3):
        entries = list({DOMAINS[0]: own, **beside}.items())
        if writer.draw(st.booleans()):
            entries.reverse()
        lines = [line for name, data in entries for line in (*writer.between("  "), *writer.pair(name, data, "  "))]
        return ["policy_domains:", *lines], False
    writer.anchors = {"mta_sts": "shared"}
    first = [f"  {DOMAINS[0]}:{writer.comment()}", *writer.pairs(own, "    ")]
    writer.anchors = {}
    sharing = [f"  {names[0]}: {{mta_sts: *shared}}{writer.comment()}", f"  {names[1]}:", "    mta_sts: *shared # same"]
    last = writer.pair(names[2], beside[names[2]], "  ")
    return ["policy_domains:", *first, *sharing, *last], True


def _plain(data: Any, mode: str) -> Any:
    """The data with the mode in place of MARK."""
    if isinstance(data, dict):
        return {key: _plain(value, mode) for key, value in data.items()}
    return mode if data == MARK else data
