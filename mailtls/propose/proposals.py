"""Proposals brought before people, by rules that hold no state but Git's and the forge's.

A branch `mailtls/<kind>/<policy domain>` is the key of a proposal. What a person did is an answer: a closed pull
request is a no to what it was about, a commit on the branch takes the proposal over. All else is made again at each
run: one commit on the base's head, title, body, evidence. What is no longer wanted is closed with the reason.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from mailtls.propose.branches import Branches, Commit
from mailtls.propose.forges.forge import (
    AlreadyThere,
    Forge,
    ForgeError,
    NewPullRequest,
    NotAllowed,
    PullRequest,
    Refused,
    Unreachable,
)
from mailtls.propose.proposal import PREFIX, Proposal, key_of, was_asked, withdrawn

MOST_FAILURES = 3
"""Times that the forge fails or forbids, one after the other, until the rest of a run is not tried."""

_TWIN = "there is another one for the same branch"


class Result(StrEnum):
    """What became of one proposal. `closed by you` and `taken over by you` are a person's answers."""

    OPENED = "opened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CLOSED = "closed, no longer needed"
    ANSWERED = "closed by you"
    TAKEN_OVER = "taken over by you"
    LIMITED = "waits for a place"
    HELD = "waits for the step before"
    STALLED = "stalled"
    NO_DIFFERENCE = "already so"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Outcome:
    """words: the reason or what a person should know, "" for nothing. url: of the pull request, "" for none.
    lasting: it failed, and will again as long as nothing changes; the forge being away is not of that kind."""

    kind: str
    policy_domain: str
    result: Result
    words: str = ""
    url: str = ""
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """most_open: pull requests of ours that may be open at once. most_new: that one run may open. Urgent ones pass."""

    most_open: int = 10
    most_new: int = 5


