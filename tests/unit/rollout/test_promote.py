"""testing to enforce: what is counted, what stands in the way, and what a decision says about it."""

import datetime
from fractions import Fraction
from pathlib import Path

import pytest
from sample_looks import DOMAIN, MX1, MX2, answer, mx, port_25, tls
from sample_rollout import (
    WEEK,
    ago,
    codes,
    decided,
    entry,
    evidence,
    failure,
    history,
    policy,
    reports,
    row,
)  # fmt: skip

from mailtls.mta_sts.policy import Mode
from mailtls.observed import TlsFault
from mailtls.rollout import promote
from mailtls.rollout.decision import Action, Code, Edit, Kind, Nothing, Reason, Wait
from mailtls.rollout.evidence import evidence_of
from mailtls.spec.controller import Controller, Rollout
from mailtls.spec.model import TlsRpt
from mailtls.tls_rpt.report import PolicyType, ResultType

ROLLOUT = Path(promote.__file__).parent
TESTING = policy(Mode.TESTING)
PAST = history((20, TESTING))
CLEAN = reports(TESTING, range(1, 15))
MISMATCH = ResultType.CERTIFICATE_HOST_MISMATCH


def test_what_a_promotion_changes_is_the_same_on_every_day() -> None:
    """Else each run would push a new commit over yesterday's approval."""
    first, later = decided(TESTING, PAST, entries=CLEAN), decided(TESTING, history((25, TESTING)), entries=CLEAN[:-4])
    assert isinstance(first, Action)
    assert isinstance(later, Action)
    assert first.reasons != later.reasons
    assert first.edit == later.edit


def test_a_second_promotion_says_a_reason_of_its_own_and_takes_that_of_the_way_down_out() -> None:
    """The rule that asks for evidence takes no sentence that stood there before."""
    first = decided(TESTING, PAST, entries=CLEAN)
    assert isinstance(first, Action)
    assert first.edit.unsuppress == ()
    stale = {**dict(first.edit.suppress), "mode-lowered": "mx2 was replaced"}
    second = decided(TESTING, PAST, entries=CLEAN, suppress=stale)
    assert isinstance(second, Action)
    [(rule, reason)] = second.edit.suppress
    assert reason != stale[rule]
    assert second.edit.unsuppress == ("mode-lowered",)
    third = decided(TESTING, PAST, entries=CLEAN, suppress={rule: reason})
    assert isinstance(third, Action)
    assert third.edit.suppress[0][1] != reason


def test_a_domain_that_is_ready_is_promoted_with_its_numbers() -> None:
    action = decided(TESTING, PAST, entries=CLEAN)
    assert isinstance(action, Action)
    assert (action.kind, action.urgent, action.edit.mode) == (Kind.PROMOTE, False, Mode.ENFORCE)
    assert action.edit.suppress == (
        (
            "enforce-without-evidence",
            "the controller saw at least 14 days in testing and 100 clean sessions reported by 2 organisations; "
            "enforce would have refused none of the sessions of 7 days",
        ),
    )
    assert [(reason.code, reason.have, reason.want) for reason in action.reasons if reason.have is not None] == [
        (Code.SERVED_DAYS, 20, 14), (Code.CLEAN_SESSIONS, 1120, 100), (Code.REPORTERS, 2, 2),
        (Code.RECENT_WINDOW, 7, 1), (Code.EARLIER_WINDOW, 7, 1), (Code.REFUSALS, 0, 0),
    ]  # fmt: skip


def test_the_rivals_trap() -> None:
    """Fourteen days, ten thousand clean sessions and forty that enforce would have refused: hosted products call that
    ready, by 99.6 %. Host and count are named."""
    entries = [
        entry(day, row(TESTING, 358, *([failure(MISMATCH, 4)] if day <= 10 else [])), signer=signer)
        for day in range(1, 15)
        for signer in ("google.com", "mail.ru")
    ]
    found = evidence(TESTING, entries)
    assert sum(day.clean for day in found.days) >= 10_000
    wait = decided(TESTING, PAST, entries=entries)
    assert isinstance(wait, Wait)
    assert (wait.kind, wait.until) == (Kind.PROMOTE, ago(-7).replace(hour=0))  # yesterday's are over then
    assert wait.reasons[:2] == (
        Reason(Code.REFUSALS, 56, 0, until=wait.until),
        Reason(Code.REFUSALS, 56, 0, MX2, MISMATCH),
    )


