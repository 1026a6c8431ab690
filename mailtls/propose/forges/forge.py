"""What the controller needs of a forge: pull requests, one commit status, one issue. Each forge is one class.

Branches are no part of it: they are Git's, the same on every forge (`mailtls/propose/branches.py`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class ForgeError(Exception):
    """The forge did not do it. The text has its own words and what to do; never a token."""


class NotAllowed(ForgeError):
    """The token is unknown, over, or lacks a right (HTTP 401, 403, and 404 for what a token may not know of)."""


class Unreachable(ForgeError):
    """No answer, or one that says "later" (429, 5xx), also after several tries."""


class AlreadyThere(ForgeError):
    """What was to be made exists: somebody else was faster."""


class Refused(ForgeError):
    """The forge understood and says no (any other 4xx), or its answer is none that we understand."""


class EvidenceState(StrEnum):
    """pending: the time or the number of sessions is not reached. failure: something speaks against it."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


STATUS_CONTEXT = "mailtls/evidence"
"""The name of our commit status: what a branch rule may require."""
MOST_DESCRIPTION = 140
"""Characters that GitHub takes for the words of a status, the least of the three."""


@dataclass(frozen=True, slots=True)
class EvidenceStatus:
    """words: one line, `day 9 of 14, 3,100 of 5,000 sessions`. What is longer than MOST_DESCRIPTION is cut."""

    state: EvidenceState
    words: str

    def cut(self) -> "EvidenceStatus":
        """As every forge takes it."""
        if len(self.words) <= MOST_DESCRIPTION:
            return self
        return EvidenceStatus(self.state, self.words[: MOST_DESCRIPTION - 3] + "...")


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One that asks for a branch of this same repository: a fork's branch of the same name is not ours.

    number: what a person sees (`#12`, GitLab's `!12`). head: the commit that the forge believes the branch to have;
    it may lag behind a push. merged: closed because it was merged.
    """

    number: int
    branch: str
    head: str
    title: str
    body: str
    is_open: bool
    merged: bool
    url: str


@dataclass(frozen=True, slots=True)
class Issue:
    number: int
    title: str
    body: str
    is_open: bool
    url: str


@dataclass(frozen=True, slots=True)
class NewPullRequest:
    """reviewers: names of people as the forge has them; `group/team` asks a team, where the forge can."""

    branch: str
    base: str
    title: str
    body: str
    labels: tuple[str, ...]
    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merged:
    """The pull request that brought a commit into its branch. author, merged_by: accounts, "" where the forge names
    none. approved_by: those whose last word was an approval."""

    url: str
    author: str
    merged_by: str
    approved_by: tuple[str, ...]


class Forge(Protocol):
    """One repository on one forge. Every method raises ForgeError."""

    def open_pull_requests(self, base: str, prefix: str) -> list[PullRequest]:
        """Those that are open, ask for `base`, and whose branch begins with `prefix`."""

    def pull_requests_of(self, base: str, branch: str) -> list[PullRequest]:
        """Open and closed ones of one branch, the newest first."""

    def open_pull_request(self, wanted: NewPullRequest) -> tuple[PullRequest, str]:
        """The new one, and what could not be had with it (a reviewer whom nobody knows), "" for nothing.

        Raises AlreadyThere where an open one asks for this branch already.
        """

    def edit_pull_request(self, number: int, title: str, body: str) -> None: ...

    def close_pull_request(self, number: int, reason: str) -> None:
        """Closed, with `reason` (Markdown) as a comment before."""

    def evidence_status(self, commit: str) -> EvidenceStatus | None:
        """The last that we said of this commit."""

    def set_evidence_status(self, commit: str, status: EvidenceStatus) -> None: ...

    def issues(self, title: str, label: str) -> list[Issue]:
        """Open and closed ones with exactly this title and the label, the newest first.

        The label is what a stranger on a public forge cannot set: an issue of theirs is not found.
        """

    def open_issue(self, title: str, body: str, labels: Collection[str]) -> Issue: ...

    def edit_issue(self, number: int, body: str) -> None: ...

    def merged_with(self, commit: str) -> Merged | None:
        """The pull request that was merged with this commit; None: the forge knows none."""
