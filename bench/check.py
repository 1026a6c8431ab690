"""How fast a thousand live domains are checked, beside a floor and a peer that ask the same.

    python bench/check.py [--domains 1000]

Then one domain, cold: a whole new process beside the slowest chain of its questions (address, connection, TLS, page),
timed in a process that runs already.

Everybody asks TXT at `_mta-sts` and `_smtp._tls` and fetches the policy, from the same local servers, in one run: once
with 15 ms before each DNS answer and 40 ms before each page, once without. Ratios hold from machine to machine; rates
do not. Needs the right to listen on port 443 (root), because the peers know no other.
"""

import argparse
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.engine.environments import environment

INTERNET = Path(__file__).parent / "internet"
OUTSIDERS = Path(__file__).parents[1] / "sandbox" / "outsiders" / "requirements.txt"
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
ROUNDS = 3
"""The best of these counts: the others were disturbed."""


def main() -> int:
    """Time the contestants, print a table for each kind of network."""
    parser = argparse.ArgumentParser(description="time live checks")
    parser.add_argument("--domains", type=int, default=1000)
    options = parser.parse_args()
    peer = str(environment("outsiders", OUTSIDERS))
    for title, waits in (("15 ms DNS, 40 ms HTTPS", ("15", "40")), ("no latency", ("0", "0"))):
        with _internet(options.domains, *waits) as (port, environ):
            _table(title, port, environ, peer, options.domains)
            _cold(title, port, environ)
    return 0


def _cold(title: str, port: str, environ: dict[str, str]) -> None:
    """The command on one domain, and what it cannot be faster than."""
    command = [sys.executable, "-m", "mailtls.cli", "check", "--allow-private", "--resolver", f"127.0.0.1:{port}"]
    whole = []
    for number in range(7):
        began = time.perf_counter()
        subprocess.run([*command, f"d{number:04}.example"], env=environ, capture_output=True, check=True)
        whole.append(time.perf_counter() - began)
    chain = subprocess.run(
        [sys.executable, str(INTERNET / "chain.py"), port], env=environ, capture_output=True, text=True, check=True
    )
    slowest, cold = float(chain.stdout), statistics.median(whole)
    print(f"\n| one domain, {title} | ms |\n|---|---:|")
    print(f"| its slowest chain of questions | {1000 * slowest:,.0f} |")
    print(f"| `mailtls check`, a new process | {1000 * cold:,.0f} ({cold / slowest:.1f} times) |")


def _table(title: str, port: str, environ: dict[str, str], peer: str, count: int) -> None:
    few, some = max(10, count // 50), max(50, count // 4)
    runs = {
        "dnspython + httpx, 50 at once (the floor)": (sys.executable, "floor.py", (), count, ROUNDS),
        "mailtls, the same questions": (sys.executable, "ours.py", (), count, ROUNDS),
        "mailtls, all questions of a check": (sys.executable, "ours.py", ("--all",), count, 1),
        "checkdmarc as it comes": (peer, "checkdmarc_peer.py", ("1",), few, 1),
        "checkdmarc in 50 threads": (peer, "checkdmarc_peer.py", ("50",), some, 1),
    }
    rates = {
        name: max(_rate(python, script, port, extra, number, environ) for _ in range(rounds))
        for name, (python, script, extra, number, rounds) in runs.items()
    }
    floor = next(iter(rates.values()))
    ours = rates["mailtls, the same questions"]
    print(f"\n| {count:,} domains, {title} | domains/s | of the floor | mailtls is |\n|---|---:|---:|---:|")
    for name, rate in rates.items():
        print(f"| {name} | {rate:,.0f} | {rate / floor:.2f} | {ours / rate:.1f} times as fast |")


def _rate(python: str, script: str, port: str, extra: tuple[str, ...], count: int, environ: dict[str, str]) -> float:
    domains = [f"d{number:04}.example" for number in range(count)]
    run = subprocess.run(
        [python, str(INTERNET / script), port, *extra, *domains],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"{script} failed:\n{run.stderr[-2000:]}")
    return count / float(run.stdout)


@contextmanager
def _internet(domains: int, dns_ms: str, https_ms: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The servers' DNS port, and the environment that trusts them."""
    with tempfile.TemporaryDirectory() as folder:
        ca = Path(folder) / "ca.pem"
        command = [sys.executable, str(INTERNET / "serve.py"), "--domains", str(domains), "--ca", str(ca)]
        command += ["--dns-ms", dns_ms, "--https-ms", https_ms]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as servers:
            assert servers.stdout is not None  # noqa: S101  asked for above
            assert servers.stdin is not None  # noqa: S101
            port = servers.stdout.readline().strip()
            if not port:
                raise SystemExit("the servers did not start; may this user listen on port 443?")
            repository = str(Path(__file__).parents[1])
            bundle = (
                Path(folder) / "bundle.pem"
            )  # as large as it is everywhere: who loads it anew each time, pays for it
            usual = Path(ssl.get_default_verify_paths().cafile or SYSTEM_BUNDLE)
            bundle.write_bytes(usual.read_bytes() + ca.read_bytes())
            trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(bundle))
            yield port, {**os.environ, **trust, "PYTHONPATH": repository}
            servers.stdin.close()


if __name__ == "__main__":
    sys.exit(main())
