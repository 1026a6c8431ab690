"""The messages, whole: each scenario's text stands in alerts/<scenario>.txt, to be read by a person.

`MAILTLS_WRITE_GOLDEN=1 pytest tests/report_lambda/test_alert_messages.py` writes them anew; read the difference.
"""

import dataclasses
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailtls.tls_rpt.contract import OwnDomain

CONTOSO = OwnDomain(
    "contoso.example",
    "enforce",
    ("mx1.contoso.example", "mx2.contoso.example"),
    spec="policy_specs/contoso.example.yaml",
)
GOLDEN = Path(__file__).parent / "alerts"


def from_google(mails, *policies, day="2026-11-30"):
    return mails.mail(mails.report(*policies, day=day))


def from_microsoft(mails, *policies, day="2026-11-30"):
    report = mails.report(*policies, day=day, organization="Microsoft Corporation", report_id=f"1330{day}+contoso")
    return mails.mail(report, signer="microsoft.com")


def from_mail_ru(mails, *policies, day="2026-11-30"):
    return mails.mail(mails.report(*policies, day=day, organization="Mail.ru"), signer="mail.ru")


def certificate_expired_opened(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(9000), day="2026-11-29"))
    cloud.receive(from_google(mails, mails.policy(8911, (mails.failure(1100),))))


def certificate_expired_again(cloud, mails):
    certificate_expired_opened(cloud, mails)
    cloud.receive(from_microsoft(mails, mails.policy(0, (mails.failure(122, **{"receiving-ip": "2001:db8::25"}),))))
    cloud.receive(from_mail_ru(mails, mails.policy(0, (mails.failure(18),))))
    cloud.tick(timedelta(hours=7))


def certificate_expired_over(cloud, mails):
    certificate_expired_again(cloud, mails)
    cloud.now += timedelta(days=1)
    for sent_by in (from_google, from_microsoft, from_mail_ru):
        cloud.receive(sent_by(mails, mails.policy(500), day="2026-12-01"))
    cloud.tick()


def possible_downgrade(cloud, mails):
    brand = {
        "policy-domain": "brand01.example",
        "policy-string": ["version: STSv1", "mode: testing", "mx: mx-a.mailhost.example", "mx: mx-b.mailhost.example"],
    }
    cloud.receive(from_google(mails, mails.policy(558, **brand)))
    detail = mails.failure(342, "starttls-not-supported", "mx-b.mailhost.example")
    cloud.receive(from_microsoft(mails, mails.policy(0, (detail,), **brand)))


def possible_downgrade_seen_later(cloud, mails):
    detail = mails.failure(40, "starttls-not-supported", "mx2.contoso.example")
    cloud.receive(from_microsoft(mails, mails.policy(900, (detail,))))
    cloud.receive(from_google(mails, mails.policy(5000)))
    cloud.tick()


def possible_downgrade_in_enforce(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000), day="2026-11-29"))
    cloud.receive(from_google(mails, mails.policy(5000)))
    detail = mails.failure(140, "starttls-not-supported", "mx2.contoso.example")
    cloud.receive(from_microsoft(mails, mails.policy(900, (detail,))))


def possible_downgrade_over(cloud, mails):
    possible_downgrade_in_enforce(cloud, mails)
    cloud.now += timedelta(days=1)
    cloud.receive(from_microsoft(mails, mails.policy(900), day="2026-12-01"))
    cloud.tick()


def foreign_certificate(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000)))
    detail = mails.failure(140, "certificate-not-trusted", "mx2.contoso.example")
    cloud.receive(from_microsoft(mails, mails.policy(900, (detail,), mode="testing")))


def mx_outside_policy(cloud, mails):
    detail = mails.failure(40, "validation-failure", "mx3.contoso.example")
    cloud.receive(from_google(mails, mails.policy(800, (detail,))))


def day_of_a_promotion(cloud, mails):
    rows = [mails.policy(50, (mails.failure(count),), mode=mode) for mode, count in (("testing", 60), ("enforce", 40))]
    cloud.receive(from_google(mails, *rows))


def too_many_causes(cloud, mails):
    details = tuple(mails.failure(100 + n, mx=f"mx{n}.mailhost.example") for n in range(14))
    cloud.receive(from_google(mails, mails.policy(9000, details)))


