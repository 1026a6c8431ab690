"""Decisions in words: every code and every reason has a sentence, and a stranger's words do nothing."""

import dataclasses
import datetime

import pytest
from sample_looks import DOMAIN, MX1, NOW
from sample_rollout import DAY, ago, decided, evidence, history, look, policy, reports, spec

from mailtls.mta_sts.policy import Mode
from mailtls.render.decisions import TITLES, details, headline, told
from mailtls.render.reconcile import Run, render_run
from mailtls.render.status import MEANINGS
from mailtls.rollout.conditions import Name, Why
from mailtls.rollout.decision import Code, Kind, Nothing, Reason, Wait
from mailtls.rollout.standing import Group, Standing, group_of, stand
from mailtls.spec.controller import Controller, Rollout

TESTING, ENFORCE = policy(Mode.TESTING), policy(Mode.ENFORCE, max_age=2419200)
LONG_AGO = history((40, ENFORCE))


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_sentence_of_its_own(code: Code) -> None:
    every = {told(Reason(one, 9, 14, MX1, until=NOW)) for one in Code}
    assert len(every) == len(Code)
    sentence = told(Reason(code, 9, 14, MX1, until=NOW))
    assert "{" not in sentence
    assert not sentence.endswith(".")


def test_every_kind_has_a_title_and_every_reason_of_a_condition_a_meaning() -> None:
    assert set(TITLES) == set(Kind)
    assert set(MEANINGS) == set(Why)


def test_reasons_that_only_count_say_their_number() -> None:
    quiet = decided(
        policy(Mode.ENFORCE), history((40, policy(Mode.ENFORCE))), entries=reports(policy(Mode.ENFORCE), [2])
    )
    assert headline(quiet) == "raise max_age to 28 days"
    assert "80 clean sessions" in list(details(quiet))


def test_a_wait_tells_its_day_and_the_numbers() -> None:
    young = decided(TESTING, history((9, TESTING)), entries=reports(TESTING, range(1, 9)))
    assert headline(young) == f"promote to enforce, not before {ago(9) + 14 * DAY:%Y-%m-%d %H:%M} UTC"
    assert "served unchanged for 9 days, 14 needed" in list(details(young))


def standing(**more: object) -> Standing:
    """In enforce with nothing to do, unless `more` says otherwise."""
    of, past = more.pop("of", ENFORCE), more.pop("past", LONG_AGO)
    seen = look(of, past or LONG_AGO, *more.pop("hosts", ()))  # type: ignore[arg-type,misc]
    found = evidence(of, more.pop("entries", ())) if past else None  # type: ignore[arg-type]
    return stand(spec(of, **more), seen, past, found, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "group"),
    [
        ({}, Group.NOTHING),
        ({"past": None}, Group.UNDECIDED),
        ({"hosts": (MX1, "mx9.contoso.example")}, Group.URGENT),
        ({"hosts": (MX1, "mx9.contoso.example"), "past": None}, Group.URGENT),
        ({"hosts": (MX1, "mx9.contoso.example"), "controller": Controller(hold=True)}, Group.PERSON),
        ({"controller": Controller(hold=True)}, Group.NOTHING),
        ({"of": TESTING, "past": history((9, TESTING)), "entries": reports(TESTING, range(1, 9))}, Group.DATE),
        ({"of": TESTING, "past": history((30, TESTING)), "entries": reports(TESTING, range(1, 20))}, Group.CHANGE),
        ({"of": TESTING, "past": history((30, TESTING)), "entries": reports(TESTING, [2], clean=1)}, Group.EVIDENCE),
        ({"of": TESTING, "past": history((30, TESTING)), "entries": reports(TESTING, range(1, 20)),
          "controller": Controller(Rollout(manual=True))}, Group.PERSON),
        ({"of": TESTING, "past": history((30, TESTING)), "tls_rpt": None}, Group.PERSON),
    ],
)  # fmt: skip
def test_what_a_decision_waits_for(more: dict[str, object], group: Group) -> None:
    assert standing(**more).group is group


def test_an_mx_that_may_move_waits_for_a_person() -> None:
    status = standing().status
    may = Wait(Kind.MOVE_MX, DOMAIN, None, (Reason(Code.MX_MAY_MOVE, host=MX1),))
    assert group_of(dataclasses.replace(status, decision=may)) is Group.PERSON
    assert headline(may) == "move MX records, possible now"


def test_without_a_store_nothing_of_the_past_is_claimed() -> None:
    found = standing(past=None)
    assert found.reported is None
    assert [reason.code for reason in found.status.decision.reasons] == [Code.HISTORY_UNREAD]


def test_a_run_keeps_errors_that_no_proposal_mends() -> None:
    from sample_looks import page

    seen = dataclasses.replace(look(ENFORCE, LONG_AGO), https=(page(b"", 404),))
    bad = stand(spec(ENFORCE), seen, LONG_AGO, evidence(ENFORCE, ()), NOW)
    run = Run(stored=True)
    run.add(bad)
    assert not run.is_quiet
    assert f"{DOMAIN}: " in render_run(run, "text").partition("NO CHANGE OF A SPEC MENDS IT")[2]
    assert not bad.status.condition(Name.READY).holds


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_a_strangers_words_neither_move_a_cursor_nor_mention_anybody(output: str) -> None:
    run = Run(stored=True, failed={DOMAIN: "\x1b[2J @everyone <script>\n# head"})
    text = render_run(run, output)
    assert "\x1b" not in text
    assert "\n# head" not in text
    if output == "markdown":
        assert "`@everyone`" in text
        assert "`<script>`" in text


def test_markdown_for_ten_thousand_domains_fits_a_comment_and_counts_the_rest() -> None:
    run = Run(stored=True)
    late = NOW + datetime.timedelta(days=3)
    for number in range(10_000):
        wait = Wait(Kind.PROMOTE, f"d{number}.example", late, (Reason(Code.SERVED_DAYS, 9, 14),))
        run.decisions.append((Group.DATE, wait))
    text = render_run(run, "markdown")
    assert len(text) < 65_536
    shown = text.count("\n- **`d")
    assert f"{10_000 - shown} more domains are left out here" in text


def test_nothing_to_do_is_said() -> None:
    run = Run(stored=True, decisions=[(Group.NOTHING, Nothing(DOMAIN, (Reason(Code.IN_ORDER),)))])
    assert run.is_quiet
    assert "Nothing is to be done now." in render_run(run, "text")
