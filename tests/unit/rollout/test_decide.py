"""MX hosts, ways down, the way out, max_age: one table each, and what must hold for every domain."""

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_looks import DOMAIN, MX1, MX2, NOW, answer, page, txt
from sample_rollout import DAY, WEEK, ago, codes, decided, entry, evidence, failure, history, look, policy, reports, row
from sample_rollout import spec as spec_of

from mailtls.mta_sts.policy import Mode
from mailtls.observed import DnsAnswer, DnsStatus
from mailtls.rollout import waits
from mailtls.rollout.decide import decide
from mailtls.rollout.decision import Action, Code, Edit, Kind, Nothing, Reason, Wait
from mailtls.spec.controller import Adopted, Controller, Rollout
from mailtls.tls_rpt.report import ResultType

ENFORCE, TESTING, NONE = Mode.ENFORCE, Mode.TESTING, Mode.NONE
ENFORCED = policy(ENFORCE, max_age=2 * WEEK)
OLD = history((200, ENFORCED))
NEW = "mx3.contoso.example"
M365_OLD, M365_NEW = "contoso-example.mail.protection.outlook.com", "contoso-example.h-v1.mx.microsoft"


def test_a_domain_in_order_needs_nothing() -> None:
    assert decided(ENFORCED, OLD) == Nothing(DOMAIN, (Reason(Code.IN_ORDER),))


# ------------------------------------------------------------------------------------------------------------ MX


def test_a_new_mx_is_added_exactly_urgent_in_enforce_and_with_the_question() -> None:
    action = decided(ENFORCED, OLD, MX1, MX2, NEW)
    assert isinstance(action, Action)
    assert (action.kind, action.urgent, action.edit) == (Kind.ADD_MX, True, Edit(add_mx=(NEW,)))
    assert action.safe_from == NOW + 14 * DAY  # until then some sender holds the policy without it
    assert action.reasons == (
        Reason(Code.MX_NOT_NAMED, host=NEW), Reason(Code.IS_IT_MEANT), Reason(Code.CACHED, until=NOW + 14 * DAY),
    )  # fmt: skip
    calm = decided(policy(TESTING), history((20, policy(TESTING))), MX1, MX2, NEW)
    assert isinstance(calm, Action)
    assert (calm.urgent, calm.safe_from) == (False, None)


def test_a_host_may_be_left_out_while_another_takes_the_mail() -> None:
    trap = {"mx-not-in-policy": "a spam trap"}
    assert decided(ENFORCED, OLD, MX1, MX2, NEW, suppress=trap) == Nothing(DOMAIN, (Reason(Code.IN_ORDER),))
    action = decided(ENFORCED, OLD, NEW, suppress=trap)
    assert isinstance(action, Action)
    assert action.kind is Kind.ADD_MX


def test_a_new_mx_is_urgent_while_senders_hold_an_enforce_that_is_served_no_more() -> None:
    testing = policy(TESTING)
    urgent = decided(testing, history((200, ENFORCED), (5, testing)), MX1, MX2, NEW)
    assert isinstance(urgent, Action)
    assert (urgent.urgent, urgent.safe_from) == (True, ago(5) + 14 * DAY)
    calm = decided(testing, history((200, ENFORCED), (15, testing)), MX1, MX2, NEW)
    assert isinstance(calm, Action)
    assert not calm.urgent


def test_a_new_mx_does_not_wait_for_the_edge() -> None:
    action = decided(ENFORCED, OLD, MX1, NEW, https=())
    assert isinstance(action, Action)
    assert action.kind is Kind.ADD_MX


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        (M365_OLD, M365_NEW, True),
        ("aspmx.l.google.com", "smtp.google.com", True),
        (M365_OLD, "smtp.google.com", False),
        (MX1, M365_NEW, False),
    ],
)
def test_a_move_inside_one_provider_is_recognised_and_asked_all_the_same(old: str, new: str, known: bool) -> None:
    of = policy(ENFORCE, old)
    action = decided(of, history((90, of)), old, new)
    assert isinstance(action, Action)
    assert (Reason(Code.SAME_PROVIDER, host=new) in action.reasons) is known
    assert Code.IS_IT_MEANT in codes(action)


def test_a_wildcard_of_two_labels_does_not_cover_the_new_microsoft_names() -> None:
    of = policy(ENFORCE, M365_OLD, "*.mx.microsoft")
    action = decided(of, history((90, of)), M365_NEW)
    assert isinstance(action, Action)
    assert action.edit.add_mx == (M365_NEW,)


