"""`mailtls reports parse` and `summary`, as a person calls them: files in, text out, exit codes."""

import csv
import datetime
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mailtls.reports.causes import Cause, CauseKind
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import ResultType, parse, report_key

WILD = Path(__file__).parents[1] / "unit" / "tls_rpt" / "wild"
DAY = datetime.timedelta(days=1)


def run(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mailtls.cli", "reports", *map(str, arguments)],
        input=stdin, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def ledger(folder: Path) -> Path:
    """A copy of the reports bucket with the same report for two days; the later one counts more failures."""
    google = json.loads((WILD / "google.json").read_bytes())
    for day, failed in ((30, 3), (29, 1)):
        google["date-range"] = {
            "start-datetime": f"2026-11-{day}T00:00:00Z",
            "end-datetime": f"2026-11-{day}T23:59:59Z",
        }
        google["policies"][0]["summary"]["total-failure-session-count"] = failed
        report = parse(json.dumps(google).encode())
        entry = LedgerEntry("contoso.example", "m1", report.end_datetime + DAY, "google.com", report)
        path = folder / report_key(report, "contoso.example", "google.com")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.render())
    return folder


def test_parse_reads_a_folder_a_mailbox_and_standard_input(tmp_path: Path) -> None:
    report = (WILD / "google.json").read_bytes()
    box = tmp_path / "box"
    mail = b"Content-Type: application/tlsrpt+json\n\n" + report
    box.write_bytes(b"From a\n" + mail + b"\n\nFrom b\nSubject: no report\n\nhello\n")
    (tmp_path / "packed").write_bytes(gzip.compress(report))
    code, out, err = run("parse", "--format", "json", tmp_path, "-", stdin=report)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["source"] for line in lines] == [f"{box}, mail 1", str(tmp_path / "packed"), "standard input"]
    assert {line["policy_domain"] for line in lines} == {"contoso.example"}
    assert code == 0
    assert "1 mails or files passed over" in err


