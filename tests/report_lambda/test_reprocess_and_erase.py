"""`mailtls reports reprocess` and `erase` over a copy of a bucket that the function has filled."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from mailtls.cli.reports.bucket_writer import FolderWriter
from mailtls.cli.reports.erasure import Erasure
from mailtls.observe import mail_again
from mailtls.observe.report_bucket import FolderBucket
from mailtls.tls_rpt.contract import OwnDomain, parse_domain_list, render_domain_list
from mailtls.totals.read_again import Wanted

HOST = "mx.mailhost.example"
LEFT = OwnDomain("leaving.example", "enforce", (HOST,), "team")
BESIDE = OwnDomain("beside.example", "enforce", (HOST,), "team")


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "mailtls.cli", "reports", *map(str, arguments)], capture_output=True,
                          text=True, timeout=120, check=False)  # fmt: skip


def copied(cloud, place, old=timedelta(hours=5)):
    """As `aws s3 sync` makes it; raw mails arrived `old` ago."""
    then = (datetime.now(UTC) - old).timestamp()
    for key, body in cloud.store.objects.items():
        path = place / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        os.utime(path, (then, then))
    return place


def files(place):
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_what_nothing_became_of_is_told_with_what_would_become_of_it_today(cloud, mails, tmp_path):
    cloud.receive(mails.is_clean())
    lost = cloud.arrive(mails.is_clean(day="2026-11-29"))
    junk = cloud.arrive(mails.mail(text="spam"))
    done = run("reprocess", copied(cloud, tmp_path), "--format", "json")
    assert done.returncode == 1, done.stderr
    told = {line["mail"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(told) == {lost, junk}
    assert (told[lost]["today"], told[lost]["wanted"], told[lost]["announced"]) == ("stored", True, False)
    assert told[lost]["today_told"] == "a report about contoso.example"
    assert (told[junk]["today"], told[junk]["wanted"]) == ("unreadable", False)


def test_mail_on_its_way_is_left_alone(cloud, mails, tmp_path):
    cloud.arrive(mails.is_clean())
    done = run("reprocess", copied(cloud, tmp_path, timedelta(minutes=30)))
    assert (done.returncode, done.stdout) == (0, "0 mails to be announced again; --write does it\n")


def test_what_was_kept_apart_is_wanted_where_todays_reader_takes_it(cloud, mails, tmp_path):
    """A domain that was added after its first report came."""
    report = mails.report(mails.policy(**{"policy-domain": "leaving.example"}))
    kept = cloud.receive(mails.mail(report))
    assert kept["reason"] == "foreign-domain"
    cloud.receive(mails.mail(mails.report(mails.policy(**{"policy-domain": "elsewhere.example"}), day="2026-11-29")))
    cloud.own(mails.contoso, LEFT)
    place = copied(cloud, tmp_path)
    done = run("reprocess", place, "--reason", "foreign-domain", "--format", "json")
    wanted = {line["mail"]: line["wanted"] for line in map(json.loads, done.stdout.splitlines())}
    assert wanted == {"mail1": True, "mail2": False}
    assert "1 would be kept apart again" in run("reprocess", place, "--reason", "foreign-domain").stdout
    assert run("reprocess", place).returncode == 0  # not asked for

    before = files(place)
    refused = run("reprocess", place, "--mail", "mail1", "--write")
    assert refused.returncode == 2
    assert "no queue" in refused.stderr
    assert files(place) == before

    del cloud.store.objects["dispositions/mail1.json"]
    assert cloud.notify("mail1", "mail1") == []
    assert cloud.store.json("dispositions/mail1.json")["disposition"] == "stored"
    assert len(cloud.store.under("reports/leaving.example/")) == 1


def test_mail_is_chosen_by_the_domain_that_it_is_about_and_by_the_day_on_which_it_came(cloud, mails, tmp_path):
    cloud.own(mails.contoso, LEFT)
    cloud.arrive(mails.is_clean())
    about = {"policy-domain": "leaving.example"}
    cloud.arrive(mails.mail(mails.report(mails.policy(**about), mails.policy(), day="2026-11-29")))
    cloud.arrive(mails.mail(text="spam"))
    place = copied(cloud, tmp_path)
    then = datetime(2026, 11, 20, 23, 59, tzinfo=UTC).timestamp()
    os.utime(place / "raw" / "mail1", (then, then))

    def chosen(*arguments):
        done = run("reprocess", place, "--format", "json", *arguments)
        assert done.returncode in (0, 1), done.stderr
        return [json.loads(line)["mail"] for line in done.stdout.splitlines()]

    assert chosen() == ["mail1", "mail2", "mail3"]
    assert chosen("--domain", "Leaving.example") == ["mail2"]
    assert chosen("--domain", "contoso.example") == ["mail1", "mail2"]
    assert chosen("--domain", "contoso.example", "--from", "2026-11-21") == ["mail2"]
    assert chosen("--to", "2026-11-20") == ["mail1"]
    assert chosen("--to", "2026-11-19") == []
    assert run("reprocess", place, "--from", "2026-11-20", "--to", "2026-11-19").returncode == 2
    assert run("reprocess", place, "--domain", "a b").returncode == 2


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_both_listings_are_read_side_by_side(cloud, mails, tmp_path, monkeypatch, page):
    """In the order of keys "a-b.json" stands before "a.json", but "a" before "a-b"."""
    monkeypatch.setattr(mail_again, "PAGE", page)
    junk = mails.mail(text="spam")
    for mail in ("a", "a-b", "a-c", "b", "c", "d"):
        cloud.arrive(junk, mail)
    for mail in ("a", "a-b", "b", "d", "of-a-mail-that-came-to-its-end"):
        cloud.store.objects[f"dispositions/{mail}.json"] = b"{}"
    bucket, later = FolderBucket(copied(cloud, tmp_path)), datetime.now(UTC)
    found = mail_again.wanted_mails(bucket, Wanted(), {}, later, lambda: None)
    assert [arrival.mail for arrival, _ in found] == ["a-c", "c"]


def test_a_mail_that_is_not_there_and_an_arn_that_is_none(cloud, mails, tmp_path):
    cloud.receive(mails.is_clean())
    place = copied(cloud, tmp_path)
    assert "raw/none is not there" in run("reprocess", place, "--mail", "none").stderr
    assert "no ARN of a queue" in run("reprocess", place, "--dead-letters", "queue").stderr


@pytest.fixture
def bucket(cloud, mails, tmp_path):
    """Reports about two domains that share an MX fault, one mail about both, mail that was kept apart."""
    cloud.own(mails.contoso, LEFT, BESIDE)
    failed = mails.failure(500, mx=HOST)
    leaving, beside = (
        {"policy-domain": own.policy_domain, "policy-string": [], "mx-host": [HOST]} for own in (LEFT, BESIDE)
    )
    cloud.receive(mails.mail(mails.report(mails.policy(100, (failed,)))))
    cloud.receive(mails.mail(mails.report(mails.policy(100, (failed,), **leaving)), signer="microsoft.com"))
    both = mails.report(mails.policy(5), mails.policy(7, **leaving), day="2026-11-29")
    cloud.receive(mails.mail(both))
    headers = [("TLS-Report-Domain", "leaving.example")]
    cloud.receive(mails.mail(text="junk", headers=mails.ses_headers() + mails.sender_headers()[:-2] + headers))
    cloud.receive(mails.mail(mails.report(mails.policy(100, (failed,), **beside)), signer="mail.ru"))
    cloud.tick()
    cloud.store.objects["digests/2026-11-30/0.json"] = json.dumps(
        {"version": 1, "told": False, "lines": {"leaving.example": {"mode": "enforce"}, "contoso.example": {}}}
    ).encode()
    return copied(cloud, tmp_path)


def test_a_domain_that_is_deployed_is_not_erased_by_mistake(bucket):
    before = files(bucket)
    done = run("erase", "leaving.example", bucket, "--write")
    assert done.returncode == 2
    assert "is deployed (domains/sandbox.json)" in done.stderr
    assert files(bucket) == before


def test_erase_counts_first_and_deletes_what_is_the_domains_alone(bucket):
    leave(bucket)
    before = files(bucket)
    counted = run("erase", "leaving.example", bucket)
    assert counted.returncode == 1
    assert files(bucket) == before

    done = run("erase", "leaving.example", bucket, "--write", "--format", "json")
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["objects"]["stored reports"] == 2
    assert receipt["objects"]["mails and what became of them"] == 1
    assert receipt["objects"]["mails kept apart, and their copies"] == 1
    assert receipt["unreadable"] == []
    assert receipt["shared_mails"] == 1
    after = files(bucket)
    assert {key for key, body in after.items() if "leaving.example" in key or b"leaving.example" in body} == {
        "dispositions/mail3.json"  # about contoso.example too
    }
    assert "raw/mail3" in after
    gone = before.keys() - after.keys()
    assert gone >= {"raw/mail2", "dispositions/mail2.json", "raw/mail4", "reporters/leaving.example.json"}
    assert not [key for key in gone if "contoso.example" in key]
    assert json.loads(after["digests/2026-11-30/0.json"])["lines"] == {"contoso.example": {}}
    (shared,) = [key for key in after if key.startswith("hosts/")]
    assert b"leaving.example" in before[shared]
    assert b"beside.example" in after[shared]

    again = run("erase", "leaving.example", bucket)
    assert again.returncode == 0
    assert "0 objects" in again.stdout


def leave(bucket):
    """The domain's spec is gone, and deployed so."""
    listed = parse_domain_list((bucket / "domains" / "sandbox.json").read_bytes())
    kept = [own for own in listed if own.policy_domain != "leaving.example"]
    (bucket / "domains" / "sandbox.json").write_text(render_domain_list(kept))


