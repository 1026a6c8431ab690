"""The pages in a real browser, opened from disk as a person opens them."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
import sample_ledger as sample
from browser import Browser
from dashboard_run import PERIOD, summary

from mailtls.observe.store import FolderStore, ledger_entries
from mailtls.tls_rpt.report import PolicyType
from mailtls.totals.period import Period
from mailtls.totals.totals import Totals

PAGES = (
    "index.html",
    "by-failures.html",
    "domains/contoso.example/index.html",
    "domains/fabrikam.example/index.html",
    "domains/brand01.example/index.html",
    f"domains/brand01.example/reports-{sample.LAST}.html",
    "reporters.html",
    "reporters/google.com.html",
    "reporters/evil.example.html",
    "names.html",
    "reading.html",
)
SCREENS = {
    "phone": (375, 800, False, "screen"),
    "phone in the dark": (375, 800, True, "screen"),
    "desktop": (1280, 900, False, "screen"),
    "desktop in the dark": (1280, 900, True, "screen"),
    "paper": (794, 1123, False, "print"),
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(tab: Browser, axe: str, site: Path, page: str) -> None:
    """On each kind of screen; details are opened, so that what is in them is looked at too."""
    findings = []
    for name, screen in SCREENS.items():
        tab.screen(*screen)
        tab.open((site / page).as_uri())
        tab.ask("for (const one of document.querySelectorAll('details')) one.open = true")
        tab.ask(axe)  # through the debugger: the page itself may load no script
        fingers = {"target-size": {"enabled": name != "paper"}}  # nobody taps on paper
        options = {"runOnly": RULES, "resultTypes": ["violations"], "rules": fingers}
        found = tab.ask(f"axe.run(document, {json.dumps(options)}).then(found => found.violations)")
        findings += [(name, one["id"], one["nodes"][0]["html"][:200]) for one in found]
    assert findings == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("screen", SCREENS)
def test_no_page_is_wider_than_its_screen(tab: Browser, site: Path, page: str, screen: str) -> None:
    width, *_ = SCREENS[screen]
    tab.screen(*SCREENS[screen])
    tab.open((site / page).as_uri())
    assert tab.ask("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", ["index.html", "domains/contoso.example/index.html", "reporters.html"])
@pytest.mark.parametrize("screen", SCREENS)
def test_a_short_name_stays_on_one_line(tab: Browser, site: Path, page: str, screen: str) -> None:
    """`mailhost.exampl` and `e` below it reads as another name. Long ones break, so that the page keeps its width."""
    tab.screen(*SCREENS[screen])
    tab.open((site / page).as_uri())
    lines = "[...document.querySelectorAll('tbody th a')].map(one => [one.textContent, one.getClientRects().length])"
    assert [name for name, count in tab.ask(lines) if count > 1 and len(name) <= 20] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_for_its_style_sheet_and_nothing_else(tab: Browser, site: Path, page: str) -> None:
    tab.open((site / page).as_uri())
    assert set(tab.requested) == {(site / page).as_uri(), (site / "style.css").as_uri()}
    assert tab.complaints == []
    assert tab.ask("getComputedStyle(document.querySelector('header nav')).display") == "flex"  # the sheet is in force


def test_a_script_that_got_into_a_page_would_not_run(tab: Browser, site: Path, tmp_path: Path) -> None:
    """The second line of defence, should an escape ever be forgotten."""
    page = (site / "index.html").read_text()
    (tmp_path / "index.html").write_text(page.replace("<main", "<script>document.title = 'broken'</script><main"))
    tab.open((tmp_path / "index.html").as_uri())
    assert tab.ask("document.title") == "Domains: TLS reports"
    assert "Content Security Policy" in " ".join(tab.complaints)


def test_the_browser_shows_the_numbers_of_the_sums(tab: Browser, site: Path, store: Path) -> None:
    """As a person reads them: from the table that the browser built."""
    period = Period(date(2026, 8, 3), sample.LAST)
    totals = Totals(period)
    for name in FolderStore(store).ledger_domains():
        for entry in ledger_entries(FolderStore(store), name, period.first, period.last, set()):
            totals.add(entry)
    tab.screen(1280, 900)
    tab.open((site / "index.html").as_uri())
    rows = tab.ask("[...document.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))")
    shown = {row[0]: (row[2], row[3], row[4], row[5]) for row in rows}
    assert set(shown) == set(totals.domains)
    for name, sums in totals.domains.items():
        counts = {kind: [0, 0] for kind in PolicyType}
        for key, count in sums.sessions.items():
            counts[key.policy_type][0] += count.successful
            counts[key.policy_type][1] += count.failed
        good, bad = counts[PolicyType.STS]
        sessions, rate, failed, without = shown[name]
        assert (sessions, failed) == (f"{good + bad:,}", f"{bad:,}")
        assert without == f"{sum(counts[PolicyType.NO_POLICY_FOUND]):,}"
        assert 0 <= 100 * good / (good + bad) - float(rate.removesuffix(" %")) < 0.011


@pytest.mark.parametrize(
    ("by", "page", "kind", "column"),
    [
        ("domain", "index.html", "sts", 2),
        ("domain", "index.html", "no-policy-found", 5),
        ("reporter", "reporters.html", "sts", 3),
        ("reporter", "reporters.html", "tlsa", 5),
        ("reporter", "reporters.html", "no-policy-found", 7),
    ],
)
def test_the_browser_shows_what_summary_prints(
    tab: Browser, site: Path, store: Path, by: str, page: str, kind: str, column: int
) -> None:
    told = summary("--by", by, "--store", store, *PERIOD)["rows"]
    wanted = {row["group"]: f"{row['of_sessions']:,}" for row in told if row["policy_type"] == kind}
    tab.screen(1280, 900)
    tab.open((site / page).as_uri())
    rows = tab.ask("[...document.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))")
    assert wanted
    assert {row[0]: row[column] for row in rows if row[column] not in ("", "0")} == wanted


def test_all_links_are_reached_by_the_keyboard(tab: Browser, site: Path) -> None:
    """In the order in which they stand, the first being the way past the navigation."""
    tab.screen(1280, 900)
    tab.open((site / "index.html").as_uri())
    wanted = tab.ask("[...document.querySelectorAll('a, summary, [tabindex]')].length")
    reached = []
    for _ in range(wanted):
        tab.press("Tab", 9)
        reached.append(tab.ask("document.activeElement.innerText.slice(0, 40)"))
    assert reached[0] == "To the content"
    assert tab.ask("document.activeElement !== document.body")
    names = [text for text in reached if text.endswith(".example")]
    assert names == ["contoso.example", "brand01.example", "fabrikam.example"]


def test_the_other_orders_are_reached_on_a_phone(tab: Browser, site: Path) -> None:
    tab.screen(*SCREENS["phone"])
    tab.open((site / "index.html").as_uri())
    seen = tab.ask("[...document.querySelectorAll('a')].filter(one => one.offsetHeight > 0 && one.href.includes('by-'))"
                   ".map(one => one.innerText)")  # fmt: skip
    assert seen == ["name", "failed share", "sessions"]


def test_the_dark_page_is_dark_and_paper_is_white(tab: Browser, site: Path) -> None:
    shades = {}
    for name in ("desktop", "desktop in the dark", "paper"):
        tab.screen(*SCREENS[name])
        tab.open((site / "index.html").as_uri())
        told = tab.ask("getComputedStyle(document.body).backgroundColor")
        shades[name] = sum(map(int, re.findall(r"\d+", told)[:3]))
    assert shades["desktop in the dark"] < 150
    assert shades["desktop"] == shades["paper"] == 3 * 255


def test_on_paper_there_is_no_navigation(tab: Browser, site: Path) -> None:
    tab.screen(*SCREENS["paper"])
    tab.open((site / "domains/contoso.example/index.html").as_uri())
    assert tab.ask("document.querySelector('header').offsetHeight") == 0
    assert tab.ask("document.querySelector('svg').getBoundingClientRect().height") > 50


def test_the_drawing_fills_its_days(tab: Browser, site: Path) -> None:
    """Bars end where the drawing ends, and each day is as wide as another."""
    tab.screen(1280, 900)
    tab.open((site / "domains/contoso.example/index.html").as_uri())
    bars = tab.ask("(() => {const box = document.querySelector('path.sessions').getBoundingClientRect(),"
                   " all = document.querySelector('path.sessions').parentElement.getBoundingClientRect();"
                   " return [box.left - all.left, all.right - box.right, box.height / all.height]})()")  # fmt: skip
    left, right, height = bars
    assert 0 <= left < 8
    assert 0 <= right < 8
    assert height > 0.95
