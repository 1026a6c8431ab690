"""The whole site, one domain at a time: memory grows with the number of domains and organisations, not with reports."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from importlib import resources

from mailtls.dashboard.causes_seen import CausesSeen
from mailtls.dashboard.domain_list import DomainLine, list_pages, name_pages
from mailtls.dashboard.domain_page import domain_page
from mailtls.dashboard.domain_view import Known, NameHosts, days_of_reporters, domain_view, failures_of_reporters
from mailtls.dashboard.page import Site
from mailtls.dashboard.places import STYLE_SHEET
from mailtls.dashboard.places import domain_page as domain_path
from mailtls.dashboard.raw_reports import RawPages
from mailtls.dashboard.reading import reading_page
from mailtls.dashboard.reporter_pages import Organisation, gather, organisation_page, reporter_list
from mailtls.dashboard.site_folder import SiteFolder
from mailtls.dashboard.words import plural
from mailtls.reports.sender_text import clean
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.totals.facts import who_reported
from mailtls.totals.totals import MAX_ORGANISATIONS, DomainTotals, Totals


@dataclass(slots=True)
class DomainReports:
    """One policy domain and its reports, by day, the oldest first, to be read once.

    unread: filled while they are. told: what else could not be read, a sentence.
    """

    policy_domain: str
    entries: Iterable[LedgerEntry]
    unread: set[date] = field(default_factory=set)
    known: Known = field(default_factory=Known)
    own: OwnDomain | None = None
    told: str = ""


@dataclass(slots=True)
class Built:
    """What was made. open_causes: of all domains. left_out: what could not be read, a sentence each."""

    domains: int = 0
    reports: int = 0
    pages: int = 0
    open_causes: int = 0
    left_out: list[str] = field(default_factory=list)


def build(
    folder: SiteFolder,
    site: Site,
    domains: Iterable[DomainReports],
    done: Callable[[], None] = lambda: None,
    name_hosts: NameHosts = lambda _: {},
) -> Built:
    """Write all pages. done: called after each domain. name_hosts: asked about sending addresses. What reading raises
    comes out, and nothing is left behind."""
    built = Built()
    lines: list[DomainLine] = []
    organisations: dict[str, Organisation] = {}

    def write(page: tuple[str, str]) -> None:
        folder.write(*page)
        built.pages += 1

    for of in domains:
        lines.append(_domain(of, site, organisations, built, write, name_hosts))
        done()
    for page in list_pages(site, lines):
        write(page)
    for page in name_pages(site, [line.policy_domain for line in lines]):
        write(page)
    for page in reporter_list(site, list(organisations.values())):
        write(page)
    for one in organisations.values():
        write(organisation_page(site, one))
    write(("reading.html", reading_page(site)))
    folder.write(STYLE_SHEET, resources.files("mailtls.dashboard").joinpath(STYLE_SHEET).read_text("utf-8"))
    period = {"first": site.period.first.isoformat(), "last": site.period.last.isoformat()}
    folder.mark(site.built, {"period": period, "domains": built.domains, "reports": built.reports})
    return built


def _domain(
    of: DomainReports,
    site: Site,
    organisations: dict[str, Organisation],
    built: Built,
    write: Callable[[tuple[str, str]], None],
    name_hosts: NameHosts,
) -> DomainLine:
    """The pages of one domain, and its line in the list."""
    name = of.policy_domain
    totals, causes, raw = Totals(site.period), CausesSeen(of.own or OwnDomain(name)), RawPages(site, name)
    calls_itself: dict[str, str] = {}
    posted = 0
    for entry in of.entries:
        if entry.policy_domain != name or entry.report.day not in site.period:
            continue
        built.reports += 1
        for page in raw.add(entry):
            write(page)
        if entry.is_posted:  # anybody may have written that one: it is shown, and in no number
            posted += 1
            continue
        totals.add(entry)
        causes.add(entry)
        if (who := who_reported(entry)) in calls_itself or len(calls_itself) < MAX_ORGANISATIONS:
            calls_itself[who] = clean(entry.report.organization_name, 40)
    for page in raw.close():
        write(page)
    sums = totals.domains.get(name, DomainTotals(name))
    view = domain_view(sums, site.period, causes, of.known, calls_itself, of.unread, raw.places, name_hosts, posted)
    write((domain_path(name), domain_page(site, view)))
    gather(organisations, view, days_of_reporters(sums), failures_of_reporters(sums))
    built.domains += 1
    built.open_causes += len(view.causes)
    if of.told:
        built.left_out.append(of.told)
    if view.unread:
        built.left_out.append(f"{name}: not all reports of {plural(len(view.unread), 'day')} could be read")
    return DomainLine.of(view)
