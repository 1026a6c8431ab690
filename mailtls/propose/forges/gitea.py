"""Gitea and Forgejo (one API: https://docs.gitea.com/api/1.24/, https://codeberg.org/api/swagger).

The token needs `write:repository` and `write:issue`; no right over users or the organisation.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from mailtls.propose.forges.forge import (
    STATUS_CONTEXT,
    EvidenceState,
    EvidenceStatus,
    Issue,
    NewPullRequest,
    NotAllowed,
    PullRequest,
    Refused,
)
from mailtls.propose.forges.rest import Api, Query, part, read

_COLOUR = "#1d76db"
_STATES = {
    "pending": EvidenceState.PENDING,
    "success": EvidenceState.SUCCESS,
    "error": EvidenceState.FAILURE,
    "failure": EvidenceState.FAILURE,
    "warning": EvidenceState.FAILURE,
}


@dataclass(slots=True)
class Gitea:
    """One repository. `of(...)` makes it. label: what each pull request of ours carries, and how it is found again."""

    api: Api
    repository: str
    label: str
    _labels: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str, repository: str, token: str, label: str = "mailtls") -> "Gitea":
        """url: of the forge itself (`https://git.contoso.example`). repository: `owner/name`. Raises ForgeError."""
        owner, slash, name = repository.partition("/")
        if not owner or not slash or not name or "/" in name:
            raise Refused(f"{repository!r} is not a repository; write owner/name")
        api = Api(f"{url.rstrip('/')}/api/v1", token, {"Authorization": f"token {token}"})
        return cls(api, f"/repos/{part(owner)}/{part(name)}", label)

    def open_pull_requests(self, base: str, prefix: str) -> list[PullRequest]:
        asked = {"state": "open", "base_branch": base}
        entries = self.api.pages(f"{self.repository}/pulls", asked, "limit")
        return [pull for pull in map(_pull_request, entries) if pull and pull.branch.startswith(prefix)]

    def pull_requests_of(self, base: str, branch: str) -> list[PullRequest]:
        """Gitea 1.24 cannot ask for one branch: all that carry our label, which are few."""
        label = self._known_labels().get(self.label)
        if label is None:
            return []
        asked: Query = {"state": "all", "base_branch": base, "labels": label}
        entries = self.api.pages(f"{self.repository}/pulls", asked, "limit")
        found = [pull for pull in map(_pull_request, entries) if pull and pull.branch == branch]
        return sorted(found, key=lambda pull: pull.number, reverse=True)

    def open_pull_request(self, wanted: NewPullRequest) -> tuple[PullRequest, str]:
        asked = {
            "base": wanted.base,
            "head": wanted.branch,
            "title": wanted.title,
            "body": wanted.body,
            "labels": [self._label_id(label) for label in dict.fromkeys((self.label, *wanted.labels))],
        }
        made = read(_pull_request, self.api.send("POST", f"{self.repository}/pulls", asked))
        if made is None:
            raise Refused(f"the forge made a pull request for {wanted.branch} from another repository")
        return made, self._ask_reviewers(made.number, wanted.reviewers)

    def edit_pull_request(self, number: int, title: str, body: str) -> None:
        self.api.send("PATCH", f"{self.repository}/pulls/{number}", {"title": title, "body": body})

    def close_pull_request(self, number: int, reason: str) -> None:
        self.api.send("POST", f"{self.repository}/issues/{number}/comments", {"body": reason}, again=False)
        self.api.send("PATCH", f"{self.repository}/pulls/{number}", {"state": "closed"})

    def evidence_status(self, commit: str) -> EvidenceStatus | None:
        """The list of all has no order to rely on: 1.24 takes `highestindex` for the lowest."""
        answer = self.api.get(f"{self.repository}/commits/{part(commit)}/status", {"limit": 50})
        return read(_last_of_ours, answer)

    def set_evidence_status(self, commit: str, status: EvidenceStatus) -> None:
        said = status.cut()
        body = {"context": STATUS_CONTEXT, "state": said.state.value, "description": said.words}
        self.api.send("POST", f"{self.repository}/statuses/{part(commit)}", body)

    def issues(self, title: str, label: str) -> list[Issue]:
        asked = {"state": "all", "type": "issues", "labels": label}
        entries = self.api.pages(f"{self.repository}/issues", asked, "limit")
        # a label that the repository has not is no filter to Gitea, so the label is looked at again
        labelled = (entry for entry in entries if label in read(_label_names, entry))
        found = [issue for issue in (read(_issue, entry) for entry in labelled) if issue.title == title]
        return sorted(found, key=lambda issue: issue.number, reverse=True)

    def open_issue(self, title: str, body: str, labels: Collection[str]) -> Issue:
        asked = {"title": title, "body": body, "labels": [self._label_id(label) for label in labels]}
        return read(_issue, self.api.send("POST", f"{self.repository}/issues", asked, again=False))

    def edit_issue(self, number: int, body: str) -> None:
        self.api.send("PATCH", f"{self.repository}/issues/{number}", {"body": body})

    def _ask_reviewers(self, number: int, reviewers: tuple[str, ...]) -> str:
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

    def _label_id(self, name: str) -> int:
        """Gitea knows labels by number; one that is missing is made."""
        if name not in self._known_labels():
            asked = {"name": name, "color": _COLOUR}
            made = self.api.send("POST", f"{self.repository}/labels", asked, again=False)
            self._labels[name] = read(_label, made)[1]
        return self._labels[name]

    def _known_labels(self) -> dict[str, int]:
        if not self._labels:
            entries = self.api.pages(f"{self.repository}/labels", {}, "limit")
            self._labels = dict(read(_label, entry) for entry in entries)
        return self._labels


def _pull_request(entry: Any) -> PullRequest | None:
    """None for one whose branch lies in another repository."""

    def reader(entry: Any) -> PullRequest | None:
        if entry["head"]["repo_id"] != entry["base"]["repo_id"]:
            return None
        return PullRequest(
            number=int(entry["number"]),
            branch=str(entry["head"]["label"]),  # `ref` is another once the branch is deleted
            head=str(entry["head"]["sha"]),
            title=str(entry["title"]),
            body=str(entry["body"] or ""),
            is_open=entry["state"] == "open",
            merged=bool(entry["merged"]),
            url=str(entry["html_url"]),
        )

    return read(reader, entry)


def _issue(entry: Any) -> Issue:
    return Issue(
        int(entry["number"]),
        str(entry["title"]),
        str(entry["body"] or ""),
        entry["state"] == "open",
        str(entry["html_url"]),
    )


def _label(entry: Any) -> tuple[str, int]:
    return str(entry["name"]), int(entry["id"])


def _label_names(entry: Any) -> set[str]:
    return {str(label["name"]) for label in entry["labels"]}


def _last_of_ours(answer: Any) -> EvidenceStatus | None:
    ours = [entry for entry in answer["statuses"] or [] if entry["context"] == STATUS_CONTEXT]
    if not ours:
        return None
    last = max(ours, key=lambda entry: int(entry["id"]))
    return EvidenceStatus(_STATES[last["status"]], str(last["description"] or ""))
