"""What a report's failures set off: how they are counted, which get an alert of their own, and which MX is outside."""

import time
from datetime import timedelta

import pytest

from mailtls.reports.causes import MAX_CAUSES, MAX_CAUSES_OF_SIGNER
from mailtls.tls_rpt.contract import OwnDomain


def test_no_policy_found_is_no_failure(cloud, mails):
    policy = mails.policy(3, (mails.failure(9),), **{"policy-type": "no-policy-found", "policy-string": []})
    cloud.receive(mails.mail(mails.report(policy)))
    assert cloud.topic.messages == []


def test_severity_follows_the_mode_in_the_report_before_the_deployed_one(cloud, mails):
    for day, mode in (("2026-11-29", "testing"), ("2026-11-30", "enforce")):
        failure = mails.failure(9, mx="mx1.contoso.example" if mode == "testing" else "mx2.contoso.example")
        cloud.receive(mails.mail(mails.report(mails.policy(3, (failure,), mode=mode), day=day)))
    assert [attributes["severity"] for _, _, attributes in cloud.topic.messages] == ["warning", "critical"]


def test_one_session_under_two_policy_types_is_counted_once(cloud, mails):
    sts = mails.policy(3, (mails.failure(9),))
    dane = mails.policy(3, (mails.failure(8),), **{"policy-type": "tlsa", "policy-string": []})
    cloud.receive(mails.mail(mails.report(sts, dane)))
    [key] = cloud.store.under("alerts/")
    assert [s["failed"] for s in cloud.store.json(key)["sightings"]] == [9]


@pytest.mark.parametrize("modes", [("testing", "enforce"), ("enforce", "testing")])
def test_two_rows_of_one_policy_type_are_different_sessions(cloud, mails, modes):
    """The day of a promotion: each session stands under the policy that the sender held then."""
    counts = {"testing": 60, "enforce": 40}
    rows = [mails.policy(50, (mails.failure(counts[mode]),), mode=mode) for mode in modes]
    cloud.receive(mails.mail(mails.report(*rows)))
    [key] = cloud.store.under("alerts/")
    [seen] = cloud.store.json(key)["sightings"]
    assert (seen["failed"], seen["mode"], seen["severity"]) == (100, "enforce", "critical")
    [(subject, text, _)] = cloud.topic.messages
    assert subject.startswith("[critical]")
    assert "100 failed sessions on 30 Nov, 50 % of all 200 reported" in text


def test_rows_of_one_type_are_added_up_before_types_are_compared(cloud, mails):
    sts = [mails.policy(3, (mails.failure(count),)) for count in (5, 6)]
    dane = mails.policy(3, (mails.failure(9),), **{"policy-type": "tlsa", "policy-string": []})
    cloud.receive(mails.mail(mails.report(sts[0], dane, sts[1])))
    [key] = cloud.store.under("alerts/")
    assert [(s["failed"], s["policy_type"]) for s in cloud.store.json(key)["sightings"]] == [(11, "sts")]


def test_what_dane_held_is_not_called_delivered_because_the_mta_sts_mode_is_testing(cloud, mails):
    failure = mails.failure(9, "starttls-not-supported")
    dane = mails.policy(3, (failure,), **{"policy-type": "tlsa", "policy-string": []})
    cloud.receive(mails.mail(mails.report(mails.policy(3, (failure,), mode="testing"), dane)))
    [(subject, text, _)] = cloud.topic.messages
    assert subject.startswith("[critical]")
    assert "WAS delivered" not in text


def test_what_a_report_has_too_much_is_told_of_in_one_alert(cloud, mails):
    details = tuple(mails.failure(n, mx=f"mx{n}.contoso.example") for n in range(1, 40))
    disposition = cloud.receive(mails.mail(mails.report(mails.policy(3, details))))
    assert len(cloud.topic.messages) == 11
    assert "mx39" in cloud.topic.subjects[0]
    subject, text, _ = cloud.topic.messages[-1]
    assert "too many causes" in subject
    assert f"{sum(range(1, 30))} failed sessions" in text
    assert any("29 causes of failures" in note for note in disposition["notes"])


