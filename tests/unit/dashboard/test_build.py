"""The whole site from a ledger: its numbers are those of the sums, nothing of a stranger is markup, all links lead
somewhere."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag

import pytest
import sample_ledger as sample

from mailtls.dashboard.build import Built, DomainReports, build
from mailtls.dashboard.domain_list import PER_PAGE
from mailtls.dashboard.domain_view import Known
from mailtls.dashboard.page import Site
from mailtls.dashboard.raw_reports import MAX_DETAILS, MAX_PAGE, MAX_REPORTS
from mailtls.dashboard.site_folder import SiteFolder
from mailtls.dashboard.views import NextStep
from mailtls.mta_sts.policy import Policy
from mailtls.rollout.history import History, ServedPolicy
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyResult, PolicyType, ResultType
from mailtls.totals.period import Period
from mailtls.totals.totals import MAX_ORGANISATIONS, Totals

PERIOD = Period(sample.LAST - timedelta(days=89), sample.LAST)
SITE = Site(datetime(2026, 11, 1, 6, tzinfo=UTC), PERIOD, "a folder")


def built(place: Path, *domains: DomainReports) -> Built:
    with SiteFolder.at(place) as folder:
        return build(folder, SITE, domains)


def of(name: str, entries: Iterable[LedgerEntry]) -> DomainReports:
    return DomainReports(name, entries)


def everything() -> list[DomainReports]:
    return [
        of("contoso.example", sample.contoso()),
        of("fabrikam.example", sample.fabrikam()),
        of("brand01.example", sample.hostile()),
        of("silent.example", ()),
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dashboard") / "site"
    built(place, *everything())
    return place


class _Page(HTMLParser):
    """Elements, ids and links of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    @property
    def ids(self) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get("id"))]

    @property
    def links(self) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get("href"))]


def pages(site: Path) -> Iterator[tuple[Path, _Page]]:
    for file in sorted(site.rglob("*.html")):
        yield file, _Page(file.read_text())


