"""What was served when, from the versions of an object."""

from sample_looks import MX1, MX2
from sample_rollout import ago, history, policy

from mailtls.mta_sts.policy import Mode, MxPattern
from mailtls.mta_sts.record import policy_id_of
from mailtls.rollout.history import Version, of_versions

ENFORCE, TESTING = Mode.ENFORCE, Mode.TESTING


def test_versions_become_policies_with_their_times_and_ids() -> None:
    new, old = history((30, policy(TESTING)), (10, policy(ENFORCE))).served
    assert (new.policy, new.since, new.until, new.policy_id) == (policy(ENFORCE), ago(10), None, policy_id_of("v1"))
    assert (old.policy, old.since, old.until, old.policy_id) == (policy(TESTING), ago(30), ago(10), policy_id_of("v0"))


def test_the_versions_come_in_any_order_and_of_one_second_newest_first() -> None:
    first, second = Version("a", ago(9), policy(TESTING).render()), Version("b", ago(5), policy(ENFORCE).render())
    assert of_versions([first, second]) == of_versions([second, first])
    at_once = Version("c", ago(5), policy(TESTING).render())
    current = of_versions([at_once, second, first]).current
    assert current is not None
    assert current.policy.mode is TESTING


def test_a_body_that_is_no_policy_ends_the_one_before_and_is_applied_by_nobody() -> None:
    broken = Version("b", ago(5), b"version: STSv1\n")
    past = of_versions([Version("a", ago(9), policy(ENFORCE).render()), broken])
    assert [one.until for one in past.served] == [ago(5)]
    assert past.current is None
    assert past.unchanged_since() is None


def test_since_when_goes_over_versions_that_say_the_same() -> None:
    turned = policy(TESTING, MX2, MX1)
    past = history((30, policy(ENFORCE)), (20, policy(TESTING)), (9, turned))
    assert past.unchanged_since() == ago(20)
    assert history((20, policy(TESTING)), (9, policy(TESTING, max_age=3600))).unchanged_since() == ago(9)
    assert history((20, policy(TESTING)), (12, None), (9, policy(TESTING))).unchanged_since() == ago(9)


def test_since_when_a_mode_and_a_name_are_served() -> None:
    past = history((30, policy(TESTING, MX1)), (20, policy(ENFORCE, MX1)), (9, policy(ENFORCE, MX1, MX2)))
    assert past.mode_since() == ago(20)
    assert past.named_since(MxPattern(MX1)) == ago(30)
    assert past.named_since(MxPattern(MX2)) == ago(9)
    assert past.named_since(MxPattern("mx9.contoso.example")) is None


def test_a_bucket_without_versions_gives_policies_without_an_id() -> None:
    (one,) = of_versions([Version("null", ago(9), policy(TESTING).render())]).served
    assert one.policy_id == ""
