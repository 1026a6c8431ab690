"""docs/mail-not-taken-in.md against the code: its days, its names, its commands."""

import json
import re
import shlex
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from components import report_alarms, report_queue, report_store
from mailtls.reports.alert_rules import OLD_NEWS
from mailtls.tls_rpt.contract import OwnDomain, Prefix, render_domain_list
from mailtls.totals.read_again import ON_ITS_WAY
from report_lambda import accounting
from report_lambda.events import RawMail, parse_body
from report_lambda.intake import RawMailMissing
from stacks.platform_stack import Platform

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docs" / "mail-not-taken-in.md").read_text()
DAY = 86_400
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
BUCKET = "reports-store"


def row(beginning: str) -> str:
    (found,) = [line for line in TEXT.splitlines() if line.startswith(f"| {beginning}")]
    return found


@pytest.mark.parametrize(
    ("what", "days"),
    [
        ("a message in the queue", report_queue.RETENTION // DAY),
        ("a dead letter", report_queue.DEAD_LETTER_RETENTION // DAY),
        (f"a raw mail, `{Prefix.RAW}<mail id>`", report_store.RAW_DAYS),
        (f"its disposition, `{Prefix.DISPOSITIONS}<mail id>.json`", report_store.LEDGER_DAYS),
        ("what was deleted or written over", report_store.NONCURRENT_DAYS),
    ],
)
def test_how_long_each_is_kept(what: str, days: int) -> None:
    assert f"| {days} days" in row(what)


def test_the_times_in_its_sentences() -> None:
    least, most = report_alarms.LEAST_LEFT // DAY, (report_alarms.LEAST_LEFT + report_queue.RETENTION) // DAY
    assert f"the alarm `dead-letters-end` comes {least} to {most} days before" in row("a dead letter")
    assert f"The {report_store.RAW_DAYS} days of the mail begin again" in TEXT
    assert f"the copy stays for its {report_store.QUARANTINE_DAYS} days" in row("quarantine")
    assert f"more than {OLD_NEWS.days} days back wakes nobody" in row("alerts")
    # all tries, and so the way to the dead letters, are over
    assert report_queue.MAX_RECEIVE_COUNT * report_queue.VISIBILITY_TIMEOUT < 2 * 3_600
    assert "again in two hours" in TEXT
    assert ON_ITS_WAY == accounting.ON_ITS_WAY == timedelta(hours=2)
    assert "nothing became of for two hours" in TEXT


def test_what_it_names_is_there() -> None:
    outputs = set(re.findall(r"pulumi stack output (\w+)", TEXT))
    assert outputs == {"dead_letter_queue_url", "reports_bucket"} <= set(Platform.__dataclass_fields__)
    assert f"`{RawMailMissing.__name__}`" in TEXT


def test_a_copy_onto_itself_is_announced_to_the_function() -> None:
    """S3 calls it ObjectCreated:Copy (S3 guide, "Supported event types")."""
    record = {"eventName": "ObjectCreated:Copy", "s3": {"bucket": {"name": BUCKET}, "object": {"key": "raw/b2"}}}
    assert parse_body(json.dumps({"Records": [record]})) == (RawMail(BUCKET, "raw/b2"),)


@pytest.mark.parametrize("line", [line for block in SHELL for line in block.splitlines() if line.startswith("mailtls")])
def test_each_command_is_one_that_the_command_knows(line: str, tmp_path: Path) -> None:
    """Typed as it stands, over a folder with a bucket's objects; `--write` only counts what a folder cannot do."""
    (tmp_path / "domains").mkdir()
    (tmp_path / "domains" / "a.json").write_text(render_domain_list([OwnDomain("contoso.example")]))
    words = shlex.split(line.replace("s3://$BUCKET", str(tmp_path)), comments=True)
    done = subprocess.run(
        [sys.executable, "-m", "mailtls.cli", *words[1:]], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0 or "no queue" in done.stderr, done.stderr