@dataclass(slots=True)
class Run:
    """One run over one repository.

    wanted: what is proposed now. settled: policy domain to the reason why it needs no proposal (`the policy is in
    enforce`). A domain in neither was not judged this time: its proposals stay as they are.
    asked_again: branches whose closed pull request a person wants to be no answer any more.
    """

    forge: Forge
    branches: Branches
    base: str
    wanted: Sequence[Proposal]
    settled: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    asked_again: Collection[str] = ()
    _open: dict[str, PullRequest] = field(default_factory=dict)
    _new: int = 0
    _failures: int = 0

    def outcomes(self) -> Iterator[Outcome]:
        """Acts, and yields what became of each. Raises ForgeError only where nothing could be looked at.

        What is obsolete goes first: it makes room. Then urgent ones, then the others, in the order given.
        """
        found = self.forge.open_pull_requests(self.base, PREFIX)
        for pull in sorted(found, key=lambda pull: pull.number):
            if self._open.setdefault(pull.branch, pull) is not pull:
                kind, policy_domain = key_of(pull.branch) or ("", pull.branch)
                yield from self._tried(kind, policy_domain, lambda p=pull: self._close(p, _TWIN))  # type: ignore[misc]
        for branch in sorted(self._open.keys() | self.branches.heads.keys()):
            key = key_of(branch)
            if key and (reason := self._obsolete(*key)):
                yield from self._tried(*key, lambda b=branch, r=reason: self._withdrawn(b, r))  # type: ignore[misc]
        for proposal in sorted(self.wanted, key=lambda proposal: not proposal.urgent):
            yield from self._tried(
                proposal.kind,
                proposal.policy_domain,
                lambda p=proposal: self._brought(p),  # type: ignore[misc]
            )

    def _tried(self, kind: str, policy_domain: str, act: Callable[[], Outcome | None]) -> Iterator[Outcome]:
        """One domain's failure stops no other; three in a row are the forge's."""
        if self._failures >= MOST_FAILURES:
            words = f"{MOST_FAILURES} failed one after the other before this one"
            yield Outcome(kind, policy_domain, Result.NOT_TRIED, words)
            return
        try:
            outcome = act()
        except (NotAllowed, Unreachable) as e:  # what would meet the next domain as well
            self._failures += 1
            outcome = Outcome(kind, policy_domain, Result.FAILED, str(e))
        except ForgeError as e:
            outcome = Outcome(kind, policy_domain, Result.FAILED, str(e), lasting=isinstance(e, Refused))
        else:
            self._failures = 0
        if outcome:
            yield outcome

    def _obsolete(self, kind: str, policy_domain: str) -> str:
        """Why this proposal is not wanted any more; "" where it is, or where nobody judged its domain.

        What a person asked for by a command is not ours to judge, and such a command judges nothing else.
        """
        of_domain = [one for one in self.wanted if one.policy_domain == policy_domain and not one.asked]
        if any(proposal.kind == kind for proposal in of_domain) or self._asked(f"{PREFIX}{kind}/{policy_domain}"):
            return ""
        if of_domain:
            return f"another step comes first: {of_domain[0].title}"
        return self.settled.get(policy_domain, "")

    def _asked(self, branch: str) -> bool:
        """Is an open one of this branch a person's wish?"""
        return branch in self._open and was_asked(self._open[branch])

    def _withdrawn(self, branch: str, reason: str) -> Outcome | None:
        """Closed and its branch deleted, but not what a person worked on. None: there is only a branch that stays."""
        kind, policy_domain = key_of(branch) or ("", "")
        pull, head = self._open.get(branch), self.branches.heads.get(branch)
        if head and not head.ours:
            if pull is None:
                return None
            words = f"no longer needed ({reason}), but the branch holds a person's commit: close it by hand"
            return Outcome(kind, policy_domain, Result.TAKEN_OVER, words, pull.url)
        if pull:
            self._close(pull, f"no longer needed: {reason}")
            del self._open[branch]
        self.branches.delete(branch)
        return Outcome(kind, policy_domain, Result.CLOSED, reason, pull.url) if pull else None

    def _brought(self, proposal: Proposal) -> Outcome:
        """The rules for one that is wanted."""
        pull, head = self._open.get(proposal.branch), self.branches.heads.get(proposal.branch)
        if pull:
            commit = self.branches.commit(proposal.files, proposal.message)
            return self._updated(proposal, pull, head, commit) if commit else self._already_so(proposal)
        before = self.forge.pull_requests_of(self.base, proposal.branch)
        answer = next((closed for closed in before if proposal.answered_by(closed)), None)
        if answer and proposal.branch not in self.asked_again:
            words = "it comes again when what it proposes changes, or when you tick its box in the dashboard"
            return _outcome(proposal, Result.ANSWERED, words, answer.url)
        if proposal.held:
            return _outcome(proposal, Result.HELD, proposal.held)
        if first := self._comes_first(proposal):
            return _outcome(
                proposal, Result.HELD, f"a person asked for another change of it first: {first.title}", first.url
            )
        if head and not head.ours and head.id not in {done.head for done in before if done.merged}:
            words = (
                f"the branch {proposal.branch} holds a person's commit and has no pull request: open one, or delete it"
            )
            return _outcome(proposal, Result.TAKEN_OVER, words)
        full = self._full()
        if full and not proposal.urgent and not proposal.asked:
            return _outcome(proposal, Result.LIMITED, full)
        commit = self.branches.commit(proposal.files, proposal.message)
        if commit is None:
            return self._already_so(proposal)
        return self._opened(proposal, commit, f"urgent, so it passes the limit: {full}" if full else "")

    def _comes_first(self, proposal: Proposal) -> PullRequest | None:
        """What a person asked for of the same domain, while it is open; what is urgent does not wait for it."""
        if proposal.urgent or proposal.asked:
            return None
        for branch, pull in self._open.items():
            key = key_of(branch)
            if key is not None and key[1] == proposal.policy_domain and was_asked(pull):
                return pull
        return None

    def _already_so(self, proposal: Proposal) -> Outcome:
        gone = self._withdrawn(proposal.branch, f"{self.base} already says so")
        return gone or _outcome(proposal, Result.NO_DIFFERENCE)

    def _full(self) -> str:
        """Why no more may be opened; "" where one may."""
        if len(self._open) >= self.limits.most_open:
            return f"{len(self._open)} are open, {self.limits.most_open} is the most"
        if self._new >= self.limits.most_new:
            return f"{self._new} were opened in this run, {self.limits.most_new} is the most"
        return ""

    def _opened(self, proposal: Proposal, commit: Commit, words: str) -> Outcome:
        self.branches.push(proposal.branch, commit)
        wanted = NewPullRequest(
            proposal.branch, self.base, proposal.title, proposal.described(), proposal.labels, proposal.reviewers
        )
        try:
            pull, missing = self.forge.open_pull_request(wanted)
        except AlreadyThere:  # another run was faster; the commit is the same one
            made = [pull for pull in self.forge.pull_requests_of(self.base, proposal.branch) if pull.is_open]
            if not made:
                raise
            self._open[proposal.branch] = made[0]
            return self._updated(proposal, made[0], commit, commit)
        self._new += 1
        self._open[proposal.branch] = pull
        pull = self._open[proposal.branch] = self._first(pull)
        self._say_evidence(proposal, commit.id)
        return _outcome(proposal, Result.OPENED, "; ".join(filter(None, (words, missing))), pull.url)

    def _first(self, opened: PullRequest) -> PullRequest:
        """The first open one of the branch. Gitea lets two runs at the very same time open one each; ours goes then."""
        of_branch = self.forge.pull_requests_of(self.base, opened.branch)
        first = min((pull for pull in of_branch if pull.is_open), key=lambda pull: pull.number, default=opened)
        if first.number >= opened.number:
            return opened
        self._close(opened, _TWIN)
        return first

    def _close(self, pull: PullRequest, reason: str) -> None:
        """As no answer of a person."""
        self.forge.edit_pull_request(pull.number, pull.title, withdrawn(pull.body))
        self.forge.close_pull_request(pull.number, f"Closed by mailtls, {reason}.")

    def _updated(self, proposal: Proposal, pull: PullRequest, head: Commit | None, commit: Commit) -> Outcome:
        """In place; only the evidence where a person has taken it over, since a branch rule may wait for it."""
        if head and not head.ours:
            self._say_evidence(proposal, head.id)
            return _outcome(proposal, Result.TAKEN_OVER, "the branch holds a person's commit", pull.url)
        moved = head is None or head.id != commit.id
        self.branches.push(proposal.branch, commit)
        reworded = (pull.title, _lines(pull.body)) != (proposal.title, _lines(proposal.described()))
        if reworded:
            self.forge.edit_pull_request(pull.number, proposal.title, proposal.described())
        said = self._say_evidence(proposal, commit.id)
        return _outcome(proposal, Result.UPDATED if moved or reworded or said else Result.UNCHANGED, "", pull.url)

    def _say_evidence(self, proposal: Proposal, commit: str) -> bool:
        """Said only where it differs: a forge keeps every status of a commit, and GitHub at most 1,000."""
        status = proposal.evidence_status and proposal.evidence_status.cut()
        if status is None or self.forge.evidence_status(commit) == status:
            return False
        self.forge.set_evidence_status(commit, status)
        return True


def _outcome(proposal: Proposal, result: Result, words: str = "", url: str = "") -> Outcome:
    return Outcome(proposal.kind, proposal.policy_domain, result, words, url)


def _lines(text: str) -> list[str]:
    """A forge may store other line ends than it was given."""
    return [line.rstrip() for line in text.strip().splitlines()]
