"""The reports behind the numbers of one domain: some days on each page, every report with what it says.

paging = RawPages(site, "contoso.example")
for entry in entries: yield from paging.add(entry)       # by day, oldest first
yield from paging.close();  paging.places                # day -> page
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice

from mailtls.dashboard.page import Column, Site, facts, page, paragraph, section, table
from mailtls.dashboard.places import domain_folder, reports_page
from mailtls.dashboard.words import count, plural
from mailtls.html_markup import Markup, foreign, join, link, tag
from mailtls.reports.bucket_layout import ledger_day, posted_key
from mailtls.tls_rpt.contract import Prefix
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, report_key
from mailtls.totals.facts import UNPROVEN

DEPTH = 2
MAX_REPORTS = 200
"""On a page, but for the last day on it, which is there whole."""
MAX_DETAILS = 25
"""Of one row of a report. The ledger entry has all of them."""
MAX_ROWS = 20
"""Policies of one report."""
MAX_PAGE = 4 * 1024 * 1024
"""Characters after which a day's further reports are told by number alone: a sender chooses how much a report says."""


class RawPages:
    """Takes the entries of one domain by day; holds one page at a time."""

    def __init__(self, site: Site, policy_domain: str) -> None:
        self._site = site
        self._domain = policy_domain
        self._days: list[tuple[date, list[Markup]]] = []
        self._held = 0
        self._size = 0
        self._left_out: dict[date, int] = {}
        self.places: dict[date, str] = {}

    def add(self, entry: LedgerEntry) -> Iterator[tuple[str, str]]:
        """A page, path and text, whenever one is full."""
        day = entry.report.day
        if not self._days or self._days[-1][0] != day:
            if self._held >= MAX_REPORTS or self._size >= MAX_PAGE:
                yield self._write()
            self._days.append((day, []))
        self._held += 1
        if self._size >= MAX_PAGE:
            self._left_out[day] = self._left_out.get(day, 0) + 1
            return
        told = _report(self._domain, entry)
        self._size += len(told)
        self._days[-1][1].append(told)

    def close(self) -> Iterator[tuple[str, str]]:
        """The last page, if there is any."""
        if self._days:
            yield self._write()

    def _write(self) -> tuple[str, str]:
        days = self._days
        name = reports_page(days[0][0])
        for day, _ in days:
            self.places[day] = f"{name}#d{day.isoformat()}"
        until = f" to {days[-1][0]}" if len(days) > 1 else ""
        title = f"{self._domain}: reports of {days[0][0]}{until}"
        body = [
            paragraph("Every report as it is stored, in its sender's own words. Texts are cut; the stored report has "
                      "all of them.", class_="soft"),
            tag("nav", *(link(f"#d{day}", f"{day}") for day, _ in days), class_="letters", aria_label="Days"),
            *(self._of_day(day, reports) for day, reports in days),
        ]  # fmt: skip
        trail = [link("../../index.html", "Domains"), link("index.html", self._domain)]
        self._days, self._held, self._size, self._left_out = [], 0, 0, {}
        return f"{domain_folder(self._domain)}/{name}", page(self._site, title, body, DEPTH, trail)

    def _of_day(self, day: date, reports: Sequence[Markup]) -> Markup:
        left = self._left_out.get(day, 0)
        told = (
            paragraph(f"{count(left)} more reports of this day lie under {ledger_day(self._domain, day)}.")
            if left
            else Markup()
        )
        return section(f"{day}: {plural(len(reports) + left, 'report')}", *reports, told, id_=f"d{day}")


def _report(policy_domain: str, entry: LedgerEntry) -> Markup:
    report = entry.report
    key = report_key(report, policy_domain, entry.signer)
    about = facts(
        [
            ("Signed by", "nobody: it came by HTTPS POST" if entry.is_posted else foreign(entry.signer, 120)),
            ("Period", f"{report.start_datetime:%Y-%m-%d %H:%M} to {report.end_datetime:%Y-%m-%d %H:%M} UTC"),
            ("Contact", foreign(report.contact_info, 120) or "none"),
            ("Stored", f"{entry.stored_at:%Y-%m-%d %H:%M} UTC"),
            ("Stored report", foreign(posted_key(key) if entry.is_posted else key, 400)),
            ("Mail", foreign(f"{Prefix.RAW}{entry.mail}", 300)),
        ]
    )
    rows = [_row(row) for row in islice(report.policies, MAX_ROWS)]
    if (more := len(report.policies) - MAX_ROWS) > 0:
        rows.append(paragraph(f"{count(more)} more policies."))
    notes = tag("ul", *(tag("li", foreign(note, 200)) for note in report.notes[:10])) if report.notes else Markup()
    name = foreign(report.organization_name, 80) or "no name"
    said = (name, UNPROVEN if entry.is_posted else "", ": report ", foreign(report.report_id, 120) or "without an id")
    return tag("article", tag("h3", *said), about, *rows, notes)


def _row(row: PolicyResult) -> Markup:
    said = "; ".join(row.policy_string[:20]) or "no policy told"
    good, bad = _number(row.total_successful_session_count), _number(row.total_failure_session_count)
    kind = tag("strong", foreign(row.policy_type_text, 30) or row.policy_type)
    told = tag("p", kind, f": {good} successful, {bad} failed sessions. ", foreign(said, 300))
    if not row.failure_details:
        return told
    columns = [Column("Result type"), Column("Failed", "n")]
    columns += [
        *(Column(name, "text") for name in ("MX host", "MX address", "Sending address")),
        Column("Said", "wide"),
    ]
    rows = (_detail(detail) for detail in row.failure_details[:MAX_DETAILS])
    more = len(row.failure_details) - MAX_DETAILS
    told_more = paragraph(f"{count(more)} more failure-details.") if more > 0 else Markup()
    return join([told, table(f"Failures, {row.policy_type}", columns, rows, stacks=True), told_more])


def _detail(detail: FailureDetail) -> tuple[str, ...]:
    said = " ".join(filter(None, (detail.failure_reason_code, detail.additional_information)))
    return (
        foreign(detail.result_type_text, 40) or detail.result_type,
        _number(detail.failed_session_count),
        foreign(detail.receiving_mx_hostname, 120),
        foreign(detail.receiving_ip, 60),
        foreign(detail.sending_mta_ip, 60),
        foreign(said, 200),
    )


def _number(number: int | None) -> str:
    return "not told" if number is None else count(number)