def invented(cloud, mails, number, signer):
    """A report about an MX of somebody's invention."""
    mail = mails.fails(3, signer=signer, report_id=str(number), mx=f"mx{number}.invented.example")
    return cloud.receive(mail)


def of_their_own(cloud):
    """How many alerts there are but the one that sums up."""
    return len([key for key in cloud.store.under("alerts/") if "further" not in cloud.store.json(key)["cause"]["kind"]])


def test_hosts_that_one_signer_invents_have_an_end(cloud, mails):
    """Whoever owns some domain can sign reports about any MX."""
    for number in range(MAX_CAUSES_OF_SIGNER + 5):
        disposition = invented(cloud, mails, number, "evil.test")
    assert of_their_own(cloud) == MAX_CAUSES_OF_SIGNER
    assert any("1 causes of failures" in note for note in disposition["notes"])
    assert len(cloud.store.under("reports/")) == MAX_CAUSES_OF_SIGNER + 5
    assert [subject for subject in cloud.topic.subjects if "too many causes" in subject] != []

    invented(cloud, mails, 1, "google.com")  # a cause that is known already is told of as before
    invented(cloud, mails, 100, "google.com")  # and nobody else suffers
    assert of_their_own(cloud) == MAX_CAUSES_OF_SIGNER + 1


def test_hosts_that_many_signers_invent_have_an_end(cloud, mails):
    for number in range(MAX_CAUSES + 5):
        invented(cloud, mails, number, f"evil{number}.test")
    assert of_their_own(cloud) == MAX_CAUSES

    brand = mails.policy(3, (mails.failure(9, mx="mx9.invented.example"),), **{"policy-domain": "brand01.example"})
    cloud.receive(mails.mail(mails.report(brand)))  # no other domain suffers
    assert of_their_own(cloud) == MAX_CAUSES + 1
    cloud.now += timedelta(days=15)
    cloud.receive(mails.fails(3, mx="mx9.contoso.example", day="2026-12-15"))  # and not for ever
    assert of_their_own(cloud) == MAX_CAUSES + 2


@pytest.mark.parametrize(
    ("result_type", "mx"),
    [
        ("certificate-expired", "mx1.contoso.example"),
        ("certificate-expired", ""),
        ("sts-policy-fetch-error", "mx1.invented.example"),
    ],
)
def test_invented_hosts_hold_back_no_alert_about_a_real_one(cloud, mails, result_type, mx):
    for number in range(MAX_CAUSES + 1):
        invented(cloud, mails, number, f"evil{number}.test")
    before = of_their_own(cloud)
    cloud.receive(mails.fails(5000, result_type=result_type, mx=mx))
    assert of_their_own(cloud) == before + 1
    assert "5,000 failed sessions" in cloud.topic.messages[-1][1]


def test_hosts_under_a_wildcard_are_as_good_as_invented_but_never_untold(cloud, mails):
    """A wildcard lets a stranger invent hosts without end; what a known reporter saw at one still reaches a person."""
    cloud.own(OwnDomain("contoso.example", "enforce", ("*.contoso.example",)))
    for number in range(MAX_CAUSES + 1):
        mail = mails.fails(3, signer=f"evil{number}.test", report_id=str(number), mx=f"mx{number}.contoso.example")
        cloud.receive(mail)
    assert of_their_own(cloud) == MAX_CAUSES
    cloud.receive(mails.fails(5000, mx="mx999.contoso.example"))
    cloud.tick(timedelta(hours=1))
    subject, text, _ = cloud.topic.messages[-1]
    assert subject.startswith("[critical, again] contoso.example: too many causes of failure for an alert each")
    assert "google.com (" in text
    assert "5,000" in text


