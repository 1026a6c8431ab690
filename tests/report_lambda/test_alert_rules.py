"""When a message goes out, and when not: quiet time, doubling, severity, all-clear, the two writers of one state."""

import json
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.report import ResultType
from report_lambda import alert_state, alerts
from report_lambda.alert_state import AlertState
from report_lambda.causes import MAX_CAUSES, MAX_CAUSES_OF_SIGNER, Cause, CauseKind
from report_lambda.sender_text import clean
from report_lambda.store import StoreError


def fails(mails, count=12, *, signer="google.com", day="2026-11-30", report_id="", **more):
    policy = mails.policy(100, (mails.failure(count, **more),))
    return mails.mail(mails.report(policy, day=day, report_id=report_id), signer=signer)


def is_clean(mails, *, signer="google.com", day="2026-12-01"):
    return mails.mail(mails.report(day=day), signer=signer)


def kinds(cloud):
    """The bracket of each subject."""
    return [subject.partition("]")[0].lstrip("[") for subject in cloud.topic.subjects]


def test_quiet_for_six_hours_then_again_if_it_goes_on(cloud, mails):
    cloud.receive(fails(mails, 100))
    cloud.receive(fails(mails, 5, signer="mail.ru", report_id="a"))
    cloud.tick(timedelta(hours=5))
    assert kinds(cloud) == ["critical"]
    cloud.tick(timedelta(hours=1))
    assert kinds(cloud) == ["critical", "critical, again"]
    cloud.tick(timedelta(hours=24))
    assert kinds(cloud) == ["critical", "critical, again"]  # nothing new came


def test_doubling_breaks_the_quiet(cloud, mails):
    cloud.receive(fails(mails, 100))
    cloud.receive(fails(mails, 99, signer="mail.ru", report_id="a"))
    assert len(kinds(cloud)) == 1
    cloud.receive(fails(mails, 1, signer="yahoo.example", report_id="b"))
    assert kinds(cloud) == ["critical", "critical, again"]


def test_a_worse_severity_breaks_the_quiet(cloud, mails):
    testing = {"policy-domain": "contoso.example"}
    policy = mails.policy(100, (mails.failure(50),), mode="testing", **testing)
    cloud.receive(mails.mail(mails.report(policy, day="2026-11-29")))
    cloud.receive(fails(mails, 1))
    assert kinds(cloud) == ["warning", "critical, again"]


def test_a_duplicate_never_counts(cloud, mails):
    for _ in range(3):
        cloud.receive(fails(mails, 100))
    [key] = cloud.store.under("alerts/")
    assert [s["failed"] for s in cloud.store.json(key)["sightings"]] == [100]
    assert len(kinds(cloud)) == 1


def test_over_only_when_each_reporter_is_clean_on_a_later_day(cloud, mails):
    cloud.receive(fails(mails, 100))
    cloud.receive(fails(mails, 30, signer="mail.ru", report_id="a"))
    cloud.now += timedelta(days=1)
    cloud.receive(is_clean(mails))
    cloud.receive(mails.mail(mails.report(day="2026-11-30", report_id="same day"), signer="mail.ru"))
    cloud.tick(timedelta(hours=7))
    cloud.tick()
    assert "over" not in kinds(cloud)
    cloud.receive(is_clean(mails, signer="mail.ru"))
    cloud.tick()
    assert kinds(cloud)[-1] == "over"
    cloud.tick(timedelta(days=2))
    assert kinds(cloud).count("over") == 1


def test_failures_after_a_clean_day_are_not_over(cloud, mails):
    cloud.receive(fails(mails))
    cloud.now += timedelta(days=2)
    cloud.receive(is_clean(mails))
    cloud.receive(fails(mails, 3, day="2026-12-02"))
    cloud.tick(timedelta(hours=7))
    cloud.tick()
    assert "over" not in kinds(cloud)
    cloud.receive(is_clean(mails, day="2026-12-03"))
    cloud.tick()
    assert kinds(cloud)[-1] == "over"


