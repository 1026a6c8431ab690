"""A repository of specs on the real Gitea: what people do there (as alice), and what the robot does (our code)."""

import base64
import time
import urllib.error
import urllib.parse
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mailtls.propose.branches import Remote, fetched
from mailtls.propose.forges.forge import EvidenceState, EvidenceStatus
from mailtls.propose.forges.gitea import Gitea
from mailtls.propose.proposal import PREFIX, Body, Proposal
from mailtls.propose.proposals import Limits, Outcome, Run
from sandbox.forge import gitea

RIGHTS = ["write:repository", "write:issue"]
"""What docs and client say that the robot needs."""
TESTING, ENFORCE = "mta_sts:\n  mode: testing  # since May\n", "mta_sts:\n  mode: enforce  # since May\n"
BODY = Body(
    what_changes="`mode`: testing → enforce",
    why_now="14 of 14 days, 5,000 sessions, 0 failures.",
    on_merge="Senders refuse MX without a good certificate.",
    if_you_wait="Nothing breaks.",
    how_to_refuse="Close this pull request.",
)
PENDING = EvidenceStatus(EvidenceState.PENDING, "day 9 of 14, 3,100 of 5,000 sessions")
GOOD = EvidenceStatus(EvidenceState.SUCCESS, "14 of 14 days, 5,000 sessions, 0 failures")
BAD = EvidenceStatus(EvidenceState.FAILURE, "40 certificate-host-mismatch at mx1.contoso.example")


def path_of(policy_domain: str) -> str:
    return f"policy_specs/{policy_domain}.yaml"


def promote(policy_domain: str = "contoso.example", **other: Any) -> Proposal:
    """A promotion; `other` replaces fields."""
    fields: dict[str, Any] = {
        "kind": "promote",
        "policy_domain": policy_domain,
        "title": f"{policy_domain}: testing → enforce",
        "body": BODY,
        "files": {path_of(policy_domain): ENFORCE},
        "unique": "enforce",
        "evidence_status": GOOD,
        **other,
    }
    return Proposal(**fields)


@dataclass
class House:
    forge: gitea.Forge
    name: str
    token: str = field(repr=False)

    @classmethod
    def new(cls, forge: gitea.Forge, name: str, with_spec: bool = True) -> "House":
        """Alice owns it, the robot may write. with_spec: it holds one spec, of contoso.example."""
        house = cls(forge, forge.repository("alice", name), forge.token("robot", RIGHTS))
        house.as_alice("PUT", "/collaborators/robot", {"permission": "write"})
        house.as_alice("PUT", "/collaborators/bob", {"permission": "write"})
        if with_spec:
            house.write(path_of("contoso.example"), TESTING)
        return house

    # what our code does

    def client(self, token: str = "", url: str = "", sleep: Callable[[float], None] = lambda _: None) -> Gitea:
        made = Gitea.of(url or self.forge.url, self.name, token or self.token)
        made.api.sleep = sleep
        return made

    def remote(self, token: str = "", url: str = "") -> Remote:
        return Remote(f"{url or self.forge.url}/{self.name}.git", "robot", token or self.token)

    def run(
        self,
        *wanted: Proposal,
        settled: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        asked_again: Collection[str] = (),
        token: str = "",
        url: str = "",
        sleep: Callable[[float], None] = lambda _: None,
    ) -> list[Outcome]:
        """One run of the robot."""
        with fetched(self.remote(token, url), "main", PREFIX) as branches:
            client = self.client(token, url, sleep)
            run = Run(client, branches, "main", wanted, settled or {}, limits or Limits(), asked_again)
            return list(run.outcomes())

    # what people do and see

    def as_alice(self, method: str, path: str, body: object = None, user: str = "alice") -> Any:
        return self.forge.ask(method, f"/repos/{self.name}{path}", body, user)

    def write(self, path: str, text: str, branch: str = "main") -> None:
        """A commit of hers through the forge's editor."""
        listed = self.as_alice("GET", f"/git/trees/{urllib.parse.quote(branch, safe='')}?recursive=true")["tree"]
        there = next((entry["sha"] for entry in listed if entry["path"] == path), None)
        change = {"content": base64.b64encode(text.encode()).decode(), "branch": branch, "message": f"edit {path}"}
        if there:
            self.as_alice("PUT", f"/contents/{path}", {**change, "sha": there})
        else:
            self.as_alice("POST", f"/contents/{path}", change)

    def read(self, path: str, branch: str = "main") -> str:
        return base64.b64decode(self.as_alice("GET", f"/contents/{path}?ref={branch}")["content"]).decode()

    def pulls(self, state: str = "open") -> list[dict[str, Any]]:
        """Oldest first."""
        found: list[dict[str, Any]] = []
        for page in range(1, 10):
            found += self.as_alice("GET", f"/pulls?state={state}&limit=50&page={page}")
        return sorted(found, key=lambda pull: pull["number"])

    def pull(self) -> dict[str, Any]:
        """The only open one."""
        [found] = self.pulls()
        return found

    def close(self, number: int) -> None:
        self.as_alice("PATCH", f"/pulls/{number}", {"state": "closed"})

    def merge(self, number: int, how: str = "merge", delete: bool = False) -> None:
        """Gitea says 405 as long as it looks whether it can be merged."""
        for _ in range(100):
            try:
                wanted = {"Do": how, "delete_branch_after_merge": delete}
                self.as_alice("POST", f"/pulls/{number}/merge", wanted)
                return
            except urllib.error.HTTPError as e:
                if e.code != 405:
                    raise
                e.close()
                time.sleep(0.2)
        raise AssertionError(f"Gitea does not merge {number}")

    def branches(self) -> dict[str, str]:
        """Name to the hash of its head."""
        return {each["name"]: each["commit"]["id"] for each in self.as_alice("GET", "/branches?limit=50")}

    def commits(self, number: int) -> list[dict[str, Any]]:
        return list(self.as_alice("GET", f"/pulls/{number}/commits"))

    def comments(self, number: int) -> list[str]:
        return [comment["body"] for comment in self.as_alice("GET", f"/issues/{number}/comments")]

    def evidence(self, commit: str) -> list[tuple[str, str]]:
        """State and words that the forge shows of a commit, the last first."""
        found = self.as_alice("GET", f"/statuses/{commit}?limit=50")
        found.sort(key=lambda each: each["id"], reverse=True)
        return [(each["status"], each["description"]) for each in found if each["context"] == "mailtls/evidence"]
