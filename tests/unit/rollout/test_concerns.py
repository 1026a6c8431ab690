"""The findings that no proposal mends, each with its topic."""

from sample_looks import DOMAIN, MX1, MX2, page, port_25, tls
from sample_rollout import history, look, policy, spec

from mailtls.lint.live import ABOUTS
from mailtls.mta_sts.policy import Mode
from mailtls.observed import TlsFault
from mailtls.rollout.concerns import ANSWERED_BY_PROPOSALS, TOPICS, Topic, concerns

ENFORCED, TESTING = policy(Mode.ENFORCE, max_age=1209600), policy(Mode.TESTING)
OLD = history((90, ENFORCED))


def test_a_domain_in_order_gives_no_concern() -> None:
    assert concerns(look(ENFORCED, OLD), spec(ENFORCED)) == ()


def test_what_no_proposal_mends_says_what_to_do() -> None:
    expired = (port_25(tls=tls(TlsFault.EXPIRED)),)
    found = concerns(look(ENFORCED, OLD, MX1, MX2, "mx9.contoso.example", smtp=expired), spec(ENFORCED))
    assert {one.topic for one in found} == {Topic.CERTIFICATE}
    assert all(one.finding.fix and one.finding.policy_domain == DOMAIN for one in found)
    assert "mx-not-in-policy" not in {one.finding.rule for one in found}  # that one is proposed


def test_what_is_served_and_not_in_git_is_drift() -> None:
    found = concerns(look(ENFORCED, OLD, https=(page(TESTING.render()),)), spec(ENFORCED))
    assert Topic.DRIFT in {one.topic for one in found}


def test_every_rule_that_has_a_topic_is_a_live_rule() -> None:
    assert {about.id for about in ABOUTS} >= TOPICS.keys() | ANSWERED_BY_PROPOSALS
