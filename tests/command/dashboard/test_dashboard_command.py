"""`mailtls reports dashboard` as a person types it: what it writes, what it says, and what it refuses."""

import json
import shutil
from pathlib import Path

import pytest
import sample_ledger as sample
from dashboard_run import PERIOD, run


def test_it_says_where_the_dashboard_lies_and_what_is_in_it(site: Path, store: Path) -> None:
    done = run(site, "--store", store, *PERIOD)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"{site}/index.html: 3 domains, 264 reports of 2026-08-03 to {sample.LAST}, 2 open causes\n"
    )  # fmt: skip
    assert done.stderr == ""
    mark = json.loads((site / "mailtls-dashboard.json").read_text())
    assert mark["period"] == {"first": "2026-08-03", "last": sample.LAST.isoformat()}
    assert (mark["domains"], mark["reports"]) == (3, 264)


def test_what_was_served_is_read_where_it_lies(site: Path) -> None:
    page = (site / "domains/contoso.example/index.html").read_text()
    assert f"since {sample.LAST.replace(day=1)}" in page
    assert "What senders could fetch" in page
    other = (site / "domains/fabrikam.example/index.html").read_text()
    assert "testing, as reports say" in other


def test_only_the_days_that_were_asked_for_count(store: Path, tmp_path: Path) -> None:
    done = run(tmp_path / "site", "--store", store, "--from", sample.LAST.isoformat(), "--to", sample.LAST.isoformat())
    assert done.returncode == 0, done.stderr
    assert "3 reports" in done.stdout


def test_reports_that_cannot_be_read_are_told(store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(store, copy)
    day = copy / "reports" / "contoso.example" / sample.LAST.isoformat()
    next(day.iterdir()).write_text("{}")
    (copy / "reports" / "not a domain").mkdir()
    done = run(tmp_path / "site", "--store", copy, *PERIOD)
    assert done.returncode == 1
    assert "contoso.example: not all reports of 1 day could be read" in done.stderr
    assert "reports/'not a domain' is no domain's name, and was left out" in done.stderr
    assert sample.LAST.isoformat() in (tmp_path / "site/domains/contoso.example/index.html").read_text()


def test_a_folder_with_other_files_is_left_alone(store: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    done = run(tmp_path, "--store", store, *PERIOD)
    assert done.returncode == 2
    assert done.stderr == (
        f"mailtls: {tmp_path} holds thesis.tex, which is no page of a dashboard: name an empty or a new folder\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--store", "nowhere"], "no folder with a folder `reports` in it"),
        (["--store", "s3://one"], "write s3://POLICY-BUCKET,REPORTS-BUCKET"),
        (["--to", "2999-01-01"], "that day is still to come"),
        (["--from", "2026-10-02", "--to", "2026-10-01"], "ends before it begins"),
        (["--from", "2020-01-01", "--to", "2026-10-01"], "a dashboard has 400 at most"),
        (["--from", "tomorrow"], "tomorrow"),
        (["--specs", "nowhere"], "nowhere"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(store: Path, tmp_path: Path, arguments: list[str], told: str) -> None:
    given = arguments if "--store" in arguments else [*arguments, "--store", str(store)]
    done = run(tmp_path / "site", *given)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
