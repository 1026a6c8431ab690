"""The dashboard of 100 domains over 90 days from 20,000 stored reports: seconds, memory, and what a browser has to do.

    python bench/dashboard.py [--domains 100] [--days 90] [--reports 20000]

The command runs as a process of its own, from a folder on disk. The floor is what it takes to read the same files as
JSON and no more. Where Chromium is there, the first page and the page of a domain are drawn in it, three times each;
the best counts. The goals are 20 s, 300 MiB, 200 KB for the first page, and 1 s to draw it.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, Report, ResultType, report_key

SIGNERS = (
    ("google.com", "Google Inc."),
    ("microsoft.com", "Microsoft Corporation"),
    ("mail.ru", "Mail.ru"),
    ("mailhost.example", "mailhost"),
)
ROUNDS = 3
BROWSER_HELP = Path(__file__).parents[1] / "tests" / "command" / "dashboard"


def main() -> int:
    """Make the reports, build, measure, print the table."""
    parser = argparse.ArgumentParser(description="time the dashboard")
    parser.add_argument("--domains", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--days", type=int, default=90, help="how many (default 90)")
    parser.add_argument("--reports", type=int, default=20_000, help="how many in all (default 20,000)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailtls-bench-") as folder:
        store, out = Path(folder, "store"), Path(folder, "out")
        for entry in entries(asked.domains, asked.days, asked.reports):
            file = store / report_key(entry.report, entry.policy_domain, entry.signer)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(entry.render())
        began = time.perf_counter()
        number = sum(1 for file in store.rglob("*.json") if json.loads(file.read_bytes()))
        floor = time.perf_counter() - began
        began = time.perf_counter()
        first = datetime.now(UTC).date() - timedelta(days=asked.days - 1)
        arguments = ["reports", "dashboard", str(out), "--store", str(store), "--from", first.isoformat()]
        subprocess.run([sys.executable, "-m", "mailtls.cli", *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"| {number:,} reports of {asked.domains:,} domains over {asked.days} days | |\n|---|---:|")
        print(f"| reading the files as JSON (the floor) | {floor:.1f} s |")
        print(f"| mailtls reports dashboard | {seconds:.1f} s |")
        print(f"| memory, the most | {memory:.0f} MiB |")
        files = [file for file in out.rglob("*") if file.is_file()]
        print(f"| the site | {len(files):,} files, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB |")
        pages = {
            "the first page": out / "index.html",
            "the page of a domain": out / "domains/domain1.example/index.html",
        }
        for name, page in pages.items():
            print(f"| {name} | {page.stat().st_size / 1000:.0f} KB{drawn(page)} |")
    return 0


def entries(domains: int, days: int, reports: int) -> Iterator[LedgerEntry]:
    """So many reports, spread evenly over domains, days and organisations; one day in twenty is left out, and one
    report in ten tells of failures."""
    chance = random.Random(8460)  # noqa: S311  # the same reports in every run
    today = datetime.now(UTC).date()
    for number in range(reports):
        domain = f"domain{number % domains}.example"
        turn = number // domains
        day = today - timedelta(days=turn % days)
        if day.toordinal() % 20 == 0:
            day -= timedelta(days=1)
        signer, name = SIGNERS[turn // days % len(SIGNERS)]
        start = datetime.combine(day, clock_time(), UTC)
        failed = tuple(
            FailureDetail(kind, str(kind), f"192.0.2.{chance.randrange(250)}", f"mx{chance.randrange(3)}.{domain}",
                          None, "198.51.100.25", chance.randrange(1, 9))
            for kind in chance.sample(list(ResultType), chance.randrange(1, 6))
        ) if number % 10 == 0 else ()  # fmt: skip
        lines = ("version: STSv1", "mode: testing", "max_age: 86400", f"mx: mx0.{domain}", f"mx: mx1.{domain}")
        row = PolicyResult(PolicyType.STS, "sts", lines, domain, (), chance.randrange(10_000),
                           sum(one.failed_session_count or 0 for one in failed), failed)  # fmt: skip
        report = Report(name, start, start + timedelta(days=1), None, f"{number}@{signer}", (row,))
        yield LedgerEntry(domain, f"mail-{number}", start + timedelta(days=1), signer, report)


def drawn(page: Path) -> str:
    """How long a browser takes from the click to the last pixel; "" where there is no browser."""
    sys.path.append(str(BROWSER_HELP))
    from browser import browser, found

    program = found()
    if program is None:
        return ", no Chromium here to draw it"
    best = float("inf")
    with browser(program) as tab:
        tab.screen(1280, 900)
        for _ in range(ROUNDS):
            tab.open(page.as_uri())
            best = min(best, tab.ask("new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
                                     "() => done(performance.now()))))"))  # fmt: skip
    return f", drawn in {best / 1000:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