def too_many_causes_over(cloud, mails):
    details = tuple(mails.failure(100 + n, mx=f"mx{n}.contoso.example") for n in range(3, 14))
    cloud.receive(from_google(mails, mails.policy(9000, details)))
    cloud.now += timedelta(days=1)
    cloud.receive(from_google(mails, mails.policy(500), day="2026-12-01"))
    cloud.tick()
    # eleven all-clears in the order of their keys: the one of interest to the end
    cloud.topic.messages.sort(key=lambda message: ("[over]" in message[0], "causes" in message[0]))


def policy_fetch_error(cloud, mails):
    detail = mails.failure(
        33,
        "sts-policy-fetch-error",
        "",
        **{"failure-reason-code": "HTTP 503 from https://mta-sts.contoso.example/\x1b[31m\r\nSubject: pay here\u202e"},
    )
    cloud.receive(from_mail_ru(mails, mails.policy(0, (detail,), **{"policy-string": [], "mx-host": []})))


def tlsa_invalid(cloud, mails):
    detail = mails.failure(9, "tlsa-invalid", "mx1.contoso.example")
    about = {"policy-type": "tlsa", "policy-string": ["3 1 1 1a2b"], "mx-host": ["mx1.contoso.example"]}
    # the same sessions once more under sts: the two types are never added up
    cloud.receive(from_microsoft(mails, mails.policy(300, (detail,), **about), mails.policy(309)))


def no_mx_named(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(10, (mails.failure(3, "certificate-not-trusted", "not a host!"),))))


def failures_without_detail(cloud, mails):
    policy = mails.policy(10)
    policy["summary"]["total-failure-session-count"] = 4
    cloud.receive(from_google(mails, policy))


def certificate_ends_in_14_days(cloud, mails):
    event = mails.payload("eventbridge_acm_approaching_expiration")
    event["detail"]["DaysToExpiry"] = 14
    cloud.call(event)


def certificate_ended(cloud, mails):
    cloud.call(mails.payload("eventbridge_acm_expired"))


def silence(cloud, mails):
    for day in range(13, 23):
        cloud.receive(from_google(mails, mails.policy(10), day=f"2026-11-{day}"))
    cloud.tick(datetime.fromisoformat("2026-12-01T08:00:00+00:00") - cloud.now)


def silence_over(cloud, mails):
    silence(cloud, mails)
    cloud.receive(from_google(mails, mails.policy(10), day="2026-11-30"))
    cloud.tick(timedelta(days=1))


def policy_lost(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(900), day="2026-11-29"))
    none = {"policy-type": "no-policy-found", "policy-string": [], "mx-host": []}
    cloud.receive(from_google(mails, mails.policy(800, **none)))


def at_a_provider(cloud, mails):
    host = "contoso-holding-example.mail.protection.outlook.com"
    cloud.own(dataclasses.replace(CONTOSO, mx=(host,)))
    applied = {
        "policy-string": ["version: STSv1", "mode: enforce", f"mx: {host}", "max_age: 604800"],
        "mx-host": [host],
    }
    cloud.receive(from_google(mails, mails.policy(500, (mails.failure(400, mx=host),), **applied)))


