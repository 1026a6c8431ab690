"""All domains as pages of a list, in four orders made beforehand; and all names, to be searched in the browser."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mailtls.dashboard.chart import Sessions
from mailtls.dashboard.page import Column, Site, facts, page, paragraph, steps, table
from mailtls.dashboard.places import domain_page, numbered
from mailtls.dashboard.views import DomainView, NextStep
from mailtls.dashboard.words import count, days_since, plural, success
from mailtls.html_markup import Markup, foreign, join, link, tag
from mailtls.tls_rpt.report import PolicyType

_COLUMNS = (
    ("Domain", "text"),
    ("Mode", "d"),
    ("Sessions", "n"),
    ("Success", "n"),
    ("Failed", "n"),
    ("No policy found", "n"),
    ("Open causes", "n"),
    ("Reporters", "n"),
    ("Last report", "d"),
    ("Next step", "wide"),
)
PER_PAGE = 100
NAMES_PER_PAGE = 2000
SILENT_DAYS = 3
"""Reports lag up to a day, and small reporters are not there every day."""


@dataclass(frozen=True, slots=True)
class DomainLine:
    """What the list says of a domain. sts: sessions of senders that applied a policy. no_policy: sessions of others.
    failing: sessions of the open causes."""

    policy_domain: str
    mode: str
    mode_since: date | None
    sts: Sessions
    no_policy: int
    causes: int
    failing: int
    reporters: int
    last_report: date | None
    next_step: NextStep | None
    whole: bool

    @staticmethod
    def of(view: DomainView) -> "DomainLine":
        return DomainLine(
            view.policy_domain,
            view.mode or (f"{view.mode_by_reports}, as reports say" if view.mode_by_reports else ""),
            view.mode_since,
            view.sessions(PolicyType.STS),
            view.sessions(PolicyType.NO_POLICY_FOUND).total,
            len(view.causes),
            sum(one.sessions for one in view.causes),
            len(view.reporters),
            view.last_report,
            view.next_step,
            not view.unread,
        )


@dataclass(frozen=True, slots=True)
class _Order:
    """column: the one that is sorted by. stem: of the pages' names. name: of the link."""

    stem: str
    name: str
    told: str
    column: str
    sorted: str
    key: Callable[[DomainLine], Any]


def _by_attention(line: DomainLine) -> Any:
    return (-line.failing, -line.causes, line.last_report or date.min, line.policy_domain)


_ORDERS = (
    _Order("by-attention", "attention", "Those with open causes first, then those without recent reports.",
           "Open causes", "descending", _by_attention),
    _Order("by-name", "name", "By name.", "Domain", "ascending", lambda line: line.policy_domain),
    _Order("by-failures", "failed share", "The highest failed share first.", "Success", "ascending",
           lambda line: (-(line.sts.failed_share or 0.0), -line.sts.failed, line.policy_domain)),
    _Order("by-sessions", "sessions", "Most sessions first.", "Sessions", "descending",
           lambda line: (-line.sts.total, line.policy_domain)),
)  # fmt: skip


def list_pages(site: Site, lines: Sequence[DomainLine]) -> Iterator[tuple[str, str]]:
    """Paths and texts of the pages. `index.html` is the first page of the first order."""
    for order in _ORDERS:
        ranked = sorted(lines, key=order.key)
        pieces = [ranked[at : at + PER_PAGE] for at in range(0, len(ranked), PER_PAGE)] or [[]]
        hrefs = [_href(order, number) for number in range(len(pieces))]
        for here, piece in enumerate(pieces):
            top = join([_written(site), _summary(site, lines)]) if here == 0 else Markup()
            body = [
                top,
                paragraph(order.told),
                _orders(order),
                steps(hrefs, here, "page"),
                _table(site, order, piece),
                steps(hrefs, here, "page"),
            ]
            yield hrefs[here], page(site, "Domains", body)


