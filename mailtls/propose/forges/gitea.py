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
    Merged,
    NewPullRequest,
    NotAllowed,
    PullRequest,
    Refused,
)
from mailtls.propose.forges.rest import Api, Query, part, read
from mailtls.propose.forges.shared_api import SharedApi, approvals, issue, login, owner_and_path

_COLOUR = "#1d76db"
_STATES = {
    "pending": EvidenceState.PENDING,
    "success": EvidenceState.SUCCESS,
    "error": EvidenceState.FAILURE,
    "failure": EvidenceState.FAILURE,
    "warning": EvidenceState.FAILURE,
}


@dataclass(slots=True)
class Gitea(SharedApi):
    """`of(...)` makes it."""

    _labels: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str, repository: str, token: str, label: str = "mailtls") -> "Gitea":
        """url: of the forge itself (`https://git.contoso.example`). repository: `owner/name`. Raises ForgeError."""
        _, path = owner_and_path(repository)
        api = Api(f"{url.rstrip('/')}/api/v1", token, {"Authorization": f"token {token}"})
        return cls(api, path, label)

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
        return made, self.ask_reviewers(made.number, wanted.reviewers)

    def merged_with(self, commit: str) -> Merged | None:
        """Gitea answers 404 for a commit that came without one."""
        try:
            pull = self.api.get(f"{self.repository}/commits/{part(commit)}/pull", {})
        except NotAllowed:
            return None
        number = read(lambda entry: int(entry["number"]), pull)
        reviews = list(self.api.pages(f"{self.repository}/pulls/{number}/reviews", {}, "limit"))
        return read(lambda entry: _merged(entry, reviews), pull)

    def evidence_status(self, commit: str) -> EvidenceStatus | None:
        """The list of all has no order to rely on: 1.24 takes `highestindex` for the lowest."""
        answer = self.api.get(f"{self.repository}/commits/{part(commit)}/status", {"limit": 50})
        return read(_last_of_ours, answer)

    def issues(self, title: str, label: str) -> list[Issue]:
        asked = {"state": "all", "type": "issues", "labels": label}
        entries = self.api.pages(f"{self.repository}/issues", asked, "limit")
        # a label that the repository has not is no filter to Gitea, so the label is looked at again
        labelled = (entry for entry in entries if label in read(_label_names, entry))
        found = [one for one in (read(issue, entry) for entry in labelled) if one.title == title]
        return sorted(found, key=lambda one: one.number, reverse=True)

    def open_issue(self, title: str, body: str, labels: Collection[str]) -> Issue:
        asked = {"title": title, "body": body, "labels": [self._label_id(label) for label in labels]}
        return read(issue, self.api.send("POST", f"{self.repository}/issues", asked, again=False))

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


def _merged(entry: Any, reviews: list[Any]) -> Merged:
    standing = [review for review in reviews if not review["dismissed"]]
    return Merged(str(entry["html_url"]), login(entry["user"]), login(entry["merged_by"]), approvals(standing))


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
