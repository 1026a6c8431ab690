"""Where a message leads: addresses where the stack's settings give them, else paths. Pure."""

from urllib.parse import quote

from mailtls.tls_rpt.contract import OwnDomain

RUNBOOK = "docs/alerts.md"
"""A heading for each word that `runbook` below is given; a test holds the two together."""


def links(own: OwnDomain, *, report: str = "", runbook: str = "") -> dict[str, str]:
    """By name, in the order in which a message shows them. report: address of the newest report. runbook: the heading
    of docs/alerts.md that is meant, "" where there is nothing to do. A team's own runbook stands in for ours."""
    found = {"report": report}
    if runbook:
        found["runbook"] = own.runbook_url or f"{file_of(own, RUNBOOK)}#{runbook}"
    if own.dashboard_url:
        found["dashboard"] = f"{own.dashboard_url}/domains/{own.policy_domain}/index.html"
    found["spec"] = spec_of(own)
    return {name: address for name, address in found.items() if address}


def spec_of(own: OwnDomain) -> str:
    """The file that a person edits to change the domain."""
    return file_of(own, own.spec) if own.spec else f"of {own.policy_domain} in policy_specs/"


def file_of(own: OwnDomain, place: str) -> str:
    """A file of the repository by its address where one is known, else by its path. `, "title"` may follow."""
    path, comma, title = place.partition(", ")
    return f"{own.files_url}/{quote(path)}{comma}{title}" if own.files_url else place
