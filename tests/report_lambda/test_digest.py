"""The weekly message: whose it is, what it says, and that it is sent once."""

import contextlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from mailtls.reports.digest import SEVERITY
from mailtls.tls_rpt.contract import OwnDomain
from report_lambda import digests
from report_lambda.store import StoreError

GOLDEN = Path(__file__).parent / "alerts" / "digest.txt"
SUNDAY = datetime(2026, 11, 1, 12, tzinfo=UTC)
"""In the past on every machine; the digest of Monday, 2 November, tells of the week to 31 October."""


def own(name, mode, owner="mail-team"):
    return OwnDomain(name, mode, (f"mx1.{name}", f"mx2.{name}"), owner)


@pytest.fixture
def week(cloud, mails, monkeypatch):
    """One domain fails, one is silent, one is well, one was never heard of; a second owner has nothing to do."""
    monkeypatch.setenv("MAILTLS_DIGEST", "1T07")
    cloud.now = SUNDAY
    names = ["contoso.example", "fabrikam.example", "northwind.example", "new.example"]
    cloud.own(own(names[0], "enforce"), own(names[1], "testing"), own(names[2], "testing"), own(names[3], None),
              own("brand01.example", "enforce", "brand-team"))  # fmt: skip
    cloud.policies.served = {}

    def report(name, day, good, *failed):
        about = {"policy-domain": name, "policy-string": [], "mx-host": [f"mx1.{name}", f"mx2.{name}"]}
        cloud.receive(mails.mail(mails.report(mails.policy(good, failed, **about), day=day, report_id=f"{name}{day}")))

    report(names[0], "2026-10-20", 9_000)
    report(names[0], "2026-10-28", 8_900, mails.failure(240, mx=f"mx2.{names[0]}"))
    report(names[1], "2026-10-21", 300)
    report(names[2], "2026-10-30", 1_234)
    report("brand01.example", "2026-10-31", 77)
    report("brand01.example", "2026-11-01", 10_000)  # after the week
    cloud.tick()  # the week before: nobody was told of it yet
    cloud.topic.messages.clear()
    return cloud


def sent(cloud):
    found = [message for message in cloud.topic.messages if message[2].get("severity") == SEVERITY]
    cloud.topic.messages.clear()
    return found


def until(cloud, hour):
    """Ticks up to Monday's `hour`."""
    while (cloud.now.day, cloud.now.hour) < (2, hour):
        cloud.tick()


def test_each_owner_gets_one_message_a_week(week):
    until(week, 6)
    assert sent(week) == []
    until(week, 7)
    first = sent(week)
    assert {attributes["owner"] for _, _, attributes in first} == {"mail-team", "brand-team"}
    for _ in range(24 * 5):
        week.tick()
    assert sent(week) == []
    for _ in range(24 * 2):
        week.tick()
    assert len(sent(week)) == 2


