"""The reporting organisations: all of them as a list, and one page each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from mailtls.dashboard.chart import Sessions, chart
from mailtls.dashboard.domain_page import NOT_EXPLAINED, TITLES, reporter_columns, type_cells
from mailtls.dashboard.page import Column, Site, facts, page, paragraph, section, steps, table
from mailtls.dashboard.places import domain_page, numbered, reporter_page
from mailtls.dashboard.views import DomainView, Reporter
from mailtls.dashboard.words import count, days_since, success
from mailtls.html_markup import Markup, foreign, link, tag
from mailtls.tls_rpt.report import PolicyType, ResultType

PER_PAGE = 100
MAX_ORGANISATIONS = 2000
"""With a page of their own: anybody who owns a domain can sign reports under thousands."""
MAX_DOMAINS = 500
"""On the page of one organisation; those with most failures first."""


@dataclass(slots=True)
class Organisation:
    """One organisation over all domains. days: by policy type. failures: failed sessions by result type."""

    name: str
    calls_itself: str = ""
    reports: int = 0
    last: date = date.min
    days: dict[PolicyType, dict[date, Sessions]] = field(default_factory=dict)
    reported: set[date] = field(default_factory=set)
    domains: dict[str, dict[PolicyType, Sessions]] = field(default_factory=dict)
    failures: dict[tuple[PolicyType, ResultType | None], int] = field(default_factory=dict)

    def sessions(self, policy_type: PolicyType) -> Sessions:
        return sum(self.days.get(policy_type, {}).values(), Sessions())

    @property
    def as_reporter(self) -> Reporter:
        by_type = {kind: self.sessions(kind) for kind in self.days}
        return Reporter(self.name, self.calls_itself, by_type, self.reports, self.last)


def reporter_list(site: Site, organisations: Sequence[Organisation]) -> Iterator[tuple[str, str]]:
    """Paths and texts: the list, most MTA-STS sessions first."""
    ranked = sorted(organisations, key=lambda one: (-one.sessions(PolicyType.STS).total, one.name))
    pieces = [ranked[at : at + PER_PAGE] for at in range(0, len(ranked), PER_PAGE)] or [[]]
    hrefs = [numbered("reporters", number) for number in range(len(pieces))]
    columns = [*reporter_columns("Organisation", "Calls itself"), Column("Domains", "n")]
    told = paragraph("Known by the domain whose signature was verified. Nobody else says who sent a report.")
    for here, piece in enumerate(pieces):
        rows = (_line(site, one) for one in piece)
        listed = table("Organisations, and the sessions that they report", columns, rows, stacks=True)
        body = [told, steps(hrefs, here, "page"), listed if piece else paragraph("None in this period.")]
        yield hrefs[here], page(site, "Reporting organisations", body)


def organisation_page(site: Site, one: Organisation) -> tuple[str, str]:
    """Path and text."""
    root = "../"
    reporter = one.as_reporter
    about = facts(
        [
            ("Calls itself", foreign(one.calls_itself, 80) or "nothing"),
            ("Habit", reporter.looks),
            ("Reports", count(one.reports)),
            ("Last report is about", f"{one.last} ({days_since(one.last, site.built.date())})"),
            ("Domains", count(len(one.domains))),
        ]
    )
    charts = [_of_type(site, one, kind) for kind in PolicyType if one.sessions(kind).total]
    body = [about, *charts, _domains(one, root), _failures(one)]
    trail = [link(f"{root}reporters.html", "Reporting organisations")]
    return reporter_page(one.name), page(site, one.name, body, 1, trail)


def _of_type(site: Site, one: Organisation, kind: PolicyType) -> Markup:
    days = tuple(site.period.days())
    of_kind = one.days[kind]
    sessions = [of_kind.get(day, Sessions()) if day in one.reported else None for day in days]
    drawn = chart(TITLES[kind], days, sessions, kind is not PolicyType.NO_POLICY_FOUND)
    return section(TITLES[kind], drawn, _day_table(one, kind), id_=kind)


def _line(site: Site, one: Organisation) -> tuple[str, ...]:
    reporter = one.as_reporter
    return (
        link(reporter_page(one.name), foreign(one.name)),
        foreign(one.calls_itself, 40),
        reporter.looks,
        *type_cells(reporter.by_type.get(PolicyType.STS)),
        *type_cells(reporter.by_type.get(PolicyType.TLSA)),
        count(one.sessions(PolicyType.NO_POLICY_FOUND).total),
        days_since(one.last, site.built.date()),
        count(len(one.domains)),
    )


def _day_table(one: Organisation, kind: PolicyType) -> Markup:
    columns = [Column("Day"), Column("Successful", "n"), Column("Failed", "n"), Column("Success", "n")]
    rows = (
        (f"{day}", count(sessions.successful), count(sessions.failed), success(sessions.successful, sessions.failed))
        for day, sessions in sorted(one.days[kind].items(), reverse=True)
    )
    return tag(
        "details", tag("summary", "The numbers of each day"), table(f"{kind}: sessions of each day", columns, rows)
    )


def _domains(one: Organisation, root: str) -> Markup:
    ranked = sorted(one.domains.items(), key=lambda item: (-_of(item[1], PolicyType.STS).failed, item[0]))
    rows = (
        (link(f"{root}{domain_page(name)}", name), *type_cells(by_type.get(PolicyType.STS)),
         *type_cells(by_type.get(PolicyType.TLSA)), count(_of(by_type, PolicyType.NO_POLICY_FOUND).total))
        for name, by_type in ranked[:MAX_DOMAINS]
    )  # fmt: skip
    columns = [Column("Domain"), *(column for column in reporter_columns() if column.kind == "n")]
    more = len(ranked) - MAX_DOMAINS
    told = paragraph(f"{count(more)} more domains.") if more > 0 else Markup()
    return section("Domains", table("What it reports about each domain", columns, rows, stacks=True), told)


def _of(by_type: Mapping[PolicyType, Sessions], kind: PolicyType) -> Sessions:
    return by_type.get(kind, Sessions())


def _failures(one: Organisation) -> Markup:
    if not one.failures:
        return section("How sessions failed", paragraph("No failure in this period."))
    told = {(result_type or NOT_EXPLAINED, kind): failed for (kind, result_type), failed in one.failures.items()}
    ranked = sorted(told.items(), key=lambda item: (-item[1], item[0]))
    rows = ((result_type, kind, count(failed)) for (result_type, kind), failed in ranked)
    columns = [Column("Result type"), Column("Policy type"), Column("Failed sessions", "n")]
    return section("How sessions failed", table("Failed sessions by result type, over all domains", columns, rows))


def gather(
    organisations: dict[str, Organisation],
    view: DomainView,
    by_day: Iterable["DayOfReporter"],
    failures: Iterable["FailuresOfReporter"],
) -> None:
    """Add what `view` says. Organisations beyond MAX_ORGANISATIONS are left out; the domains' own pages have them."""
    for reporter in view.reporters:
        if reporter.organisation not in organisations and len(organisations) >= MAX_ORGANISATIONS:
            continue
        one = organisations.setdefault(reporter.organisation, Organisation(reporter.organisation))
        one.reports += reporter.reports
        if reporter.last >= one.last:
            one.last, one.calls_itself = reporter.last, reporter.calls_itself
        one.domains[view.policy_domain] = dict(reporter.by_type)
    for line in by_day:
        if (found := organisations.get(line.organisation)) is not None:
            found.reported.add(line.day)
            of_kind = found.days.setdefault(line.policy_type, {})
            of_kind[line.day] = of_kind.get(line.day, Sessions()) + line.sessions
    for failure in failures:
        if (found := organisations.get(failure.organisation)) is not None:
            key = (failure.policy_type, failure.result_type)
            found.failures[key] = found.failures.get(key, 0) + failure.failed


@dataclass(frozen=True, slots=True)
class DayOfReporter:
    """What one organisation reports about a domain and a day, of one policy type."""

    organisation: str
    day: date
    policy_type: PolicyType
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class FailuresOfReporter:
    """Failed sessions of one way to fail that one organisation reports about a domain."""

    organisation: str
    policy_type: PolicyType
    result_type: ResultType | None
    failed: int
