"""The frame of every page: head, navigation, foot; and tables that a phone, a keyboard and a screen reader can read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailtls.html_markup import Attribute, Markup, join, link, tag
from mailtls.totals.period import Period

POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
"""No script at all, nothing from elsewhere: text of a stranger that got through could do nothing here."""
STYLE = "style.css"


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages say. built: UTC. period: of every number. source: where the reports lay, in words."""

    built: datetime
    period: Period
    source: str


def page(site: Site, title: str, body: Iterable[Markup], depth: int = 0, trail: Sequence[Markup] = ()) -> str:
    """A whole page. depth: folders between it and the root. trail: links to the pages above, the nearest last."""
    root = "../" * depth
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="robots", content="noindex"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title}: TLS reports"),
        tag("link", rel="stylesheet", href=f"{root}{STYLE}"),
    )
    navigation = tag(
        "nav",
        link(f"{root}index.html", "Domains"),
        link(f"{root}reporters.html", "Reporting organisations"),
        link(f"{root}names.html", "All names"),
        link(f"{root}reading.html", "How to read this"),
        aria_label="Site",
    )
    crumbs = tag("nav", *(tag("span", step, " /") for step in trail), aria_label="Above") if trail else Markup()
    main = tag("main", crumbs, tag("h1", title), *body, id="main")
    period = f"{site.period.first} to {site.period.last} (UTC)"
    foot = tag(
        "footer",
        tag("p", f"Reports of {period}, read from {site.source}. Written on {site.built:%Y-%m-%d} by mailtls."),
    )
    body_tag = tag("body", link("#main", "To the content", class_="skip"), tag("header", navigation), main, foot)
    return f"<!doctype html>\n{tag('html', head, body_tag, lang='en')}\n"


@dataclass(frozen=True, slots=True)
class Column:
    """kind: `n` for numbers, `wide` for long texts. href: where the same table lies in the order of this column.
    sorted: `ascending` or `descending` where this is that table."""

    name: str
    kind: str = ""
    href: str = ""
    sorted: str = ""


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], stacks: bool = False) -> Markup:
    """A table in a region that scrolls by keyboard. The first cell of a row is its head.

    stacks: on a narrow screen each row becomes a block with the columns' names before the values.
    """
    heads = (
        tag(
            "th",
            link(column.href, column.name) if column.href else column.name,
            scope="col", class_=column.kind or None, aria_sort=column.sorted or None,
        )
        for column in columns
    )  # fmt: skip
    body = tag("tbody", *(_row(columns, row) for row in rows))
    whole = tag("table", tag("caption", caption), tag("thead", tag("tr", *heads)), body,
                class_="stacks" if stacks else None)  # fmt: skip
    return tag("div", whole, class_="scrolls", role="region", aria_label=caption, tabindex=0)


def _row(columns: Sequence[Column], cells: Sequence[str]) -> Markup:
    parts: list[str] = []
    for number, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        attributes: dict[str, Attribute] = {"class_": column.kind or None, "data_label": column.name}
        head = {"scope": "row"} if number == 0 else {}
        parts.append(tag("td" if number else "th", cell, **attributes, **head))
    return tag("tr", *parts)


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Names and values beside each other."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs), class_="facts")


def section(title: str, *parts: Markup, id_: str | None = None) -> Markup:
    return tag("section", tag("h2", title), *parts, id_=id_)


def paragraph(*parts: str, class_: str | None = None) -> Markup:
    return tag("p", *parts, class_=class_)


def steps(hrefs: Sequence[str], here: int, noun: str) -> Markup:
    """Links to the pages before and after page `here` (from 0) of several, and to the first and the last."""
    if len(hrefs) < 2:
        return Markup()
    parts: list[str] = []
    if here > 0:
        parts += [link(hrefs[0], "first"), link(hrefs[here - 1], "previous", rel="prev")]
    parts.append(tag("span", f"{noun} {here + 1} of {len(hrefs)}"))
    if here < len(hrefs) - 1:
        parts += [link(hrefs[here + 1], "next", rel="next"), link(hrefs[-1], "last")]
    return tag("nav", join(parts, " "), class_="steps", aria_label="Pages")
