"""GitHub, and GitHub Enterprise Server with its API's address (https://docs.github.com/en/rest).

The token needs, on the one repository: contents, pull requests, issues and commit statuses, each read and write. A
GitHub App's token is the best: the checks of a pull request that `GITHUB_TOKEN` opened do not start.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from mailtls.propose.forges.forge import (
    STATUS_CONTEXT,
    AlreadyThere,
    EvidenceState,
    EvidenceStatus,
    Issue,
    NewPullRequest,
    NotAllowed,
    PullRequest,
    Refused,
)
from mailtls.propose.forges.rest import Api, Query, part, read

API = "https://api.github.com"
_VERSION = "2022-11-28"
_STATES = {
    "pending": EvidenceState.PENDING,
    "success": EvidenceState.SUCCESS,
    "failure": EvidenceState.FAILURE,
    "error": EvidenceState.FAILURE,
}


@dataclass(slots=True)
class GitHub:
    """One repository. `of(...)` makes it. label: what each pull request of ours carries, for people to find them."""

    api: Api
    repository: str
    owner: str
    label: str

    @classmethod
    def of(cls, repository: str, token: str, url: str = API, label: str = "mailtls") -> "GitHub":
        """repository: `owner/name`. url: of the API (Enterprise Server: `https://HOST/api/v3`). Raises ForgeError."""
        owner, slash, name = repository.partition("/")
        if not owner or not slash or not name or "/" in name:
            raise Refused(f"{repository!r} is not a repository; write owner/name")
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
        }
        return cls(Api(url.rstrip("/"), token, headers), f"/repos/{part(owner)}/{part(name)}", owner, label)

    def open_pull_requests(self, base: str, prefix: str) -> list[PullRequest]:
        asked: Query = {"state": "open", "base": base}
        found = _pull_requests(self.api.pages(f"{self.repository}/pulls", asked, "per_page"))
        return [pull for pull in found if pull.branch.startswith(prefix)]

    def pull_requests_of(self, base: str, branch: str) -> list[PullRequest]:
        asked: Query = {"state": "all", "base": base, "head": f"{self.owner}:{branch}", "sort": "created"}
        found = _pull_requests(self.api.pages(f"{self.repository}/pulls", {**asked, "direction": "desc"}, "per_page"))
        return sorted(found, key=lambda pull: pull.number, reverse=True)

    def open_pull_request(self, wanted: NewPullRequest) -> tuple[PullRequest, str]:
        asked = {"base": wanted.base, "head": wanted.branch, "title": wanted.title, "body": wanted.body}
        try:
            answer = self.api.send("POST", f"{self.repository}/pulls", asked)
        except Refused as e:  # 422, in words only
            if "already exists" in str(e):
                raise AlreadyThere(str(e)) from e
            raise
        made = read(_pull_request, answer)
        if made is None:
            raise Refused(f"the forge made a pull request for {wanted.branch} from another repository")
        labels = list(dict.fromkeys((self.label, *wanted.labels)))
        self.api.send("POST", f"{self.repository}/issues/{made.number}/labels", {"labels": labels})
        return made, self._ask_reviewers(made.number, wanted.reviewers)

    def edit_pull_request(self, number: int, title: str, body: str) -> None:
        self.api.send("PATCH", f"{self.repository}/pulls/{number}", {"title": title, "body": body})

    def close_pull_request(self, number: int, reason: str) -> None:
        self.api.send("POST", f"{self.repository}/issues/{number}/comments", {"body": reason}, again=False)
        self.api.send("PATCH", f"{self.repository}/pulls/{number}", {"state": "closed"})

    def evidence_status(self, commit: str) -> EvidenceStatus | None:
        """The list has the last first."""
        entries = self.api.get(f"{self.repository}/commits/{part(commit)}/statuses", {"per_page": 100})
        return read(_first_of_ours, entries)

    def set_evidence_status(self, commit: str, status: EvidenceStatus) -> None:
        said = status.cut()
        body = {"context": STATUS_CONTEXT, "state": said.state.value, "description": said.words}
        self.api.send("POST", f"{self.repository}/statuses/{part(commit)}", body)

    def issues(self, title: str, label: str) -> list[Issue]:
        """The list holds pull requests as well."""
        asked: Query = {"state": "all", "labels": label, "sort": "created", "direction": "desc"}
        entries = self.api.pages(f"{self.repository}/issues", asked, "per_page")
        found = [read(_issue, entry) for entry in entries if "pull_request" not in entry]
        return sorted((issue for issue in found if issue.title == title), key=lambda issue: issue.number, reverse=True)

    def open_issue(self, title: str, body: str, labels: Collection[str]) -> Issue:
        asked = {"title": title, "body": body, "labels": list(labels)}
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


def _pull_requests(entries: Iterator[Any]) -> list[PullRequest]:
    """Without those whose branch lies in another repository, or in a fork that is gone."""
    return [pull for pull in (read(_pull_request, entry) for entry in entries) if pull]


def _pull_request(entry: Any) -> PullRequest | None:
    if (entry["head"]["repo"] or {}).get("id") != entry["base"]["repo"]["id"]:
        return None
    return PullRequest(
        number=int(entry["number"]),
        branch=str(entry["head"]["ref"]),
        head=str(entry["head"]["sha"]),
        title=str(entry["title"]),
        body=str(entry["body"] or ""),
        is_open=entry["state"] == "open",
        merged=entry["merged_at"] is not None,
        url=str(entry["html_url"]),
    )


def _issue(entry: Any) -> Issue:
    return Issue(
        int(entry["number"]),
        str(entry["title"]),
        str(entry["body"] or ""),
        entry["state"] == "open",
        str(entry["html_url"]),
    )


def _first_of_ours(entries: Any) -> EvidenceStatus | None:
    for entry in entries:
        if entry["context"] == STATUS_CONTEXT:
            return EvidenceStatus(_STATES[entry["state"]], str(entry["description"] or ""))
    return None
