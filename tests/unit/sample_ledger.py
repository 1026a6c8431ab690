"""A folder with the ledger of some domains, as the function stores it, with all that a page has to show."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, Report, ResultType, report_key

LAST = date(2026, 10, 31)
"""In the past on every machine, so that the command takes it."""
GOOGLE, MICROSOFT, POSTFIX, STRANGER = "google.com", "microsoft.com", "tlsrpt.mailhost.example", "evil.example"
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\u202e\x1b[31m &amp; =cmd|'
"""Markup, a turned line, an escape sequence, an entity, a formula."""


def policy_string(domain: str, mode: str) -> tuple[str, ...]:
    return ("version: STSv1", f"mode: {mode}", "max_age: 86400", f"mx: mx1.{domain}", f"mx: mx2.{domain}")


def entry(domain: str, day: date, signer: str, name: str, *rows: PolicyResult, number: int = 1) -> LedgerEntry:
    """One stored report."""
    start = datetime.combine(day, time(), UTC)
    report = Report(name, start, start + timedelta(hours=23, minutes=59, seconds=59), f"tls@{signer}",
                    f"{day}-{number}@{signer}", rows)  # fmt: skip
    return LedgerEntry(domain, f"mail-{signer}-{day}-{number}", start + timedelta(days=1, hours=3), signer, report)


def sts(domain: str, mode: str, good: int, *failed: FailureDetail) -> PolicyResult:
    total = sum(detail.failed_session_count or 0 for detail in failed)
    mx = (f"mx1.{domain}",)
    return PolicyResult(PolicyType.STS, "sts", policy_string(domain, mode), domain, mx, good, total, failed)


def detail(kind: ResultType, sessions: int, host: str, sending: str = "192.0.2.7", said: str = "") -> FailureDetail:
    return FailureDetail(kind, str(kind), sending, host, None, "198.51.100.25", sessions, said or None, None)


def contoso() -> Iterator[LedgerEntry]:
    """60 days in testing, then enforce; two days without any report; an expired certificate at the end."""
    domain = "contoso.example"
    for ago in range(89, -1, -1):
        day = LAST - timedelta(days=ago)
        if ago in (40, 41):
            continue
        mode = "testing" if ago > 30 else "enforce"
        bad = [detail(ResultType.CERTIFICATE_EXPIRED, 100 + ago, f"mx2.{domain}")] if ago < 4 else []
        yield entry(domain, day, GOOGLE, "Google Inc.", sts(domain, mode, 9000 + 37 * (ago % 7), *bad))
        same = PolicyResult(PolicyType.TLSA, "tlsa", ("3 1 1 ab",), f"mx1.{domain}", (), 700, 0)
        yield entry(domain, day, MICROSOFT, "Microsoft Corporation", sts(domain, mode, 800), same)
        if ago > 30:
            none = PolicyResult(PolicyType.NO_POLICY_FOUND, "no-policy-found", (), domain, (), 40, 0)
            yield entry(domain, day, POSTFIX, "mailhost", none)


def fabrikam() -> Iterator[LedgerEntry]:
    """In testing, with failures of several kinds at several hosts, from IPv6 too."""
    domain = "fabrikam.example"
    for ago in range(30, 0, -1):
        day = LAST - timedelta(days=ago)
        failed = [
            detail(ResultType.STARTTLS_NOT_SUPPORTED, 3, "mx1.fabrikam.example", "2001:db8::7"),
            detail(ResultType.VALIDATION_FAILURE, 1, "mx9.elsewhere.example"),
        ] if ago % 10 == 0 else []  # fmt: skip
        yield entry(domain, day, GOOGLE, "Google Inc.", sts(domain, "testing", 50, *failed))


def hostile() -> Iterator[LedgerEntry]:
    """Every text that a stranger chooses is an attack."""
    domain = "brand01.example"
    row = PolicyResult(
        PolicyType.STS, HOSTILE[:30], (HOSTILE, "mode: enforce"), domain, (HOSTILE,), 5, 7,
        (FailureDetail(ResultType.OTHER, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 7, HOSTILE, HOSTILE),),
    )  # fmt: skip
    good = entry(domain, LAST, "evil.example", HOSTILE, row)
    report = Report(HOSTILE, good.report.start_datetime, good.report.end_datetime, HOSTILE, HOSTILE, (row,), (HOSTILE,))
    yield LedgerEntry(domain, HOSTILE, good.stored_at, STRANGER, report)


def write(root: Path, entries: Iterator[LedgerEntry]) -> None:
    """Store them as the function does."""
    for one in entries:
        file = root / report_key(one.report, one.policy_domain, one.signer)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(one.render())


def versions(root: Path, domain: str) -> None:
    """What was served: testing for long, enforce for the last 30 days."""
    folder = root / "policies" / domain
    folder.mkdir(parents=True)
    listed = []
    for version, mode, ago in (("v1", "testing", 120), ("v2", "enforce", 30)):
        body = "".join(f"{line}\r\n" for line in policy_string(domain, mode))
        (folder / version).write_bytes(body.encode())
        moment = datetime.combine(LAST - timedelta(days=ago), time(9), UTC)
        listed.append({"Key": f"{domain}/.well-known/mta-sts.txt", "VersionId": version, "Size": len(body),
                       "LastModified": moment.isoformat(), "IsLatest": version == "v2"})  # fmt: skip
    (folder / "versions.json").write_text(json.dumps({"Versions": listed}))


def store(root: Path) -> Path:
    """The whole folder."""
    (root / "policies").mkdir(parents=True)
    for entries in (contoso(), fabrikam(), hostile()):
        write(root, entries)
    versions(root, "contoso.example")
    return root
