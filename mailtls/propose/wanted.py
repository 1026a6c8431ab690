"""How a domain stands becomes what a run wants of it: a proposal, none for a reason, or no word. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from mailtls.mta_sts.policy import Mode
from mailtls.propose import words
from mailtls.propose.proposal import PREFIX, Proposal
from mailtls.render.decisions import headline
from mailtls.rollout.decision import Action, Decision, Edit, Kind, Nothing, Wait
from mailtls.rollout.promote import promotion
from mailtls.rollout.standing import Group, Standing
from mailtls.spec.model import PolicySpec

Files = Mapping[str, str | None]
"""Path in the repository to its new text; None: the file goes."""


@dataclass(frozen=True, slots=True)
class Settled:
    """There is nothing to propose for the domain, and why; what is open of it is closed."""

    policy_domain: str
    reason: str


def wanted(
    standing: Standing, desired: PolicySpec, files_of: Callable[[Action], Files], branches: Collection[str]
) -> Proposal | Settled | None:
    """What follows for the forge. None: nobody could judge, so what is open stays as it is.

    files_of: makes the edit; called when the proposal is to be brought before people. branches: those of ours that the
    repository has. A promotion that stands open and lost its evidence is wanted still, held: its status says so.
    """
    decision = standing.status.decision
    domain = desired.policy_domain
    if isinstance(decision, Action):
        return _proposal(desired, standing, decision.kind, decision, decision.edit, files_of)
    if isinstance(decision, Nothing):
        return Settled(domain, headline(decision))
    if standing.group is Group.UNDECIDED:
        return None
    if _keeps_a_promotion(decision, desired, branches) and desired.mta_sts is not None:
        edit = promotion(desired, desired.mta_sts)
        wait = Wait(Kind.PROMOTE, domain, decision.until, decision.reasons)
        return _proposal(desired, standing, Kind.PROMOTE, wait, edit, files_of)
    return None if decision.kind is None else Settled(domain, headline(decision))


def _keeps_a_promotion(decision: Decision, desired: PolicySpec, branches: Collection[str]) -> bool:
    """Is a promotion open that only has to wait: for its evidence, or for what was merged meanwhile?"""
    if not isinstance(decision, Wait) or f"{PREFIX}{Kind.PROMOTE}/{desired.policy_domain}" not in branches:
        return False
    return decision.kind is Kind.PROMOTE or (decision.kind is None and _is_testing(desired))


def _is_testing(desired: PolicySpec) -> bool:
    return desired.mta_sts is not None and desired.mta_sts.mode is Mode.TESTING


def _proposal(
    desired: PolicySpec,
    standing: Standing,
    kind: Kind,
    decision: Action | Wait,
    edit: Edit,
    files_of: Callable[[Action], Files],
) -> Proposal:
    held = "" if isinstance(decision, Action) else f"not ready: {headline(decision)}"
    action = Action(kind, desired.policy_domain, edit, decision.reasons)
    return Proposal(
        kind=str(kind),
        policy_domain=desired.policy_domain,
        title=words.title(action),
        body=words.body(kind, desired, decision, edit, standing.errors),
        files=_MadeWhenAsked(lambda: files_of(action)),
        unique=_unique(kind, edit, standing),
        urgent=isinstance(decision, Action) and decision.urgent,
        held=held,
        labels=("urgent",) if isinstance(decision, Action) and decision.urgent else (),
        reviewers=(desired.owner,) if desired.owner else (),
        evidence_status=words.evidence(decision),
    )


def _unique(kind: Kind, edit: Edit, standing: Standing) -> str:
    """What a person refuses who closes it. The way down is asked for anew for each policy that is in enforce."""
    if kind is Kind.DEMOTE:
        return f"{edit.mode} from {standing.status.policy_id}"
    return " ".join(
        filter(
            None,
            (
                str(edit.mode or ""),
                *(f"+{host}" for host in sorted(edit.add_mx)),
                *(f"-{host}" for host in sorted(edit.remove_mx)),
                f"max_age {edit.max_age}" if edit.max_age is not None and edit.mode is None else "",
                "delete" if edit.delete else "",
            ),
        )
    )


class _MadeWhenAsked(Mapping[str, str | None]):
    """The files of a proposal. An edit reads the whole set of specs again, and most proposals of a large run wait for
    a place: so it is made when it is needed, and once."""

    def __init__(self, make: Callable[[], Files]) -> None:
        self._make = make
        self._made: Files | None = None

    def _files(self) -> Files:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, path: str) -> str | None:
        return self._files()[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files())

    def __len__(self) -> int:
        return len(self._files())
