"""From a notification to a disposition: what is stored, counted, kept apart, and never done twice."""

import json
import zlib
from datetime import timedelta

import pytest

from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.ledger import LedgerEntry


def test_a_report_is_stored_once_with_one_disposition(cloud, mails):
    disposition = cloud.receive(mails.mail(mails.report()))

    assert disposition["disposition"] == "stored"
    assert disposition["signer"] == "google.com"
    [key] = cloud.store.under("reports/")
    assert disposition["stored"] == [key]
    assert key.startswith("reports/contoso.example/2026-11-30/")
    entry = LedgerEntry.parse(cloud.store.objects[key])
    assert (entry.mail, entry.signer, entry.policy_domain) == ("mail1", "google.com", "contoso.example")
    assert entry.report.policies[0].total_successful_session_count == 100
    assert cloud.store.objects[key].count(b"\n") == 1  # one line: Athena reads it as it lies
    assert LedgerEntry.parse(entry.render()) == entry


def test_the_same_report_in_another_mail_is_a_duplicate(cloud, mails):
    cloud.receive(mails.mail(mails.report()))
    again = cloud.receive(mails.mail(mails.report()))

    assert again["disposition"] == "duplicate"
    assert len(cloud.store.under("reports/")) == 1
    assert cloud.metric("ReportsStored") == 1
    assert cloud.metric("ReportsDuplicate") == 1
    assert cloud.metric("MailsReceived") == 2


def test_other_content_under_the_same_id_is_kept_and_noted_but_not_counted(cloud, mails):
    cloud.receive(mails.mail(mails.report(mails.policy(100))))
    again = cloud.receive(mails.mail(mails.report(mails.policy(999))))

    assert again["disposition"] == "stored"
    [kept] = again["stored"]
    assert any(kept in note and "other content" in note for note in again["notes"])
    [first], [other] = cloud.store.under("reports/"), cloud.store.under("other-content/")
    assert other == kept
    counts = [LedgerEntry.parse(cloud.store.objects[key]).report.policies[0] for key in (first, other)]
    assert [count.total_successful_session_count for count in counts] == [100, 999]
    assert cloud.metric("SuccessfulSessions", PolicyType="sts") == 100
    assert cloud.metric("ReportsStored") == 1
    assert cloud.metric("ReportsDuplicate") == 1


def test_the_second_of_two_contents_is_heard_and_its_repetition_is_a_duplicate(cloud, mails):
    """Whoever came first with a clean report does not silence the failures of the one that came later."""
    later = mails.mail(mails.report(mails.policy(100, (mails.failure(50),))))
    cloud.receive(mails.mail(mails.report(mails.policy(100))))
    assert cloud.receive(later)["disposition"] == "stored"
    assert len(cloud.topic.messages) == 1
    assert cloud.receive(later)["disposition"] == "duplicate"
    assert len(cloud.topic.messages) == 1
    assert len(cloud.store.under("reports/")) == len(cloud.store.under("other-content/")) == 1


def test_two_contents_of_one_identity_in_one_mail_are_both_kept(cloud, mails):
    contents = [mails.report(mails.policy(100)), mails.report(mails.policy(999)), mails.report(mails.policy(100))]
    disposition = cloud.receive(mails.mail(*contents))
    assert disposition["disposition"] == "stored"
    assert sorted(disposition["stored"]) == cloud.store.under("other-content/") + cloud.store.under("reports/")
    assert len(disposition["stored"]) == 2


def test_contents_of_one_identity_have_an_end(cloud, mails):
    for count in range(30):
        disposition = cloud.receive(mails.mail(mails.report(mails.policy(count))))
    assert disposition["disposition"] == "duplicate"
    assert any("only the mail is kept" in note for note in disposition["notes"])
    assert len(cloud.store.under("reports/") + cloud.store.under("other-content/")) == 21
    assert len(cloud.store.under("raw/")) == 30


