"""What GitLab does with merge requests, statuses and issues, as far as our client asks, with its known refusals."""

from pathlib import Path
from typing import Any

from described import TOKEN, Refusal


class GitLabStandIn:
    prefix = "/api/v4"
    description = Path(__file__).parent / "gitlab_description" / "paths.json"

    def __init__(self, branches: dict[str, str], people: set[str]) -> None:
        """branches: name to head. people: who may be asked for a review."""
        self.branches, self.people = branches, sorted(people)
        self.pulls: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.comments: list[str] = []

    def admitted(self, headers: Any) -> bool:
        return bool(headers["Authorization"] == f"Bearer {TOKEN}")

    def answer(self, operation: str, places: dict[str, str], query: dict[str, str], body: Any) -> Any:
        if places.get("id", "alice/specs") != "alice/specs":
            raise Refusal(404, "404 Project Not Found")
        _no_quick_action(body)
        match operation.replace("/projects/{id}", ""):
            case "GET /merge_requests":
                return _page([pull for pull in self.pulls if _asked(pull, query)], query)
            case "POST /merge_requests":
                return self._open(body)
            case "PUT /merge_requests/{merge_request_iid}":
                return _changed(self.pulls, places["merge_request_iid"], body)
            case "POST /merge_requests/{merge_request_iid}/notes":
                self.comments.append(body["body"])
                return {"id": len(self.comments), "body": body["body"]}
            case "GET /repository/commits/{sha}/statuses":
                of_name = [
                    each for each in self.statuses if (each["sha"], each["name"]) == (places["sha"], query["name"])
                ]
                return of_name[-1:]
            case "POST /statuses/{sha}":
                return self._status(places["sha"], body)
            case "GET /issues":
                found = [each for each in self.issues if query["labels"] in each["labels"].split(",")]
                return _page([each for each in found if query["search"] in each["title"]], query)
            case "POST /issues":
                self.issues.append(
                    {"iid": len(self.issues) + 1, "state": "opened", "web_url": "https://x.example", **body}
                )
                return self.issues[-1]
            case "PUT /issues/{issue_iid}":
                return _changed(self.issues, places["issue_iid"], body)
            case "GET /users":
                known = [(number, name) for number, name in enumerate(self.people, 1) if name == query["username"]]
                return [{"id": number, "username": name} for number, name in known]
        raise AssertionError(operation)

    def fork_asks(self, branch: str) -> None:
        """A stranger's merge request from a branch of the same name in their fork."""
        self.pulls.append({**_pull(len(self.pulls) + 1, branch, "f" * 40), "source_project_id": 666})

    def _open(self, body: Any) -> Any:
        if body["source_branch"] not in self.branches:
            raise Refusal(400, {"source_branch": ["does not exist"]})
        wanted = {"state": "opened", "source_branch": body["source_branch"]}
        if any(_asked(pull, wanted) and pull["source_project_id"] == 1 for pull in self.pulls):
            raise Refusal(409, ["Another open merge request already exists for this source branch"])
        pull = _pull(len(self.pulls) + 1, body["source_branch"], self.branches[body["source_branch"]])
        pull["reviewers"] = [self.people[number - 1] for number in body["reviewer_ids"]]
        self.pulls.append({**pull, "title": body["title"], "description": body["description"]})
        return self.pulls[-1]

    def _status(self, commit: str, body: Any) -> Any:
        """Only a status that is under way is changed; what it is already, it cannot become."""
        if commit not in self.branches.values():
            raise Refusal(404, "404 Commit Not Found")
        same = [each for each in self.statuses if (each["sha"], each["name"]) == (commit, body["name"])]
        last = same[-1] if same and same[-1]["status"] in ("pending", "running") else None
        if last and last["status"] == body["state"]:
            raise Refusal(400, "Cannot transition status via :enqueue from :pending")
        if last is None:
            last = {"id": len(self.statuses) + 1, "sha": commit, "name": body["name"], "description": None}
            self.statuses.append(last)
        last.update({"status": body["state"], "description": body.get("description", last["description"])})
        return last


def _asked(pull: dict[str, Any], query: dict[str, str]) -> bool:
    same = query.get("source_branch", pull["source_branch"]) == pull["source_branch"]
    return same and query["state"] in ("all", pull["state"])


def _pull(number: int, branch: str, head: str) -> dict[str, Any]:
    return {
        "iid": number,
        "source_branch": branch,
        "target_branch": "main",
        "source_project_id": 1,
        "target_project_id": 1,
        "sha": head,
        "title": "x",
        "description": None,
        "state": "opened",
        "web_url": f"https://x.example/{number}",
        "reviewers": [],
    }


def _changed(entries: list[dict[str, Any]], number: str, body: Any) -> dict[str, Any]:
    for entry in entries:
        if entry["iid"] == int(number):
            entry.update({name: value for name, value in body.items() if name != "state_event"})
            if body.get("state_event") == "close":
                entry["state"] = "closed"
            return entry
    raise Refusal(404, "404 Not found")


def _no_quick_action(body: Any) -> None:
    """GitLab would do what such a line says (`/merge`, `/close`)."""
    for text in (body or {}).values():
        if isinstance(text, str) and any(line.lstrip().startswith("/") for line in text.splitlines()):
            raise AssertionError(f"a quick action was sent: {text!r}")


def _page(entries: list[Any], query: dict[str, str]) -> list[Any]:
    size = int(query.get("per_page", 20))
    return entries[(int(query.get("page", 1)) - 1) * size :][:size]
