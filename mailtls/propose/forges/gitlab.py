"""GitLab, gitlab.com or one's own (https://docs.gitlab.com/api/rest/).

The token is a project's access token with the role Developer and the scope `api`: the one scope that lets a merge
request be opened. Pull requests are merge requests here and their numbers `iid`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
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

_STATES = {
    "pending": EvidenceState.PENDING,
    "running": EvidenceState.PENDING,
    "success": EvidenceState.SUCCESS,
    "failed": EvidenceState.FAILURE,
    "canceled": EvidenceState.FAILURE,
}
_NAMES = {EvidenceState.PENDING: "pending", EvidenceState.SUCCESS: "success", EvidenceState.FAILURE: "failed"}
_QUICK_ACTION = re.compile(r"^(\s*)/", re.MULTILINE)


@dataclass(slots=True)
class GitLab:
    """One project. `of(...)` makes it. label: what each merge request of ours carries, for people to find them."""

    api: Api
    project: str
    label: str

    @classmethod
    def of(cls, project: str, token: str, url: str = "https://gitlab.com", label: str = "mailtls") -> "GitLab":
        """project: `group/name`, with groups below groups. url: of the forge itself. Raises ForgeError."""
        if "/" not in project.strip("/") or project.startswith("/") or project.endswith("/"):
            raise Refused(f"{project!r} is not a project; write group/name")
        api = Api(f"{url.rstrip('/')}/api/v4", token, {"Authorization": f"Bearer {token}"})
        return cls(api, f"/projects/{part(project)}", label)

    def open_pull_requests(self, base: str, prefix: str) -> list[PullRequest]:
        found = self._merge_requests({"state": "opened", "target_branch": base})
        return [pull for pull in found if pull.branch.startswith(prefix)]

    def pull_requests_of(self, base: str, branch: str) -> list[PullRequest]:
        found = self._merge_requests({"state": "all", "target_branch": base, "source_branch": branch})
        return sorted(found, key=lambda pull: pull.number, reverse=True)

    def open_pull_request(self, wanted: NewPullRequest) -> tuple[PullRequest, str]:
        people, failed = self._people(wanted.reviewers)
        asked = {
            "source_branch": wanted.branch,
            "target_branch": wanted.base,
            "title": wanted.title,
            "description": _no_actions(wanted.body),
            "labels": ",".join(dict.fromkeys((self.label, *wanted.labels))),
            "reviewer_ids": people,
            "remove_source_branch": True,
        }
        made = read(_pull_request, self.api.send("POST", f"{self.project}/merge_requests", asked))
        if made is None:
            raise Refused(f"the forge made a merge request for {wanted.branch} from another project")
        return made, f"cannot be asked for a review: {', '.join(failed)}" if failed else ""

    def edit_pull_request(self, number: int, title: str, body: str) -> None:
        asked = {"title": title, "description": _no_actions(body)}
        self.api.send("PUT", f"{self.project}/merge_requests/{number}", asked)

    def close_pull_request(self, number: int, reason: str) -> None:
        words = {"body": _no_actions(reason)}
        self.api.send("POST", f"{self.project}/merge_requests/{number}/notes", words, again=False)
        self.api.send("PUT", f"{self.project}/merge_requests/{number}", {"state_event": "close"})

    def merged_with(self, commit: str) -> Merged | None:
        """Of the merge requests that hold the commit the merged one."""
        found = self.api.pages(f"{self.project}/repository/commits/{part(commit)}/merge_requests", {}, "per_page")
        entry = next((entry for entry in found if read(lambda one: one["state"] == "merged", entry)), None)
        if entry is None:
            return None
        number = read(lambda one: int(one["iid"]), entry)
        approvals = self.api.get(f"{self.project}/merge_requests/{number}/approvals", {})
        return read(lambda one: _merged(one, approvals), entry)

    def evidence_status(self, commit: str) -> EvidenceStatus | None:
        """Without `all` the list has the last of each name only."""
        path = f"{self.project}/repository/commits/{part(commit)}/statuses"
        return read(_ours, self.api.get(path, {"name": STATUS_CONTEXT}))

    def set_evidence_status(self, commit: str, status: EvidenceStatus) -> None:
        """A status that is pending cannot become pending with other words: it is ended before."""
        said = status.cut()
        path = f"{self.project}/statuses/{part(commit)}"
        last = self.evidence_status(commit) if said.state is EvidenceState.PENDING else None
        if last and last.state is EvidenceState.PENDING:
            self.api.send("POST", path, {"name": STATUS_CONTEXT, "state": "canceled"})
        body = {"name": STATUS_CONTEXT, "state": _NAMES[said.state], "description": said.words}
        self.api.send("POST", path, body)

    def issues(self, title: str, label: str) -> list[Issue]:
        asked: Query = {"labels": label, "search": title, "in": "title"}
        entries = self.api.pages(f"{self.project}/issues", asked, "per_page")
        found = [issue for issue in (read(_issue, entry) for entry in entries) if issue.title == title]
        return sorted(found, key=lambda issue: issue.number, reverse=True)

    def open_issue(self, title: str, body: str, labels: Collection[str]) -> Issue:
        asked = {"title": title, "description": _no_actions(body), "labels": ",".join(labels)}
        return read(_issue, self.api.send("POST", f"{self.project}/issues", asked, again=False))

    def edit_issue(self, number: int, body: str) -> None:
        self.api.send("PUT", f"{self.project}/issues/{number}", {"description": _no_actions(body)})

    def _merge_requests(self, asked: Query) -> list[PullRequest]:
        entries = self.api.pages(f"{self.project}/merge_requests", asked, "per_page")
        return [pull for pull in (read(_pull_request, entry) for entry in entries) if pull]

    def _people(self, reviewers: tuple[str, ...]) -> tuple[list[int], list[str]]:
        """Their numbers, and who is nobody: a group cannot be asked."""
        people, failed = [], []
        for reviewer in reviewers:
            try:
                found = [] if "/" in reviewer else self.api.get("/users", {"username": reviewer})
                numbers = read(lambda entries: [int(entry["id"]) for entry in entries], found)
            except (NotAllowed, Refused):
                numbers = []
            people += numbers[:1]
            failed += [] if numbers else [reviewer]
        return people, failed


def _no_actions(text: str) -> str:
    """A line that begins with `/` is a command to GitLab (`/merge`), also in a text that quotes a stranger."""
    return _QUICK_ACTION.sub(r"\1&#47;", text)


def _as_written(text: str | None) -> str:
    """A text of ours as it was before `_no_actions`."""
    return (text or "").replace("&#47;", "/")


def _pull_request(entry: Any) -> PullRequest | None:
    """None for one whose branch lies in another project."""
    if entry["source_project_id"] != entry["target_project_id"]:
        return None
    return PullRequest(
        number=int(entry["iid"]),
        branch=str(entry["source_branch"]),
        head=str(entry["sha"] or ""),
        title=str(entry["title"]),
        body=_as_written(entry["description"]),
        is_open=entry["state"] in ("opened", "locked"),
        merged=entry["state"] == "merged",
        url=str(entry["web_url"]),
    )


def _merged(entry: Any, approvals: Any) -> Merged:
    people = tuple(sorted({str(one["user"]["username"]) for one in approvals["approved_by"]}))
    return Merged(str(entry["web_url"]), _username(entry["author"]), _username(entry["merge_user"]), people)


def _username(entry: Any) -> str:
    return str((entry or {}).get("username", ""))


def _issue(entry: Any) -> Issue:
    return Issue(
        int(entry["iid"]),
        str(entry["title"]),
        _as_written(entry["description"]),
        entry["state"] == "opened",
        str(entry["web_url"]),
    )


def _ours(entries: Any) -> EvidenceStatus | None:
    ours = [entry for entry in entries if entry["name"] == STATUS_CONTEXT]
    if not ours:
        return None
    last = max(ours, key=lambda entry: int(entry["id"]))
    return EvidenceStatus(_STATES[last["status"]], str(last["description"] or ""))
