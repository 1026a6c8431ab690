"""One fault of an MX that many domains share: one alert that grows, and one end."""

import contextlib
from datetime import timedelta

import pytest

from mailtls.tls_rpt.contract import OwnDomain
from report_lambda.store import StoreError

HOST = "mx2.mailhost.example"
MX = ("mx1.mailhost.example", HOST)


@pytest.fixture
def fails(cloud, mails):
    """A team's twelve domains share their MX; the last two are in testing, another team has two more."""
    modes = ["enforce"] * 10 + ["testing"] * 2
    ours = [OwnDomain(f"d{number:02}.example", mode, MX, "mail-team") for number, mode in enumerate(modes)]
    theirs = [OwnDomain(f"e{number:02}.example", "enforce", MX, "brand-team") for number in range(2)]
    cloud.own(*ours, *theirs)
    known = {own.policy_domain: own for own in (*ours, *theirs)}

    def fail(name, count=200, *, day="2026-11-30", result_type="certificate-expired", host=HOST, signer="google.com"):
        own = known[name]
        lines = ["version: STSv1", f"mode: {own.mode}", *(f"mx: {mx}" for mx in MX), "max_age: 604800"]
        details = (mails.failure(count, result_type, host),) if count else ()
        policy = mails.policy(1000, details, **{"policy-domain": name, "policy-string": lines, "mx-host": list(own.mx)})
        cloud.receive(mails.mail(mails.report(policy, day=day, report_id=f"{name} {day}"), signer=signer))

    return fail


def test_one_expired_certificate_of_a_shared_mx_is_one_alert_that_grows(cloud, fails):
    for number in range(12):
        fails(f"d{number:02}.example")
    assert cloud.topic.subjects == [f"[critical] d00.example: certificate of {HOST} expired, senders hold mail"]
    cloud.tick(timedelta(hours=1))
    [_, (subject, text, attributes)] = cloud.topic.messages
    assert subject == f"[critical] now also d01.example and 10 more: certificate of {HOST} expired"
    assert "d09.example (enforce), d10.example (testing), d11.example (testing)." in " ".join(text.split())
    assert f"IN ALL  12 domains fail at {HOST}" in text
    assert attributes["owner"] == "mail-team"
    cloud.tick(timedelta(hours=3))
    assert len(cloud.topic.messages) == 2


def test_the_next_day_brings_one_message_not_twelve(cloud, fails):
    for number in range(12):
        fails(f"d{number:02}.example")
    cloud.tick(timedelta(hours=1))
    cloud.now += timedelta(days=1)
    for number in range(12):
        fails(f"d{number:02}.example", day="2026-12-01")
    assert cloud.topic.kinds == ["critical", "critical", "critical, again"]
    text = " ".join(cloud.topic.messages[-1][1].split())
    assert f"ALSO the same at {HOST}: d01.example (enforce), d02.example (enforce)" in text


def test_a_domain_that_joins_on_another_day_is_told_by_the_hour(cloud, fails):
    fails("d00.example")
    cloud.tick(timedelta(hours=3))
    fails("d01.example")
    assert len(cloud.topic.messages) == 1
    cloud.tick()
    assert cloud.topic.subjects[1:] == [f"[critical] now also d01.example: certificate of {HOST} expired"]


def test_each_team_hears_of_its_own_domains(cloud, fails):
    for name in ("d00.example", "d01.example", "e00.example", "e01.example"):
        fails(name)
    cloud.tick(timedelta(hours=1))
    told = [(attributes["owner"], subject.split(":")[0]) for subject, _, attributes in cloud.topic.messages]
    assert told[:2] == [("mail-team", "[critical] d00.example"), ("brand-team", "[critical] e00.example")]
    assert set(told[2:]) == {
        ("mail-team", "[critical] now also d01.example"),
        ("brand-team", "[critical] now also e01.example"),
    }
    assert len(told) == 4


def test_a_worse_case_is_not_held_back_by_a_milder_one(cloud, fails):
    fails("d10.example")  # in testing
    fails("d00.example")
    assert cloud.topic.kinds == ["warning", "critical"]


