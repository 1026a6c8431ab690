"""What a report says of our policy, and how far it is believed: known, guessed, or a claim."""

from datetime import timedelta

import pytest

from mailtls.mta_sts.policy import Mode, MxPattern, Policy
from mailtls.reports.served import Served
from mailtls.tls_rpt.contract import OwnDomain

WEEK = 604800
MX = (MxPattern("mx1.contoso.example"), MxPattern("mx2.contoso.example"))
ENFORCE = Policy(Mode.ENFORCE, WEEK, MX)
TESTING = Policy(Mode.TESTING, WEEK, MX)


def told(cloud):
    """The only message: subject, text on one line."""
    [(subject, text, _)] = cloud.topic.messages
    return subject, " ".join(text.split())


def served_until(cloud, policy, days, now=None):
    """`policy` was served until `days` before the clock's time, then `now`."""
    changed = cloud.now - timedelta(days=days)
    past = Served(policy, changed - timedelta(days=100), changed)
    cloud.policies.served["contoso.example"] = (*((Served(now, changed),) if now else ()), past)


@pytest.mark.parametrize("mode", [None, "none"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"policy-string": []}, {"policy-type": "sts-2"}, {"policy-type": "sts-2", "policy-string": []}],
    ids=["policy never served", "no policy-string", "unknown type", "neither"],
)
def test_a_domain_without_a_policy_is_not_told_that_mail_is_held(cloud, mails, mode, changes):
    cloud.own(OwnDomain("contoso.example", mode))
    cloud.policies.served.clear()
    cloud.receive(mails.mail(mails.report(mails.policy(3, (mails.failure(9),), **changes))))
    subject, text = told(cloud)
    assert subject.startswith("[info]" if mode else "[warning]")
    assert "hold" not in subject
    assert "did NOT deliver" not in text
    assert "mta_sts." not in text  # no key that its spec does not have


@pytest.mark.parametrize("changes", [{"policy-type": "sts-2", "policy-string": []}, {"policy-string": []}])
def test_nothing_that_is_guessed_is_critical(cloud, mails, changes):
    cloud.receive(mails.mail(mails.report(mails.policy(3, (mails.failure(9),), **changes))))
    subject, text = told(cloud)
    assert subject.startswith("[warning]")
    assert "The report does not say which policy the sender applied." in text


def test_our_policy_under_an_unknown_type_is_known(cloud, mails):
    cloud.receive(mails.mail(mails.report(mails.policy(3, (mails.failure(9),), **{"policy-type": "sts-2"}))))
    assert told(cloud)[0].startswith("[critical]")


def test_a_guess_does_not_contradict_the_mx_that_the_report_names(cloud, mails):
    other = {"policy-string": [], "mx-host": ["mx.elsewhere.example"]}
    cloud.receive(mails.mail(mails.report(mails.policy(3, (mails.failure(9),), **other))))
    subject, text = told(cloud)
    assert "may hold" not in subject
    assert "What became of the mail is not known." in text


def test_a_policy_that_we_never_served_is_told_as_a_claim(cloud, mails):
    cloud.own(OwnDomain("contoso.example", "testing", tuple(p.text for p in MX)))
    cloud.policies.served["contoso.example"] = (Served(TESTING, cloud.now - timedelta(days=100)),)
    cloud.receive(mails.fails(9000))
    subject, text = told(cloud)
    assert subject == "[warning] contoso.example: certificate of mx2.contoso.example expired"
    assert "The report says that the sender applied a policy in mode enforce" in text
    assert "we never served" in text


def test_a_policy_that_no_cache_holds_any_more_is_told_as_a_claim(cloud, mails):
    cloud.own(OwnDomain("contoso.example", "testing", tuple(p.text for p in MX)))
    served_until(cloud, ENFORCE, 40, TESTING)
    cloud.receive(mails.fails(9000))
    subject, text = told(cloud)
    assert subject.startswith("[warning]")
    assert "a policy that we have not served since 22 Oct 2026" in text


