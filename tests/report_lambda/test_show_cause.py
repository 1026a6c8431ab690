"""`mailtls reports show` finds the cause by the id that an alert printed, in a copy of what the function left."""

import json
import re
import subprocess
import sys
from datetime import timedelta

import pytest

from mailtls.tls_rpt.contract import OwnDomain


def copied(cloud, place):
    for key, body in cloud.store.objects.items():
        path = place / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return place


def show(cause, place):
    command = [sys.executable, "-m", "mailtls.cli", "reports", "show", cause, "--store", str(place), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    return done


def causes(cloud, place):
    """What `show` says of the cause of the last message."""
    cause = re.findall(r"cause ([0-9a-f]{12})\b", cloud.topic.messages[-1][1])[-1]
    done = show(cause, place)
    assert done.returncode == 0, done.stderr
    decoder, text, found = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


@pytest.fixture
def silent(cloud, mails):
    """A report that repeats no policy names an MX that the deployed one does not list."""
    row = mails.policy(100, (mails.failure(500, "validation-failure", "mx9.contoso.example"),),
                       **{"policy-string": [], "mx-host": []})  # fmt: skip
    cloud.receive(mails.mail(mails.report(row)))
    assert "not in the MTA-STS policy" in cloud.topic.subjects[-1]
    return cloud


def test_a_report_that_repeats_no_policy_is_judged_by_what_is_deployed(silent, tmp_path):
    place = copied(silent, tmp_path)
    (place / "alerts").rename(place / "none")
    [found] = causes(silent, place)
    assert (found["kind"], found["host"]) == ("mx-outside-policy", "mx9.contoso.example")
    assert [day["failed_sessions"] for day in found["days"]] == [500]


def test_by_what_was_served_where_something_else_is_deployed_now(silent, mails, tmp_path):
    silent.own(OwnDomain("contoso.example", "testing", ("mx9.contoso.example",)))
    place = copied(silent, tmp_path)
    (place / "alerts").rename(place / "none")
    cause = re.findall(r"cause ([0-9a-f]{12})\b", silent.topic.messages[-1][1])[-1]
    assert show(cause, place).returncode == 1
    folder = place / "policies" / "contoso.example"
    folder.mkdir(parents=True)
    (folder / "v1").write_bytes(b"version: STSv1\r\nmode: enforce\r\nmx: mx1.contoso.example\r\nmax_age: 86400\r\n")
    listed = {"Key": "contoso.example/.well-known/mta-sts.txt", "VersionId": "v1", "Size": 80, "IsLatest": True,
              "LastModified": "2026-11-01T00:00:00Z"}  # fmt: skip
    (folder / "versions.json").write_text(json.dumps({"Versions": [listed]}))
    [found] = causes(silent, place)
    assert found["kind"] == "mx-outside-policy"


def test_what_no_report_names_by_itself_is_known_from_the_alert(cloud, mails, tmp_path):
    """More causes than have an alert of their own are told of together."""
    hosts = [f"mx{number}.elsewhere.example" for number in range(30)]
    rows = [mails.policy(1, (mails.failure(100 + at, mx=host),), **{"mx-host": [host], "policy-string": []})
            for at, host in enumerate(hosts)]  # fmt: skip
    cloud.receive(mails.mail(mails.report(*rows)))
    kinds = {json.loads(body)["cause"]["kind"] for key, body in cloud.store.objects.items() if key[:7] == "alerts/"}
    assert "further" in kinds
    place = copied(cloud, tmp_path)
    (further,) = [path.stem for path in (place / "alerts").rglob("*.json")
                  if json.loads(path.read_bytes())["cause"]["kind"] == "further"]  # fmt: skip
    told = json.loads(show(further, place).stdout)
    assert told["kind"] == "further"
    assert told["days"][0]["day"] == "2026-11-30"
    assert told["days"][0]["failed_sessions"] > 100


def test_a_fault_that_several_domains_share_is_shown_for_each(cloud, mails, tmp_path):
    ours = [OwnDomain(f"d{number}.example", "enforce", ("mx.mailhost.example",), "team") for number in range(3)]
    cloud.own(*ours)
    for own in ours:
        row = mails.policy(1000, (mails.failure(200, mx="mx.mailhost.example"),),
                           **{"policy-domain": own.policy_domain, "mx-host": ["mx.mailhost.example"]})  # fmt: skip
        cloud.receive(mails.mail(mails.report(row, report_id=own.policy_domain)))
    cloud.tick(timedelta(hours=1))
    assert "now also" in cloud.topic.subjects[-1]
    found = causes(cloud, copied(cloud, tmp_path))
    assert {one["policy_domain"] for one in found} == {own.policy_domain for own in ours}
    assert {one["days"][0]["failed_sessions"] for one in found} == {200}


def test_a_damaged_state_is_told(silent, tmp_path):
    place = copied(silent, tmp_path)
    (state,) = (place / "alerts").rglob("*.json")
    state.write_text("{}")
    done = show(state.stem, place)
    assert done.returncode == 2
    assert f"alerts/contoso.example/{state.name}: not the state of an alert" in done.stderr