def test_what_is_refused_is_told_with_its_line_and_ends_with_1(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{\n "policies": [\n  oops\n]}')
    code, out, err = run("parse", broken, WILD / "google.json")
    assert code == 1
    assert f"{broken}:3: not JSON" in err
    assert "contoso.example" in out
    code, out, _ = run("parse", "--format", "json", broken)
    assert json.loads(out)["line"] == 3


def test_a_file_that_is_no_report_is_refused_when_it_is_named(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello\n")
    assert run("parse", text)[0] == 1
    assert run("parse", tmp_path)[0] == 0


def test_a_place_that_is_not_there_is_trouble_before_anything_is_read(tmp_path: Path) -> None:
    code, out, err = run("parse", "--format", "json", WILD / "google.json", tmp_path / "none")
    assert (code, out) == (2, "")
    assert "no such file" in err
    assert "Traceback" not in err


def test_csv_counts_a_session_once_in_each_kind_of_row() -> None:
    _, out, _ = run("parse", "--format", "csv", WILD / "google.json")
    rows = list(csv.DictReader(io.StringIO(out)))
    policies = [row for row in rows if row["row"] == "policy"]
    failures = [row for row in rows if row["row"] == "failure"]
    assert sum(int(row["failed_sessions"]) for row in policies) == 3
    assert sum(int(row["failed_sessions"]) for row in failures) == 3
    assert {row["successful_sessions"] for row in failures} == {""}


def test_summary_of_files_and_of_the_store(tmp_path: Path) -> None:
    code, out, _ = run("summary", "--by", "day", "--store", ledger(tmp_path), "--format", "json")
    data = json.loads(out)
    assert code == 0
    assert [(row["group"], row["failed_sessions"]) for row in data["rows"]] == [("2026-11-29", 1), ("2026-11-30", 3)]
    code, out, _ = run("summary", WILD / "google.json", WILD / "google.json", "--format", "json")
    assert json.loads(out)["overall"][0]["failed_sessions"] == 3  # twice the same report


def test_who_has_no_pipeline_gets_a_store_from_files_and_a_dashboard_from_that(tmp_path: Path) -> None:
    mails = [tmp_path / "google.json", tmp_path / "microsoft.json"]
    for path in mails:
        report = json.loads((WILD / path.name).read_bytes())
        report["date-range"] = {"start-datetime": "2026-10-01T00:00:00Z", "end-datetime": "2026-10-01T23:59:59Z"}
        path.write_text(json.dumps(report))
    store, site = tmp_path / "store", tmp_path / "site"
    code, out, err = run("parse", *mails, "--into", store)
    assert (code, err) == (0, "")
    assert out == f"{store}: 2 reports stored; other commands take it as --store {store}\n"
    code, out, _ = run("parse", *mails, "--into", store)
    assert (code, "0 reports stored, 2 were there" in out) == (0, True)
    whole = ["--from", "2016-01-01", "--format", "json"]
    by_files = json.loads(run("summary", *mails, *whole)[1])
    assert by_files["rows"]
    assert json.loads(run("summary", "--store", store, *whole)[1])["rows"] == by_files["rows"]
    code, out, err = run("dashboard", site, "--store", store, "--from", "2026-10-01", "--to", "2026-10-01")
    assert (code, err) == (0, "")
    assert (site / "index.html").is_file()


def test_a_domain_that_is_no_name_makes_no_folder(tmp_path: Path) -> None:
    report = json.loads((WILD / "google.json").read_bytes())
    report["policies"][0]["policy"]["policy-domain"] = "a_b.example"
    code, _, err = run("parse", "-", "--into", tmp_path / "in" / "store", stdin=json.dumps(report).encode())
    assert code == 1
    assert "is no domain's name" in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["in", "reports", "store"]


def test_two_periods_are_held_against_each_other(tmp_path: Path) -> None:
    code, out, _ = run(
        "summary", "--store", ledger(tmp_path), "--from", "2026-11-30", "--to", "2026-11-30", "--compare"
    )
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.startswith("contoso.example")]
    assert line.split()[2:4] == ["1", "3"]


@pytest.mark.parametrize(
    "arguments",
    [[], ["--compare", "x"], ["--from", "2026-12-02", "--to", "2026-12-01", "x"], ["--store", "s3://one"]],
)
def test_what_cannot_be_meant_is_trouble(arguments: list[str]) -> None:
    code, _, err = run("summary", *arguments)
    assert code == 2
    assert "Traceback" not in err


def test_show_tells_a_report_by_its_id_and_by_its_key(tmp_path: Path) -> None:
    report_id = json.loads((WILD / "google.json").read_bytes())["report-id"]
    code, out, _ = run("show", report_id, WILD / "google.json", "--format", "json")
    assert code == 0
    assert json.loads(out)["report"]["report-id"] == report_id
    (key, _) = sorted(ledger(tmp_path).glob("reports/*/*/*.json"))
    code, out, _ = run("show", key.stem, "--store", tmp_path)
    assert code == 0
    assert "signed by google.com" in out
    code, out, err = run("show", "nothing", "--store", tmp_path)
    assert (code, out) == (1, "")
    assert "no report and no cause" in err


def test_show_tells_a_cause_from_first_to_last_sight(tmp_path: Path) -> None:
    cause = Cause(CauseKind.SESSIONS, "contoso.example", ResultType.CERTIFICATE_EXPIRED, "mx1.contoso.example")
    code, out, _ = run("show", cause.id, "--store", ledger(tmp_path))
    assert code == 0
    assert "first seen 2026-11-29, last seen 2026-11-30, 4 failed sessions on 2 days" in out
    _, out, _ = run("show", cause.id, "--store", tmp_path, "--format", "json")
    assert [(one["day"], one["failed_sessions"]) for one in json.loads(out)["days"]] == [
        ("2026-11-29", 2),
        ("2026-11-30", 2),
    ]


def test_summary_of_the_store_keeps_to_the_bounds_of_a_day(tmp_path: Path) -> None:
    """One report more than the controller looks at, and a report that somebody moved: both days are told."""
    store = ledger(tmp_path)
    (first, second) = sorted(store.glob("reports/*/*/*.json"))
    for number in range(200):
        (first.parent / f"{number:032x}.json").write_bytes(first.read_bytes())
    (second.parent / f"{1:032x}.json").write_bytes(first.read_bytes())
    code, out, err = run("summary", "--by", "day", "--store", store, "--format", "json")
    assert code == 1
    assert [(row["group"], row["failed_sessions"]) for row in json.loads(out)["rows"]] == [("2026-11-30", 3)]
    assert "contoso.example: left out of 2026-11-29, 2026-11-30: more than 200 reports or 8 MiB of one day" in err
    code, out, err = run("summary", "--store", store, "--from", "2026-12-01")
    assert code == 0
    (store / "reports" / "no domain").mkdir()
    code, _, err = run("summary", "--store", store, "--from", "2026-12-01")
    assert code == 1
    assert "reports/no domain: no domain's name" in err


def test_a_store_that_is_none_is_trouble(tmp_path: Path) -> None:
    code, _, err = run("summary", "--store", tmp_path / "none")
    assert code == 2
    assert "no folder with a folder `reports` in it" in err