def test_a_guessed_report_id_does_not_keep_the_real_report_out(cloud, mails):
    """Somebody with a domain of his own sends a clean report in the name of Google, before Google does."""
    forged = mails.mail(mails.report(mails.policy(100)), signer="evil.test")
    real = mails.mail(mails.report(mails.policy(100, (mails.failure(50),))))

    assert cloud.receive(forged)["disposition"] == "stored"
    assert cloud.receive(real)["disposition"] == "stored"
    assert cloud.receive(real)["disposition"] == "duplicate"
    assert cloud.receive(forged)["disposition"] == "duplicate"
    entries = [LedgerEntry.parse(cloud.store.objects[key]) for key in cloud.store.under("reports/")]
    assert sorted(entry.signer for entry in entries) == ["evil.test", "google.com"]
    assert len(cloud.topic.messages) == 1


def test_a_repeated_event_does_nothing(cloud, mails):
    cloud.receive(mails.mail(mails.report(mails.policy(100, (mails.failure(),)))))
    objects, messages, lines = dict(cloud.store.objects), list(cloud.topic.messages), cloud.metric("MailsReceived")

    assert cloud.notify("mail1") == []

    assert cloud.store.objects == objects
    assert cloud.topic.messages == messages
    assert cloud.metric("MailsReceived") == lines


def test_several_reports_in_one_mail_and_the_same_one_twice(cloud, mails):
    one, other = mails.report(), mails.report(day="2026-11-29")
    disposition = cloud.receive(mails.mail(one, other, one))

    assert disposition["disposition"] == "stored"
    assert len(cloud.store.under("reports/")) == 2
    assert cloud.metric("ReportsStored") == 2


def test_a_report_about_two_of_our_domains_and_a_foreign_one_is_stored_for_ours(cloud, mails):
    report = mails.report(
        mails.policy(10),
        mails.policy(20, **{"policy-domain": "brand01.example"}),
        mails.policy(30, **{"policy-domain": "elsewhere.example"}),
    )
    disposition = cloud.receive(mails.mail(report))

    stored = [LedgerEntry.parse(cloud.store.objects[key]) for key in cloud.store.under("reports/")]
    assert [(e.policy_domain, [p.total_successful_session_count for p in e.report.policies]) for e in stored] == [
        ("brand01.example", [20]),
        ("contoso.example", [10]),
    ]
    assert any("elsewhere.example" in note for note in disposition["notes"])


def test_a_policy_without_a_domain_belongs_to_the_only_domain_of_its_mail(cloud, mails):
    nameless = mails.policy(7, **{"policy-type": "no-policy-found", "policy-string": [], "policy-domain": ""})
    cloud.receive(mails.mail(mails.report(nameless)))
    cloud.receive(mails.mail(mails.report(nameless, mails.policy(5), day="2026-11-29")))

    counts = [
        [p.total_successful_session_count for p in LedgerEntry.parse(cloud.store.objects[key]).report.policies]
        for key in cloud.store.under("reports/contoso.example/")
    ]
    assert counts == [[7, 5], [7]]


def test_a_policy_without_a_domain_in_a_report_about_several_is_counted_for_none(cloud, mails):
    nameless = mails.policy(7, **{"policy-type": "no-policy-found", "policy-string": [], "policy-domain": ""})
    other = mails.policy(6, **{"policy-domain": "brand01.example"})
    disposition = cloud.receive(mails.mail(mails.report(nameless, mails.policy(5), other)))

    for key in cloud.store.under("reports/"):
        assert len(LedgerEntry.parse(cloud.store.objects[key]).report.policies) == 1
    assert any("names no domain" in note for note in disposition["notes"])