def test_a_report_that_names_the_cause_once_more_clears_only_the_others(cloud, mails):
    two = (mails.failure(5), mails.failure(4, mx="mx1.contoso.example"))
    cloud.receive(mails.mail(mails.report(mails.policy(9, two))))
    cloud.now += timedelta(days=1)
    cloud.receive(fails(mails, 5, day="2026-12-01"))
    cloud.tick()
    assert kinds(cloud).count("over") == 1
    assert "mx1.contoso.example" in cloud.topic.subjects[-1]


def test_silence_is_not_over(cloud, mails):
    cloud.receive(fails(mails))
    for _ in range(10):
        cloud.tick(timedelta(days=1))
    assert "over" not in kinds(cloud)


def test_a_report_without_sessions_clears_nothing(cloud, mails):
    cloud.receive(fails(mails))
    cloud.now += timedelta(days=1)
    cloud.receive(mails.mail(mails.report(mails.policy(0), day="2026-12-01")))
    cloud.tick()
    assert "over" not in kinds(cloud)


def test_success_under_another_policy_type_clears_nothing(cloud, mails):
    cloud.receive(fails(mails))
    cloud.now += timedelta(days=1)
    for number, policy_type in enumerate(("tlsa", "no-policy-found")):
        policy = mails.policy(50, **{"policy-type": policy_type, "policy-string": []})
        cloud.receive(mails.mail(mails.report(policy, day="2026-12-01", report_id=str(number))))
    cloud.tick(timedelta(hours=7))
    cloud.tick()
    assert "over" not in kinds(cloud)


def test_an_all_clear_that_was_never_sent_is_not_sent_after_new_failures(cloud, mails):
    cloud.receive(fails(mails))
    cloud.now += timedelta(days=1)
    cloud.receive(is_clean(mails))
    publish = cloud.topic.publish

    def refuse(subject, text, attributes):
        raise StoreError("throttled")

    cloud.topic.publish = refuse
    with pytest.raises(StoreError):
        cloud.tick()
    cloud.topic.publish = publish
    cloud.receive(fails(mails, 3, day="2026-12-02"))
    cloud.tick(timedelta(hours=7))
    assert kinds(cloud) == ["critical", "critical, again"]


def test_it_opens_anew_after_it_was_over_but_not_for_a_late_report(cloud, mails):
    cloud.receive(fails(mails))
    cloud.now += timedelta(days=1)
    cloud.receive(is_clean(mails))
    cloud.tick()
    cloud.receive(fails(mails, 7, signer="mail.ru", report_id="late"))
    assert kinds(cloud) == ["critical", "over"]
    cloud.receive(fails(mails, 7, day="2026-12-02"))
    assert kinds(cloud) == ["critical", "over", "critical"]


def test_old_reports_and_future_ones_wake_nobody(cloud, mails):
    cloud.receive(fails(mails, day="2026-11-01"))
    cloud.receive(fails(mails, day="2027-11-01"))
    assert cloud.topic.messages == []
    assert len(cloud.store.under("reports/")) == 2


def test_a_day_with_the_same_failures_was_not_clean_even_if_too_old_to_be_told(cloud, mails):
    cloud.receive(fails(mails, day="2026-11-22"))
    cloud.receive(is_clean(mails, day="2026-11-21"))
    cloud.receive(fails(mails, day="2026-11-24"))
    [(_, text, _)] = cloud.topic.messages
    assert "last clean report 21 Nov" in text


def test_no_policy_found_is_no_failure(cloud, mails):
    policy = mails.policy(3, (mails.failure(9),), **{"policy-type": "no-policy-found", "policy-string": []})
    cloud.receive(mails.mail(mails.report(policy)))
    assert cloud.topic.messages == []


def test_severity_follows_the_mode_in_the_report_before_the_deployed_one(cloud, mails):
    policy = mails.policy(3, (mails.failure(9),), mode="testing")
    cloud.receive(mails.mail(mails.report(policy)))
    nameless = mails.policy(3, (mails.failure(9, mx="mx1.contoso.example"),), **{"policy-string": []})
    cloud.receive(mails.mail(mails.report(nameless, day="2026-11-29")))
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
    mail = fails(mails, 3, signer=signer, report_id=str(number), mx=f"mx{number}.invented.example")
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
    cloud.receive(fails(mails, 3, mx="mx9.contoso.example", day="2026-12-15"))  # and not for ever
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
    cloud.receive(fails(mails, 5000, result_type=result_type, mx=mx))
    assert of_their_own(cloud) == before + 1
    assert "5,000 failed sessions" in cloud.topic.messages[-1][1]


