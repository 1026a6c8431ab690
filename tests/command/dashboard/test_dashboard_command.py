"""`mailtls reports dashboard` as a person types it: what it writes, what it says, and what it refuses."""

import json
import shutil
from ipaddress import ip_address
from pathlib import Path

import pytest
import sample_ledger as sample
from dashboard_run import PERIOD, run
from loopback_dns import LoopbackDns


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


def test_a_sending_address_has_an_owner_where_its_name_leads_back(store: Path, tmp_path: Path) -> None:
    """Both addresses have a name of somebody else first, which has another address, and then their own."""
    reverse = ip_address("2001:db8::7").reverse_pointer
    records = {
        ("7.2.0.192.in-addr.arpa", "PTR"): ["mail.bank.example.", "<b>.", "mta7.google.com."],
        ("mail.bank.example", "A"): ["198.51.100.1"],
        ("mta7.google.com", "A"): ["192.0.2.8", "192.0.2.7"],
        (reverse, "PTR"): ["mail.bank.example.", "mta6.google.com."],
        ("mail.bank.example", "AAAA"): ["2001:db8::8"],
        ("mta6.google.com", "AAAA"): ["2001:db8:0::7"],
    }
    with LoopbackDns(records) as dns:
        done = run(
            tmp_path / "site", "--store", store, *PERIOD, "--resolve", "--resolver", dns.address, "--at-once", "1"
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "google.com (mta7.google.com)" in (tmp_path / "site/domains/contoso.example/index.html").read_text()
    other = (tmp_path / "site/domains/fabrikam.example/index.html").read_text()
    assert "google.com (mta6.google.com)" in other
    assert "google.com (mta7.google.com)" in other
    assert "bank" not in other


def test_without_being_asked_it_asks_nobody(site: Path) -> None:
    page = (site / "domains/contoso.example/index.html").read_text()
    assert page.count('data-label="Network owner">unknown<') == 1