class Killed(BaseException):
    pass


class Mortal(FolderWriter):
    """Dies before one of its deletions, and leaves what it did."""

    left = 0

    def remove(self, keys):
        for key in keys:
            if Mortal.left == 0:
                raise Killed
            Mortal.left -= 1
            super().remove([key])
        return 0

    def change(self, key, step):
        if Mortal.left == 0:
            raise Killed
        Mortal.left -= 1
        super().change(key, step)


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next_one(bucket, tmp_path_factory):
    leave(bucket)
    places = tmp_path_factory.mktemp("places")

    def erase(place, writer):
        Erasure(FolderBucket(place), writer(FolderBucket(place)), "leaving.example", write=True).run()

    whole = shutil.copytree(bucket, places / "whole")
    erase(whole, FolderWriter)
    kills = 0
    for steps in range(1000):
        place = shutil.copytree(bucket, places / f"killed{steps}")
        Mortal.left = steps
        try:
            erase(place, Mortal)
        except Killed:
            kills += 1
        else:
            break
        raw = {path.name for path in (place / "raw").iterdir()}
        dealt_with = {path.stem for path in (place / "dispositions").iterdir()}
        assert raw <= dealt_with, "mail without a disposition would be read again"
        erase(place, FolderWriter)
        assert files(place) == files(whole)
    assert kills > 8