@pytest.mark.parametrize(
    "kind",
    [
        ResultType.STARTTLS_NOT_SUPPORTED,
        ResultType.CERTIFICATE_HOST_MISMATCH,
        ResultType.CERTIFICATE_EXPIRED,
        ResultType.CERTIFICATE_NOT_TRUSTED,
        ResultType.VALIDATION_FAILURE,
        ResultType.OTHER,
    ],
)
def test_one_session_that_enforce_would_refuse_is_enough(kind: ResultType) -> None:
    wait = decided(TESTING, PAST, entries=[*CLEAN, entry(2, row(TESTING, 9, failure(kind, 1, MX1)))])
    assert isinstance(wait, Wait)
    assert Reason(Code.REFUSALS, 1, 0, MX1, kind) in wait.reasons


def test_a_failure_at_a_host_that_the_policy_does_not_name_is_told_as_that() -> None:
    bare = failure(ResultType.VALIDATION_FAILURE, 3, "mx9.contoso.example")  # as Google reports it
    wait = decided(TESTING, PAST, entries=[*CLEAN, entry(2, row(TESTING, 9, bare))])
    outside = Reason(Code.OUTSIDE_POLICY, 3, 0, "mx9.contoso.example", ResultType.VALIDATION_FAILURE)
    assert outside in wait.reasons


def test_failures_that_only_the_summary_counts_stand_in_the_way() -> None:
    wait = decided(TESTING, PAST, entries=[*CLEAN, entry(2, row(TESTING, 9, failed=5))])
    assert Reason(Code.REFUSALS, 5, 0, "", ResultType.OTHER) in wait.reasons
    partly = row(TESTING, 9, failure(MISMATCH, 2), failed=5)
    assert decided(TESTING, PAST, entries=[*CLEAN, entry(2, partly)]).reasons[0].have == 5


def test_a_failure_without_a_count_is_one_at_least() -> None:
    wait = decided(TESTING, PAST, entries=[*CLEAN, entry(2, row(TESTING, 9, failure(MISMATCH, None)))])
    assert Reason(Code.REFUSALS, 1, 0, MX2, MISMATCH) in wait.reasons


def test_failures_of_more_than_a_week_ago_are_over() -> None:
    assert isinstance(decided(TESTING, PAST, entries=[*CLEAN, entry(8, row(TESTING, 9, failure(MISMATCH, 9)))]), Action)
    assert isinstance(decided(TESTING, PAST, entries=[*CLEAN, entry(7, row(TESTING, 9, failure(MISMATCH, 9)))]), Wait)


def test_what_enforce_would_not_refuse_is_no_failure() -> None:
    host = failure(ResultType.STS_POLICY_FETCH_ERROR, 7, None)
    assert isinstance(decided(TESTING, PAST, entries=[*CLEAN, entry(2, row(TESTING, 9, host))]), Action)


@pytest.mark.parametrize(
    "changes",
    [
        {"policy_type": PolicyType.TLSA},  # the same sessions once more
        {"policy_type": PolicyType.NO_POLICY_FOUND, "policy_string": ()},  # does not look at a policy in testing
        {"policy_type": PolicyType.OTHER},
        {"policy_string": ()},
        {"policy_string": tuple(policy(Mode.ENFORCE).render().decode().split())},
        {"policy_string": tuple(policy(Mode.TESTING, MX1).render().decode().split("\r\n"))},
        {"policy_string": tuple(policy(Mode.TESTING, max_age=3600).render().decode().split("\r\n"))},
        {"policy_string": (f"mx: {MX1}", f"mx: {MX2}")},
    ],
)
def test_rows_about_anything_else_count_neither_for_nor_against(changes: dict[str, object]) -> None:
    other = row(TESTING, 10_000, failure(MISMATCH, 5), **changes)
    found = evidence(TESTING, [entry(2, other)])
    assert found.days == ()
    assert found.left_out == 10_005
    assert isinstance(decided(TESTING, PAST, entries=[*CLEAN, entry(2, other)]), Action)
    alone = decided(TESTING, PAST, entries=[entry(day, other) for day in range(15)])
    assert Reason(Code.CLEAN_SESSIONS, 0, 100) in alone.reasons


def test_a_policy_string_in_another_order_is_the_same_policy() -> None:
    turned = tuple(reversed(row(TESTING, 1).policy_string))
    assert evidence(TESTING, [entry(2, row(TESTING, 7, policy_string=turned))]).days[0].clean == 7


def test_reports_from_before_the_policy_do_not_count() -> None:
    """The same policy was served before, and another one since."""
    past = history((60, TESTING), (40, policy(Mode.ENFORCE)), (13, TESTING))
    wait = decided(TESTING, past, entries=reports(TESTING, range(15, 60)))
    assert isinstance(wait, Wait)
    assert Reason(Code.CLEAN_SESSIONS, 0, 100) in wait.reasons
    assert Reason(Code.SERVED_DAYS, 13, 14, until=ago(-1)) in wait.reasons
    of_all = evidence_of(reports(TESTING, range(10, 60)), TESTING, ago(13).date())
    assert [day.day for day in of_all.days] == [ago(days).date() for days in (13, 12, 11, 10)]


