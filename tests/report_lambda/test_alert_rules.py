"""When a message goes out, and when not: quiet time, doubling, severity, all-clear, the two writers of one state."""

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from mailtls.mta_sts.policy import Mode
from mailtls.reports import alert_rules, alert_state
from mailtls.reports.alert_limits import AlertLimits, InvalidLimits
from mailtls.reports.alert_state import AlertState, NoticeKind
from mailtls.reports.causes import Cause, CauseKind, Sighting
from mailtls.tls_rpt.contract import OwnDomain
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.report import PolicyType, ResultType
from report_lambda.store import StoreError


def test_quiet_for_six_hours_then_again_if_it_goes_on(cloud, mails):
    cloud.receive(mails.fails(100))
    cloud.receive(mails.fails(5, signer="mail.ru", report_id="a"))
    cloud.tick(timedelta(hours=5))
    assert cloud.topic.kinds == ["critical"]
    cloud.tick(timedelta(hours=1))
    assert cloud.topic.kinds == ["critical", "critical, again"]
    cloud.tick(timedelta(hours=24))
    assert cloud.topic.kinds == ["critical", "critical, again"]  # nothing new came


def test_doubling_breaks_the_quiet_after_an_hour(cloud, mails):
    cloud.receive(mails.fails(100))
    cloud.receive(mails.fails(100, signer="mail.ru", report_id="a"))
    cloud.tick(timedelta(minutes=59))
    assert cloud.topic.kinds == ["critical"]
    cloud.tick(timedelta(minutes=1))
    assert cloud.topic.kinds == ["critical", "critical, again"]


def test_what_is_not_doubled_waits(cloud, mails):
    cloud.receive(mails.fails(150))
    cloud.receive(mails.fails(149, signer="mail.ru", report_id="a"))
    cloud.tick(timedelta(hours=5))
    assert cloud.topic.kinds == ["critical"]


def test_a_doubling_of_few_wakes_nobody(cloud, mails):
    """From three to six, to twelve, to twenty-four: a page each would be a page an hour."""
    cloud.receive(mails.fails(3))
    for number, count in enumerate((3, 6, 12, 24)):
        cloud.receive(mails.fails(count, signer="mail.ru", report_id=str(number)))
        cloud.tick(timedelta(hours=1))
    assert cloud.topic.kinds == ["critical"]


@pytest.mark.parametrize(
    ("succeeded", "failed", "kind"),
    [
        (50_000, 1, "warning"),
        (50_000, 99, "warning"),
        (50_000, 100, "critical"),
        (19, 1, "warning"),
        (10, 3, "critical"),
        (296, 3, "critical"),
        (298, 3, "warning"),
        (0, 2, "warning"),
        (0, 3, "critical"),
    ],
)
def test_it_takes_some_failures_to_wake_somebody(cloud, mails, succeeded, failed, kind):
    cloud.receive(mails.mail(mails.report(mails.policy(succeeded, (mails.failure(failed),)))))
    assert cloud.topic.kinds == [kind]


def test_reporters_add_up(cloud, mails):
    for number in range(3):
        details = (mails.failure(40),)
        report = mails.report(mails.policy(20_000, details), report_id=str(number))
        cloud.receive(mails.mail(report, signer=f"reporter{number}.example"))
    assert cloud.topic.kinds == ["warning", "critical, again"]


def test_nobody_makes_less_of_what_another_reporter_saw(cloud, mails):
    """One failed session of ten millions beside fifty of a hundred."""
    cloud.receive(mails.mail(mails.report(mails.policy(10_000_000, (mails.failure(1),))), signer="evil.test"))
    cloud.receive(mails.mail(mails.report(mails.policy(50, (mails.failure(50),)))))
    assert cloud.topic.kinds == ["warning", "critical, again"]


def test_what_wakes_somebody_is_a_setting(cloud, mails, monkeypatch):
    monkeypatch.setenv("MAILTLS_ALERT_LIMITS", '{"critical_reporters":2,"critical_share":50,"critical_sessions":1000}')
    cloud.receive(mails.fails(400, day="2026-11-29"))
    cloud.receive(mails.fails(999, day="2026-11-30"))
    assert cloud.topic.kinds == ["warning"]
    cloud.receive(mails.fails(200, signer="mail.ru", day="2026-11-30"))
    assert cloud.topic.kinds == ["warning", "critical, again"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"critical_share":101}', '{"per_hour":0}', '{"critical_sessions":0}', '{"unheard_of":1}']
)
def test_limits_that_are_none_are_refused(text):
    with pytest.raises(InvalidLimits):
        AlertLimits.parse(text)


