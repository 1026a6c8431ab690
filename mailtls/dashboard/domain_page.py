"""The page of one policy domain: how it stands, what failed where, who reported, what was served."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from mailtls.dashboard.chart import Band, Sessions, chart
from mailtls.dashboard.page import Column, Site, facts, page, paragraph, section, table
from mailtls.dashboard.places import reporter_page
from mailtls.dashboard.views import DomainView, Failure, SendingHost
from mailtls.dashboard.words import count, days_since, plural, success
from mailtls.html_markup import Markup, foreign, join, link, tag
from mailtls.rollout.evidence import organisation
from mailtls.tls_rpt.failures import explain
from mailtls.tls_rpt.report import PolicyType, ResultType

DEPTH = 2
MAX_ROWS = 200
"""Of one table. What is left out is told."""
SUCCESS = "Success, senders that applied the policy"
NO_HOST = "no host named"
NOT_EXPLAINED = "not explained"

TITLES = {
    PolicyType.STS: "MTA-STS: senders that applied a policy",
    PolicyType.TLSA: "DANE: senders that went by TLSA records",
    PolicyType.NO_POLICY_FOUND: "No policy: senders that found none, or did not look",
    PolicyType.OTHER: "Other: the report names no known kind of policy",
}
NOTES = {
    PolicyType.STS: "Only these sessions say what enforce does, or would do.",
    PolicyType.TLSA: "The same sessions may stand under MTA-STS as well, so the two are never added up.",
    PolicyType.NO_POLICY_FOUND: "Nothing was asked of these sessions, so there is no rate. A Postfix with a plugin "
    "reports so while the policy is in testing; it looks at it in enforce.",
    PolicyType.OTHER: "Told as the reports tell it.",
}


def domain_page(site: Site, view: DomainView) -> str:
    """view: its raw pages lie in the same folder."""
    root = "../" * DEPTH
    body = [
        _standing(site, view),
        _causes(view),
        *(_of_type(view, kind) for kind in PolicyType if view.sessions(kind).total),
        _reporters(site, view, root),
        _sending_hosts(view, root),
        _policies(view),
        _left_out(view),
    ]
    return page(site, view.policy_domain, body, DEPTH, [link(f"{root}index.html", "Domains")])


def _standing(site: Site, view: DomainView) -> Markup:
    sts = view.sessions(PolicyType.STS)
    today, last = site.built.date(), view.last_report
    since = f" for {plural((today - view.mode_since).days, 'day')}, since {view.mode_since}" if view.mode_since else ""
    by_reports = f"{view.mode_by_reports}, as reports say" if view.mode_by_reports else "not known"
    pairs: list[tuple[str, str]] = [
        ("Mode", f"{view.mode}{since}" if view.mode else by_reports),
        (SUCCESS, f"{success(sts.successful, sts.failed)} of {count(sts.total)} sessions"),
        ("Failed", f"{count(sts.failed)} sessions"),
        ("Open causes", count(len(view.causes))),
        ("Days with reports", f"{count(len(view.reports))} of {count(len(tuple(view.period.days())))}"),
        ("Last report is about", f"{last} ({days_since(last, today)})" if last else "none in these days"),
    ]
    if view.posted:
        pairs.append(("By HTTPS, unproven", f"{plural(view.posted, 'report')}, in no number here"))
    if view.owner:
        pairs.append(("Owner", foreign(view.owner)))
    parts = [facts(pairs)]
    step = view.next_step
    if step is not None:
        on = f" Earliest day: {step.on}." if step.on else ""
        parts.append(paragraph(tag("strong", "Next: "), foreign(step.told, 300), f". Waits for: {step.waits}.{on}"))
        parts.append(tag("ul", *(tag("li", foreign(one, 300)) for one in step.details)) if step.details else Markup())
    if not view.reports:
        parts.append(paragraph("No report in this period. That proves neither health nor failure.", class_="bad"))
    return join(parts)


def _causes(view: DomainView) -> Markup:
    if not view.causes:
        return section("Open causes", paragraph("None: no report of the newest days names a failure."))
    rows = (
        (one.what, foreign(one.host) or NO_HOST, count(one.sessions), _day(view, one.first), _day(view, one.last))
        for one in view.causes[:MAX_ROWS]
    )
    columns = [Column("What failed", "wide"), Column("Host", "text"), Column("Sessions", "n")]
    columns += (Column("First seen", "d"), Column("Last seen", "d"))
    more = len(view.causes) - MAX_ROWS
    told = paragraph(f"{count(more)} more causes have fewer failures.") if more > 0 else Markup()
    listed = table("Causes that a report of the newest days names", columns, rows, stacks=True)
    return section("Open causes", listed, told)


def _of_type(view: DomainView, kind: PolicyType) -> Markup:
    rated = kind is not PolicyType.NO_POLICY_FOUND
    sessions = view.sessions_of_days(kind)
    bands = [Band(one.since, one.until or view.period.last, one.mode) for one in view.served if kind is PolicyType.STS]
    drawn = chart(TITLES[kind], tuple(view.period.days()), sessions, rated, bands)
    days = tag("details", tag("summary", "The numbers of each day"), _days(view, kind, sessions, rated))
    failures = [one for one in view.failures if one.policy_type is kind]
    return section(
        TITLES[kind], paragraph(NOTES[kind], class_="soft"), drawn, days, *_failures(kind, failures), id_=kind
    )


def _days(view: DomainView, kind: PolicyType, sessions: Sequence[Sessions | None], rated: bool) -> Markup:
    columns = [Column("Day", "d"), Column("Reports", "n"), Column("Successful", "n"), Column("Failed", "n")]
    columns += [Column("Success", "n")] if rated else []
    return table(f"{kind}: sessions of each day, the newest first", columns, _day_rows(view, sessions, rated))


def _day_rows(view: DomainView, sessions: Sequence[Sessions | None], rated: bool) -> Iterator[Sequence[str]]:
    """A row for each day with reports, and one for each stretch of days without any."""
    by_day = zip(reversed(tuple(view.period.days())), reversed(sessions), strict=True)
    for is_gap, run in groupby(by_day, lambda pair: pair[1] is None):
        days = list(run)
        if is_gap:
            newest, oldest = days[0][0], days[-1][0]
            cells = ["no report", *[""] * (3 if rated else 2)]
            yield (f"{oldest} to {newest}" if len(days) > 1 else f"{newest}", *cells)
            continue
        for day, one in days:
            if one is not None:
                rate = [success(one.successful, one.failed)] if rated else []
                yield (_day(view, day), count(view.reports[day]), count(one.successful), count(one.failed), *rate)


def _failures(kind: PolicyType, failures: Sequence[Failure]) -> Iterator[Markup]:
    """Result types by host, and what each type means."""
    if not failures:
        return
    types = sorted({one.result_type or NOT_EXPLAINED for one in failures})
    hosts: dict[str, dict[str, int]] = {}
    for one in failures:
        hosts.setdefault(one.host, {})[one.result_type or NOT_EXPLAINED] = one.sessions
    ranked = sorted(hosts.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    rows = (
        (foreign(host) or NO_HOST, *(count(found[kind]) if kind in found else "" for kind in types))
        for host, found in ranked[:MAX_ROWS]
    )
    columns = [Column("MX host", "text"), *(Column(kind, "n") for kind in types)]
    yield tag("h3", "How sessions failed, and where")
    yield table(f"{kind}: failed sessions by host and result type", columns, rows)
    if len(ranked) > MAX_ROWS:
        yield paragraph(f"{count(len(ranked) - MAX_ROWS)} more hosts have fewer failures.")
    yield paragraph("The counts of the details may overlap, and differ from the totals of their report: RFC 8460 "
                    "allows both. They are no sums of the table above.", class_="soft")  # fmt: skip
    yield tag("dl", *(join([tag("dt", kind), tag("dd", _meaning(kind))]) for kind in types), class_="meanings")


def _meaning(kind: str) -> str:
    if kind == NOT_EXPLAINED:
        return "The report counts more failed sessions than its details explain."
    return explain(ResultType(kind)).meaning


def _reporters(site: Site, view: DomainView, root: str) -> Markup:
    if not view.reporters:
        return section("Reporting organisations", paragraph("None in this period."))
    today = site.built.date()
    rows = (
        (
            link(f"{root}{reporter_page(one.organisation)}", foreign(one.organisation)),
            foreign(one.calls_itself, 40),
            one.looks,
            *type_cells(one.by_type.get(PolicyType.STS)),
            *type_cells(one.by_type.get(PolicyType.TLSA)),
            count(one.by_type.get(PolicyType.NO_POLICY_FOUND, Sessions()).total),
            days_since(one.last, today),
        )
        for one in view.reporters[:MAX_ROWS]
    )
    columns = reporter_columns("Organisation", "Calls itself")
    told = table("Who reported, by the domain whose signature was verified", columns, rows, stacks=True)
    more = len(view.reporters) - MAX_ROWS
    return section("Reporting organisations", told, paragraph(f"{count(more)} more.") if more > 0 else Markup())


def reporter_columns(*first: str) -> list[Column]:
    """Of a table whose rows hold numbers of each policy type beside each other."""
    return [
        *(Column(name, "text") for name in first),
        Column("Habit", "d"),
        Column("MTA-STS sessions", "n"),
        Column("MTA-STS success", "n"),
        Column("DANE sessions", "n"),
        Column("DANE success", "n"),
        Column("No policy found", "n"),
        Column("Last report", "d"),
    ]


def type_cells(sessions: Sessions | None) -> tuple[str, str]:
    """Sessions and their success rate."""
    if sessions is None:
        return "", ""
    return count(sessions.total), success(sessions.successful, sessions.failed)


def _sending_hosts(view: DomainView, root: str) -> Markup:
    if not view.sending_hosts:
        return section("Sending hosts", paragraph("No report names an address that failed sessions came from."))
    rows = (
        (foreign(one.address), link(f"{root}{reporter_page(one.organisation)}", foreign(one.organisation)),
         _network_owner(one), count(one.sessions), _day(view, one.last))
        for one in view.sending_hosts[:MAX_ROWS]
    )  # fmt: skip
    columns = [Column("Address"), Column("Reported by"), Column("Network owner", "text")]
    columns += [Column("Failed sessions", "n"), Column("Last seen", "d")]
    note = paragraph(
        "Reports name addresses only for sessions that failed. An address should belong to who reports it. Its owner "
        "is told where reverse DNS was asked, and the name that it gave has the address.",
        class_="soft",
    )
    more = len(view.sending_hosts) - MAX_ROWS
    told = paragraph(f"{count(more)} more addresses have fewer failures.") if more > 0 else Markup()
    return section(
        "Sending hosts", table("Addresses that failed sessions came from", columns, rows, stacks=True), told, note
    )


def _network_owner(one: SendingHost) -> str:
    """By the name that DNS proves."""
    return f"{organisation(one.host)} ({one.host})" if one.host else "unknown"


def _policies(view: DomainView) -> Markup:
    parts = []
    if view.served:
        columns = [
            Column("Mode"),
            Column("Served since", "d"),
            Column("Until", "d"),
            Column("id"),
            Column("max_age"),
            Column("mx", "wide"),
        ]
        rows = (
            (one.mode, f"{one.since}", f"{one.until}" if one.until else "now", one.policy_id, f"{count(one.max_age)} s",
             ", ".join(one.mx[:20]) + (f" and {len(one.mx) - 20} more" if len(one.mx) > 20 else ""))
            for one in view.served[:MAX_ROWS]
        )  # fmt: skip
        parts.append(table("What senders could fetch, the newest first", columns, rows, stacks=True))
    if view.named:
        columns = [*map(Column, ("Mode", "Digest of the policy")), Column("First", "d"), Column("Last", "d")]
        columns += [Column("Sessions", "n"), Column("Success", "n")]
        rows = (
            (one.mode or "not told", one.digits, _day(view, one.first), _day(view, one.last), *type_cells(one.sessions))
            for one in view.named[:MAX_ROWS]
        )
        parts.append(table("Which policies reports say that senders applied", columns, rows, stacks=True))
    return section("Policies", *parts) if parts else Markup()


def _left_out(view: DomainView) -> Markup:
    told = list(view.left_out)
    if view.unread:
        days = ", ".join(day.isoformat() for day in view.unread[:20])
        more = f" and {len(view.unread) - 20} more" if len(view.unread) > 20 else ""
        told.append(f"Not all reports of these days could be read, so they count less than there was: {days}{more}.")
    return section("What is missing here", tag("ul", *(tag("li", one) for one in told))) if told else Markup()


def _day(view: DomainView, day: date) -> str:
    """The day, as a link to its reports where it has any."""
    href = view.raw.get(day)
    return link(href, day.isoformat()) if href else day.isoformat()