def test_hosts_under_a_wildcard_are_as_good_as_invented_but_never_untold(cloud, mails):
    """A wildcard lets a stranger invent hosts without end; what a known reporter saw at one still reaches a person."""
    cloud.own(OwnDomain("contoso.example", "enforce", ("*.contoso.example",)))
    for number in range(MAX_CAUSES + 1):
        mail = fails(mails, 3, signer=f"evil{number}.test", report_id=str(number), mx=f"mx{number}.contoso.example")
        cloud.receive(mail)
    assert of_their_own(cloud) == MAX_CAUSES
    cloud.receive(fails(mails, 5000, mx="mx999.contoso.example"))
    subject, text, _ = cloud.topic.messages[-1]
    assert subject.startswith("[critical, again] contoso.example: too many causes of failure for an alert each")
    assert "google.com (" in text
    assert "5,000" in text


def test_the_alert_that_sums_up_is_over_when_its_reporters_are_clean(cloud, mails):
    details = tuple(mails.failure(n, mx=f"mx{n}.contoso.example") for n in range(1, 13))
    cloud.receive(mails.mail(mails.report(mails.policy(3, details))))
    cloud.now += timedelta(days=1)
    cloud.receive(mails.mail(mails.report(mails.policy(3, details), day="2026-12-01")))
    cloud.tick()
    assert "over" not in kinds(cloud)
    cloud.now += timedelta(days=1)
    cloud.receive(is_clean(mails, day="2026-12-02"))
    cloud.tick()
    assert kinds(cloud).count("over") == 11
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


def test_attributes_let_a_team_subscribe_to_its_own(cloud, mails):
    cloud.receive(fails(mails))
    [(_, _, attributes)] = cloud.topic.messages
    assert attributes.keys() == {"policy_domain", "owner", "severity", "cause"}
    assert (attributes["policy_domain"], attributes["owner"]) == ("contoso.example", "mail-team")


def test_the_loser_of_the_write_does_not_send(cloud, mails):
    """While one invocation is about to write the state, another one does."""
    rival = cloud.arrive(fails(mails, 5, signer="mail.ru", report_id="rival"))
    put, raced = cloud.store.put_if_absent, []

    def put_after_rival(key, body, content_type):
        if key.startswith("alerts/") and not raced:
            raced.append(key)
            assert cloud.notify(rival) == []
        return put(key, body, content_type)

    cloud.store.put_if_absent = put_after_rival
    cloud.receive(fails(mails, 7))
    assert raced
    assert kinds(cloud) == ["critical", "critical, again"]  # the loser's seven are more than twice the five told
    [key] = cloud.store.under("alerts/")
    assert sorted(s["failed"] for s in cloud.store.json(key)["sightings"]) == [5, 7]


def test_of_two_that_count_into_one_state_none_is_forgotten(cloud, mails):
    cloud.receive(fails(mails, 100))
    rival = cloud.arrive(fails(mails, 5, signer="mail.ru", report_id="rival"))
    put, raced = cloud.store.put_if_match, []

    def put_after_rival(key, body, content_type, etag):
        if not raced:
            raced.append(key)
            assert cloud.notify(rival) == []
        return put(key, body, content_type, etag)

    cloud.store.put_if_match = put_after_rival
    cloud.receive(fails(mails, 7, signer="yahoo.example", report_id="mine"))
    assert raced
    [key] = cloud.store.under("alerts/")
    assert sorted(s["failed"] for s in cloud.store.json(key)["sightings"]) == [5, 7, 100]


def test_a_message_claimed_by_a_live_invocation_is_not_sent_by_another(cloud, mails):
    publish = cloud.topic.publish

    def publish_while_another_reports(subject, text, attributes):
        cloud.topic.publish = publish
        cloud.receive(fails(mails, 50, signer="mail.ru", report_id="other"))
        publish(subject, text, attributes)

    cloud.topic.publish = publish_while_another_reports
    cloud.receive(fails(mails, 7))
    assert kinds(cloud) == ["critical"]
    cloud.tick(timedelta(hours=6))
    assert kinds(cloud) == ["critical", "critical, again"]


