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
    Merged,
    NewPullRequest,
    PullRequest,
    Refused,
)
from mailtls.propose.forges.rest import Api, Query, part, read
from mailtls.propose.forges.shared_api import SharedApi, approvals, issue, login, owner_and_path

API = "https://api.github.com"
_VERSION = "2022-11-28"
_STATES = {
    "pending": EvidenceState.PENDING,
    "success": EvidenceState.SUCCESS,
    "failure": EvidenceState.FAILURE,
    "error": EvidenceState.FAILURE,
}


@dataclass(slots=True)
class GitHub(SharedApi):
    """`of(...)` makes it."""

    owner: str

    @classmethod
    def of(cls, repository: str, token: str, url: str = API, label: str = "mailtls") -> "GitHub":
        """repository: `owner/name`. url: of the API (Enterprise Server: `https://HOST/api/v3`). Raises ForgeError."""
        owner, path = owner_and_path(repository)
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": _VERSION,
        }
        return cls(Api(url.rstrip("/"), token, headers), path, label, owner)

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
        return made, self.ask_reviewers(made.number, wanted.reviewers)

    def merged_with(self, commit: str) -> Merged | None:
        """GitHub lists those that hold the commit; the merged one is meant."""
        found = self.api.pages(f"{self.repository}/commits/{part(commit)}/pulls", {}, "per_page")
        number = next((int(entry["number"]) for entry in found if read(_is_merged, entry)), None)
        if number is None:
            return None
        reviews = list(self.api.pages(f"{self.repository}/pulls/{number}/reviews", {}, "per_page"))
        pull = self.api.get(f"{self.repository}/pulls/{number}", {})
        return read(lambda entry: _merged(entry, reviews), pull)

    def evidence_status(self, commit: str) -> EvidenceStatus | None:
        """The list has the last first."""
        entries = self.api.get(f"{self.repository}/commits/{part(commit)}/statuses", {"per_page": 100})
        return read(_first_of_ours, entries)

    def issues(self, title: str, label: str) -> list[Issue]:
        """The list holds pull requests as well."""
        asked: Query = {"state": "all", "labels": label, "sort": "created", "direction": "desc"}
        entries = self.api.pages(f"{self.repository}/issues", asked, "per_page")
        found = [read(issue, entry) for entry in entries if "pull_request" not in entry]
        return sorted((one for one in found if one.title == title), key=lambda one: one.number, reverse=True)

    def open_issue(self, title: str, body: str, labels: Collection[str]) -> Issue:
        asked = {"title": title, "body": body, "labels": list(labels)}
        return read(issue, self.api.send("POST", f"{self.repository}/issues", asked, again=False))


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


def _is_merged(entry: Any) -> bool:
    return entry["merged_at"] is not None


def _merged(entry: Any, reviews: list[Any]) -> Merged:
    return Merged(str(entry["html_url"]), login(entry["user"]), login(entry["merged_by"]), approvals(reviews))


def _first_of_ours(entries: Any) -> EvidenceStatus | None:
    for entry in entries:
        if entry["context"] == STATUS_CONTEXT:
            return EvidenceStatus(_STATES[entry["state"]], str(entry["description"] or ""))
    return None