def test_a_move_has_two_steps_with_the_date_between() -> None:
    both = policy(ENFORCE, MX1, MX2, NEW, max_age=WEEK)
    wait = decided(both, history((200, ENFORCED), (3, both)))
    assert isinstance(wait, Wait)
    assert (wait.kind, wait.until) == (Kind.MOVE_MX, ago(3) + 14 * DAY)
    assert Reason(Code.MX_TO_COME, host=NEW) in wait.reasons
    ready = decided(both, history((200, ENFORCED), (15, both)))
    assert isinstance(ready, Wait)
    assert ready.reasons[0] == Reason(Code.MX_MAY_MOVE, host=NEW)


def test_the_old_host_leaves_the_policy_when_nobody_lacks_the_new_one() -> None:
    both = policy(ENFORCE, MX1, NEW, max_age=WEEK)
    before = policy(ENFORCE, MX1, max_age=2 * WEEK)
    moved = decided(both, history((200, before), (15, both)), NEW)
    assert isinstance(moved, Action)
    assert (moved.kind, moved.edit) == (Kind.REMOVE_MX, Edit(remove_mx=(MX1,)))
    too_early = decided(both, history((200, before), (5, both)), NEW)  # moved before the day
    assert isinstance(too_early, Wait)
    assert (too_early.kind, too_early.until) == (Kind.REMOVE_MX, ago(5) + 14 * DAY)


def test_a_host_that_never_came_is_taken_out_after_a_month() -> None:
    both = policy(ENFORCE, MX1, NEW, max_age=2 * WEEK)
    before = policy(ENFORCE, MX1, max_age=WEEK)
    assert decided(both, history((200, before), (36, both)), MX1).reasons[0].code is Code.MX_MAY_MOVE
    action = decided(both, history((200, before), (38, both)), MX1)
    assert isinstance(action, Action)
    assert action.edit.remove_mx == (NEW,)
    planned = Controller(Rollout(planned_move=NOW.date()))
    short = dataclasses.replace(both, max_age=86400)
    waiting = decided(short, history((200, short)), MX1, controller=planned)
    assert isinstance(waiting, Wait)
    assert waiting.kind is Kind.MOVE_MX


@pytest.mark.parametrize(
    "changes",
    [
        {"mx": None},
        {"mx": answer(DOMAIN, "MX", f"10 {MX1}", left_out=3)},
        {"mx_authoritative": answer(DOMAIN, "MX", f"10 {MX2}")},
    ],
)
def test_nothing_is_taken_out_on_an_answer_that_is_not_whole(changes: dict[str, object]) -> None:
    wait = decided(ENFORCED, OLD, MX1, **changes)
    assert wait == Wait(Kind.ADD_MX, DOMAIN, None, (Reason(Code.MX_UNKNOWN),))


def test_a_network_that_reaches_no_zones_own_servers_goes_by_what_senders_are_told() -> None:
    silent = DnsAnswer(DOMAIN, "MX", DnsStatus.FAILED, failure="no answer within 5 s")
    assert decided(ENFORCED, OLD, mx_authoritative=silent) == Nothing(DOMAIN, (Reason(Code.IN_ORDER),))


def test_a_domain_that_takes_no_mail_loses_no_mx_line() -> None:
    nobody = decided(ENFORCED, OLD, mx=answer(DOMAIN, "MX", "0 ."), mail_hosts=())
    assert nobody == Nothing(DOMAIN, (Reason(Code.NO_MAIL),))


def test_hosts_that_no_policy_may_hold_and_zones_that_explode_are_for_a_person() -> None:
    assert decided(ENFORCED, OLD, MX1, MX2, "mx_9.contoso.example") == Wait(
        Kind.ADD_MX, DOMAIN, None, (Reason(Code.MX_NO_NAME, host="mx_9.contoso.example"),)
    )
    odd = decided(ENFORCED, OLD, MX1, "mx_9.contoso.example")  # and nothing is taken out meanwhile
    assert isinstance(odd, Wait)
    many = [f"h{n}.evil.example" for n in range(300)]
    assert decided(ENFORCED, OLD, *many).reasons == (Reason(Code.MX_TOO_MANY, 300, 10),)


def test_no_date_is_promised_without_the_whole_history() -> None:
    both = policy(ENFORCE, MX1, MX2, NEW)
    past = history((200, ENFORCED), (90, both), whole=False)
    assert decided(both, past).reasons[0] == Reason(Code.HISTORY_UNREAD)
    assert Code.HISTORY_UNREAD in codes(decided(ENFORCED, history((9, ENFORCED), whole=False), MX1, MX2, NEW))