def test_the_alert_that_sums_up_is_over_when_its_reporters_are_clean(cloud, mails, monkeypatch):
    monkeypatch.setenv("MAILTLS_ALERT_LIMITS", '{"per_hour":100}')
    details = tuple(mails.failure(n, mx=f"mx{n}.contoso.example") for n in range(1, 13))
    cloud.receive(mails.mail(mails.report(mails.policy(3, details))))
    cloud.now += timedelta(days=1)
    cloud.receive(mails.mail(mails.report(mails.policy(3, details), day="2026-12-01")))
    cloud.tick()
    assert "over" not in cloud.topic.kinds
    cloud.now += timedelta(days=1)
    cloud.receive(mails.is_clean(day="2026-12-02"))
    cloud.tick()
    assert cloud.topic.kinds.count("over") == 11
    assert sum("[over]" in subject and "causes of failure" in subject for subject in cloud.topic.subjects) == 1


@pytest.mark.parametrize("stated", [True, False], ids=["policy in the report", "policy as deployed"])
def test_no_mx_of_a_long_policy_is_outside_of_it(cloud, mails, stated):
    """The schema of the specs allows 200."""
    mx = [f"mx{number}.contoso.example" for number in range(200)]
    cloud.own(OwnDomain("contoso.example", "enforce", tuple(mx)))
    about = {
        "policy-string": ["version: STSv1", "mode: enforce", *(f"mx: {name}" for name in mx)] if stated else [],
        "mx-host": [],
    }
    details = tuple(mails.failure(5, "validation-failure", host) for host in (mx[25], mx[199], "mx200.contoso.example"))
    cloud.receive(mails.mail(mails.report(mails.policy(3, details, **about))))
    outside = [subject for subject in cloud.topic.subjects if "not in the MTA-STS policy" in subject]
    assert len(cloud.topic.messages) == 3
    assert len(outside) == 1
    assert "mx200.contoso.example" in outside[0]
    [text] = [text for subject, text, _ in cloud.topic.messages if subject in outside]
    assert "mx7.contoso.example and others." in " ".join(text.split())


def test_a_report_of_very_many_causes_and_patterns_costs_no_more_than_reading_it(cloud, mails):
    """Each failure against each pattern, or each cause against the whole policy, would take many minutes."""
    many = 20_000
    details = tuple(mails.failure(1, "validation-failure", f"h{n}.invented.example") for n in range(many))
    lines = [f"mx: mx{n}.contoso.example" for n in range(many)]
    mail = mails.mail(mails.report(mails.policy(3, details, **{"policy-string": lines, "mx-host": []})))
    began = time.process_time()
    cloud.receive(mail)
    assert time.process_time() - began < 30
    assert len(cloud.topic.messages) == 11
    assert "19,990 failed sessions" in cloud.topic.messages[-1][1]


def test_a_policy_without_one_valid_pattern_leaves_nothing_outside(cloud, mails):
    about = {"policy-string": ["version: STSv1", "mode: enforce", "mx: mx1.*.example"], "mx-host": []}
    cloud.receive(mails.mail(mails.report(mails.policy(3, (mails.failure(5, "validation-failure"),), **about))))
    assert ["not in" in subject for subject in cloud.topic.subjects] == [False]


def test_an_mx_that_a_wildcard_covers_is_inside_the_policy(cloud, mails):
    strings = {"policy-string": ["version: STSv1", "mode: enforce", "mx: *.mailhost.example"], "mx-host": []}
    inside = mails.failure(5, "validation-failure", "mx9.mailhost.example")
    outside = mails.failure(4, "validation-failure", "deep.mx9.mailhost.example")
    cloud.receive(mails.mail(mails.report(mails.policy(3, (inside, outside), **strings))))
    assert ["not in the MTA-STS policy" in subject for subject in cloud.topic.subjects] == [False, True]
