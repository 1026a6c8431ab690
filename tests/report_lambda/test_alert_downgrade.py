"""A possible downgrade: when it is suspected, told once, in the alert of its cause, and never called an attack."""

from datetime import timedelta

import pytest

from mailtls.tls_rpt.contract import OwnDomain

SUSPECTED = "critical, possible downgrade"


def sent_by(mails, signer, *policies, day="2026-11-30"):
    return mails.mail(mails.report(*policies, day=day, report_id=f"{signer}-{day}"), signer=signer)


def from_google(mails, *policies, day="2026-11-30"):
    return sent_by(mails, "google.com", *policies, day=day)


def from_microsoft(mails, *policies, day="2026-11-30"):
    return sent_by(mails, "microsoft.com", *policies, day=day)


def from_mail_ru(mails, *policies, day="2026-11-30"):
    return sent_by(mails, "mail.ru", *policies, day=day)


def stripped(mails, count=140, result_type="starttls-not-supported", **more):
    return mails.failure(count, result_type, "mx2.contoso.example", **more)


def microsoft_fails(mails, *details, clean=900):
    return from_microsoft(mails, mails.policy(clean, details or (stripped(mails),)))


def test_a_suspicion_is_told_with_the_first_message_and_not_again(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000)))
    cloud.receive(microsoft_fails(mails))
    for _ in range(8):
        cloud.tick()
    assert cloud.topic.kinds == [SUSPECTED]


def test_a_suspicion_that_comes_up_later_is_told_once(cloud, mails):
    cloud.receive(microsoft_fails(mails))
    cloud.receive(from_google(mails, mails.policy(5000)))
    assert cloud.topic.kinds == ["critical"]
    for _ in range(8):
        cloud.tick()
    assert cloud.topic.kinds == ["critical", f"{SUSPECTED}, again"]
    assert "Other senders report clean sessions for the same day" in cloud.topic.messages[1][1]


def test_the_clean_day_of_the_sender_that_fails_is_no_suspicion(cloud, mails):
    cloud.receive(microsoft_fails(mails))
    cloud.receive(from_microsoft(mails, mails.policy(900), day="2026-11-29"))
    cloud.tick()
    assert cloud.topic.kinds == ["critical"]


def test_a_clean_report_about_another_day_is_no_suspicion(cloud, mails):
    cloud.receive(microsoft_fails(mails))
    cloud.receive(from_google(mails, mails.policy(5000), day="2026-11-29"))
    cloud.tick()
    assert cloud.topic.kinds == ["critical"]


def test_more_senders_that_fail_than_are_clean_are_no_suspicion(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000)))
    cloud.receive(from_mail_ru(mails, mails.policy(0, (stripped(mails),))))
    cloud.receive(microsoft_fails(mails))
    cloud.tick(timedelta(hours=7))
    assert cloud.topic.kinds == [SUSPECTED, "critical, again"]
    assert "It no longer looks like a downgrade on one path." in " ".join(cloud.topic.messages[1][1].split())


BOTH_ENDS = ({"sending-mta-ip": "192.0.2.1"}, {"sending-mta-ip": "198.51.100.1", "receiving-ip": "192.0.2.26"})
OTHER_NETWORKS = ({"sending-mta-ip": "192.0.2.1"}, {"sending-mta-ip": "198.51.100.1"})
NO_ADDRESSES = ({"sending-mta-ip": None, "receiving-ip": None},)


@pytest.mark.parametrize(
    ("result_type", "addresses", "suspected"),
    [
        ("starttls-not-supported", BOTH_ENDS, True),  # the one sender is the path
        ("starttls-not-supported", NO_ADDRESSES, True),
        ("certificate-not-trusted", ({},), True),
        ("certificate-host-mismatch", OTHER_NETWORKS, True),  # all to one address
        ("certificate-not-trusted", BOTH_ENDS, False),
        ("certificate-not-trusted", NO_ADDRESSES, False),
        ("certificate-expired", ({},), False),
        ("validation-failure", ({},), False),
        ("sts-policy-fetch-error", ({},), False),
    ],
)
def test_which_failures_of_one_path_are_suspicious(cloud, mails, result_type, addresses, suspected):
    cloud.receive(from_google(mails, mails.policy(5000)))
    cloud.receive(microsoft_fails(mails, *(stripped(mails, 70, result_type, **more) for more in addresses)))
    cloud.tick()
    [kind] = cloud.topic.kinds
    assert ("possible downgrade" in kind) is suspected


