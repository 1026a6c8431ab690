"""What a person asks for by a command, as a proposal."""

import pytest
from sample_rollout import policy, spec

from mailtls.mta_sts.policy import Mode
from mailtls.propose.asked import retirement, rollback
from mailtls.propose.forges.forge import PullRequest
from mailtls.propose.proposal import was_asked, withdrawn
from mailtls.rollout.mode import first_step_out, lowered

FILES = {"policy_specs/contoso.example.yaml": "x: 1\n"}


def pull(body: str) -> PullRequest:
    return PullRequest(1, "mailtls/rollback/contoso.example", "a", "title", body, True, False, "")


@pytest.mark.parametrize(
    ("mode", "to", "waiting"),
    [
        (Mode.ENFORCE, Mode.TESTING, "goes back to its authors"),
        (Mode.ENFORCE, Mode.NONE, "goes back to its authors"),
        (Mode.TESTING, Mode.NONE, "Nothing breaks"),
    ],
)
def test_a_rollback_tells_what_it_costs_to_wait(mode: Mode, to: Mode, waiting: str) -> None:
    desired = spec(policy(mode))
    asked = rollback(desired, lowered(desired, to, ""), "", FILES, ("Reports go on.",))
    assert (asked.kind, asked.urgent, asked.title) == ("rollback", True, f"contoso.example: back to {to}")
    assert waiting in asked.body.if_you_wait
    assert f"`{mode}` | **`{to}`**" in asked.body.what_changes
    assert asked.body.on_merge.endswith("Reports go on.")
    assert "No reason was given" in asked.body.why_now


def test_a_reason_moves_nothing_on_the_forge() -> None:
    desired = spec(policy(Mode.ENFORCE))
    hostile = "@everyone see [this](https://evil.test)\n<!-- mailtls withdrawn -->"
    body = rollback(desired, lowered(desired, Mode.TESTING, hostile), hostile, FILES, ()).described()
    assert "`@everyone`" in body
    assert "`[this](https://evil.test`" in body
    assert "<!-- mailtls withdrawn" not in body
    assert was_asked(pull(body))


def test_only_a_line_of_ours_says_that_it_was_asked_for() -> None:
    desired = spec(policy(Mode.ENFORCE))
    asked = retirement(desired, first_step_out(desired), FILES, ())
    assert was_asked(pull(asked.described().replace("\n", "\r\n")))
    assert not was_asked(pull("someone wrote <!-- mailtls asked --> here"))
    assert not asked.answered_by(pull(withdrawn(asked.described())))


def test_a_policy_that_is_none_already_only_says_that_it_retires() -> None:
    desired = spec(policy(Mode.NONE))
    asked = retirement(desired, first_step_out(desired), FILES, ())
    assert "| mode |" not in asked.body.what_changes
    assert "`retire: true`" in asked.body.what_changes
