"""docs/mail-not-taken-in.md against the code: its days, its names, and its commands where a shell can run them."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from components import report_alarms, report_queue, report_store
from mailtls.reports.alert_rules import OLD_NEWS
from mailtls.tls_rpt.contract import Prefix
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
    assert "Mail of the last two hours" in TEXT


def test_what_it_names_is_there() -> None:
    outputs = set(re.findall(r"pulumi stack output (\w+)", TEXT))
    assert outputs == {"dead_letter_queue_url", "reports_bucket"} <= set(Platform.__dataclass_fields__)
    assert f"`{RawMailMissing.__name__}`" in TEXT
    assert "`seen before`" in TEXT
    assert '_log("seen before"' in (REPOSITORY / "report_lambda" / "handler.py").read_text()


def shell(block: str, folder: Path, aws: str, before: str = "") -> str:
    """What a block of the page does where `aws` is a script of ours."""
    programs = folder / "bin"
    programs.mkdir()
    for name, script in {"aws": aws, "pulumi": f"echo {BUCKET}"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    path = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-eu", "-c", before + block], cwd=folder, env=path, check=True, capture_output=True, text=True
    )
    return done.stdout


def test_the_two_listings_leave_what_has_no_disposition(tmp_path: Path) -> None:
    listing = f"""case "$4" in
s3://{BUCKET}/{Prefix.RAW}) for mail in zebra b2 AMAZON_SES_SETUP_NOTIFICATION a1; do
  echo "2026-11-24 09:25:00       4711 {Prefix.RAW}$mail"; done ;;
s3://{BUCKET}/{Prefix.DISPOSITIONS}) for mail in a1 AMAZON_SES_SETUP_NOTIFICATION expired zebra; do
  echo "2026-11-24 09:25:01        311 {Prefix.DISPOSITIONS}$mail.json"; done ;;
esac"""
    assert shell(SHELL[1], tmp_path, listing) == "b2\n"


def test_a_mail_is_read_again_by_a_copy_that_the_notification_tells_of(tmp_path: Path) -> None:
    (tmp_path / "not-taken-in.txt").write_text("b2\nc3\n")
    asked = shell(SHELL[2], tmp_path, 'echo "$@"', before=f"BUCKET={BUCKET}\n").splitlines()
    # S3 refuses a copy onto itself that changes nothing (API reference, CopyObject)
    assert asked == [
        f"s3api copy-object --bucket {BUCKET} --key raw/{mail} --copy-source {BUCKET}/raw/{mail} "
        "--metadata-directive REPLACE"
        for mail in ("b2", "c3")
    ]
    record = {"eventName": "ObjectCreated:Copy", "s3": {"bucket": {"name": BUCKET}, "object": {"key": "raw/b2"}}}
    assert parse_body(json.dumps({"Records": [record]})) == (RawMail(BUCKET, "raw/b2"),)
