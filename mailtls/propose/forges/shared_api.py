"""What GitHub's API and Gitea's have in common: Gitea's was made after it. What differs stands with each forge."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mailtls.propose.forges.forge import STATUS_CONTEXT, EvidenceStatus, Issue, NotAllowed, Refused
from mailtls.propose.forges.rest import Api, part


@dataclass(slots=True)
class SharedApi:
    """One repository. repository: its path in the API. label: what each pull request of ours carries, for people and
    for us to find it again."""

    api: Api
    repository: str
    label: str

    def edit_pull_request(self, number: int, title: str, body: str) -> None:
        self.api.send("PATCH", f"{self.repository}/pulls/{number}", {"title": title, "body": body})

    def close_pull_request(self, number: int, reason: str) -> None:
        self.api.send("POST", f"{self.repository}/issues/{number}/comments", {"body": reason}, again=False)
        self.api.send("PATCH", f"{self.repository}/pulls/{number}", {"state": "closed"})

    def set_evidence_status(self, commit: str, status: EvidenceStatus) -> None:
        said = status.cut()
        body = {"context": STATUS_CONTEXT, "state": said.state.value, "description": said.words}
        self.api.send("POST", f"{self.repository}/statuses/{part(commit)}", body)

    def edit_issue(self, number: int, body: str) -> None:
        self.api.send("PATCH", f"{self.repository}/issues/{number}", {"body": body})

    def ask_reviewers(self, number: int, reviewers: tuple[str, ...]) -> str:
        """Each by itself: one whom nobody knows must not cost the others. What went wrong, "" for nothing."""
        failed = []
        for reviewer in reviewers:
            team = reviewer.partition("/")[2]
            asked = {"team_reviewers": [team]} if team else {"reviewers": [reviewer]}
            try:
                self.api.send("POST", f"{self.repository}/pulls/{number}/requested_reviewers", asked)
            except (NotAllowed, Refused):
                failed.append(reviewer)
        return f"cannot be asked for a review: {', '.join(failed)}" if failed else ""


def approvals(reviews: Iterable[Any]) -> tuple[str, ...]:
    """Whose last word, of those that are a verdict, was an approval. reviews: the oldest first."""
    last: dict[str, str] = {}
    for review in reviews:
        if review["state"] in ("APPROVED", "CHANGES_REQUESTED", "REQUEST_CHANGES", "DISMISSED"):
            last[str((review["user"] or {}).get("login", ""))] = str(review["state"])
    return tuple(sorted(who for who, state in last.items() if who and state == "APPROVED"))


def login(entry: Any) -> str:
    """Of an account that may be gone."""
    return str((entry or {}).get("login", ""))


def owner_and_path(repository: str) -> tuple[str, str]:
    """The owner, and the path in the API, of `owner/name`. Raises Refused."""
    owner, slash, name = repository.partition("/")
    if not owner or not slash or not name or "/" in name:
        raise Refused(f"{repository!r} is not a repository; write owner/name")
    return owner, f"/repos/{part(owner)}/{part(name)}"


def issue(entry: Any) -> Issue:
    """One issue, as both describe it."""
    return Issue(
        int(entry["number"]),
        str(entry["title"]),
        str(entry["body"] or ""),
        entry["state"] == "open",
        str(entry["html_url"]),
    )