@pytest.mark.parametrize("mode", ["testing", "none", None])
def test_a_policy_that_caches_may_still_hold_holds_mail_whatever_is_deployed(cloud, mails, mode):
    cloud.own(OwnDomain("contoso.example", mode, tuple(p.text for p in MX) if mode else ()))
    served_until(cloud, ENFORCE, 6)
    cloud.receive(mails.fails(9000))
    subject, text = told(cloud)
    assert subject == "[critical] contoso.example: certificate of mx2.contoso.example expired, senders hold mail"
    assert "back to testing" not in text  # it is deployed no more


def test_where_the_past_cannot_be_read_only_the_deployed_policy_counts(cloud, mails):
    cloud.policies.served.clear()
    cloud.receive(mails.mail(mails.report(mails.policy(3, (mails.failure(9),), mode="testing"))))
    cloud.receive(mails.fails(9, mx="mx1.contoso.example", report_id="another"))
    assert [subject.split("]")[0] for subject in cloud.topic.subjects] == ["[warning", "[critical"]
    assert "The report says" in cloud.topic.messages[0][1]
    assert "Senders applied mode enforce" in " ".join(cloud.topic.messages[1][1].split())


def test_the_past_is_read_only_where_a_report_names_another_policy(cloud, mails):
    cloud.receive(mails.fails(9))
    cloud.receive(mails.is_clean(signer="other.example"))
    assert cloud.policies.asked == []


def test_a_claim_makes_no_mx_outside_that_the_deployed_policy_lists(cloud, mails):
    lines = ["version: STSv1", "mode: enforce", "mx: mx.evil.test", "max_age: 604800"]
    cloud.receive(mails.mail(mails.report(mails.policy(3, (mails.failure(9),), **{"policy-string": lines}))))
    subject, text = told(cloud)
    assert subject.startswith("[warning]")
    assert "that a report names" in subject
    assert "nothing to change there" in text
    assert "add it to" not in text


# -------------------------------------------------------------------------------------- a policy that nobody finds


def no_policy(mails, day, successes=8800, **more):
    row = mails.policy(successes, **{"policy-type": "no-policy-found", "policy-string": [], "mx-host": []})
    return mails.mail(mails.report(row, *more.pop("beside", ()), day=day), **more)


def test_a_lost_policy_is_told_once_and_is_over_when_it_is_found_again(cloud, mails):
    cloud.receive(mails.is_clean(day="2026-11-29"))
    cloud.receive(no_policy(mails, "2026-11-30"))
    cloud.now += timedelta(days=1)
    cloud.receive(no_policy(mails, "2026-12-01"))
    cloud.tick()
    assert cloud.topic.kinds == ["warning"]
    cloud.now += timedelta(days=1)
    cloud.receive(mails.is_clean(day="2026-12-02"))
    cloud.tick()
    assert cloud.topic.subjects[1] == "[over] contoso.example: senders find the MTA-STS policy again"


def test_after_a_return_to_testing_no_policy_found_is_no_alert(cloud, mails):
    """Postfix hears of enforced policies only."""
    cloud.receive(mails.is_clean(day="2026-11-29"))
    cloud.own(OwnDomain("contoso.example", "testing", tuple(p.text for p in MX)))
    cloud.receive(no_policy(mails, "2026-11-30"))
    assert cloud.topic.messages == []


def test_after_a_short_return_to_testing_no_policy_found_is_no_alert(cloud, mails):
    cloud.receive(mails.is_clean(day="2026-11-29"))
    served_until(cloud, TESTING, 0.5, ENFORCE)
    cloud.receive(no_policy(mails, "2026-11-30"))
    assert cloud.topic.messages == []


def test_a_reporter_that_never_looks_at_policies_loses_none(cloud, mails):
    cloud.receive(mails.is_clean(day="2026-11-29", signer="other.example"))
    cloud.receive(no_policy(mails, "2026-11-29"))
    cloud.receive(no_policy(mails, "2026-11-30"))
    assert cloud.topic.messages == []


def test_a_reporter_of_which_some_servers_find_the_policy_loses_none(cloud, mails):
    cloud.receive(mails.is_clean(day="2026-11-29"))
    cloud.receive(no_policy(mails, "2026-11-30", beside=(mails.policy(10),)))
    assert cloud.topic.messages == []