def test_limits_survive_the_environment():
    limits = AlertLimits(7, 2.5, 3, 99)
    assert AlertLimits.parse(limits.render()) == limits


def test_a_crowd_pushes_no_reporter_out_and_ends_nothing():
    """Strangers sign reports about our MX: the true reporter's failures stay open until it says that they are over."""
    day = date(2026, 11, 30)
    state = AlertState(Cause(CauseKind.SESSIONS, "contoso.example", ResultType.OTHER, "mx2.contoso.example"))
    reporters = ["google.com", *(f"evil{number}.test" for number in range(401))]
    for number, reporter in enumerate(reporters):
        seen = Sighting(f"r{number}", reporter, "", day, PolicyType.STS, 3, False, Mode.ENFORCE, Severity.CRITICAL)
        state = alert_rules.seen(state, seen)
    for report in range(2 * alert_rules.MAX_SIGHTINGS):
        again = Sighting(f"s{report}", "evil7.test", "", day, PolicyType.STS, 3, False, Mode.ENFORCE, Severity.CRITICAL)
        state = alert_rules.seen(state, again)
    assert "google.com" in {seen.reporter for seen in state.sightings}
    assert len(state.sightings) == alert_rules.MAX_SIGHTINGS
    now = datetime(2026, 12, 1, tzinfo=UTC)
    state = alert_rules.claimed(state, NoticeKind.OPENED, now, "i", AlertLimits())
    state = alert_rules.told(state, state, now)
    for reporter in reporters:
        state = alert_rules.cleared(state, reporter, day + timedelta(days=1))
    assert not alert_rules.is_over(state)
    assert alert_rules.is_over(dataclasses.replace(state, crowded=False))


def test_a_worse_severity_breaks_the_quiet(cloud, mails):
    testing = {"policy-domain": "contoso.example"}
    policy = mails.policy(100, (mails.failure(50),), mode="testing", **testing)
    cloud.receive(mails.mail(mails.report(policy, day="2026-11-29")))
    cloud.receive(mails.fails(3))
    assert cloud.topic.kinds == ["warning", "critical, again"]


def test_a_duplicate_never_counts(cloud, mails):
    for _ in range(3):
        cloud.receive(mails.fails(100))
    [key] = cloud.store.under("alerts/")
    assert [s["failed"] for s in cloud.store.json(key)["sightings"]] == [100]
    assert len(cloud.topic.kinds) == 1


def test_over_only_when_each_reporter_is_clean_on_a_later_day(cloud, mails):
    cloud.receive(mails.fails(100))
    cloud.receive(mails.fails(30, signer="mail.ru", report_id="a"))
    cloud.now += timedelta(days=1)
    cloud.receive(mails.is_clean())
    cloud.receive(mails.mail(mails.report(day="2026-11-30", report_id="same day"), signer="mail.ru"))
    cloud.tick(timedelta(hours=7))
    cloud.tick()
    assert "over" not in cloud.topic.kinds
    cloud.receive(mails.is_clean(signer="mail.ru"))
    cloud.tick()
    assert cloud.topic.kinds[-1] == "over"
    cloud.tick(timedelta(days=2))
    assert cloud.topic.kinds.count("over") == 1


def test_failures_after_a_clean_day_are_not_over(cloud, mails):
    cloud.receive(mails.fails())
    cloud.now += timedelta(days=2)
    cloud.receive(mails.is_clean())
    cloud.receive(mails.fails(3, day="2026-12-02"))
    cloud.tick(timedelta(hours=7))
    cloud.tick()
    assert "over" not in cloud.topic.kinds
    cloud.receive(mails.is_clean(day="2026-12-03"))
    cloud.tick()
    assert cloud.topic.kinds[-1] == "over"


