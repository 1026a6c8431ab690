"""A run that acts: each domain is decided, what is due is brought before people, and one issue tells it all.

What is written is Git's and the forge's alone. A failure of one domain stops no other, and the third equal one stalls
that domain until something changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mailtls.cli import terminal
from mailtls.cli.forge_access import ForgeAccess
from mailtls.cli.stand import Failed, Ways, stand_all
from mailtls.propose import board, dashboard, repeated
from mailtls.propose.branches import Branches, Raced, fetched
from mailtls.propose.decided import decided_edit
from mailtls.propose.forges.forge import ForgeError, Refused
from mailtls.propose.proposal import PREFIX, Proposal
from mailtls.propose.proposals import Limits, Outcome, Result
from mailtls.propose.proposals import Run as ForgeRun
from mailtls.propose.repeated import Failure
from mailtls.propose.spec_edit import EditRefused
from mailtls.propose.wanted import Files, Settled, wanted
from mailtls.render.reconcile import Proposed, Run
from mailtls.rollout.decision import Action

if TYPE_CHECKING:
    from mailtls.spec.load import Survey
    from mailtls.spec.model import PolicySpec

_STALLED = (
    "failed {times} times in the same way, and is tried again when the spec or the decision changes, or when you tick "
    "its box in the dashboard: {told}"
)


@dataclass(slots=True)
class Acting:
    """One run. root: the specs as the user named them. found: what was read there, without a fault."""

    root: Path
    found: "Survey"
    ways: Ways
    access: ForgeAccess
    limits: Limits
    run: Run = field(init=False)
    _wanted: list[Proposal] = field(default_factory=list)
    _settled: dict[str, str] = field(default_factory=dict)
    _subjects: dict[tuple[str, str], str] = field(default_factory=dict)
    """(kind, policy domain) to what would be tried."""
    _failures: list[Failure] = field(default_factory=list)

    async def act(self) -> Run:
        """Decides all, then proposes. Raises ForgeError where the repository or the forge cannot even be read."""
        self.run = Run(self.ways.store is not None, acts=True)
        with fetched(self.access.remote, self.access.base, PREFIX) as branches:
            issue = dashboard.find(self.access.forge)
            text = issue.body if issue is not None and issue.is_open else ""
            asked, earlier = dashboard.asked_again(text), repeated.remembered(text)
            await self._decide(branches, earlier)
            outcomes = {one.policy_domain: one for one in self._stalled(asked, earlier)}
            try:
                self._propose(branches, asked, earlier, outcomes)
                self._tell(asked, outcomes)
            except ForgeError as e:
                self.run.forge_trouble = str(e)
        return self.run

    async def _decide(self, branches: Branches, earlier: Mapping[str, Failure]) -> None:
        specs = {spec.policy_domain: spec for spec in self.found.specs}
        progress = terminal.Progress("deciding", len(specs))
        async for one in stand_all(self.found.specs, self.ways, progress.advance):
            if isinstance(one, Failed):
                self.run.failed[one.policy_domain] = one.told
                self._failures.append(repeated.failure(one.policy_domain, "look", one.told).after(earlier))
                continue
            self.run.add(one)
            desired = specs[one.status.policy_domain]
            meant = wanted(one, desired, lambda action: self._files(branches, action), branches.heads)
            if isinstance(meant, Settled):
                self._settled[meant.policy_domain] = meant.reason
            elif meant is not None:
                self._wanted.append(meant)
                self._subjects[meant.kind, meant.policy_domain] = _tried(meant, desired)
        progress.clear()

    def _files(self, branches: Branches, action: Action) -> Files:
        """The edit, made against the clone, which has to be the base here. Raises ForgeError."""
        try:
            edit = decided_edit(self.root, action, self.found)
        except EditRefused as e:
            raise Refused(str(e)) from e
        if edit is None:
            return {}
        path = self.access.path_of(edit.path)
        if not branches.holds(path, edit.before):
            raise Raced(f"{edit.shown} is another one in {branches.base_name} than in this clone: pull, and run again")
        return {path: None if edit.after is None else edit.after.decode("utf-8")}

    def _stalled(self, asked: set[str], earlier: Mapping[str, Failure]) -> list[Outcome]:
        """What failed so often that it is not tried: taken out of what is wanted."""
        left: list[Proposal] = []
        found: list[Outcome] = []
        for proposal in self._wanted:
            before = earlier.get(proposal.policy_domain)
            subject = repeated.subject_of(self._subjects[proposal.kind, proposal.policy_domain])
            if before and before.is_stalled and before.subject == subject and proposal.branch not in asked:
                self._failures.append(before)
                told = _STALLED.format(times=before.times, told=proposal.title)
                found.append(Outcome(proposal.kind, proposal.policy_domain, Result.STALLED, told))
            else:
                left.append(proposal)
        self._wanted = left
        return found

    def _propose(
        self, branches: Branches, asked: set[str], earlier: Mapping[str, Failure], outcomes: dict[str, Outcome]
    ) -> None:
        acting = ForgeRun(
            self.access.forge, branches, branches.base_name, self._wanted, self._settled, self.limits, asked
        )
        progress = terminal.Progress("proposing", len(self._wanted))
        for outcome in outcomes.values():
            self._add(outcome)
        for outcome in acting.outcomes():
            progress.advance()
            tried = self._subjects.get((outcome.kind, outcome.policy_domain))
            if outcome.lasting and tried is not None:
                failed = repeated.failure(outcome.policy_domain, tried, outcome.words).after(earlier)
                self._failures.append(failed)
                if failed.is_stalled:
                    told = _STALLED.format(times=failed.times, told=outcome.words)
                    outcome = Outcome(outcome.kind, outcome.policy_domain, Result.STALLED, told)
            outcomes[outcome.policy_domain] = outcome  # what was closed comes before what is wanted instead
            self._add(outcome)
        progress.clear()

    def _add(self, outcome: Outcome) -> None:
        if outcome.result is not Result.NO_DIFFERENCE:
            self.run.proposed.append(
                Proposed(outcome.policy_domain, outcome.kind, str(outcome.result), outcome.words, outcome.url)
            )

    def _tell(self, asked: set[str], outcomes: Mapping[str, Outcome]) -> None:
        """The dashboard. One that a person closed stays closed."""
        rows = [
            board.row(
                group,
                decision,
                len(self.run.concerns.get(decision.policy_domain, ())),
                outcomes.get(decision.policy_domain),
            )
            for group, decision in self.run.decisions
        ]
        times = {one.policy_domain: one.times for one in self._failures}
        rows += [board.failed_row(name, told, times.get(name, 1)) for name, told in self.run.failed.items()]
        self.run.stalled = sorted(one.policy_domain for one in self._failures if one.is_stalled)
        written = dashboard.write(self.access.forge, rows, asked, self._failures)
        self.run.dashboard = written.url if written else "closed by you"


def _tried(proposal: Proposal, desired: "PolicySpec") -> str:
    """Another thing when the spec, the decision or what it proposes is another one."""
    return f"{proposal.kind} {proposal.unique} {desired!r}"