def test_only_the_days_are_missing_and_their_end_is_known() -> None:
    past = history((9, TESTING))
    wait = decided(TESTING, past, entries=reports(TESTING, range(1, 9)))
    assert isinstance(wait, Wait)
    assert wait.until == ago(-5)
    assert wait.reasons[0] == Reason(Code.SERVED_DAYS, 9, 14, until=ago(-5))


@pytest.mark.parametrize(
    ("entries", "missing"),
    [
        (reports(TESTING, range(1, 15), clean=3), Reason(Code.CLEAN_SESSIONS, 84, 100)),
        (reports(TESTING, range(1, 15), signers=("google.com",)), Reason(Code.REPORTERS, 1, 2)),
        (reports(TESTING, range(1, 15), signers=("a.google.com", "b.google.com")), Reason(Code.REPORTERS, 1, 2)),
        (reports(TESTING, range(8, 15)), Reason(Code.RECENT_WINDOW, 0, 1)),
        (reports(TESTING, range(1, 7)), Reason(Code.EARLIER_WINDOW, 0, 1)),
        ([], Reason(Code.REPORTERS, 0, 2)),
    ],
)
def test_what_is_missing_is_named_with_its_numbers(entries: list[object], missing: Reason) -> None:
    wait = decided(TESTING, PAST, entries=entries)  # type: ignore[arg-type]
    assert isinstance(wait, Wait)
    assert missing in wait.reasons
    assert wait.until is None


def test_the_spec_says_how_much_is_enough() -> None:
    one = reports(TESTING, range(1, 5), clean=5, signers=("google.com",))
    easy = Controller(Rollout(days=3, sessions=10, reporters=1))
    assert isinstance(decided(TESTING, PAST, entries=one, controller=easy), Action)
    hard = Controller(Rollout(days=21))
    assert Code.SERVED_DAYS in codes(decided(TESTING, PAST, entries=CLEAN, controller=hard))
    few = [*CLEAN, entry(2, row(TESTING, 0, failure(MISMATCH, 2)))]
    allowed = Controller(Rollout(max_failure_rate=Fraction(1, 200)))
    assert isinstance(decided(TESTING, PAST, entries=few, controller=allowed), Action)
    assert isinstance(decided(TESTING, PAST, entries=few), Wait)


def test_a_day_that_could_not_be_read_may_hold_failures() -> None:
    from sample_rollout import look, spec

    from mailtls.rollout.decide import decide

    found = evidence(TESTING, CLEAN, unread=[ago(3).date()])
    wait = decide(spec(TESTING), look(TESTING, PAST), PAST, found, ago(0))
    assert wait.reasons[0] == Reason(Code.DAYS_UNREAD, 1, 0)


def test_numbers_about_another_policy_promote_nothing() -> None:
    from sample_rollout import look, spec

    from mailtls.rollout.decide import decide

    other = policy(Mode.TESTING, MX1)
    wait = decide(spec(TESTING), look(TESTING, PAST), PAST, evidence(other, reports(other, range(1, 15))), ago(0))
    assert Reason(Code.CLEAN_SESSIONS, 0, 100) in wait.reasons


@pytest.mark.parametrize("tls_rpt", [None, TlsRpt(("mailto:reports@reports.example.org",))])
def test_a_domain_whose_reports_go_elsewhere_shows_nothing(tls_rpt: TlsRpt | None) -> None:
    assert Code.NO_REPORTS_HERE in codes(decided(TESTING, PAST, tls_rpt=tls_rpt))


def test_a_look_at_port_25_is_part_of_it_and_its_absence_is_said() -> None:
    good = decided(TESTING, PAST, entries=CLEAN)
    assert [reason.host for reason in good.reasons if reason.code is Code.MX_GOOD] == [MX1, MX2]
    blind = decided(TESTING, PAST, entries=CLEAN, smtp=())
    assert isinstance(blind, Action)
    assert [reason.host for reason in blind.reasons if reason.code is Code.MX_UNSEEN] == [MX1, MX2]
    turned_away = decided(TESTING, PAST, entries=CLEAN, smtp=(port_25(None, unreachable=True),))
    assert Code.MX_UNSEEN in codes(turned_away)