def test_what_cannot_be_read_is_told_and_not_passed_over(bucket):
    leave(bucket)
    (bucket / "dispositions" / "mail2.json").write_text("{")
    (hosts,) = (bucket / "hosts").iterdir()
    hosts.write_text('{"members": 1}')
    (apart,) = (bucket / "quarantine").rglob("*.json")
    apart.write_text("[]")
    done = run("erase", "leaving.example", bucket)
    assert "Traceback" not in done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("cannot be read")]
    assert [line.rpartition(" ")[2] for line in told] == [
        "dispositions/mail2.json", apart.relative_to(bucket).as_posix(), hosts.relative_to(bucket).as_posix(),
    ]  # fmt: skip


def test_a_longer_name_keeps_its_held_messages(bucket):
    leave(bucket)
    subjects = ["leaving.example: x", "of.leaving.example: x", "leaving.example.org: x", "now also LEAVING.EXAMPLE."]
    hour = bucket / "hours" / "2026-12-01T03.json"
    hour.parent.mkdir(exist_ok=True)
    lines = [["critical", subject] for subject in subjects]
    hour.write_text(json.dumps({"version": 1, "sent": 0, "held": 4, "lines": lines}))
    assert run("erase", "leaving.example", bucket, "--write").returncode == 0
    assert [line[1] for line in json.loads(hour.read_bytes())["lines"]] == subjects[1:3]


def test_what_is_no_domain_is_told(bucket):
    done = run("erase", "not a domain", bucket)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
