"""What a person asks for by a command, `mailtls rollback` or `mailtls retire`, as a proposal. Pure.

The texts are those of the controller's own way down and way out, but for the why: a person decided it, and not reports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mailtls.mta_sts.policy import Mode
from mailtls.propose import words
from mailtls.propose.forges.forge import EvidenceState, EvidenceStatus
from mailtls.propose.proposal import MOST_TITLE, Body, Proposal
from mailtls.render.foreign_text import markdown
from mailtls.rollout.decision import Action, Edit, Kind
from mailtls.spec.model import PolicySpec

ROLLBACK, RETIRE = "rollback", str(Kind.RETIRE)
"""The kinds, part of a branch's name. The way out has the controller's own: it goes on where the command began."""
_ON_ROLLBACK_TO_NONE = (
    "Senders that fetch the new policy stop asking for TLS. One that holds enforce and does not look again goes on "
    "refusing until its max_age is over. The hosts in mx stay: a big sender calls mode none without them invalid."
)
_TO_REFUSE = (
    "Close this pull request. The controller does not close it and does not open it again; `mailtls {command} "
    "{policy_domain} --pull-request` does. A commit of yours on this branch takes it over."
)


def rollback(
    desired: PolicySpec, edit: Edit, because: str, files: Mapping[str, str | None], follows: Sequence[str]
) -> Proposal:
    """The mode goes down. because: "" where nobody said why. follows: sentences about what comes after the merge."""
    body = _body(Kind.DEMOTE, desired, edit, because, follows)
    if edit.mode is Mode.NONE:
        body = replace(body, on_merge=_merged(_ON_ROLLBACK_TO_NONE, follows))
    if desired.mta_sts is not None and desired.mta_sts.mode is not Mode.ENFORCE:
        body = replace(body, if_you_wait="Nothing breaks: nothing is refused in testing.")
    title = f"{desired.policy_domain}: back to {edit.mode}"
    return _proposal(ROLLBACK, title, desired, edit, body, files, urgent=True)


def retirement(desired: PolicySpec, edit: Edit, files: Mapping[str, str | None], follows: Sequence[str]) -> Proposal:
    """The way out begins. follows: as for `rollback`."""
    body = _body(Kind.RETIRE, desired, edit, "", follows)
    said = "`retire: true` begins the way out: after this the controller waits, and then proposes to remove the spec."
    changes = f"{body.what_changes}\n\n{said}" if edit.mode else f"**{markdown(desired.policy_domain)}**\n\n{said}"
    body = replace(body, what_changes=changes)
    return _proposal(RETIRE, f"{desired.policy_domain}: retire", desired, edit, body, files, urgent=False)


def _body(kind: Kind, desired: PolicySpec, edit: Edit, because: str, follows: Sequence[str]) -> Body:
    plain = words.body(kind, desired, Action(kind, desired.policy_domain, edit, ()), edit, ())
    command = RETIRE if kind is Kind.RETIRE else ROLLBACK
    why = f"A person asked for it by `mailtls {command}`."
    if kind is not Kind.RETIRE:
        why += f" The reason given: {markdown(because)}" if because else " No reason was given."
    return replace(
        plain,
        why_now=why,
        on_merge=_merged(plain.on_merge, follows),
        how_to_refuse=_TO_REFUSE.format(command=command, policy_domain=desired.policy_domain),
    )


def _merged(text: str, follows: Sequence[str]) -> str:
    return "\n\n".join([text, *map(markdown, follows)])


def _proposal(
    kind: str,
    title: str,
    desired: PolicySpec,
    edit: Edit,
    body: Body,
    files: Mapping[str, str | None],
    *,
    urgent: bool,
) -> Proposal:
    return Proposal(
        kind=kind,
        policy_domain=desired.policy_domain,
        title=title if len(title) <= MOST_TITLE else f"{title[: MOST_TITLE - 3]}...",
        body=body,
        files=files,
        unique=f"asked: {edit.mode or kind}",
        urgent=urgent,
        labels=("urgent",) if urgent else (),
        reviewers=(desired.owner,) if desired.owner else (),
        # a branch rule may wait for it, and there is nothing to wait for
        evidence_status=EvidenceStatus(EvidenceState.SUCCESS, f"asked for by a person: mailtls {kind}"),
        asked=True,
    )