QUARANTINES = {
    "dkim-missing": lambda m: m.mail(m.report(), headers=m.ses_headers() + m.sender_headers()[1:]),
    "dkim-failed": lambda m: m.mail(
        m.report(), headers=m.ses_headers(results="dkim=fail header.i=@google.com") + m.sender_headers()
    ),
    "dkim-unaligned": lambda m: m.mail(
        m.report(), headers=m.ses_headers("evil.test") + m.sender_headers("evil.test", "noreply@google.com")
    ),
    "dkim-length-tag": lambda m: m.mail(m.report(), headers=m.ses_headers() + m.sender_headers(tags=" l=120;")),
    "virus": lambda m: m.mail(m.report()).replace(b"X-SES-Virus-Verdict: PASS", b"X-SES-Virus-Verdict: FAIL"),
    "foreign-domain": lambda m: m.mail(m.report(m.policy(**{"policy-domain": "elsewhere.example"}))),
    "not-a-report": lambda m: m.mail(headers=m.ses_headers() + m.sender_headers()[:-2], text="I am out of the office."),
    "unreadable": lambda m: m.mail(b"\x1f\x8b\x08 not gzip at all"),
    "too-large": lambda m: m.mail(m.report(), text="x" * 80 + "\n") + b"\r\n" * (20 * 1024 * 1024),
}


@pytest.mark.parametrize("reason", QUARANTINES)
def test_what_cannot_be_believed_or_read_is_kept_apart_with_its_reason(cloud, mails, reason):
    mail = QUARANTINES[reason](mails)
    disposition = cloud.receive(mail)

    assert (disposition["disposition"], disposition["reason"]) == ("quarantined", reason)
    assert cloud.store.under("quarantine/") == [f"quarantine/{reason}/mail1.eml", f"quarantine/{reason}/mail1.json"]
    assert cloud.store.objects[f"quarantine/{reason}/mail1.eml"] == mail
    beside = cloud.store.json(f"quarantine/{reason}/mail1.json")
    assert beside["detail"]
    assert ("From" in dict(beside["headers"])) == (reason != "too-large")  # that one was never read
    assert cloud.store.under("reports/") == []
    assert cloud.topic.messages == []
    assert cloud.metric("MailsQuarantined") == cloud.metric("MailsQuarantined", Reason=reason) == 1
    assert cloud.metric("MailsReceived") == 1


def test_one_unreadable_part_does_not_spoil_its_neighbour(cloud, mails):
    disposition = cloud.receive(mails.mail(b'{"policies": 7}', mails.report()))

    assert disposition["disposition"] == "stored"
    assert any("no report" in note for note in disposition["notes"])


def test_a_compression_bomb_is_quarantined(cloud, mails):
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b" " * 1024 * 1024) for _ in range(64)) + packer.flush()

    assert cloud.receive(mails.mail(bomb))["reason"] == "too-large"


def test_ses_setup_notification_is_no_mail(cloud):
    cloud.arrive(b"anything", "AMAZON_SES_SETUP_NOTIFICATION")

    assert cloud.notify("AMAZON_SES_SETUP_NOTIFICATION") == []
    assert cloud.store.json("dispositions/AMAZON_SES_SETUP_NOTIFICATION.json")["disposition"] == "setup"
    assert cloud.metric("MailsReceived") == 0


def test_a_raw_mail_that_is_gone_comes_again_and_ends_in_the_dead_letters(cloud):
    assert cloud.notify("never-stored") == ["never-stored"]
    assert cloud.store.under("dispositions/") == []


def test_one_failing_record_does_not_take_its_neighbours_with_it(cloud, mails):
    good = cloud.arrive(mails.mail(mails.report()))

    assert cloud.notify("never-stored", good) == ["never-stored"]
    assert cloud.store.under("dispositions/") == [f"dispositions/{good}.json"]
    [logged] = [line for line in cloud.lines if line.get("event") == "failed"]
    assert (logged["error"], logged["message"]) == ("RawMailMissing", "never-stored")