# -------------------------------------------------------------------------------------------------- steps and edge


@pytest.mark.parametrize(
    "changes",
    [
        {"sts": None},
        {"sts": txt()},
        {"sts": txt("v=STSv1; id=another;")},
        {"https": ()},
        {"https": (page(policy(TESTING).render()),)},
        {"https": (page(ENFORCED.render()), page(policy(TESTING).render(), address="2001:db8::1"))},
    ],
)
def test_the_next_step_waits_until_the_last_is_seen_at_the_edge(changes: dict[str, object]) -> None:
    assert decided(ENFORCED, OLD, **changes) == Wait(None, DOMAIN, None, (Reason(Code.NOT_AT_THE_EDGE),))


def test_what_is_merged_and_not_deployed_is_waited_for() -> None:
    wait = decide(
        spec_of(ENFORCED), look(policy(TESTING), OLD), history((20, policy(TESTING))), evidence(ENFORCED, []), NOW
    )
    assert wait == Wait(None, DOMAIN, None, (Reason(Code.NOT_AT_THE_EDGE),))


# ------------------------------------------------------------------------------------------------------ ways down


def refused(*hosts: str | None, sessions: int = 40, clean: int = 100) -> list[object]:
    return [
        entry(1, row(ENFORCED, clean, *(failure(ResultType.CERTIFICATE_EXPIRED, sessions, host) for host in hosts)),
              signer=signer)
        for signer in ("google.com", "mail.ru")
    ]  # fmt: skip


def test_refusals_at_all_hosts_propose_the_way_back_urgently() -> None:
    action = decided(ENFORCED, OLD, entries=refused(MX1, MX2))  # type: ignore[arg-type]
    assert isinstance(action, Action)
    assert (action.kind, action.urgent, action.edit.mode) == (Kind.DEMOTE, True, TESTING)
    assert action.safe_from == NOW + 14 * DAY
    assert Reason(Code.REFUSALS, 80, 0, MX1) in action.reasons
    assert action.edit.suppress[0][0] == "mode-lowered"


def test_one_host_that_fails_is_mended_or_left_out_and_protection_stays() -> None:
    wait = decided(ENFORCED, OLD, entries=refused(MX2))  # type: ignore[arg-type]
    assert isinstance(wait, Wait)
    assert (wait.kind, wait.reasons[0]) == (Kind.DEMOTE, Reason(Code.ONE_HOST, 80, host=MX2))
    alone = policy(ENFORCE, MX1)
    only = [
        entry(1, row(alone, 9, failure(ResultType.CERTIFICATE_EXPIRED, 40, MX1)), signer=s) for s in ("a.de", "b.de")
    ]
    assert isinstance(decided(alone, history((90, alone)), MX1, entries=only), Action)


@pytest.mark.parametrize(
    "entries",
    [
        refused(MX1, MX2, sessions=4),  # few
        refused(MX1, MX2, clean=9000),  # a small share
        refused(MX1, MX2)[:1],  # one reporter, who may be anybody
        [entry(9, row(ENFORCED, 0, failure(ResultType.CERTIFICATE_EXPIRED, 900, h)), signer=h) for h in (MX1, "b.de")],
    ],
)
def test_little_or_old_or_one_voice_takes_no_protection_away(entries: list[object]) -> None:
    found = decided(ENFORCED, OLD, entries=entries)  # type: ignore[arg-type]
    assert not isinstance(found, Action)


def test_a_domain_retires_in_three_steps() -> None:
    leave = Controller(retire=True)
    first = decided(ENFORCED, OLD, controller=leave)
    assert isinstance(first, Action)
    assert (first.kind, first.edit.mode, first.edit.max_age, first.edit.remove_mx) == (Kind.RETIRE, NONE, 86400, ())
    assert first.safe_from == NOW + 14 * DAY
    out = policy(NONE)
    second = decided(out, history((200, ENFORCED), (5, out)), controller=leave)
    assert second == Wait(Kind.DELETE, DOMAIN, ago(5) + 14 * DAY, (Reason(Code.CACHED, until=ago(5) + 14 * DAY),))
    third = decided(out, history((200, ENFORCED), (15, out)), controller=leave)
    assert isinstance(third, Action)
    assert (third.kind, third.edit) == (Kind.DELETE, Edit(delete=True))