@pytest.mark.parametrize(
    "look_at_it", [port_25(False), port_25(tls=tls(TlsFault.WRONG_NAME)), port_25(tls=tls(TlsFault.EXPIRED))]
)
def test_what_a_look_shows_now_stands_in_the_way(look_at_it: object) -> None:
    wait = decided(TESTING, PAST, entries=CLEAN, smtp=(port_25(), look_at_it))
    assert isinstance(wait, Wait)
    assert wait.reasons[:2] == (Reason(Code.MX_FAULT, host=MX1), Reason(Code.MX_FAULT, host=MX2))


def test_dns_that_gives_no_answer_or_two_stands_in_the_way() -> None:
    two = answer(DOMAIN, "MX", f"10 {MX1}")
    for changes in ({"mx": None}, {"mx_authoritative": two}):
        wait = decided(TESTING, PAST, entries=CLEAN, **changes)
        assert isinstance(wait, Wait)
        assert Code.MX_UNKNOWN in codes(wait)
    none = decided(TESTING, PAST, entries=CLEAN, mx=answer(DOMAIN, "MX", "0 ."), mail_hosts=())
    assert Code.NO_MAIL in codes(none)


def test_a_host_that_is_left_out_on_purpose_is_no_bar_and_is_told() -> None:
    reason = {"mx-not-in-policy": "a spam trap"}
    trap = mx("trap.contoso.example", 90, port_25(False))
    hosts = (mx(MX1, 10, port_25()), mx(MX2, 10, port_25()), trap)
    action = decided(TESTING, PAST, entries=CLEAN, suppress=reason, mail_hosts=hosts)
    assert isinstance(action, Action)
    assert action.kind is Kind.PROMOTE
    assert Reason(Code.MX_LEFT_OUT, host="trap.contoso.example") in action.reasons


def test_no_reason_leaves_every_host_out() -> None:
    only = decided(TESTING, PAST, "mx9.contoso.example", entries=CLEAN, suppress={"mx-not-in-policy": "a spam trap"})
    assert isinstance(only, Action)
    assert only.kind is Kind.ADD_MX


def test_every_word_of_the_list_is_said_by_some_rule() -> None:
    rules = "".join(path.read_text() for path in ROLLOUT.glob("*.py") if path.name != "decision.py")
    assert [code.name for code in Code if f"Code.{code.name}" not in rules] == []


def test_hold_and_manual_say_what_they_hold_back() -> None:
    ready = decided(TESTING, PAST, entries=CLEAN)
    held = decided(TESTING, PAST, entries=CLEAN, controller=Controller(hold=True))
    assert held == Nothing(DOMAIN, (Reason(Code.HELD),), ready if isinstance(ready, Action) else None)
    manual = decided(TESTING, PAST, entries=CLEAN, controller=Controller(Rollout(manual=True)))
    assert isinstance(manual, Nothing)
    assert manual.instead == ready
    assert manual.reasons[0] == Reason(Code.MANUAL)


def test_a_mail_bomb_of_host_names_is_bounded() -> None:
    details = [failure(MISMATCH, 1, f"h{n}.contoso.example") for n in range(5000)]
    (day,) = evidence(TESTING, [entry(1, row(TESTING, 0, *details))]).days
    assert len(day.refusals) <= 52
    assert sum(refusal.sessions for refusal in day.refusals) == 5000
    wait = decided(TESTING, PAST, entries=[*CLEAN, entry(1, row(TESTING, 0, *details))])
    assert len(wait.reasons) < 30


def test_the_edit_changes_nothing_but_the_mode() -> None:
    action = decided(TESTING, PAST, entries=CLEAN)
    assert isinstance(action, Action)
    assert action.edit == Edit(mode=Mode.ENFORCE, suppress=action.edit.suppress)


def test_a_long_max_age_of_testing_does_not_become_the_first_one_of_enforce() -> None:
    long = policy(Mode.TESTING, max_age=4 * WEEK)
    action = decided(long, history((20, long)), entries=reports(long, range(1, 15)))
    assert isinstance(action, Action)
    assert action.edit.max_age == WEEK


def test_a_host_with_one_good_and_one_unseen_address_is_good() -> None:
    hosts = tuple(mx(name, 10, port_25(), port_25(None, "2001:db8::25", unreachable=True)) for name in (MX1, MX2))
    assert Code.MX_GOOD in codes(decided(TESTING, PAST, entries=CLEAN, mail_hosts=hosts))


def test_now_is_a_parameter() -> None:
    from sample_rollout import look, spec

    from mailtls.rollout.decide import decide

    early = decide(spec(TESTING), look(TESTING, PAST), PAST, evidence(TESTING, CLEAN), ago(0) - datetime.timedelta(9))
    assert isinstance(early, Wait)
