"""What GitHub does with pull requests, statuses and issues, as far as our client asks, with its known refusals."""

from pathlib import Path
from typing import Any

from described import TOKEN, Refusal

_REPOSITORY = "/repos/{owner}/{repo}"


class GitHubStandIn:
    prefix = ""
    description = Path(__file__).parent / "github_description" / "paths.json"

    def __init__(self, branches: dict[str, str], people: set[str]) -> None:
        """branches: name to head. people: who may be asked for a review."""
        self.branches, self.people = branches, people
        self.pulls: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.comments: list[str] = []

    def admitted(self, headers: Any) -> bool:
        return bool(headers["Authorization"] == f"Bearer {TOKEN}" and headers["X-GitHub-Api-Version"] == "2022-11-28")

    def answer(self, operation: str, places: dict[str, str], query: dict[str, str], body: Any) -> Any:
        if (places["owner"], places["repo"]) != ("alice", "specs"):
            raise Refusal(404, "Not Found")
        match operation.replace(_REPOSITORY, ""):
            case "GET /pulls":
                return _page([pull for pull in self.pulls if self._asked(pull, query)], query)
            case "POST /pulls":
                return self._open(body)
            case "PATCH /pulls/{pull_number}":
                return self._changed(self.pulls, places["pull_number"], body)
            case "POST /pulls/{pull_number}/requested_reviewers":
                if unknown := set(body.get("reviewers", [])) - self.people | set(body.get("team_reviewers", [])):
                    raise Refusal(422, f"Reviews may only be requested from collaborators: {unknown}")
                pull = self._changed(self.pulls, places["pull_number"], {})
                pull["reviewers"] += body["reviewers"]
                return pull
            case "POST /issues/{issue_number}/labels":
                return [{"name": name} for name in body["labels"]]
            case "POST /issues/{issue_number}/comments":
                self.comments.append(body["body"])
                return {"id": len(self.comments), "body": body["body"]}
            case "GET /commits/{ref}/statuses":
                return [each for each in reversed(self.statuses) if each["sha"] == places["ref"]]
            case "POST /statuses/{sha}":
                if places["sha"] not in self.branches.values():
                    raise Refusal(422, f"No commit found for SHA: {places['sha']}")
                if len(body.get("description", "")) > 140:
                    raise Refusal(422, "description is too long (maximum is 140 characters)")
                self.statuses.append({"id": len(self.statuses), "sha": places["sha"], "description": None, **body})
                return self.statuses[-1]
            case "GET /issues":
                found = [each for each in self.issues if query["labels"] in each["labels"]]
                return _page(found + [{**pull, "pull_request": {}} for pull in self.pulls], query)
            case "POST /issues":
                _bounded(body)
                number = len(self.pulls) + len(self.issues) + 1
                self.issues.append(
                    {"number": number, "state": "open", "html_url": f"https://x.example/{number}", **body}
                )
                return self.issues[-1]
            case "PATCH /issues/{issue_number}":
                return self._changed(self.issues, places["issue_number"], body)
        raise AssertionError(operation)

    def fork_asks(self, branch: str) -> None:
        """A stranger's pull request from a branch of the same name in their fork."""
        self.pulls.append({**_pull(len(self.pulls) + 1, branch, "f" * 40), "fork": "mallory"})
        self.pulls[-1]["head"]["repo"] = {"id": 666}

    def _asked(self, pull: dict[str, Any], query: dict[str, str]) -> bool:
        head = f"{pull.get('fork', 'alice')}:{pull['head']['ref']}"
        return query["state"] in ("all", pull["state"]) and query.get("head", head) == head

    def _open(self, body: Any) -> Any:
        _bounded(body)
        if body["head"] not in self.branches:
            raise Refusal(422, "Validation Failed: head invalid")
        if any(self._asked(pull, {"state": "open", "head": f"alice:{body['head']}"}) for pull in self.pulls):
            raise Refusal(422, f"Validation Failed: A pull request already exists for alice:{body['head']}.")
        pull = _pull(len(self.pulls) + len(self.issues) + 1, body["head"], self.branches[body["head"]])
        self.pulls.append({**pull, "title": body["title"], "body": body["body"]})
        return self.pulls[-1]

    def _changed(self, entries: list[dict[str, Any]], number: str, body: Any) -> dict[str, Any]:
        _bounded(body)
        for entry in entries:
            if entry["number"] == int(number):
                entry.update(body)
                return entry
        raise Refusal(404, "Not Found")


def _pull(number: int, branch: str, head: str) -> dict[str, Any]:
    return {
        "number": number,
        "head": {"ref": branch, "sha": head, "repo": {"id": 1}},
        "base": {"ref": "main", "repo": {"id": 1}},
        "title": "x",
        "body": None,
        "state": "open",
        "merged_at": None,
        "html_url": f"https://x.example/{number}",
        "reviewers": [],
    }


def _bounded(body: Any) -> None:
    if len(body.get("body") or "") > 65536:
        raise Refusal(422, "body is too long (maximum is 65536 characters)")


def _page(entries: list[Any], query: dict[str, str]) -> list[Any]:
    size = int(query.get("per_page", 30))
    return entries[(int(query.get("page", 1)) - 1) * size :][:size]
