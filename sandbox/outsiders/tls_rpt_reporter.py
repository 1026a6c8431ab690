"""Drive tlsrpt-reporter, the TLS-RPT sender that Postfix sites run, through one day: sessions in, reports out.

Its three programs run as they are published: `tlsrpt-collectd` takes a datagram per TLS session (as Postfix's libtlsrpt
sends them), a day's roll-over closes the day (SIGUSR2, the package's own way to bring midnight about), `tlsrpt-reportd`
builds the reports through `tlsrpt-fetcher` and mails them with the site's sendmail.
"""

import json
import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RESULT_CODES = {
    "starttls-not-supported": 201,
    "certificate-host-mismatch": 202,
    "certificate-not-trusted": 203,
    "certificate-expired": 204,
    "validation-failure": 205,
    "sts-policy-fetch-error": 301,
    "sts-policy-invalid": 302,
    "sts-webpki-invalid": 303,
}
"""The datagram protocol's numbers for RFC 8460 result types (libtlsrpt)."""


class ReporterError(Exception):
    """The reporter did not do its part in time; the text names the log to read."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Some TLS sessions with one policy domain: how many went well, and how many failed in which way.

    policy: lines of the policy that the sender saw. failures: (result type, receiving MX host, sessions).
    """

    policy_domain: str
    rua: str
    policy: tuple[str, ...]
    successful: int
    failures: tuple[tuple[str, str, int], ...] = field(default=())

    def datagrams(self) -> Iterator[dict[str, Any]]:
        """One datagram a session, in the shape that libtlsrpt sends."""
        patterns = [line.removeprefix("mx: ") for line in self.policy if line.startswith("mx: ")]
        policy = {
            "policy-type": 2,
            "policy-string": list(self.policy),
            "policy-domain": self.policy_domain,
            "mx-host": patterns,
        }
        envelope = {"dpv": "1", "d": self.policy_domain, "pr": f"v=TLSRPTv1; rua={self.rua}"}
        for _ in range(self.successful):
            yield {**envelope, "policies": [{**policy, "f": 0, "t": 0}]}
        for result_type, host, count in self.failures:
            detail = {"c": RESULT_CODES[result_type], "s": "192.0.2.1", "n": host, "r": "198.51.100.25"}
            for _ in range(count):
                yield {**envelope, "policies": [{**policy, "f": 1, "t": 1, "failure-details": [detail]}]}


@dataclass(frozen=True, slots=True)
class Reporter:
    """One sending site. `programs`: folder of the package's programs; `sendmail`: takes a mail on stdin."""

    programs: Path
    organization: str
    contact: str
    sender: str
    sendmail: tuple[str, ...]

    def report_day(self, days: Iterable[Sessions], logs: Path, timeout: float = 60) -> int:
        """Feed the sessions, close the day, send the reports. Returns the mails sent. Raises ReporterError."""
        days = tuple(days)
        logs.mkdir(parents=True, exist_ok=True)
        # a UNIX socket's path must stay under 108 bytes, so the working folder is a short temporary one
        with tempfile.TemporaryDirectory(prefix="tlsrpt-") as folder:
            work = Path(folder)
            configuration = self._configure(work, logs)
            with self._running("tlsrpt-collectd", configuration, logs) as collectd:
                fed = self._feed(work / "collectd.socket", days, timeout)
                today, yesterday = work / "collectd.sqlite", work / "collectd.sqlite.yesterday"
                # it commits once a second, when its socket is silent
                if not wait_for(lambda: collected(today) == fed, timeout):
                    raise ReporterError(f"{collected(today)} of {fed} sessions collected: see {logs}")
                empty = inode(yesterday)  # it begins with a day without sessions
                collectd.send_signal(signal.SIGUSR2)
                if not wait_for(lambda: inode(yesterday) not in (None, empty), timeout):
                    raise ReporterError(f"tlsrpt-collectd did not close the day: see {logs}")
            with self._running("tlsrpt-reportd", configuration, logs):
                expected = len({(day.policy_domain, day.rua) for day in days})
                if not wait_for(lambda: sent(work / "reportd.sqlite") >= expected, timeout):
                    raise ReporterError(f"{sent(work / 'reportd.sqlite')} of {expected} reports sent: see {logs}")
            return sent(work / "reportd.sqlite")

    def _feed(self, path: Path, days: tuple[Sessions, ...], timeout: float) -> int:
        """How many sessions it was told of."""
        if not wait_for(path.exists, timeout):
            raise ReporterError("tlsrpt-collectd did not open its socket")
        fed = 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(timeout)  # a queue that nobody empties
            try:
                channel.connect(str(path))
                for day in days:
                    for datagram in day.datagrams():
                        channel.send(json.dumps(datagram).encode())
                        fed += 1
            except OSError as e:
                raise ReporterError(f"tlsrpt-collectd took only {fed} sessions: {e}") from e
        return fed

    @contextmanager
    def _running(self, program: str, configuration: Path, logs: Path) -> Iterator[subprocess.Popen[bytes]]:
        with (logs / f"{program}.out").open("wb") as output:
            process = subprocess.Popen(
                [str(self.programs / program), "--config_file", str(configuration)],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=configuration.parent,
            )
            try:
                yield process
            finally:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _configure(self, work: Path, logs: Path) -> Path:
        fetcher = f"{self.programs / 'tlsrpt-fetcher'} --config_file {work / 'reporter.cfg'}"
        user = (
            os.environ.get("USER") or subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout
        )
        group = subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
        sections = {
            "tlsrpt_collectd": {
                "storage": f"sqlite://{work / 'collectd.sqlite'}",
                "socketname": work / "collectd.socket",
                "socketuser": user.strip(),
                "socketgroup": group,
                "logfilename": logs / "collectd.log",
                "sockettimeout": 1,
                "max_uncommited_datagrams": 1000,
            },
            "tlsrpt_fetcher": {
                "storage": f"sqlite://{work / 'collectd.sqlite'}",
                "logfilename": logs / "fetcher.log",
            },
            "tlsrpt_reportd": {
                "organization_name": self.organization,
                "contact_info": self.contact,
                "sender_address": self.sender,
                "dbname": work / "reportd.sqlite",
                "pidfilename": work / "reportd.pid",
                "logfilename": logs / "reportd.log",
                "sendmail_script": shlex.join(self.sendmail),
                "fetchers": fetcher,
                "interval_main_loop": 1,
                "max_wait_domainlist": 1,
                "min_wait_domainlist": 0,
                "max_wait_domaindetails": 1,
                "min_wait_domaindetails": 0,
                "spread_out_delivery": 1,
            },
        }
        text = "".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()) + "\n"
            for name, values in sections.items()
        )
        path = work / "reporter.cfg"
        path.write_text(text)
        return path


def inode(path: Path) -> int | None:
    """Of the file that is there now; None while there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def collected(database: Path) -> int:
    """How many sessions collectd has noted down for the day."""
    return _count(database, "SELECT sum(cntrtotal) FROM finalresults")


def sent(database: Path) -> int:
    """How many reports reportd has handed to sendmail with success."""
    return _count(database, "SELECT count(*) FROM destinations WHERE status = 'sent'")


def _count(database: Path, question: str) -> int:
    if not database.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)) as connection:
            (count,) = connection.execute(question).fetchone()
            return int(count or 0)
    except sqlite3.OperationalError:  # being created or written this moment
        return 0


def wait_for(condition: Any, timeout: float) -> bool:
    """Poll until `condition()` holds; False when it did not within `timeout` seconds."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return bool(condition())