def test_it_says_what_needs_a_look_and_what_is_well(week):
    until(week, 7)
    [(subject, text, _)] = [message for message in sent(week) if message[2]["owner"] == "mail-team"]
    if os.environ.get("MAILTLS_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
    assert subject == "[digest] mail-team: 2 of 4 domains need a look, week to 31 Oct"
    assert max(map(len, text.splitlines())) <= 100


def test_nothing_to_do_is_a_message(week):
    until(week, 7)
    [(subject, text, _)] = [message for message in sent(week) if message[2]["owner"] == "brand-team"]
    assert "nothing to do" in subject
    assert "1 domain, 77 sessions, none failed" in text  # not the 10,000 of the day after
    assert text.rstrip().endswith("Nothing to do.")


def test_without_the_setting_there_is_none(week, monkeypatch):
    monkeypatch.delenv("MAILTLS_DIGEST")
    until(week, 20)
    assert sent(week) == []


def test_an_hour_without_time_goes_on_in_the_next(week):
    until(week, 6)
    week.seconds_left = 1
    until(week, 8)
    assert sent(week) == []
    week.seconds_left = 180
    week.tick()
    assert len(sent(week)) == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_fault_at_any_call_sends_it_at_most_once_more(week, after):
    until(week, 6)
    before, now = dict(week.store.objects), week.now
    lengths = set()
    for at in range(1, 60):
        week.store.objects, week.now = dict(before), now
        week.topic.messages.clear()
        week.faults.plan(at, after=after)
        with contextlib.suppress(StoreError):
            week.tick()
        reached = week.faults.count >= at
        week.faults.plan(0, after=False)
        week.tick()
        found = sent(week)
        assert {attributes["owner"] for _, _, attributes in found} == {"mail-team", "brand-team"}
        lengths.add(len(found))
        assert len(found) <= 3
        if not reached:
            break
    assert not reached
    assert 2 in lengths


def test_a_damaged_state_is_begun_anew(week):
    until(week, 6)
    owner = digests.hashlib.sha256(b"mail-team").hexdigest()[:16]
    for damage in (b"", b"[]", b'{"told": false, "lines": {"contoso.example": 3}}'):
        week.store.objects[f"digests/2026-11-02/{owner}.json"] = damage
        until(week, 7)
        assert len(sent(week)) >= 1
        week.now -= timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("1T07", "2026-11-02"),
        ("1T08", "2026-10-26"),
        ("7T07", "2026-11-01"),
        ("7T23", "2026-11-01"),
        ("8T07", None),
        ("1T24", None),
        ("", None),
    ],
)
def test_when_it_is_due(text, due):
    weekly = digests.Weekly.parse(text)
    monday = datetime(2026, 11, 2, 7, tzinfo=UTC)
    assert (str(weekly.due(monday)) if weekly else None) == due


def test_a_late_hour_of_a_sunday_is_told_even_when_its_last_tick_was_missed(week, monkeypatch):
    monkeypatch.setenv("MAILTLS_DIGEST", "7T23")
    week.now = datetime(2026, 11, 2, 2, tzinfo=UTC)  # three hours without a tick
    week.tick()
    assert len(sent(week)) == 2


def test_a_day_with_too_many_reports_is_told(week, mails, monkeypatch):
    monkeypatch.setattr(digests, "PAGE", 64)
    for number in range(digests.MAX_ENTRIES + 1):
        about = {"policy-domain": "northwind.example", "policy-string": [], "mx-host": ["mx1.northwind.example"]}
        report = mails.report(mails.policy(1, **about), day="2026-10-29", report_id=f"flood-{number}")
        week.receive(mails.mail(report))
    until(week, 7)
    [text] = [text for _, text, attributes in sent(week) if attributes["owner"] == "mail-team"]
    assert "NOT ALL" in text
    assert "the numbers of northwind.example leave out reports" in text
    assert "northwind" not in text.split("LOOK")[1].split("WELL")[0]  # and of the other days all is counted
    assert "1,434" in text


def test_the_command_says_the_same_of_a_copy_of_the_bucket(week, tmp_path):
    until(week, 7)
    messages = {attributes["owner"]: text for _, text, attributes in sent(week)}
    for key, body in week.store.objects.items():
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def run(*more):
        command = [sys.executable, "-m", "mailtls.cli", "reports", "digest", str(tmp_path), "--to", "2026-10-31", *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    both = run()
    assert both.returncode == 1, both.stderr
    assert both.stdout == messages["brand-team"] + "\n" + messages["mail-team"]
    one = run("--owner", "brand-team", "--format", "json")
    assert one.returncode == 0
    data = json.loads(one.stdout)
    schema = json.loads(resources.files("mailtls.render").joinpath("reports_digest.v1.schema.json").read_text("utf-8"))
    for line in (*run("--format", "json").stdout.splitlines(), one.stdout):
        jsonschema.validate(json.loads(line), schema)
    assert data["text"] == messages["brand-team"]
    assert data["domains"][0]["week"] == {"reports": 1, "successful_sessions": 77, "failed_sessions": 0}
    assert "no deployed domain is theirs" in run("--owner", "nobody").stderr
