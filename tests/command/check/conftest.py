"""An internet on loopback with good, bad and hostile domains. The servers are those that the judges ask."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).parents[1]
sys.path[:0] = [str(BESIDE / "judges"), str(BESIDE / "looks")]

from local_internet import Certificates, Internet, PolicyServer  # noqa: E402  beside the judges' cases

POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: mx1.{domain}\r\nmax_age: 604800\r\n"


def http(body: bytes, content_type: str = "text/plain", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {size}\r\n\r\n".encode() + body


def records(domain: str) -> dict[tuple[str, str], list[str]]:
    """A domain that publishes MTA-STS, with one MX."""
    return {
        (f"_mta-sts.{domain}", "TXT"): ['"v=STSv1; id=20261130;"'],
        (f"_smtp._tls.{domain}", "TXT"): ['"v=TLSRPTv1; rua=mailto:reports@example.org"'],
        (f"mta-sts.{domain}", "A"): ["127.0.0.1"],
        (f"mta-sts.{domain}", "AAAA"): ["::1"],
        (domain, "MX"): [f"10 mx1.{domain}."],
        (f"mx1.{domain}", "A"): ["127.0.0.1"],
        (f"_dmarc.{domain}", "TXT"): ['"v=DMARC1; p=reject"'],
    }


def _trickle(context: Any) -> Callable[[Any], None]:
    """A server that sends one octet now and then, and never ends."""

    def handle(connection: Any) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(http(b"", length=60000))
            for _ in range(400):
                secured.sendall(b"x")
                time.sleep(0.05)

    return handle


def _flood(context: Any) -> Callable[[Any], None]:
    """A server that sends 64 MB, as fast as they are taken."""

    def handle(connection: Any) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(http(b"", length=64 << 20))
            for _ in range(1024):
                secured.sendall(bytes(65536))

    return handle


@dataclass(frozen=True)
class Checker:
    """Runs the command on the internet."""

    internet: Internet
    ca: Path

    def __call__(self, *arguments: str, private: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        ways = ["--resolver", self.internet.dns, "--proxy", self.internet.proxy]
        ways += ["--allow-private"] if private else []
        environ = {**os.environ, "SSL_CERT_FILE": str(self.ca), **options.pop("env", {})}
        return subprocess.run(
            [sys.executable, "-m", "mailtls.cli", *arguments, *ways],
            capture_output=True, text=True, timeout=60, env=environ, check=False, **options,
        )  # fmt: skip


@pytest.fixture(scope="session")
def mailtls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    certificates = Certificates()
    ca = tmp_path_factory.mktemp("check") / "ca.pem"
    certificates.trusted.cert_pem.write_to_path(str(ca))
    zone: dict[tuple[str, str], list[str]] = {}
    handlers: dict[str, Callable[[Any], None]] = {}

    def publish(domain: str, body: bytes | None = None, mode: str = "enforce") -> None:
        zone.update(records(domain))
        text = POLICY.format(mode=mode, domain=domain).encode() if body is None else body
        host = f"mta-sts.{domain}"
        handlers[host] = PolicyServer(certificates.good(host), http(text)).handle

    for name in ("good.example", "alias.example", "uncovered.example"):
        publish(name)
    publish("testing.example", mode="testing")
    for number in range(500):
        zone[f"many{number:03}.example", "MX"] = [f"10 mx1.many{number:03}.example."]
    zone["uncovered.example", "MX"] = ["10 mx1.uncovered.example.", "20 mx2.elsewhere.example."]
    del zone["mta-sts.alias.example", "AAAA"]
    zone["mta-sts.alias.example", "CNAME"] = ["edge.example."]
    zone["edge.example", "A"] = zone.pop(("mta-sts.alias.example", "A"))
    for hostile in ("flood.example", "trickle.example", "loop.example", "crowd.example", "escape.example"):
        publish(hostile)
    handlers["mta-sts.flood.example"] = _flood(certificates.good("mta-sts.flood.example"))
    handlers["mta-sts.trickle.example"] = _trickle(certificates.good("mta-sts.trickle.example"))
    del zone["_mta-sts.loop.example", "TXT"]
    zone["_mta-sts.loop.example", "CNAME"] = ["a.loop.example."]
    zone["a.loop.example", "CNAME"] = ["b.loop.example."]
    zone["b.loop.example", "CNAME"] = ["a.loop.example."]
    zone["crowd.example", "MX"] = [f"10 mx{number}.crowd.example." for number in range(2000)]
    zone["_mta-sts.escape.example", "TXT"] = [r'"v=STSv1; id=\027[31mred\007;"']
    publish("odd.example", mode="testing")
    zone["odd.example", "MX"] = [r"10 a|b.odd.example."]
    zone["_mta-sts.odd.example", "TXT"].append(r'"v=STSv1 \226\130\172"')
    publish("twice.example")
    zone["twice.example", "MX"] = ["30 mx9.twice.example.", "20 mx1.twice.example.", "10 mx9.twice.example."]
    zone["null.example", "MX"] = ["0 ."]
    zone["inside.example", "MX"] = ["10 mx1.inside.example."]
    zone["_mta-sts.inside.example", "TXT"] = ['"v=STSv1; id=1;"']
    zone["mta-sts.inside.example", "A"] = ["169.254.169.254", "10.0.0.1"]
    running = Internet(zone, handlers, {})
    yield Checker(running, ca)
    running.close()