def test_a_stranger_cannot_make_a_path_of_words(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000)))
    detail = stripped(mails, **{"sending-mta-ip": "192.0.2.1, see evil.test"})
    cloud.receive(microsoft_fails(mails, detail))
    [(_, text, _)] = cloud.topic.messages
    assert "evil.test" not in text
    assert "all to one address, 192.0.2.25" in " ".join(text.split())


def test_enforce_is_not_to_be_lowered_on_a_suspicion_and_testing_is_on_hold(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000)))
    cloud.receive(microsoft_fails(mails))
    enforce = " ".join(cloud.topic.messages[-1][1].split())
    assert "Do not go back to testing before a fault is found" in enforce
    assert "Not within the hour?" not in enforce
    assert "on hold" not in enforce
    cloud.receive(
        from_mail_ru(
            mails,
            mails.policy(0, (mails.failure(140, "starttls-not-supported", "mx1.contoso.example"),), mode="testing"),
        )
    )
    testing = " ".join(cloud.topic.messages[-1][1].split())
    assert "mail WAS delivered, possibly in clear text" in testing
    assert "promotion to enforce is on hold" in testing
    assert "Do not go back" not in testing


def test_no_message_says_that_it_is_an_attack(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000)))
    cloud.receive(microsoft_fails(mails))
    [(subject, text, _)] = cloud.topic.messages
    assert "attack" not in subject
    assert "Undecided: reports prove no attack, and rule none out." in text


def test_what_is_not_suspicious_is_not_read_hour_after_hour(cloud, mails):
    several = (stripped(mails, 70, "certificate-not-trusted", **BOTH_ENDS[0]),)
    several += (stripped(mails, 70, "certificate-not-trusted", **BOTH_ENDS[1]),)
    cloud.receive(microsoft_fails(mails, *several))
    cloud.receive(from_google(mails, mails.policy(5000)))
    reads = []
    for _ in range(3):
        cloud.store.reads.clear()
        cloud.tick()
        reads.append(sum(key.startswith("reports/") for key in cloud.store.reads))
    assert reads[0] > 0
    assert reads[1:] == [0, 0]
    assert cloud.topic.kinds == ["critical"]


def test_after_the_all_clear_a_suspicion_is_told_anew(cloud, mails):
    cloud.receive(from_google(mails, mails.policy(5000)))
    cloud.receive(microsoft_fails(mails))
    cloud.now += timedelta(days=1)
    cloud.receive(from_microsoft(mails, mails.policy(900), day="2026-12-01"))
    cloud.tick()
    cloud.now += timedelta(days=1)
    cloud.receive(from_google(mails, mails.policy(5000), day="2026-12-02"))
    cloud.receive(from_microsoft(mails, mails.policy(900, (stripped(mails),)), day="2026-12-02"))
    assert cloud.topic.kinds == [SUSPECTED, "over", SUSPECTED]


def test_a_suspicion_at_a_shared_host_is_not_claimed_hour_after_hour(cloud, mails):
    """One domain speaks for the host; the other's suspicion is told with it, and its quiet time goes on."""
    host = {"policy-string": ["version: STSv1", "mode: testing", "mx: mx-b.mailhost.example", "max_age: 86400"]}
    detail = mails.failure(140, "starttls-not-supported", "mx-b.mailhost.example")
    cloud.own(*(OwnDomain(n, "testing", ("mx-b.mailhost.example",)) for n in ("contoso.example", "brand01.example")))
    for name in ("contoso.example", "brand01.example"):
        about = {**host, "policy-domain": name}
        report = mails.report(mails.policy(0, (detail,), **about), organization="Microsoft", report_id=name)
        cloud.receive(mails.mail(report, signer="microsoft.com"))
        cloud.receive(mails.mail(mails.report(mails.policy(9, **about), report_id=f"g{name}")))
    for _ in range(3):
        cloud.tick()
    states = [cloud.store.json(key) for key in cloud.store.under("alerts/")]
    assert len(states) == 2
    assert all(state["suspected"] and state["claim"] is None for state in states)
    told = len(cloud.topic.messages)
    cloud.tick()
    assert len(cloud.topic.messages) == told