def name_pages(site: Site, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every name with a link, some thousands on a page: the browser's own search finds one."""
    ranked = sorted(names)
    pieces = [ranked[at : at + NAMES_PER_PAGE] for at in range(0, len(ranked), NAMES_PER_PAGE)] or [[]]
    hrefs = [numbered("names", number) for number in range(len(pieces))]
    ranges = (link(href, f"{piece[0]} to {piece[-1]}") for href, piece in zip(hrefs, pieces, strict=True) if piece)
    letters = tag("nav", *ranges, class_="letters", aria_label="Ranges of names") if len(pieces) > 1 else Markup()
    told = paragraph(f"{count(len(ranked))} domains. To find one, search in this page (Ctrl+F, on a Mac ⌘F).")
    for here, piece in enumerate(pieces):
        names_told = tag("ul", *(tag("li", link(domain_page(name), name)) for name in piece), class_="names")
        yield hrefs[here], page(site, "All names", [told, letters, names_told if piece else Markup()])


def _href(order: _Order, number: int) -> str:
    return "index.html" if order is _ORDERS[0] and number == 0 else numbered(order.stem, number)


def _orders(here: _Order) -> Markup:
    """Links to the list in each order; on a narrow screen the heads of the columns are not there."""
    links = (link(_href(one, 0), one.name, aria_current="page" if one is here else None) for one in _ORDERS)
    return tag("nav", tag("span", "Order:"), *links, class_="steps", aria_label="Order")


def _written(site: Site) -> Markup:
    """The hour stands on these pages alone: the others stay as they are when nothing came in since the last run."""
    return paragraph(f"Written {site.built:%Y-%m-%d %H:%M} UTC.")


def _summary(site: Site, lines: Sequence[DomainLine]) -> Markup:
    """Sums of one policy type over domains: each session is about one domain."""
    sts = sum((line.sts for line in lines), Sessions())
    modes = {
        mode: sum(line.mode.partition(",")[0] == mode for line in lines) for mode in ("enforce", "testing", "none", "")
    }
    told = ", ".join(f"{count(number)} {mode or 'not known'}" for mode, number in modes.items() if number)
    today = site.built.date()
    silent = sum(line.last_report is None or (today - line.last_report).days > SILENT_DAYS for line in lines)
    rate = f"{success(sts.successful, sts.failed)} of {count(sts.total)}" if sts.total else "no sessions"
    return facts(
        [
            ("Domains", count(len(lines))),
            ("Mode", told or "-"),
            ("Success, senders that applied a policy", rate),
            ("Domains with open causes", count(sum(line.causes > 0 for line in lines))),
            (f"Domains without a report for over {SILENT_DAYS} days", count(silent)),
        ]
    )


def _table(site: Site, order: _Order, lines: Sequence[DomainLine]) -> Markup:
    if not lines:
        return paragraph("No domain has a report in this period, and no other was named.")
    hrefs = {one.column: _href(one, 0) for one in _ORDERS if one is not order}
    columns = [
        Column(name, kind, hrefs.get(name, ""), order.sorted if name == order.column else "") for name, kind in _COLUMNS
    ]
    rows = [_cells(site, line) for line in lines]
    if not any(line.next_step for line in lines):  # nobody asked the controller
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    caption = "Sessions, success and failed: of senders that applied an MTA-STS policy"
    return table(caption, columns, rows, stacks=True)


def _cells(site: Site, line: DomainLine) -> tuple[str, ...]:
    today = site.built.date()
    days = f", {plural((today - line.mode_since).days, 'day')}" if line.mode_since else ""
    causes: str = count(line.causes)
    return (
        link(domain_page(line.policy_domain), line.policy_domain),
        f"{line.mode}{days}" if line.mode else "not known",
        count(line.sts.total),
        success(line.sts.successful, line.sts.failed),
        count(line.sts.failed),
        count(line.no_policy),
        tag("strong", causes, class_="bad") if line.causes else causes,
        count(line.reporters),
        days_since(line.last_report, today) + ("" if line.whole else ", not all read"),
        _next(line.next_step),
    )


def _next(step: NextStep | None) -> str:
    if step is None:
        return ""
    return foreign(step.told, 120)
