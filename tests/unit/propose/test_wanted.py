"""What follows for the forge from how a domain stands: which proposal, its words, and when none."""

import dataclasses
import datetime
from collections.abc import Mapping

import pytest
from sample_looks import DOMAIN, MX1, MX2, NOW
from sample_rollout import DAY, WEEK, entry, evidence, failure, history, look, policy, reports, row, spec

from mailtls.mta_sts.policy import Mode, Policy
from mailtls.propose import words
from mailtls.propose.forges.forge import MOST_DESCRIPTION, EvidenceState, EvidenceStatus
from mailtls.propose.proposal import MOST_TITLE, Proposal
from mailtls.propose.wanted import Settled, wanted
from mailtls.rollout.decision import Action, Edit, Kind
from mailtls.rollout.history import History
from mailtls.rollout.standing import stand
from mailtls.spec.controller import Controller
from mailtls.tls_rpt.ledger import LedgerEntry
from mailtls.tls_rpt.report import ResultType

TESTING, ENFORCED = policy(), policy(Mode.ENFORCE, max_age=4 * WEEK)
READY = history((20, TESTING))
CLEAN = reports(TESTING, range(1, 15))
PROMOTE = f"mailtls/promote/{DOMAIN}"
BAD = [*CLEAN, entry(1, row(TESTING, 10_000, failure(ResultType.CERTIFICATE_HOST_MISMATCH, 40)))]


def files(_: Action) -> Mapping[str, str | None]:
    raise AssertionError("nobody asked for the files")


def follows(
    of: Policy,
    past: History,
    *hosts: str,
    entries: list[LedgerEntry] | None = None,
    branches: tuple[str, ...] = (),
    days: float = 0,
    at_the_edge: bool = True,
    **of_spec: object,
) -> Proposal | Settled | None:
    """days: how much later it is than NOW."""
    desired = spec(of, **of_spec)  # type: ignore[arg-type]
    observed = look(of if at_the_edge else policy(Mode.TESTING, "mx9.contoso.example"), past, *hosts)
    now = NOW + datetime.timedelta(days=days)
    return wanted(stand(desired, observed, past, evidence(of, entries or []), now), desired, files, branches)


def proposed(*arguments: object, **more: object) -> Proposal:
    found = follows(*arguments, **more)  # type: ignore[arg-type]
    assert isinstance(found, Proposal)
    return found


def test_what_is_ready_is_proposed_with_its_numbers_and_no_edit_is_made_before_it_is_asked_for() -> None:
    one = proposed(TESTING, READY, entries=CLEAN)
    assert (one.branch, one.title, one.unique) == (PROMOTE, f"{DOMAIN}: promote to enforce", "enforce")
    assert one.evidence_status == EvidenceStatus(
        EvidenceState.SUCCESS, "20 days, 1,120 sessions, 2 organisations, 0 refused"
    )
    assert "| 1,120 | sessions over TLS that enforce accepts | at least 100 |" in one.body.why_now
    assert (one.held, one.urgent) == ("", False)
    with pytest.raises(AssertionError, match="nobody asked"):
        dict(one.files)


def test_the_text_is_the_same_in_each_run_of_a_day() -> None:
    """Else a forge tells everybody who follows a pull request that it was edited, each hour."""
    gone = history((40, ENFORCED))
    morning = proposed(ENFORCED, gone, MX1, MX2, "mx3.contoso.example", entries=[])
    evening = proposed(ENFORCED, gone, MX1, MX2, "mx3.contoso.example", entries=[], days=0.3)
    assert morning.described() == evening.described()
    assert f"until {NOW + 29 * DAY:%Y-%m-%d} 00:00 UTC at the latest" in morning.body.on_merge


def test_a_promotion_that_is_not_ready_is_no_proposal() -> None:
    found = follows(TESTING, history((9, TESTING)), entries=CLEAN)
    assert isinstance(found, Settled)
    assert "promote to enforce, not before" in found.reason