def test_a_former_hosts_policy_holds_the_last_step_back() -> None:
    out = policy(NONE)
    adopted = Adopted(8 * WEEK, ago(20))
    wait = decided(out, history((20, out), adopted=adopted), controller=Controller(retire=True, adopted=adopted))
    assert isinstance(wait, Wait)
    assert wait.until == ago(20) + 56 * DAY


def test_nothing_is_deleted_that_is_not_known_or_not_seen() -> None:
    leave, out = Controller(retire=True), policy(NONE)
    assert decided(out, history((90, out), whole=False), controller=leave).reasons == (Reason(Code.HISTORY_UNREAD),)
    assert decided(out, history((90, ENFORCED)), controller=leave).reasons == (Reason(Code.NOT_AT_THE_EDGE),)


def test_mode_none_stays_where_nobody_says_that_the_domain_retires() -> None:
    assert decided(policy(NONE), history((90, policy(NONE)))) == Nothing(DOMAIN, (Reason(Code.MODE_NONE),))


# -------------------------------------------------------------------------------------------------------- max_age


def test_max_age_grows_to_weeks_when_enforce_was_quiet() -> None:
    week = policy(ENFORCE, max_age=WEEK)
    quiet = reports(week, range(1, 28))
    action = decided(week, history((60, policy(TESTING)), (29, week)), entries=quiet)
    assert isinstance(action, Action)
    assert (action.kind, action.edit) == (Kind.RAISE_MAX_AGE, Edit(max_age=4 * WEEK))
    early = decided(week, history((60, policy(TESTING)), (20, week)), entries=quiet)
    assert isinstance(early, Wait)
    assert (early.kind, early.until) == (Kind.RAISE_MAX_AGE, ago(-8))
    loud = [*quiet, entry(9, row(week, 0, failure(ResultType.CERTIFICATE_EXPIRED, 1)))]
    assert decided(week, history((60, week)), entries=loud) == Nothing(DOMAIN, (Reason(Code.IN_ORDER),))
    assert decided(week, history((60, week))) == Nothing(DOMAIN, (Reason(Code.IN_ORDER),))  # silence is not quiet


def test_max_age_does_not_grow_while_a_host_is_to_come() -> None:
    week, both = policy(ENFORCE, MX1, max_age=WEEK), policy(ENFORCE, MX1, NEW, max_age=WEEK)
    wait = decided(both, history((60, week), (3, both)), MX1, entries=reports(both, range(3)))
    assert isinstance(wait, Wait)
    assert wait.kind is Kind.MOVE_MX


def test_max_age_is_lowered_in_time_for_a_planned_move() -> None:
    def planned(days: int) -> Controller:
        return Controller(Rollout(planned_move=(NOW + days * DAY).date()))

    def midnight(days: int) -> datetime.datetime:
        return (NOW + days * DAY).replace(hour=0)

    wait = decided(ENFORCED, OLD, controller=planned(40))
    assert isinstance(wait, Wait)
    assert (wait.kind, wait.until) == (Kind.LOWER_MAX_AGE, midnight(40 - 14 - 7))
    action = decided(ENFORCED, OLD, controller=planned(20))
    assert isinstance(action, Action)
    assert (action.edit.max_age, action.safe_from) == (86400, NOW + 14 * DAY)
    assert action.edit.suppress == (
        (
            "max-age-short-in-enforce",
            "MX moves on 2026-12-20, and nobody should hold the old hosts for long by then",
        ),
    )
    assert codes(action) == [Code.PLANNED_MOVE]
    assert codes(decided(ENFORCED, OLD, controller=planned(3))) == [Code.PLANNED_MOVE, Code.TOO_LATE]
    assert decided(ENFORCED, OLD, controller=planned(-3)) == Nothing(DOMAIN, (Reason(Code.IN_ORDER),))
    low = policy(ENFORCE)
    assert isinstance(
        decided(low, history((200, low)), entries=reports(low, range(1, 28)), controller=planned(9)), Nothing
    )


# ------------------------------------------------------------------------------------------------ whatever happens

hosts = st.sampled_from([MX1, MX2, NEW, M365_OLD, M365_NEW, "mx_1.contoso.example", "evil.example"])
policies = st.builds(
    lambda mode, named, max_age: policy(mode, *sorted(named), max_age=max_age),
    st.sampled_from(Mode),
    st.sets(st.sampled_from([MX1, MX2, NEW, M365_OLD, "*.mx.microsoft"]), min_size=1),
    st.sampled_from([0, 3600, 86400, WEEK, 4 * WEEK, 31557600]),
)
histories = st.lists(st.tuples(st.integers(0, 500), policies | st.none()), min_size=1, max_size=4).map(
    lambda items: history(*items)
)
rarely = st.sampled_from([False] * 7 + [True])
controllers = st.builds(
    Controller,
    st.builds(Rollout, rarely, st.integers(1, 30), st.integers(1, 2000), st.integers(1, 3)),
    rarely,
    rarely,
    st.none() | st.builds(Adopted, st.integers(0, 31557600), st.integers(0, 400).map(ago)),
)
details = st.builds(failure, st.sampled_from(ResultType), st.none() | st.integers(0, 99), st.none() | hosts)


