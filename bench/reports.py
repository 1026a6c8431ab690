"""`mailtls reports summary` over stored reports, beside the least that any reader must do: open, read, json.loads.

    python bench/reports.py [--reports 100000] [--domains 100]

The reports are ledger entries in a folder, as a copy of the reports bucket has them. Every contestant is a process of
its own, over the same files, one after the other; the peak of its memory is the kernel's count. Memory is flat when it
does not follow the number of reports, so ours runs over a tenth of them as well.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import FailureDetail, PolicyResult, PolicyType, Report, ResultType, report_key

FLOOR = """
import json, os, sys
failed = 0
for here, _, files in os.walk(sys.argv[1]):
    for name in files:
        with open(os.path.join(here, name), "rb") as file:
            entry = json.loads(file.read())
        for row in entry["report"]["policies"]:
            failed += row["summary"]["total-failure-session-count"]
print(failed)
"""
SIGNERS = ("google.com", "microsoft.com", "mail.ru", "web.example", "post.example")
START = datetime(2026, 9, 1, tzinfo=UTC)


def main() -> int:
    """Write the reports, time the contestants, print the table."""
    parser = argparse.ArgumentParser(description="time the summary of stored reports")
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--domains", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole, tenth = Path(folder, "whole"), Path(folder, "tenth")
        failed = write(whole, options.reports, options.domains)
        write(tenth, options.reports // 10, options.domains)
        ours = [sys.executable, "-m", "mailtls.cli", "reports", "summary", "--format", "json"]
        print(f"| {options.reports:,} reports | wall s | CPU s | peak MiB |\n|---|---:|---:|---:|")
        told = run("os.walk, open, json.loads (the floor)", [sys.executable, "-c", FLOOR, str(whole / "reports")])
        if int(told) != failed:
            raise SystemExit("the floor lost sessions")
        for by in ("domain", "mx"):
            told = run(f"mailtls reports summary --by {by}", [*ours, "--by", by, "--store", str(whole)])
            counted = sum(row["failed_sessions"] for row in json.loads(told)["overall"])
            if counted != failed:
                raise SystemExit(f"ours counts {counted:,} failed sessions of {failed:,}")
        run("the same --by domain, a tenth of the reports", [*ours, "--store", str(tenth)])
    return 0


def run(name: str, command: list[str]) -> str:
    """Run it to its end and print its line. Returns what it printed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
    assert process.stdout is not None  # noqa: S101  for the type checker
    told = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{name} ended with {process.returncode}")
    print(f"| {name} | {took:.1f} | {used.ru_utime + used.ru_stime:.1f} | {_mebibytes(used):.0f} |", flush=True)
    return told


def _mebibytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024


def write(folder: Path, reports: int, domains: int) -> int:
    """Ledger entries as the function stores them. Returns the failed sessions in them."""
    chance = random.Random(8460)  # noqa: S311  sample data
    failed = 0
    for number in range(reports):
        domain = f"domain{number % domains:05}.example"
        entry = _entry(domain, number // domains, chance)
        failed += sum(row.total_failure_session_count or 0 for row in entry.report.policies)
        path = folder / report_key(entry.report, domain, entry.signer)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.render())
    return failed


def _entry(domain: str, number: int, chance: random.Random) -> LedgerEntry:
    start = START + timedelta(days=number // len(SIGNERS) % 90)
    signer = SIGNERS[number % len(SIGNERS)]
    kinds = (ResultType.CERTIFICATE_EXPIRED, ResultType.STARTTLS_NOT_SUPPORTED, ResultType.VALIDATION_FAILURE)
    details = tuple(
        FailureDetail(kind, str(kind), f"192.0.2.{chance.randrange(255)}", f"mx{chance.randrange(4)}.{domain}",
                      None, "192.0.2.1", chance.randrange(1, 50))
        for kind in kinds[: chance.randrange(4)]
    )  # fmt: skip
    lines = ("version: STSv1", "mode: testing", f"mx: *.{domain}", "max_age: 604800")
    count = sum(detail.failed_session_count or 0 for detail in details)
    row = PolicyResult(PolicyType.STS, "sts", lines, domain, (f"*.{domain}",), chance.randrange(5000), count, details)
    end = start + timedelta(hours=23, minutes=59, seconds=59)
    report = Report(signer, start, end, f"tlsrpt@{signer}", f"{start:%Y-%m-%d}+{domain}+{number}", (row,))
    return LedgerEntry(domain, f"mail{number}", end + timedelta(hours=3), signer, report)


if __name__ == "__main__":
    sys.exit(main())
