"""The page that says what the numbers are and are not."""

from mailtls.dashboard.domain_page import NOTES, TITLES
from mailtls.dashboard.page import Site, page, paragraph, section
from mailtls.dashboard.views import Looks
from mailtls.html_markup import join, tag
from mailtls.tls_rpt.failures import explain
from mailtls.tls_rpt.report import ResultType

_LOOKS = {
    Looks.ALWAYS: "Its sessions stand under an MTA-STS policy: they say what enforce does or would do.",
    Looks.SOMETIMES: "Some of its sessions stand under a policy and some under none.",
    Looks.NO: "Its sessions stand under no policy. They speak neither for nor against enforce.",
    Looks.DANE: "Its sessions went by TLSA records.",
}


def reading_page(site: Site) -> str:
    """How to read the dashboard."""
    body = [
        section(
            "Where the numbers come from",
            paragraph("Senders write one report a day (TLS-RPT, RFC 8460). A report counts sessions: connections to an "
                      "MX. Every rate here is failed or successful sessions by all sessions, never by reports."),
            paragraph("A day without a report is a gap. It is neither 0 % nor 100 %: few senders write reports, small "
                      "ones not every day, and each is about a day late."),
            paragraph("Rates are cut, not rounded: 99.999 % is written as 99.99 %."),
        ),
        section(
            "Policy types stand apart",
            paragraph("One session may be counted under MTA-STS and under DANE, so the types are never added up."),
            tag("dl", *(join([tag("dt", TITLES[kind]), tag("dd", NOTES[kind])]) for kind in TITLES)),
        ),
        section(
            "Senders that look at policies",
            paragraph("What the sessions of an organisation stand under shows whether it looks at MTA-STS policies:"),
            tag("dl", *(join([tag("dt", looks), tag("dd", told)]) for looks, told in _LOOKS.items())),
        ),
        section(
            "What a report does not prove",
            paragraph("Anybody can sign a report about any domain. An organisation is named by the domain whose "
                      "signature was verified; all other words are the sender's own."),
            paragraph("Successful sessions are counted for a policy and not for an MX host, so there is no "
                      "success rate of a host."),
            paragraph("A sending address is named by reverse DNS where that was asked for (--resolve) and the name "
                      "leads back to the address; else its owner is unknown."),
        ),
        section(
            "How sessions fail",
            tag("dl", *(join([tag("dt", kind), tag("dd", explain(kind).meaning)]) for kind in ResultType)),
        ),
    ]  # fmt: skip
    return page(site, "How to read this", body)
