"""Domains on loopback with specs, and a folder that holds what was served and reported: a run as a job makes it."""

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[1]
sys.path[:0] = [str(BESIDE / "judges"), str(BESIDE / "looks"), str(BESIDE.parent / "unit")]

from local_internet import Certificates, Internet, PolicyServer  # noqa: E402  beside the judges' cases

from mailtls.mta_sts.record import policy_id_of  # noqa: E402  after the path
from mailtls.tls_rpt.contract import policy_key  # noqa: E402
from mailtls.tls_rpt.ledger import LedgerEntry  # noqa: E402
from mailtls.tls_rpt.report import (  # noqa: E402
    FailureDetail,
    PolicyResult,
    PolicyType,
    Report,
    ResultType,
    report_key,
)

DAY = datetime.timedelta(days=1)
POLICY = "version: STSv1\r\nmode: {mode}\r\nmx: mx1.{domain}\r\nmax_age: {max_age}\r\n"
MODES = {
    "young.example": "testing",
    "ready.example": "testing",
    "refused.example": "testing",
    "quiet.example": "enforce",
    "newmx.example": "enforce",
}
MAX_AGE = {"testing": 86400, "enforce": 2419200}
DAYS = {"young.example": 3}
"""Served for so many days; the others for 30."""


@dataclass(frozen=True)
class Place:
    """Runs the command on the domains. folder: of specs and store."""

    internet: Internet
    ca: Path
    folder: Path

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        ways = ["--resolver", self.internet.dns, "--proxy", self.internet.proxy, "--allow-private"]
        return subprocess.run(
            [sys.executable, "-m", "mailtls.cli", *arguments, *ways],
            capture_output=True, text=True, timeout=60, check=False, cwd=self.folder,
            env={**os.environ, "SSL_CERT_FILE": str(self.ca), **environ},
        )  # fmt: skip

    def write_spec(self, domain: str, more: str = "") -> None:
        """The spec as it was deployed, with further keys."""
        write_spec(self.folder, domain, more)


def text_of(domain: str) -> str:
    return POLICY.format(mode=MODES[domain], domain=domain, max_age=MAX_AGE[MODES[domain]])


def spec_text(domain: str, more: str = "") -> str:
    mode = MODES[domain]
    return (
        f"policy_domain: {domain}\nmta_sts:\n  mode: {mode}\n  mx: [mx1.{domain}]\n  max_age: {MAX_AGE[mode]}\n{more}"
    )


def write_spec(folder: Path, domain: str, more: str = "") -> None:
    (folder / "policy_specs" / f"{domain}.yaml").write_text(spec_text(domain, more))


def write_version(folder: Path, domain: str, days: int) -> None:
    body = text_of(domain).encode()
    place = folder / "store" / "policies" / domain
    place.mkdir(parents=True)
    modified = (datetime.datetime.now(datetime.UTC) - days * DAY).isoformat()
    one = {"Key": policy_key(domain), "VersionId": "v0", "LastModified": modified, "IsLatest": True, "Size": len(body)}
    (place / "v0").write_bytes(body)
    (place / "versions.json").write_text(json.dumps({"Versions": [one]}))


def write_reports(folder: Path, domain: str, days: int, refused: int = 0) -> None:
    """Two organisations with 40 clean sessions each on each day; refused: of yesterday, at mx1."""
    lines = tuple(text_of(domain).split("\r\n")[:-1])
    midnight = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(1, days + 1):
        for signer in ("google.com", "mail.ru"):
            count = refused if back == 1 and signer == "google.com" else 0
            kind = ResultType.CERTIFICATE_HOST_MISMATCH
            details = [
                FailureDetail(kind, kind.value, receiving_mx_hostname=f"mx1.{domain}", failed_session_count=count)
            ]
            row = PolicyResult(PolicyType.STS, "sts", lines, domain, (), 40, count, tuple(details) if count else ())
            report = Report(
                signer, midnight - back * DAY, midnight - (back - 1) * DAY, None, f"{signer}-{back}", (row,)
            )
            entry = LedgerEntry(domain, "mail", midnight, signer, report)
            path = folder / "store" / report_key(report, domain, signer)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(entry.render())


@pytest.fixture(scope="session")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Internet, Path]]:
    certificates = Certificates()
    ca = tmp_path_factory.mktemp("reconcile") / "ca.pem"
    certificates.trusted.cert_pem.write_to_path(str(ca))
    zone: dict[tuple[str, str], list[str]] = {}
    handlers = {}
    for domain in MODES:
        body = text_of(domain).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nx-amz-version-id: v0\r\nContent-Length: {len(body)}"
        handlers[f"mta-sts.{domain}"] = PolicyServer(
            certificates.good(f"mta-sts.{domain}"), f"{head}\r\n\r\n".encode() + body
        ).handle
        zone[f"_mta-sts.{domain}", "TXT"] = [f'"v=STSv1; id={policy_id_of("v0")};"']
        zone[f"_smtp._tls.{domain}", "TXT"] = ['"v=TLSRPTv1; rua=mailto:reports@example.org"']
        zone[f"mta-sts.{domain}", "A"] = ["127.0.0.1"]
        zone[domain, "MX"] = [f"10 mx1.{domain}."]
        zone[f"mx1.{domain}", "A"] = ["127.0.0.1"]
    zone["newmx.example", "MX"] += ["20 mx2.newmx.example."]
    zone["mx2.newmx.example", "A"] = ["127.0.0.1"]
    running = Internet(zone, handlers, {})
    yield running, ca
    running.close()


def write_all(folder: Path) -> None:
    """Each domain's spec and history, and the reports of four."""
    (folder / "policy_specs").mkdir()
    for domain in MODES:
        write_spec(folder, domain)
        write_version(folder, domain, DAYS.get(domain, 30))
    write_reports(folder, "ready.example", 20)
    write_reports(folder, "refused.example", 20, refused=40)
    write_reports(folder, "quiet.example", 5)
    write_reports(folder, "young.example", 2)
