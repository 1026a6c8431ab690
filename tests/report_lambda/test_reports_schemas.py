"""What `mailtls reports` prints as JSON fits the schemas that `mailtls schema` prints: real output, over what the
function left, and over mails as they come."""

import datetime
import json
import os
import subprocess
import sys

import jsonschema
import pytest
from referencing import Registry, Resource

from mailtls.tls_rpt.contract import render_domain_list


def run(*arguments):
    done = subprocess.run([sys.executable, "-m", "mailtls.cli", *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, check=False)  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def schemas():
    of_commands = [f"reports-{name}" for name in ("parse", "summary", "show", "tail", "reprocess", "erase")]
    return {name: json.loads(run("schema", name)) for name in ("report", *of_commands)}


@pytest.fixture
def fits(schemas):
    registry = Registry().with_resources([(one["$id"], Resource.from_contents(one)) for one in schemas.values()])

    def check(name, text):
        """text: JSON values one after the other. Returns them."""
        checker = jsonschema.Draft202012Validator(schemas[name], registry=registry)
        decoder, values, text = json.JSONDecoder(), [], text.lstrip()
        while text:
            value, end = decoder.raw_decode(text)
            checker.validate(value)
            for change in broken(value):
                assert not checker.is_valid(change), change
            values.append(value)
            text = text[end:].lstrip()
        return values

    return check


def broken(value):
    """The same with one member less, or one of another type: no schema takes it."""
    for key in value:
        if key != "before":
            yield {name: inner for name, inner in value.items() if name != key}
        yield {**value, key: 1.5}


@pytest.fixture
def place(cloud, mails, tmp_path):
    """Stored, failing, a DANE row, a mail kept apart, one that nothing became of; the alert of it."""
    tlsa = {"policy": {"policy-type": "tlsa", "policy-string": ["3 1 1 ab"], "policy-domain": "mx1.contoso.example"},
            "summary": {"total-successful-session-count": 5}, "x-new": {"a": 1}}  # fmt: skip
    odd = {"policy": {"policy-type": "new-type", "policy-domain": "contoso.example"},
           "summary": {}, "failure-details": [{"result-type": "odd", "failed-session-count": 2}]}  # fmt: skip
    report = mails.report(mails.policy(100, (mails.failure(500, **{"additional-information": "x"}),)), tlsa, odd)
    cloud.receive(mails.mail(report))
    cloud.receive(mails.mail(report, signer="microsoft.com"))
    cloud.receive(mails.mail(text="junk"))
    cloud.arrive(mails.is_clean(day="2026-11-29"))
    for key, body in cloud.store.objects.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    for path in (tmp_path / "raw").iterdir():
        then = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=5)).timestamp()
        os.utime(path, (then, then))
    return tmp_path


def test_parse(fits, place):
    (place / "raw" / "broken.json").write_text('{"policies": [')
    lines = fits("reports-parse", run("reports", "parse", place / "raw", place / "reports", "--format", "json"))
    assert {"refused" in line for line in lines} == {True, False}
    assert any(row.get("unknown") for line in lines if "report" in line for row in line["report"]["policies"])
    fits("reports-parse", run("reports", "parse", place / "domains", place / "raw" / "mail3", "--format", "json"))


@pytest.mark.parametrize("by", ["domain", "day", "reporter", "result-type", "mx", "sending-host"])
def test_summary(fits, place, by):
    (found,) = fits("reports-summary", run("reports", "summary", "--store", place, "--by", by, "--format", "json"))
    assert found["rows"]


def test_summary_of_two_periods(fits, place):
    days = ("--from", "2026-11-30", "--to", "2026-11-30", "--compare")
    (found,) = fits("reports-summary", run("reports", "summary", place / "raw", *days, "--format", "json"))
    assert found["before"]["reports"] == 1


def test_show(fits, place):
    (state,) = [path for path in (place / "alerts").rglob("*.json") if b"certificate-expired" in path.read_bytes()]
    (cause,) = fits("reports-show", run("reports", "show", state.stem, "--store", place, "--format", "json"))
    assert cause["result_type"] == "certificate-expired"
    key = next((place / "reports").rglob("*.json"))
    (report,) = fits("reports-show", run("reports", "show", key.stem, "--store", place, "--format", "json"))
    assert report["report"]


def test_tail(fits, place):
    lines = fits("reports-tail", run("reports", "tail", place, "--format", "json"))
    assert {line["disposition"] for line in lines} == {"stored", "quarantined", None}


def test_reprocess(fits, place):
    command = ("reports", "reprocess", place, "--reason", "not-a-report", "--reason", "unreadable", "--format", "json")
    lines = fits("reports-reprocess", run(*command))
    assert {line["today"] for line in lines} == {"stored", "unreadable"}
    assert {line["was"] for line in lines} == {"quarantined", None}


def test_erase(fits, place, mails):
    (place / "domains" / "sandbox.json").write_text(render_domain_list([mails.brand]))
    command = ("reports", "erase", "contoso.example", place, "--format", "json")
    (counted,) = fits("reports-erase", run(*command))
    (erased,) = fits("reports-erase", run(*command, "--write"))
    assert (counted["written"], erased["written"]) == (False, True)
    assert counted["objects"] == erased["objects"]