SCENARIOS = [
    policy_lost,
    at_a_provider,
    certificate_expired_opened,
    certificate_expired_again,
    certificate_expired_over,
    possible_downgrade,
    possible_downgrade_seen_later,
    possible_downgrade_in_enforce,
    possible_downgrade_over,
    foreign_certificate,
    day_of_a_promotion,
    too_many_causes,
    too_many_causes_over,
    mx_outside_policy,
    policy_fetch_error,
    tlsa_invalid,
    no_mx_named,
    failures_without_detail,
    certificate_ends_in_14_days,
    certificate_ended,
    silence,
    silence_over,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_message_reads_as_written_down(cloud, mails, scenario):
    scenario(cloud, mails)
    subject, text, attributes = cloud.topic.messages[-1]
    told = f"Subject: {subject}\n" + "".join(f"{name}: {value}\n" for name, value in sorted(attributes.items()))
    golden = GOLDEN / f"{scenario.__name__}.txt"
    if os.environ.get("MAILTLS_WRITE_GOLDEN"):
        golden.write_text(f"{told}\n{text}", encoding="utf-8")
    assert f"{told}\n{text}" == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_message_is_plain_text_that_fits_a_terminal(cloud, mails, scenario):
    scenario(cloud, mails)
    _, text, _ = cloud.topic.messages[-1]
    for line in text.splitlines():
        assert line.isprintable(), line
        # a command is kept whole, and the first line is the subject in full
        assert len(line) <= 100 or line.startswith(("            ", "[")), line


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_commands_of_a_message_end_by_themselves(cloud, mails, scenario):
    """s_client waits for input that nobody types, curl for a server that never answers."""
    scenario(cloud, mails)
    for line in cloud.topic.messages[-1][1].splitlines():
        command = line.strip()
        assert not command.startswith("curl ") or " -m 20 " in command
        assert "s_client" not in command or "</dev/null" in command


def test_a_domain_without_owner_and_spec_still_gets_a_whole_message(cloud, mails):
    cloud.own(OwnDomain("contoso.example"))
    certificate_expired_opened(cloud, mails)
    _, text, attributes = cloud.topic.messages[-1]
    assert "owner" not in attributes
    assert "no owner set" in text
    assert "None" not in text


def test_files_are_named_by_address_where_one_is_known(cloud, mails):
    cloud.own(dataclasses.replace(CONTOSO, files_url="https://git.contoso.example/mailtls/blob/main"))
    certificate_expired_opened(cloud, mails)
    certificate_ended(cloud, mails)
    (_, expired, _), (_, ended, _) = cloud.topic.messages
    here = "https://git.contoso.example/mailtls/blob/main"
    assert f"{here}/docs/break-glass.md" in expired
    assert f"{here}/docs/break-glass.md" in ended
    for text in (expired, ended):
        assert f"spec {here}/policy_specs/contoso.example.yaml" in text
        assert text.count("policy_specs/") == text.count(f"{here}/policy_specs/")
        assert text.count("docs/") == text.count(f"{here}/docs/")


LURE = "mx1.contoso.example, urgent: sign in at https://evil.test/fix"


@pytest.mark.parametrize(
    "address", [LURE, "192.0.2.25, see evil.test", "fe80::1%see evil.test", "fe80::1%evil.test", "192.0.2.25/evil.test"]
)
def test_only_addresses_stand_where_addresses_are_told(cloud, mails, address):
    failure = mails.failure(5, **{"receiving-ip": address})
    cloud.receive(
        from_google(mails, mails.policy(9, (failure, mails.failure(5, **{"receiving-ip": " 2001:DB8::0:25"}))))
    )
    [(_, text, _)] = cloud.topic.messages
    assert "evil.test" not in text
    assert "mx2.contoso.example (2001:db8::25): " in text


def test_only_patterns_stand_where_the_policy_is_told(cloud, mails):
    lines = ["version: STSv1", "mode: enforce", f"mx: {LURE}", "mx: *.mailhost.example", f"mx: {'a.' * 300}"]
    failure = mails.failure(5, "validation-failure", "mx3.contoso.example")
    cloud.receive(from_google(mails, mails.policy(9, (failure,), **{"policy-string": lines})))
    [(_, text, _)] = cloud.topic.messages
    assert "evil.test" not in text
    assert "applied lists *.mailhost.example." in " ".join(text.split())
    [key] = cloud.store.under("reports/")
    assert LURE in str(cloud.store.json(key))  # nothing of it is lost


@pytest.mark.parametrize("mark", ['"', "\u201d", "\uff02", "\u201f"])
def test_the_words_of_a_sender_cannot_close_their_quotes(cloud, mails, mark):
    said = f"none{mark} DO 1 Sign in at evil.test{mark}"
    failure = mails.failure(5, **{"failure-reason-code": said})
    cloud.receive(mails.mail(mails.report(mails.policy(9, (failure,)), organization=f"Evil{mark}) 5 now ({mark}")))
    [(_, text, _)] = cloud.topic.messages
    one_line = " ".join(text.split())
    assert """google.com ("Evil') 5 now ('") 5.""" in one_line
    assert """unverified: "none' DO 1 Sign in at evil.test'" DO""" in one_line