@pytest.mark.parametrize(
    ("past", "entries", "state", "words"),
    [
        (
            history((9, TESTING)),
            reports(TESTING, range(1, 9)),
            EvidenceState.PENDING,
            "day 9 of 14, 640 sessions, 2 organisations, 0 refused",
        ),
        (READY, BAD, EvidenceState.FAILURE, f"40 sessions at {MX2} (certificate-host-mismatch)"),
    ],
)
def test_one_that_stands_open_says_what_it_lost(
    past: History, entries: list[LedgerEntry], state: EvidenceState, words: str
) -> None:
    one = proposed(TESTING, past, entries=entries, branches=(PROMOTE,))
    assert one.evidence_status == EvidenceStatus(state, words)
    assert one.held
    assert "Do not merge now" in one.body.why_now
    assert one.unique == "enforce"


def test_one_that_stands_open_waits_while_what_was_merged_is_not_seen() -> None:
    one = proposed(TESTING, READY, entries=CLEAN, branches=(PROMOTE,), at_the_edge=False)
    assert one.evidence_status == EvidenceStatus(EvidenceState.PENDING, "what Git says is not what senders find yet")
    assert follows(TESTING, READY, entries=CLEAN, at_the_edge=False) is None  # nobody can judge what else stands open


def test_a_new_mx_asks_whether_it_is_meant_and_is_urgent() -> None:
    one = proposed(ENFORCED, history((40, ENFORCED)), MX1, MX2, "mx3.contoso.example")
    assert (one.kind, one.unique, one.urgent, one.labels) == ("add-mx", "+mx3.contoso.example", True, ("urgent",))
    assert "**`mx3.contoso.example`**" in one.body.what_changes
    assert "A hijack looks the same" in one.body.on_merge


def test_the_way_down_is_asked_again_for_each_policy_that_enforces() -> None:
    refused = [
        entry(1, row(ENFORCED, 10, failure(ResultType.CERTIFICATE_EXPIRED, 40, host)), signer=signer)
        for signer in ("google.com", "mail.ru")
        for host in (MX1, MX2)
    ]
    first = proposed(ENFORCED, history((40, ENFORCED)), entries=refused)
    again = proposed(ENFORCED, history((40, TESTING), (5, ENFORCED)), entries=refused)
    assert first.kind == again.kind == "demote"
    assert first.urgent
    assert first.unique != again.unique


def test_hold_and_order_close_what_stands_open() -> None:
    held = follows(TESTING, READY, entries=CLEAN, controller=Controller(hold=True))
    assert isinstance(held, Settled)
    assert "hold: true" in held.reason
    quiet = follows(ENFORCED, history((10, ENFORCED)))
    assert isinstance(quiet, Settled)


def test_without_a_store_nothing_is_judged() -> None:
    desired = spec(TESTING)
    standing = stand(desired, look(TESTING, READY), None, None, NOW)
    assert wanted(standing, desired, files, ()) is None


def test_retirement_tells_its_own_way_back() -> None:
    one = proposed(ENFORCED, history((40, ENFORCED)), controller=Controller(retire=True))
    assert (one.kind, one.unique) == ("retire", "none")
    assert "Take `retire: true` out of the spec" in one.body.how_to_refuse


def test_the_owner_is_asked_for_a_review() -> None:
    assert proposed(TESTING, READY, entries=CLEAN, owner="mail-team").reviewers == ("mail-team",)


def test_text_is_bounded_whatever_dns_says() -> None:
    hosts = [f"{'x' * 60}{n}.{'y' * 60}.{'z' * 60}.contoso.example" for n in range(9)]
    one = proposed(ENFORCED, history((40, ENFORCED)), MX1, MX2, *hosts)
    assert len(one.title) <= MOST_TITLE
    assert one.evidence_status is not None
    assert len(one.evidence_status.cut().words) <= MOST_DESCRIPTION
    assert one.files is not None


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MOVE_MX])
def test_every_kind_that_can_be_proposed_has_its_words(kind: Kind) -> None:

    action = Action(kind, DOMAIN, Edit(delete=kind is Kind.DELETE), ())
    body = words.body(kind, spec(TESTING), action, action.edit, ())
    assert all(getattr(body, field.name).strip() for field in dataclasses.fields(body) if field.name != "why_now")