def test_a_topic_that_fails_delays_the_message_and_loses_none(cloud, mails):
    publish = cloud.topic.publish

    def refuse(subject, text, attributes):
        raise StoreError("throttled")

    cloud.topic.publish = refuse
    mail_id = cloud.arrive(fails(mails))
    assert cloud.notify(mail_id) == [mail_id]
    cloud.topic.publish = publish
    cloud.tick()
    assert kinds(cloud) == ["critical"]
    assert cloud.notify(mail_id) == []
    assert kinds(cloud) == ["critical"]


def test_one_cause_that_fails_does_not_hold_up_the_others(cloud, mails):
    cloud.receive(
        mails.mail(mails.report(mails.policy(9, (mails.failure(5), mails.failure(4, mx="mx1.contoso.example")))))
    )
    cloud.receive(fails(mails, 3, signer="mail.ru", report_id="a"))
    cloud.receive(fails(mails, 3, signer="mail.ru", report_id="b", mx="mx1.contoso.example"))
    publish, refused = cloud.topic.publish, []

    def refuse_once(subject, text, attributes):
        if not refused:
            refused.append(subject)
            raise StoreError("throttled")
        publish(subject, text, attributes)

    cloud.topic.publish = refuse_once
    with pytest.raises(StoreError, match="throttled"):
        cloud.tick(timedelta(hours=7))
    assert kinds(cloud) == ["critical", "critical", "critical, again"]
    assert cloud.metric("AlertsSent", Severity="critical") == 3
    cloud.tick()
    assert kinds(cloud)[3:] == ["critical, again"]


def test_what_an_hour_has_no_time_for_the_next_one_does(cloud, mails):
    for signer, count in (("google.com", 10), ("mail.ru", 1)):
        several = tuple(mails.failure(count, mx=f"mx{n}.contoso.example") for n in range(8))
        cloud.receive(mails.mail(mails.report(mails.policy(9, several)), signer=signer))
    told = len(cloud.topic.messages)
    publish = cloud.topic.publish

    def publish_slowly(subject, text, attributes):
        cloud.seconds_left -= 50
        publish(subject, text, attributes)

    cloud.topic.publish = publish_slowly
    cloud.now += timedelta(hours=6)
    for hour in range(4):
        cloud.seconds_left = 120
        cloud.tick()
        assert len(cloud.topic.messages) == told + min(2 * (hour + 1), 8)
    assert next(line["left"] for line in cloud.lines if line.get("event") == "out of time") == 6


def test_an_international_name_is_shown_as_people_write_it(cloud, mails):
    cloud.own(OwnDomain("xn--bcher-kva.example", "enforce", ("mx1.contoso.example",)))
    policy = mails.policy(9, (mails.failure(5),), **{"policy-domain": "xn--bcher-kva.example"})
    cloud.receive(mails.mail(mails.report(policy)))
    [(subject, text, _)] = cloud.topic.messages
    assert "xn--bcher-kva.example" in subject
    assert "bücher.example" in text


def test_a_damaged_state_is_begun_anew(cloud, mails):
    cause = Cause(CauseKind.SESSIONS, "contoso.example", ResultType.CERTIFICATE_EXPIRED, "mx2.contoso.example")
    cloud.store.objects[cause.key] = b"{"
    cloud.tick()
    cloud.receive(fails(mails))
    assert kinds(cloud) == ["critical"]


def test_state_survives_its_json(cloud, mails):
    cloud.receive(fails(mails))
    cloud.receive(fails(mails, 3, signer="mail.ru", report_id="a"))
    [key] = cloud.store.under("alerts/")
    data = cloud.store.json(key)
    state = AlertState.from_json(data)
    assert json.loads(json.dumps(state.to_json())) == data
    with pytest.raises(alert_state.InvalidAlertState):
        AlertState.from_json({**data, "version": 2})


def test_old_sightings_go_but_the_last_of_each_reporter_stays(cloud, mails):
    cloud.receive(fails(mails, 1, signer="rare.example", day="2026-11-30"))
    for day in range(1, 31):
        cloud.now += timedelta(days=1)
        cloud.receive(fails(mails, 2, day=f"2026-12-{day:02}"))
    [key] = cloud.store.under("alerts/")
    state = AlertState.from_json(cloud.store.json(key))
    assert min(s.day for s in state.sightings if s.reporter == "google.com") >= state.last_day - alerts.KEEP
    assert {s.reporter for s in state.sightings} == {"rare.example", "google.com"}