def test_a_report_that_names_the_cause_once_more_clears_only_the_others(cloud, mails):
    two = (mails.failure(5), mails.failure(4, mx="mx1.contoso.example"))
    cloud.receive(mails.mail(mails.report(mails.policy(9, two))))
    cloud.now += timedelta(days=1)
    cloud.receive(mails.fails(5, day="2026-12-01"))
    cloud.tick()
    assert cloud.topic.kinds.count("over") == 1
    assert "mx1.contoso.example" in cloud.topic.subjects[-1]


def test_silence_is_not_over(cloud, mails):
    cloud.receive(mails.fails())
    for _ in range(10):
        cloud.tick(timedelta(days=1))
    assert "over" not in cloud.topic.kinds


def test_a_report_without_sessions_clears_nothing(cloud, mails):
    cloud.receive(mails.fails())
    cloud.now += timedelta(days=1)
    cloud.receive(mails.mail(mails.report(mails.policy(0), day="2026-12-01")))
    cloud.tick()
    assert "over" not in cloud.topic.kinds


def test_success_under_another_policy_type_clears_nothing(cloud, mails):
    cloud.receive(mails.fails())
    cloud.now += timedelta(days=1)
    for number, policy_type in enumerate(("tlsa", "no-policy-found")):
        policy = mails.policy(50, **{"policy-type": policy_type, "policy-string": []})
        cloud.receive(mails.mail(mails.report(policy, day="2026-12-01", report_id=str(number))))
    cloud.tick(timedelta(hours=7))
    cloud.tick()
    assert "over" not in cloud.topic.kinds


def test_an_all_clear_that_was_never_sent_is_not_sent_after_new_failures(cloud, mails):
    cloud.receive(mails.fails())
    cloud.now += timedelta(days=1)
    cloud.receive(mails.is_clean())
    publish = cloud.topic.publish

    def refuse(subject, text, attributes):
        raise StoreError("throttled")

    cloud.topic.publish = refuse
    with pytest.raises(StoreError):
        cloud.tick()
    cloud.topic.publish = publish
    cloud.receive(mails.fails(3, day="2026-12-02"))
    cloud.tick(timedelta(hours=7))
    assert cloud.topic.kinds == ["critical", "critical, again"]


def test_it_opens_anew_after_it_was_over_but_not_for_a_late_report(cloud, mails):
    cloud.receive(mails.fails())
    cloud.now += timedelta(days=1)
    cloud.receive(mails.is_clean())
    cloud.tick()
    cloud.receive(mails.fails(7, signer="mail.ru", report_id="late"))
    assert cloud.topic.kinds == ["critical", "over"]
    cloud.receive(mails.fails(7, day="2026-12-02"))
    assert cloud.topic.kinds == ["critical", "over", "critical"]


def test_old_reports_and_future_ones_wake_nobody(cloud, mails):
    cloud.receive(mails.fails(day="2026-11-01"))
    cloud.receive(mails.fails(day="2027-11-01"))
    assert cloud.topic.messages == []
    assert len(cloud.store.under("reports/")) == 2


def test_a_day_with_the_same_failures_was_not_clean_even_if_too_old_to_be_told(cloud, mails):
    cloud.receive(mails.fails(day="2026-11-22"))
    cloud.receive(mails.is_clean(day="2026-11-21"))
    cloud.receive(mails.fails(day="2026-11-24"))
    [(_, text, _)] = cloud.topic.messages
    assert "last clean report 21 Nov" in text


def test_attributes_let_a_team_subscribe_to_its_own(cloud, mails):
    cloud.receive(mails.fails())
    [(_, _, attributes)] = cloud.topic.messages
    assert attributes.keys() == {"policy_domain", "owner", "severity", "cause"}
    assert (attributes["policy_domain"], attributes["owner"]) == ("contoso.example", "mail-team")


def test_the_loser_of_the_write_does_not_send(cloud, mails):
    """While one invocation is about to write the state, another one does."""
    rival = cloud.arrive(mails.fails(5, signer="mail.ru", report_id="rival"))
    put, raced = cloud.store.put_if_absent, []

    def put_after_rival(key, body, content_type):
        if key.startswith("alerts/") and not raced:
            raced.append(key)
            assert cloud.notify(rival) == []
        return put(key, body, content_type)

    cloud.store.put_if_absent = put_after_rival
    cloud.receive(mails.fails(7))
    assert raced
    assert cloud.topic.kinds == ["critical"]
    [key] = cloud.store.under("alerts/")
    assert sorted(s["failed"] for s in cloud.store.json(key)["sightings"]) == [5, 7]


