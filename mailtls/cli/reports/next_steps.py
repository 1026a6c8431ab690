"""What the controller says of each domain, in the words of a page."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from mailtls.cli.stand import Failed, Ways, stand_all

if TYPE_CHECKING:
    from mailtls.dashboard.views import NextStep
    from mailtls.rollout.standing import Standing
    from mailtls.spec.model import PolicySpec


async def next_steps(specs: "tuple[PolicySpec, ...]", ways: Ways, done: Callable[[], None]) -> "dict[str, NextStep]":
    """By policy domain. One about which nothing could be decided says so, and stops no other."""
    from mailtls.dashboard.views import NextStep

    found = {}
    async for one in stand_all(specs, ways, done):
        if isinstance(one, Failed):
            found[one.policy_domain] = NextStep(f"not decided: {one.told}", "somebody who looks", None)
        else:
            found[one.status.policy_domain] = _step(one)
    return found


def _step(standing: "Standing") -> "NextStep":
    from mailtls.dashboard.views import NextStep
    from mailtls.render.decisions import details, headline
    from mailtls.rollout.standing import Group

    waits = {
        Group.URGENT: "nothing; it is urgent",
        Group.CHANGE: "nothing; it is due",
        Group.PERSON: "a person who mends, decides or looks",
        Group.UNDECIDED: "somebody who reads what was served",
        Group.DATE: "a date",
        Group.EVIDENCE: "more reports, or the deployment of what is merged",
        Group.NOTHING: "nothing",
    }
    decision = standing.status.decision
    return NextStep(headline(decision), waits[standing.group], _day(decision), tuple(details(decision)))


def _day(decision: object) -> date | None:
    """The earliest day of the next step, where a clock tells it."""
    from mailtls.rollout.decision import Wait

    return decision.until.date() if isinstance(decision, Wait) and decision.until else None
