"""Live rules over what stands beside MTA-STS: DMARC and BIMI. MTA-STS is asked by neither of them."""

from collections.abc import Iterator, Mapping

from mailtls.lint.about import About, Group
from mailtls.lint.findings import Severity
from mailtls.lint.live.case import Case, LiveRule, Said
from mailtls.observed import DnsAnswer, DnsStatus

_MOST_TAGS = 50


def tags(answer: DnsAnswer | None, begins: str) -> Mapping[str, str] | None:
    """The tags of the record that begins with `begins`, names in lower case; None where there is not exactly one."""
    found = [value for value in answer.values if value.startswith(begins)] if answer else []
    if len(found) != 1:
        return None
    pairs = (part.partition("=") for part in found[0].split(";")[:_MOST_TAGS])
    return {name.strip().lower(): value.strip() for name, equals, value in pairs if equals}


def bimi_gaps(dmarc: Mapping[str, str] | None) -> tuple[str, ...]:
    """What of the DMARC record keeps BIMI from working (draft-brand-indicators-for-message-identification)."""
    if dmarc is None:
        return ("there is no DMARC record",)
    gaps = []
    if dmarc.get("p", "").lower() not in ("quarantine", "reject"):
        gaps.append(f"p={dmarc.get('p', '')[:20] or 'none'} is neither quarantine nor reject")
    if dmarc.get("sp", "").lower() == "none":
        gaps.append("sp=none leaves subdomains open")
    if dmarc.get("pct", "100") != "100":
        gaps.append(f"pct={dmarc['pct'][:10]} is not 100")
    if dmarc.get("t", "").lower() == "y":
        gaps.append("t=y marks a test")
    return tuple(gaps)


def _dmarc(case: Case) -> Iterator[Said]:
    answer = case.observed.dmarc
    if answer is None or answer.status is DnsStatus.FAILED or not case.observed.mail_hosts:
        return
    if gaps := bimi_gaps(tags(answer, "v=DMARC1")):
        yield Said(f"DMARC is not ready for BIMI: {'; '.join(gaps)}")


def _bimi(case: Case) -> Iterator[Said]:
    answer = case.observed.bimi
    if answer is None or not any(value.lower().startswith("v=bimi1") for value in answer.values):
        return
    record = tags(answer, "v=BIMI1")
    if record is None:
        yield Said("the BIMI record does not begin with exactly v=BIMI1, or there are several")
    elif record.get("l") and not record["l"].startswith("https://"):
        yield Said("the BIMI record's l= is no https address")
    elif record.get("l") and not record.get("a"):
        yield Said("the BIMI record has no a=: Gmail and Apple Mail show the logo with a certificate alone")


RULES: tuple[LiveRule, ...] = (
    LiveRule(
        About(
            "dmarc-not-bimi-ready",
            Severity.INFO,
            Group.LIVE,
            "Receivers show a BIMI logo only where DMARC quarantines or rejects. MTA-STS plays no part in it.",
            "Set p=quarantine or p=reject, no sp=none, no pct below 100, no t=y.",
            "https://datatracker.ietf.org/doc/draft-brand-indicators-for-message-identification/",
        ),
        _dmarc,
    ),
    LiveRule(
        About(
            "bimi-record-invalid",
            Severity.INFO,
            Group.LIVE,
            "The logo is not shown. MTA-STS plays no part in it.",
            'Write "v=BIMI1; l=https://...svg; a=https://...pem".',
            "https://datatracker.ietf.org/doc/draft-brand-indicators-for-message-identification/",
        ),
        _bimi,
    ),
)