def test_of_two_that_count_into_one_state_none_is_forgotten(cloud, mails):
    cloud.receive(mails.fails(100))
    rival = cloud.arrive(mails.fails(5, signer="mail.ru", report_id="rival"))
    put, raced = cloud.store.put_if_match, []

    def put_after_rival(key, body, content_type, etag):
        if not raced:
            raced.append(key)
            assert cloud.notify(rival) == []
        return put(key, body, content_type, etag)

    cloud.store.put_if_match = put_after_rival
    cloud.receive(mails.fails(7, signer="yahoo.example", report_id="mine"))
    assert raced
    [key] = cloud.store.under("alerts/")
    assert sorted(s["failed"] for s in cloud.store.json(key)["sightings"]) == [5, 7, 100]


def test_a_message_claimed_by_a_live_invocation_is_not_sent_by_another(cloud, mails):
    publish = cloud.topic.publish

    def publish_while_another_reports(subject, text, attributes):
        cloud.topic.publish = publish
        cloud.receive(mails.fails(50, signer="mail.ru", report_id="other"))
        publish(subject, text, attributes)

    cloud.topic.publish = publish_while_another_reports
    cloud.receive(mails.fails(7))
    assert cloud.topic.kinds == ["critical"]
    cloud.tick(timedelta(hours=6))
    assert cloud.topic.kinds == ["critical", "critical, again"]


def test_a_topic_that_fails_delays_the_message_and_loses_none(cloud, mails):
    publish = cloud.topic.publish

    def refuse(subject, text, attributes):
        raise StoreError("throttled")

    cloud.topic.publish = refuse
    mail_id = cloud.arrive(mails.fails())
    assert cloud.notify(mail_id) == [mail_id]
    cloud.topic.publish = publish
    cloud.tick()
    assert cloud.topic.kinds == ["critical"]
    assert cloud.notify(mail_id) == []
    assert cloud.topic.kinds == ["critical"]


def test_one_cause_that_fails_does_not_hold_up_the_others(cloud, mails):
    cloud.receive(
        mails.mail(mails.report(mails.policy(9, (mails.failure(5), mails.failure(4, mx="mx1.contoso.example")))))
    )
    cloud.receive(mails.fails(3, signer="mail.ru", report_id="a"))
    cloud.receive(mails.fails(3, signer="mail.ru", report_id="b", mx="mx1.contoso.example"))
    publish, refused = cloud.topic.publish, []

    def refuse_once(subject, text, attributes):
        if not refused:
            refused.append(subject)
            raise StoreError("throttled")
        publish(subject, text, attributes)

    cloud.topic.publish = refuse_once
    with pytest.raises(StoreError, match="throttled"):
        cloud.tick(timedelta(hours=7))
    assert cloud.topic.kinds == ["critical", "critical", "critical, again"]
    assert cloud.metric("AlertsSent", Severity="critical") == 3
    cloud.tick()
    assert cloud.topic.kinds[3:] == ["critical, again"]


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
    cloud.receive(mails.fails())
    assert cloud.topic.kinds == ["critical"]


def test_state_survives_its_json(cloud, mails):
    cloud.receive(mails.fails())
    cloud.receive(mails.fails(3, signer="mail.ru", report_id="a"))
    [key] = cloud.store.under("alerts/")
    data = cloud.store.json(key)
    state = AlertState.from_json(data)
    assert json.loads(json.dumps(state.to_json())) == data
    with pytest.raises(alert_state.InvalidAlertState):
        AlertState.from_json({**data, "version": alert_state.VERSION + 1})


def test_old_sightings_go_but_the_last_of_each_reporter_stays(cloud, mails):
    cloud.receive(mails.fails(1, signer="rare.example", day="2026-11-30"))
    for day in range(1, 31):
        cloud.now += timedelta(days=1)
        cloud.receive(mails.fails(2, day=f"2026-12-{day:02}"))
    [key] = cloud.store.under("alerts/")
    state = AlertState.from_json(cloud.store.json(key))
    assert min(s.day for s in state.sightings if s.reporter == "google.com") >= state.last_day - alert_rules.KEEP
    assert {s.reporter for s in state.sightings} == {"rare.example", "google.com"}