@st.composite
def domains(draw: st.DrawFn) -> tuple[object, ...]:
    past = draw(histories)
    served = past.current.policy if past.current else policy()
    wanted = draw(policies) if draw(rarely) else served
    controller = draw(controllers)
    entries = [
        entry(draw(st.integers(0, 40)), row(wanted, draw(st.integers(0, 500)), *draw(st.lists(details, max_size=2))),
              signer=draw(st.sampled_from(["google.com", "mail.ru", "a.example"])))
        for _ in range(draw(st.integers(0, 8)))
    ]  # fmt: skip
    if draw(st.booleans()):
        entries += reports(wanted, range(1, 21))
    named = [pattern.text for pattern in wanted.mx if not pattern.text.startswith("*")]
    live = draw(st.lists(st.sampled_from(named) if named and draw(st.booleans()) else hosts, max_size=4, unique=True))
    live = live or named or [MX1]
    past = dataclasses.replace(past, adopted=controller.adopted, whole=not draw(rarely))
    suppress = draw(st.sampled_from([{}, {"mx-not-in-policy": "a spam trap"}]))
    return (
        spec_of(wanted, controller, suppress=suppress),
        look(served, past, *live),
        past,
        evidence(wanted, entries),
        live,
    )


@given(domains())
def test_a_decision_is_safe_and_the_same_twice(domain: tuple[object, ...]) -> None:
    spec, seen, past, found, live = domain
    decision = decide(spec, seen, past, found, NOW)  # type: ignore[arg-type]
    assert decision == decide(spec, seen, past, found, NOW)  # type: ignore[arg-type]
    assert decision.reasons
    if isinstance(decision, Wait) and decision.until is not None:
        assert decision.until > NOW or decision.kind is Kind.PROMOTE
    if not isinstance(decision, Action):
        return
    mta_sts, edit = spec.mta_sts, decision.edit  # type: ignore[attr-defined]
    left = {pattern.text for pattern in mta_sts.mx} - set(edit.remove_mx) | set(edit.add_mx)
    assert not spec.controller.hold  # type: ignore[attr-defined]
    assert not spec.controller.rollout.manual  # type: ignore[attr-defined]
    assert left, "no policy without a host"
    if edit.mode is ENFORCE:
        days = [day for day in found.days if day.day >= (NOW - 7 * DAY).date()]  # type: ignore[attr-defined]
        assert not any(day.refusals for day in days)
        taken = [policy(ENFORCE, *left).allows(host) for host in live]  # type: ignore[attr-defined]
        assert any(taken) if spec.suppress else all(taken)  # type: ignore[attr-defined]
        assert past.current.policy.mode is TESTING  # type: ignore[attr-defined]
    if edit.delete:
        assert past.whole  # type: ignore[attr-defined]
        assert waits.spec_may_go(past, NOW) is None  # type: ignore[arg-type]
        assert mta_sts.mode is NONE
    if edit.remove_mx:
        assert not any(policy(TESTING, *edit.remove_mx).allows(host) for host in live)  # type: ignore[attr-defined]
        assert past.whole  # type: ignore[attr-defined]
    assert set(edit.add_mx) <= set(live)  # type: ignore[call-overload]


def test_a_host_that_dns_named_first_may_stand_alone_from_a_day_on() -> None:
    """After the merge of what add-mx proposed: senders that still hold the policy before refuse the new host."""
    old, new = policy(Mode.ENFORCE, MX1, MX2, max_age=WEEK), policy(Mode.ENFORCE, MX1, MX2, NEW, max_age=WEEK)
    past = history((30, old), (2, new))
    wait = decided(new, past, MX1, MX2, NEW)
    assert wait == Wait(
        Kind.MOVE_MX, DOMAIN, NOW + 5 * DAY, (Reason(Code.CACHED, until=NOW + 5 * DAY), Reason(Code.MX_EARLY, host=NEW))
    )
    later = decided(new, history((30, old), (8, new)), MX1, MX2, NEW)
    assert Code.MX_EARLY not in codes(later)
