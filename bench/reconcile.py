"""How long `mailtls reconcile` takes for a thousand domains, and how much memory: a whole process, store and all.

    python bench/reconcile.py [--domains 1000]

The domains are those of bench/internet (enforce, one MX), with 15 ms before each DNS answer and 40 ms before each page.
The store is a folder: one policy version and thirty days of reports from two organisations for each. Memory is the
peak of the process; for a tenth of the domains it is told beside, so that what grows can be seen. Needs the right to
listen on port 443 (root).
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailtls.tls_rpt.contract import policy_key
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import PolicyResult, PolicyType, Report, report_key

HERE = Path(__file__).parent
DAY = datetime.timedelta(days=1)
REPORT_DAYS = 30
SIGNERS = ("google.com", "mail.ru")
WEEK = 604800


def main() -> int:
    """Time a run over all domains and one over a tenth of them."""
    parser = argparse.ArgumentParser(description="time mailtls reconcile")
    parser.add_argument("--domains", type=int, default=1000)
    count = parser.parse_args().domains
    names = [f"d{number:04}.example" for number in range(count)]
    with tempfile.TemporaryDirectory() as folder, internet(count, Path(folder)) as (port, environ):
        print("| domains | seconds | peak memory, MiB |\n|---:|---:|---:|")
        for some in (names[: count // 10], names):
            place = Path(folder) / str(len(some))
            for name in some:
                write(place, name)
            seconds, peak = run(place, port, environ, len(some))
            print(f"| {len(some):,} | {seconds:.1f} | {peak:.0f} |", flush=True)
    return 0


def run(place: Path, port: str, environ: dict[str, str], count: int) -> tuple[float, float]:
    """Seconds, and MiB at the peak. Raises SystemExit where not every domain was decided."""
    command = [sys.executable, "-m", "mailtls.cli", "reconcile", "--specs", str(place / "specs"), "--format", "json"]
    command += ["--store", str(place / "store"), "--resolver", f"127.0.0.1:{port}", "--allow-private"]
    began = time.perf_counter()
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out, err = process.stdout, process.stderr
        text = out.read() if out else b""
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        told = err.read().decode(errors="replace") if err else ""
    if process.returncode not in (0, 1):
        raise SystemExit(f"mailtls reconcile ended with {process.returncode}:\n{told[-1000:]}{text[-1000:].decode()}")
    counts = json.loads(text)["counts"]
    if sum(counts.values()) - counts["concerns"] != count or counts["failed"] or counts["undecided"]:
        raise SystemExit(f"not every domain was decided: {counts}")
    return seconds, used.ru_maxrss / 1024


def write(place: Path, domain: str) -> None:
    """Spec, policy version, and reports of one domain."""
    body = f"version: STSv1\r\nmode: enforce\r\nmx: mx.{domain}\r\nmax_age: {WEEK}\r\n"
    now = datetime.datetime.now(datetime.UTC)
    spec = f"policy_domain: {domain}\nmta_sts: {{mode: enforce, mx: [mx.{domain}], max_age: {WEEK}}}\n"
    _write(place / "specs" / f"{domain}.yaml", spec.encode())
    folder = place / "store" / "policies" / domain
    _write(folder / "null", body.encode())
    version = {"Key": policy_key(domain), "VersionId": "null", "IsLatest": True, "Size": len(body)}
    version["LastModified"] = (now - 2 * REPORT_DAYS * DAY).isoformat()
    _write(folder / "versions.json", json.dumps({"Versions": [version]}).encode())
    lines = tuple(body.split("\r\n")[:-1])
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(1, REPORT_DAYS + 1):
        for signer in SIGNERS:
            row = PolicyResult(PolicyType.STS, "sts", lines, domain, (), 40, 0, ())
            start = midnight - back * DAY
            report = Report(signer, start, start + DAY, None, f"{signer}-{back}", (row,))
            entry = LedgerEntry(domain, "mail", midnight, signer, report)
            _write(place / "store" / report_key(report, domain, signer), entry.render())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@contextmanager
def internet(domains: int, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The servers' DNS port, and the environment that trusts them."""
    ca = folder / "ca.pem"
    command = [sys.executable, str(HERE / "internet" / "serve.py"), "--domains", str(domains), "--ca", str(ca)]
    command += ["--dns-ms", "15", "--https-ms", "40"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as servers:
        port = servers.stdout.readline().strip() if servers.stdout else ""
        if not port:
            raise SystemExit("the servers did not start; may this user listen on port 443?")
        yield port, {**os.environ, "SSL_CERT_FILE": str(ca), "PYTHONPATH": str(HERE.parent)}
        if servers.stdin:
            servers.stdin.close()


if __name__ == "__main__":
    sys.exit(main())