def test_what_an_invocation_has_no_time_for_comes_again(cloud, mails):
    put = cloud.store.put_if_absent

    def put_slowly(key, body, content_type):
        cloud.seconds_left -= 25
        return put(key, body, content_type)

    cloud.store.put_if_absent = put_slowly  # each mail takes 50 seconds
    ids = [cloud.arrive(mails.mail(mails.report(day=f"2026-11-2{number}"))) for number in range(4)]
    cloud.seconds_left = 180.0
    assert cloud.notify(*ids) == ids[2:]
    cloud.seconds_left = 180.0
    assert cloud.notify(*ids) == []
    assert len(cloud.store.under("dispositions/")) == 4


def test_a_broken_domain_list_makes_no_domain_foreign(cloud, mails):
    cloud.store.objects["domains/other.json"] = b"{"
    known = cloud.arrive(mails.mail(mails.report()))
    unknown = cloud.arrive(mails.mail(mails.report(mails.policy(**{"policy-domain": "elsewhere.example"}))))

    assert cloud.notify(known, unknown) == [unknown]
    assert cloud.store.under("dispositions/") == [f"dispositions/{known}.json"]

    cloud.own(OwnDomain("elsewhere.example"), stack="other")
    assert cloud.notify(unknown) == []
    assert cloud.store.json(f"dispositions/{unknown}.json")["disposition"] == "stored"


def test_domain_lists_are_read_again_only_when_they_changed(cloud, mails):
    cloud.receive(mails.mail(mails.report()))
    cloud.receive(mails.mail(mails.report(day="2026-11-29")))
    assert cloud.store.reads.count("domains/sandbox.json") == 1

    cloud.own(mails.brand)
    assert cloud.receive(mails.mail(mails.report(day="2026-11-28")))["reason"] == "foreign-domain"
    assert cloud.store.reads.count("domains/sandbox.json") == 2


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["report", "junk"])
def test_a_crash_at_any_call_loses_nothing_and_doubles_nothing_but_counters(cloud, mails, kind, after):
    report = mails.report(
        mails.policy(100, (mails.failure(),)), mails.policy(5, **{"policy-domain": "brand01.example"})
    )
    mail = mails.mail(report) if kind == "report" else mails.mail(text="spam")
    start, first_domains = cloud.now, dict(cloud.store.objects)
    for step in range(1, 200):
        cloud.store.objects, cloud.topic.messages, cloud.now = dict(first_domains), [], start
        mail_id = cloud.arrive(mail)
        published_before_crash = _crash_at(cloud, step, after, mail_id)
        crashed = cloud.faults.count >= step
        cloud.faults.plan(0, after=False)

        assert cloud.notify(mail_id) == []  # the queue delivers it again
        cloud.tick()
        cloud.tick(timedelta(hours=7))

        assert cloud.store.under("dispositions/") == [f"dispositions/{mail_id}.json"]
        disposition = cloud.store.json(f"dispositions/{mail_id}.json")
        if kind == "report":
            assert disposition["disposition"] == "stored"
            assert disposition["stored"] == cloud.store.under("reports/")
            assert len(cloud.store.under("reports/")) == 2
            sent = len(cloud.topic.messages)
            assert sent == 1 or (sent == 2 and published_before_crash), f"step {step}: {cloud.topic.subjects}"
            assert sum(s["failed"] for s in cloud.store.json(cloud.store.under("alerts/")[0])["sightings"]) == 12
            assert cloud.receive(mail)["disposition"] == "duplicate"
        else:
            assert disposition["disposition"] == "quarantined"
            assert len(cloud.store.under("quarantine/")) == 2
        if not crashed:
            assert step > 5, "the faults were never reached"
            return
    pytest.fail("there is no end of calls")


def _crash_at(cloud, step, after, mail_id):
    """Deliver the mail with a fault at call number `step`. Was a message out, but not yet noted as told?"""
    cloud.faults.plan(step, after=after)
    cloud.notify(mail_id)
    states = [json.loads(cloud.store.objects[key]) for key in cloud.store.under("alerts/")]
    return bool(cloud.topic.messages) and any(state["claim"] for state in states)