def test_other_faults_and_other_hosts_are_alerts_of_their_own(cloud, fails):
    fails("d00.example")
    fails("d01.example", result_type="starttls-not-supported")
    fails("d02.example", host="mx1.mailhost.example")
    assert cloud.topic.kinds == ["critical", "critical", "critical"]


def test_it_is_over_once_for_all_and_each_end_is_told(cloud, fails):
    for number in range(3):
        fails(f"d{number:02}.example")
    cloud.tick(timedelta(hours=1))
    cloud.now += timedelta(days=1)
    for number in range(2):
        fails(f"d{number:02}.example", count=0, day="2026-12-01")
    cloud.tick(timedelta(hours=1))
    cloud.tick(timedelta(hours=1))
    over = [(subject, " ".join(text.split())) for subject, text, _ in cloud.topic.messages if "[over]" in subject]
    assert [subject for subject, _ in over] == [f"[over] d00.example and 1 more: certificate of {HOST} expired"]
    assert "OVER for d00.example, d01.example. IN ALL 1 domain fails" in over[0][1]
    fails("d02.example", count=0, day="2026-12-01")
    cloud.tick(timedelta(hours=1))
    assert cloud.topic.subjects[-1] == f"[over] d02.example: certificate-expired at {HOST}"


def test_a_gathering_whose_members_fell_quiet_holds_nobody_back(cloud, fails):
    """Its first domain is never clean and never fails again: the others go on to speak."""
    fails("d00.example")
    fails("d01.example")
    cloud.tick(timedelta(hours=1))
    for day in range(1, 4):
        cloud.now += timedelta(days=1)
        fails("d01.example", day=f"2026-12-{day:02}")
    assert cloud.topic.kinds == ["critical", "critical", *["critical, again"] * 3]


def test_a_damaged_gathering_is_begun_anew(cloud, fails):
    fails("d00.example")
    [key] = cloud.store.under("hosts/")
    cloud.store.objects[key] = b"{}"
    fails("d01.example")
    assert cloud.topic.kinds == ["critical", "critical"]


def test_ends_in_one_hour_are_told_together(cloud, fails):
    for number in range(3):
        fails(f"d{number:02}.example")
    cloud.tick(timedelta(hours=1))
    cloud.now += timedelta(days=1)
    for number in range(3):
        fails(f"d{number:02}.example", count=0, day="2026-12-01")
    for _ in range(3):
        cloud.tick(timedelta(hours=1))
    over = [(subject, " ".join(text.split())) for subject, text, _ in cloud.topic.messages if "[over]" in subject]
    assert [subject for subject, _ in over] == [f"[over] d00.example and 2 more: certificate of {HOST} expired"]
    assert "OVER for d00.example, d01.example, d02.example. IN ALL no domain fails" in over[0][1]


def test_a_repetition_that_the_topic_refused_is_told_later(cloud, fails):
    fails("d00.example")
    fails("d01.example")
    cloud.tick(timedelta(hours=1))
    cloud.now += timedelta(days=1)
    arrive, publish = cloud.arrive, cloud.topic.publish

    def refuse(*message):
        raise StoreError("planned")

    waiting = []
    cloud.topic.publish = refuse
    cloud.arrive = lambda mail, mail_id="": waiting.append(arrive(mail, mail_id)) or waiting[-1]
    with contextlib.suppress(AssertionError):  # the mail comes again
        fails("d00.example", 5000, day="2026-12-01")
    cloud.topic.publish = publish
    cloud.now += timedelta(minutes=18)
    assert cloud.notify(*waiting) == []
    cloud.tick(timedelta(hours=1))
    assert cloud.topic.kinds == ["critical", "critical", "critical, again"]


def test_a_domain_that_becomes_worse_is_told_although_the_host_is_known(cloud, fails):
    fails("d00.example")
    fails("d01.example", count=1)
    cloud.tick(timedelta(hours=1))
    fails("d01.example", count=500, signer="mail.ru")
    cloud.tick(timedelta(hours=1))
    joined = f"now also d01.example: certificate of {HOST} expired"
    assert cloud.topic.subjects[1:] == [f"[warning] {joined}", f"[critical] {joined}"]