def row_of(page: str, head: str) -> list[str]:
    """The cells of the first row of a table whose head is `head`, as text."""
    for row in re.findall(r"<tr>(.*?)</tr>", page):
        cells = [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        if cells and cells[0] == head:
            return cells
    raise AssertionError(f"no row {head!r}")


def test_every_link_leads_to_a_page_and_a_place_on_it(site: Path) -> None:
    ids = {file: set(page.ids) for file, page in pages(site)}
    for file, page in pages(site):
        for href in page.links:
            target, place = urldefrag(href)
            path = (file.parent / target).resolve() if target else file
            assert path.is_file(), (file, href)
            assert not place or place in ids[path], (file, href)


def test_ids_stand_once_on_a_page(site: Path) -> None:
    for file, page in pages(site):
        assert len(page.ids) == len(set(page.ids)), file


def test_nothing_of_a_stranger_is_markup(site: Path) -> None:
    """The hostile report names itself, its hosts and its reasons so that an escape left out would be an element."""
    ours = {
        *("html", "head", "meta", "title", "link", "body", "header", "nav", "main", "footer", "section", "article"),
        *("a", "h1", "h2", "h3", "p", "span", "strong", "bdi", "div", "dl", "dt", "dd", "ul", "li", "details"),
        *("summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "path"),
        "rect",
    }
    seen = 0
    for file, page in pages(site):
        text = file.read_text()
        seen += "&lt;script&gt;" in text
        assert {name for name, _ in page.elements} <= ours, file
        for _, attributes in page.elements:
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")], file
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert seen >= 2


def test_the_policy_forbids_scripts_and_whatever_is_elsewhere(site: Path) -> None:
    for file, page in pages(site):
        (policy,) = [attributes["content"] for name, attributes in page.elements
                     if attributes.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
        assert policy is not None
        assert policy.split("; ")[:2] == ["default-src 'none'", "style-src 'self'"], file
        assert "script" not in policy
        assert not [href for href in page.links if ":" in href or href.startswith("/")], file


def test_the_numbers_are_those_of_the_sums(site: Path) -> None:
    totals = Totals(PERIOD)
    for of_domain in everything():
        for entry in of_domain.entries:
            totals.add(entry)
    index = (site / "index.html").read_text()
    for name, sums in totals.domains.items():
        counts = [count for key, count in sums.sessions.items() if key.policy_type is PolicyType.STS]
        good, bad = sum(one.successful for one in counts), sum(one.failed for one in counts)
        _, _, sessions, _, failed, *_ = row_of(index, name)
        assert (sessions, failed) == (f"{good + bad:,}", f"{bad:,}")
        page = (site / "domains" / name / "index.html").read_text()
        for day in sums.days():
            of_day = [count for key, count in sums.sessions.items()
                      if key.policy_type is PolicyType.STS and key.day == day]  # fmt: skip
            _, _, good_told, bad_told, _ = row_of(page, day.isoformat())
            assert (good_told, bad_told) == (
                f"{sum(one.successful for one in of_day):,}", f"{sum(one.failed for one in of_day):,}"
            )  # fmt: skip


def test_rates_are_over_sessions_and_never_over_rows(tmp_path: Path) -> None:
    """One report of 1 failed session and one of 999 good ones: 99.9 %, not 50."""
    domain = "a.example"
    failed = sample.detail(ResultType.CERTIFICATE_EXPIRED, 1, "mx1.a.example")
    entries = [
        sample.entry(domain, sample.LAST, "one.example", "One", sample.sts(domain, "testing", 0, failed)),
        sample.entry(domain, sample.LAST, "two.example", "Two", sample.sts(domain, "testing", 999)),
    ]
    built(tmp_path / "site", of(domain, entries))
    assert row_of((tmp_path / "site/index.html").read_text(), domain)[2:5] == ["1,000", "99.9 %", "1"]


def test_policy_types_are_never_added_up(tmp_path: Path) -> None:
    """The same 100 sessions under sts and tlsa are 100, in the list, on the page and at the organisation."""
    domain = "a.example"
    rows = (
        sample.sts(domain, "testing", 100),
        PolicyResult(PolicyType.TLSA, "tlsa", ("3 1 1 ab",), "mx1.a.example", (), 100, 0),
        PolicyResult(PolicyType.NO_POLICY_FOUND, "no-policy-found", (), domain, (), 7, 0),
    )
    built(tmp_path / "site", of(domain, [sample.entry(domain, sample.LAST, "one.example", "One", *rows)]))
    index = row_of((tmp_path / "site/index.html").read_text(), domain)
    assert (index[2], index[5]) == ("100", "7")
    reporter = row_of((tmp_path / "site/reporters.html").read_text(), "one.example")
    assert reporter[2:8] == ["looks at some policies", "100", "100 %", "100", "100 %", "7"]
    for file in (tmp_path / "site").rglob("*.html"):
        assert not re.search(r"\b(107|200|207)\b", re.sub(r"<[^>]*>", " ", file.read_text())), file


def test_a_day_without_reports_is_told_as_that(site: Path) -> None:
    page = (site / "domains/contoso.example/index.html").read_text()
    gap = f"{sample.LAST - timedelta(days=41)} to {sample.LAST - timedelta(days=40)}"
    assert row_of(page, gap) == [gap, "no report", "", "", ""]
    assert "88 of 90" in page
    silent = (site / "domains/silent.example/index.html").read_text()
    assert "That proves neither health nor failure." in silent
    assert "100 %" not in silent
    assert row_of((site / "index.html").read_text(), "silent.example")[3] == "-"


def test_who_looks_at_policies_is_told(site: Path) -> None:
    page = (site / "reporters.html").read_text()
    assert row_of(page, "google.com")[2] == "looks at policies"
    assert row_of(page, "mailhost.example")[2] == "found no policy"


def test_how_the_sessions_of_an_organisation_failed_is_told(site: Path) -> None:
    page = (site / "reporters/google.com.html").read_text()
    assert row_of(page, "certificate-expired") == ["certificate-expired", "sts", "406"]
    assert row_of(page, "starttls-not-supported") == ["starttls-not-supported", "sts", "9"]


def test_a_mode_that_only_reports_name_is_told_as_that(site: Path) -> None:
    assert row_of((site / "index.html").read_text(), "fabrikam.example")[1] == "testing, as reports say"


def test_open_causes_come_first_and_old_ones_are_over(site: Path) -> None:
    """fabrikam's failures are ten days old and more; contoso's are of the newest days."""
    index = (site / "index.html").read_text()
    order = re.findall(r'<th[^>]*scope="row"[^>]*><a href="domains/([^/]+)/', index)
    assert order == ["contoso.example", "brand01.example", "silent.example", "fabrikam.example"]
    page = (site / "domains/contoso.example/index.html").read_text()
    told = row_of(page, "certificate-expired: The MX showed a certificate that has run out.")
    assert told[1:3] == ["mx2.contoso.example", "406"]


def test_the_reports_behind_a_day_can_be_reached(site: Path) -> None:
    domain = site / "domains/contoso.example"
    day = sample.LAST - timedelta(days=2)
    (href,) = set(re.findall(rf'<a href="([^"]*)">{day}</a>', (domain / "index.html").read_text()))
    name, place = urldefrag(href)
    text = (domain / name).read_text().split(f'id="{place}"')[1].split("</section>")[0]
    assert f"{day}: 2 reports" in text
    for signer in (sample.GOOGLE, sample.MICROSOFT):
        assert f"{day}-1@{signer}" in text
    assert "9,074 successful, 102 failed sessions" in text


def test_what_was_served_stands_on_the_page_and_the_axis(tmp_path: Path) -> None:
    def policy(mode: str) -> Policy:
        return Policy.parse(f"version: STSv1\r\nmode: {mode}\r\nmx: mx1.a.example\r\nmax_age: 86400\r\n".encode())

    changed = datetime(2026, 10, 12, 8, tzinfo=UTC)
    began = datetime(2026, 9, 1, 8, tzinfo=UTC)
    history = History((ServedPolicy(policy("enforce"), changed, None, "id2"),
                       ServedPolicy(policy("testing"), began, changed, "id1")))  # fmt: skip
    step = NextStep("raise max_age to 28 days, not before 2026-11-09", "a date", date(2026, 11, 9), ("because",))
    known = Known("mail-team", history, step)
    row = sample.entry("a.example", sample.LAST, "one.example", "One", sample.sts("a.example", "enforce", 1))
    built(tmp_path / "site", DomainReports("a.example", [row], known=known))
    page = (tmp_path / "site/domains/a.example/index.html").read_text()
    assert "enforce for 20 days, since 2026-10-12" in page
    assert "mail-team" in page
    assert "Earliest day: 2026-11-09" in page
    assert row_of(page, "testing")[1:4] == ["2026-09-01", "2026-10-12", "id1"]
    assert 'class="mode-enforce"' in page
    index = row_of((tmp_path / "site/index.html").read_text(), "a.example")
    assert (index[1], index[-1]) == ("enforce, 20 days", "raise max_age to 28 days, not before 2026-11-09")


def test_thousands_of_domains_are_pages_of_a_list(tmp_path: Path) -> None:
    names = [f"d{number:05}.example" for number in range(2 * PER_PAGE + 1)]
    built(tmp_path / "site", *(of(name, ()) for name in names))
    found: list[str] = []
    for page in ("by-name.html", "by-name-2.html", "by-name-3.html"):
        found += re.findall(r'scope="row"[^>]*><a href="domains/([^/]+)/', (tmp_path / "site" / page).read_text())
    assert found == names
    assert "page 2 of 3" in (tmp_path / "site/by-name-2.html").read_text()
    assert not (tmp_path / "site/by-name-4.html").exists()


def test_reports_are_spread_over_pages_and_no_day_is_torn(tmp_path: Path) -> None:
    domain = "a.example"
    entries = [
        sample.entry(domain, sample.LAST - timedelta(days=ago), f"org{who}.example", "One",
                     sample.sts(domain, "testing", 1))
        for ago in range(9, -1, -1) for who in range(60)
    ]  # fmt: skip
    built(tmp_path / "site", of(domain, entries))
    pages = sorted((tmp_path / "site/domains/a.example").glob("reports-*.html"))
    sizes = [page.read_text().count("<article>") for page in pages]
    assert sizes == [240, 240, 120]
    assert all(size < MAX_REPORTS + 60 for size in sizes)


def test_a_long_report_is_cut_and_says_so(tmp_path: Path) -> None:
    domain = "a.example"
    failed = [sample.detail(ResultType.VALIDATION_FAILURE, 1, f"mx{n}.evil.example") for n in range(5000)]
    built(tmp_path / "site", of(domain, [sample.entry(domain, sample.LAST, "one.example", "One",
                                                      sample.sts(domain, "testing", 0, *failed))]))  # fmt: skip
    (page,) = (tmp_path / "site/domains/a.example").glob("reports-*.html")
    assert f"{5000 - MAX_DETAILS:,} more failure-details." in page.read_text()
    assert (tmp_path / "site/domains/a.example/index.html").stat().st_size < 300_000


def test_a_flood_of_long_reports_makes_no_endless_page(tmp_path: Path) -> None:
    """150 reports of one day with 500 failures each, all of them different."""
    domain = "a.example"
    failed = [sample.detail(ResultType.VALIDATION_FAILURE, 1, f"mx{n}.evil.example", said="x" * 500) for n in range(25)]
    rows = [sample.sts(domain, "testing", 0, *failed)] * 20
    entries = [sample.entry(domain, sample.LAST, f"org{n}.example", "One", *rows) for n in range(150)]
    built(tmp_path / "site", of(domain, entries))
    (page,) = (tmp_path / "site/domains/a.example").glob("reports-*.html")
    text = page.read_text()
    shown = text.count("<article>")
    assert shown < 150
    assert f"{150 - shown} more reports of this day lie under reports/a.example/{sample.LAST}/." in text
    assert f"{sample.LAST}: 150 reports" in text
    assert len(text) < MAX_PAGE + 500_000


def test_a_crowd_of_organisations_has_an_end(tmp_path: Path) -> None:
    entries = [
        sample.entry("a.example", sample.LAST, f"org{n}.example", "One", sample.sts("a.example", "testing", 1))
        for n in range(MAX_ORGANISATIONS + 50)
    ]
    built(tmp_path / "site", of("a.example", entries))
    assert len(list((tmp_path / "site/reporters").iterdir())) == MAX_ORGANISATIONS + 1
    assert row_of((tmp_path / "site/reporters.html").read_text(), "others")[3] == "50"
    assert row_of((tmp_path / "site/index.html").read_text(), "a.example")[2] == f"{MAX_ORGANISATIONS + 50}"


def test_days_that_were_not_read_whole_are_told(tmp_path: Path) -> None:
    made = built(tmp_path / "site", DomainReports("a.example", (), {date(2026, 10, 3)}))
    assert made.left_out == ["a.example: not all reports of 1 day could be read"]
    assert "2026-10-03" in (tmp_path / "site/domains/a.example/index.html").read_text()
    assert "not all read" in (tmp_path / "site/index.html").read_text()


def test_entries_of_another_domain_or_time_do_not_count(tmp_path: Path) -> None:
    early = sample.entry("a.example", PERIOD.first - timedelta(days=1), "one.example", "One",
                         sample.sts("a.example", "testing", 5))  # fmt: skip
    other = sample.entry("b.example", sample.LAST, "one.example", "One", sample.sts("b.example", "testing", 5))
    assert built(tmp_path / "site", of("a.example", [early, other])).reports == 0
