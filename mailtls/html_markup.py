"""HTML that cannot be broken out of: every text is escaped on its way into an element, and a stranger's is cut before.

>>> tag("td", "<b>", class_="n")
'<td class="n">&lt;b&gt;</td>'
"""

from collections.abc import Iterable
from html import escape

from mailtls.reports.sender_text import clean

Attribute = str | int | bool | None
_EMPTY = frozenset({"link", "meta", "path", "rect"})
"""Of HTML and SVG; in SVG an element that is not closed takes the next one inside."""


class Markup(str):
    """Text that is HTML already; only this file and fixed texts of ours make it."""

    __slots__ = ()


def tag(element: str, /, *children: str, **attributes: Attribute) -> Markup:
    """The element with its children, those that are no Markup escaped.

    In an attribute's name a trailing `_` is dropped and any other becomes `-`. True: the bare name; None, False: left
    out.
    """
    opening = f"{element}{''.join(_attribute(key, value) for key, value in attributes.items())}"
    if element in _EMPTY:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{join(children)}</{element}>")


def join(parts: Iterable[str], between: str = "") -> Markup:
    """The parts one after the other, those that are no Markup escaped."""
    return Markup(between.join(part if isinstance(part, Markup) else escape(part) for part in parts))


def foreign(text: str | None, most: int = 80) -> Markup:
    """Words of a stranger: at most `most` characters on one line, in an element that keeps their direction inside."""
    cleaned = clean(text, most)
    return tag("bdi", cleaned) if cleaned else Markup("")


def link(href: str, *children: str, **attributes: Attribute) -> Markup:
    """A link inside the site. href: a relative address that this program made."""
    return tag("a", *children, href=href, **attributes)


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
