"""Driving the TLS-RPT reporter: what its programs fail to do is told, never passed over."""

import sys
from pathlib import Path

import pytest

from sandbox.outsiders.tls_rpt_reporter import Reporter, ReporterError, Sessions

DAY = Sessions("contoso.example", "mailto:tls@contoso.example", ("version: STSv1", "mx: mx1.contoso.example"), 3)
COLLECTD = """#!{python}
import signal, socket, sqlite3, sys, time
from pathlib import Path

mode, work = "{mode}", Path.cwd()
if mode != "no yesterday":
    (work / "collectd.sqlite.yesterday").touch()
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if mode == "deaf":
    channel.bind(str(work / "collectd.socket"))
    channel.close()
    sys.exit(1)
database = sqlite3.connect(work / "collectd.sqlite")
database.execute("CREATE TABLE finalresults (cntrtotal INTEGER)")
channel.bind(str(work / "collectd.socket"))
for number in range({kept}):
    channel.recv(65536)
    database.execute("INSERT INTO finalresults VALUES (1)")
database.commit()
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("mode", "kept", "told"),
    [
        ("deaf", 0, "collectd took only"),
        ("forgetful", 2, "2 of 3 sessions collected"),
        ("no midnight", 3, "did not close the day"),
        ("no yesterday", 3, "did not close the day"),
    ],
)
def test_a_day_that_is_not_collected_or_closed_is_told(tmp_path: Path, mode: str, kept: int, told: str) -> None:
    program = tmp_path / "tlsrpt-collectd"
    program.write_text(COLLECTD.format(python=sys.executable, mode=mode, kept=kept))
    program.chmod(0o755)
    reporter = Reporter(tmp_path, "Reporter Example", "tls@reporter.example", "reports@reporter.example", ("true",))
    with pytest.raises(ReporterError, match=told):
        reporter.report_day([DAY], tmp_path / "logs", timeout=2)