def test_certificate_ladder_tells_each_rung_once(cloud, mails):
    event = mails.payload("eventbridge_acm_approaching_expiration")
    told = []
    for days in range(45, 0, -1):
        event["detail"]["DaysToExpiry"] = days
        event["time"] = (cloud.now + timedelta(days=45 - days)).isoformat()
        before = len(cloud.topic.messages)
        cloud.call(event)
        cloud.call(event)  # EventBridge delivers at least once
        told += [days] * (len(cloud.topic.messages) - before)
    assert told == [30, 14, 7]
    assert kinds(cloud) == ["warning", "warning", "critical"]
    cloud.call({**mails.payload("eventbridge_acm_expired"), "time": (cloud.now + timedelta(days=45)).isoformat()})
    assert kinds(cloud)[3:] == ["critical"]
    # a year later another certificate of the same host
    event["time"] = (cloud.now + timedelta(days=400)).isoformat()
    event["detail"]["DaysToExpiry"] = 13
    cloud.call(event)
    assert kinds(cloud)[4:] == ["warning"]


def test_another_teams_certificate_is_none_of_our_business(cloud, mails):
    event = mails.payload("eventbridge_acm_approaching_expiration")
    for name in ("www.contoso.example", "mta-sts.elsewhere.example", "*.contoso.example", "not a name"):
        event["detail"]["CommonName"] = name
        cloud.call(event)
    assert cloud.topic.messages == []


def test_silence_is_told_once_and_so_is_its_end(cloud, mails):
    cloud.receive(is_clean(mails, day="2026-11-30"))
    for _ in range(14 * 24):
        cloud.tick()
    assert cloud.topic.subjects == ["[warning] contoso.example: no TLS report for 7 days"]
    cloud.receive(is_clean(mails, day="2026-12-14"))
    for _ in range(48):
        cloud.tick()
    assert cloud.topic.subjects[1:] == ["[over] contoso.example: TLS reports come in again"]


def test_a_report_from_the_future_breaks_no_silence(cloud, mails):
    cloud.receive(is_clean(mails, day="2026-11-30"))
    cloud.receive(is_clean(mails, day="2099-01-01"))
    for _ in range(14 * 24):
        cloud.tick()
    assert cloud.topic.subjects == ["[warning] contoso.example: no TLS report for 7 days"]
    cloud.receive(is_clean(mails, day="2026-12-16"))  # a day ahead: a reporter's clock
    for _ in range(24):
        cloud.tick()
    assert cloud.topic.subjects[1:] == ["[over] contoso.example: TLS reports come in again"]


def test_a_domain_that_had_reports_about_the_future_only_is_not_silent(cloud, mails):
    cloud.receive(is_clean(mails, day="2099-01-01"))
    for _ in range(24):
        cloud.tick()
    assert cloud.topic.messages == []


def test_one_domain_that_cannot_be_looked_at_does_not_hide_the_silence_of_others(cloud, mails):
    for policy_domain in ("contoso.example", "brand01.example"):
        report = mails.report(mails.policy(**{"policy-domain": policy_domain}), day="2026-11-30")
        cloud.receive(mails.mail(report))
    listing = cloud.store.list_objects

    def refuse_contoso(prefix, **more):
        if prefix == "reports/contoso.example/":
            raise StoreError("throttled")
        return listing(prefix, **more)

    cloud.store.list_objects = refuse_contoso
    with pytest.raises(StoreError, match=r"contoso\.example: throttled"):
        cloud.tick(timedelta(days=10, hours=5))
    assert cloud.topic.subjects == ["[warning] brand01.example: no TLS report for 7 days"]


def test_a_domain_that_never_had_reports_is_not_silent(cloud, mails):
    cloud.own(mails.contoso, OwnDomain("new.example"))
    for _ in range(24):
        cloud.tick()
    assert cloud.topic.messages == []


@given(st.text(), st.integers(1, 300))
def test_senders_text_is_one_bounded_printable_line(text, limit):
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.isprintable()
    assert clean(cleaned, limit) == cleaned
