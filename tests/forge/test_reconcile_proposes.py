"""`mailtls reconcile --pull-request`: the command, five domains on loopback, and a real Gitea."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from house import House

sys.path.append(str(Path(__file__).parents[1] / "command" / "reconcile"))

from served_domains import MODES, Place, internet, spec_text, write_all, write_reports

pytestmark = pytest.mark.forge

SCHEMA = json.loads(resources.files("mailtls.render").joinpath("reconcile.v1.schema.json").read_text("utf-8"))
__all__ = ["internet"]


class Team:
    """A clone of a repository of specs, and the job that runs in it."""

    def __init__(self, house: House, place: Place) -> None:
        self.house, self.place = house, place
        for domain in MODES:
            house.write(f"policy_specs/{domain}.yaml", spec_text(domain))
        self.pull()

    def pull(self) -> None:
        clone = self.place.folder
        if not (clone / ".git").exists():
            _git(clone, "init", "--quiet", "--initial-branch", "main")
        _git(clone, "fetch", "--quiet", self.house.remote().url.replace("://", f"://robot:{self.house.token}@"), "main")
        _git(clone, "reset", "--quiet", "--hard", "FETCH_HEAD")

    def reconcile(self, *arguments: str, token: str = "", store: str = "store") -> subprocess.CompletedProcess[str]:
        url = self.house.remote().url.removesuffix(".git")
        return self.place(
            "reconcile", "--store", store, "--pull-request", "--repository", url, "--forge", "gitea", *arguments,
            MAILTLS_FORGE_TOKEN=token or self.house.token,
        )  # fmt: skip

    def acted(self, *arguments: str, **more: str) -> dict[str, Any]:
        done = self.reconcile("--format", "json", *arguments, **more)
        assert done.stdout, done.stderr
        data: dict[str, Any] = json.loads(done.stdout)
        jsonschema.validate(data, SCHEMA)
        return data | {"exit": done.returncode}


def results(data: dict[str, Any]) -> dict[str, str]:
    return {one["policy_domain"]: one["result"] for one in data["proposals"]}


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    )


@pytest.fixture
def team(empty_house: House, internet: Any, tmp_path: Path) -> Team:
    write_all(tmp_path)
    return Team(empty_house, Place(*internet, tmp_path))


REPOSITORY = Path(__file__).parents[2]
BRANCH = "mailtls/promote/ready.example"


def issue(team: Team) -> dict[str, Any]:
    [found] = team.house.as_alice("GET", "/issues?type=issues&state=all")
    assert isinstance(found, dict)
    return found


def test_what_is_due_is_proposed_with_its_evidence_and_one_issue_tells_of_all(team: Team) -> None:
    data = team.acted()
    assert results(data) == {"newmx.example": "opened", "ready.example": "opened"}
    urgent, promotion = team.house.pulls()
    assert {label["name"] for label in urgent["labels"]} == {"mailtls", "urgent"}
    assert "**`mx2.newmx.example`**" in urgent["body"]
    assert "A hijack looks the same" in urgent["body"]
    assert promotion["title"] == "ready.example: promote to enforce"
    assert "| 1,600 | sessions over TLS that enforce accepts | at least 100 |" in promotion["body"]
    said = [("success", "30 days, 1,600 sessions, 2 organisations, 0 refused")]
    assert team.house.evidence(promotion["head"]["sha"]) == said
    after = team.house.read("policy_specs/ready.example.yaml", BRANCH)
    assert after.startswith(spec_text("ready.example").replace("testing", "enforce"))
    assert 'enforce-without-evidence: "the controller saw' in after
    board = issue(team)["body"]
    assert "40 sessions at mx1.refused.example" in board
    assert "3 of 14" in board
    assert board.count("**") == 2 * len(MODES)
    assert data["dashboard"] == issue(team)["html_url"]
    assert data["exit"] == 1  # refused.example waits for a person


def test_the_next_run_leaves_all_as_it_is_and_says_so(team: Team) -> None:
    team.acted()
    before = team.house.pulls(), issue(team)
    done = team.reconcile()
    assert "Proposals: 2 unchanged." in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if "http" not in line) <= 80
    assert (team.house.pulls(), issue(team)) == before


def test_evidence_that_turns_bad_after_green_takes_the_promotion_back_by_its_status(team: Team) -> None:
    team.acted()
    write_reports(team.place.folder, "ready.example", 20, refused=40)
    data = team.acted()
    assert results(data)["ready.example"] == "updated"
    promotion = next(pull for pull in team.house.pulls() if pull["head"]["ref"] == BRANCH)
    state, words = team.house.evidence(promotion["head"]["sha"])[0]
    assert (state, words) == ("failure", "40 sessions at mx1.ready.example (certificate-host-mismatch)")
    assert "Do not merge now" in promotion["body"]
    assert "ready.example: promote to enforce" in promotion["title"]


def test_a_promotion_is_not_opened_before_it_is_ready(team: Team) -> None:
    team.acted()
    assert [pull for pull in team.house.pulls("all") if "young" in pull["title"] or "refused" in pull["title"]] == []


def test_closed_by_a_person_stands_in_the_issue_with_a_box_that_asks_again(team: Team) -> None:
    team.acted()
    [number] = [pull["number"] for pull in team.house.pulls() if pull["head"]["ref"] == BRANCH]
    team.house.close(number)
    assert results(team.acted())["ready.example"] == "closed by you"
    board = issue(team)
    box = "- [ ] **ready.example** promote to enforce"
    assert box in board["body"]
    ticked = board["body"].replace(box, box.replace("[ ]", "[x]"))
    team.house.as_alice("PATCH", f"/issues/{board['number']}", {"body": ticked})
    assert results(team.acted())["ready.example"] == "opened"
    assert box not in issue(team)["body"]


def test_what_a_person_holds_in_the_spec_is_closed_with_the_reason(team: Team) -> None:
    team.acted()
    path = "policy_specs/ready.example.yaml"
    team.house.write(path, team.house.read(path) + "hold: true\n")
    team.pull()
    data = team.acted()
    assert results(data)["ready.example"] == "closed, no longer needed"
    [number] = [pull["number"] for pull in team.house.pulls("closed")]
    assert "held by `hold: true` in the spec" in " ".join(team.house.comments(number))
    assert BRANCH not in team.house.branches()


def test_a_clone_behind_the_base_overwrites_nothing(team: Team) -> None:
    path = "policy_specs/ready.example.yaml"
    team.house.write(path, team.house.read(path) + "# a note of today\n")
    data = team.acted()
    assert results(data) == {"newmx.example": "opened", "ready.example": "failed"}
    assert data["exit"] == 2
    told = next(one["told"] for one in data["proposals"] if one["policy_domain"] == "ready.example")
    assert "pull, and run again" in told
    team.pull()
    assert results(team.acted())["ready.example"] == "opened"


def test_three_equal_failures_stall_a_domain_until_its_spec_changes(team: Team) -> None:
    """A branch that has the name which ours needs as a folder."""
    team.house.as_alice("POST", "/branches", {"new_branch_name": "mailtls/promote", "old_branch_name": "main"})
    assert [results(team.acted())["ready.example"] for _ in range(3)] == ["failed", "failed", "stalled"]
    data = team.acted()
    assert results(data) == {"newmx.example": "unchanged", "ready.example": "stalled"}
    assert (data["stalled"], data["exit"]) == (["ready.example"], 2)
    team.house.as_alice("DELETE", "/branches/mailtls%2Fpromote")
    assert results(team.acted())["ready.example"] == "stalled"  # nobody looks whether it would succeed now
    path = "policy_specs/ready.example.yaml"
    team.house.write(path, team.house.read(path) + "owner: mail-team\n")
    team.pull()
    data = team.acted()
    assert results(data)["ready.example"] == "opened"
    assert data["stalled"] == []


def test_the_box_of_a_stalled_domain_tries_again(team: Team) -> None:
    team.house.as_alice("POST", "/branches", {"new_branch_name": "mailtls/promote", "old_branch_name": "main"})
    for _ in range(3):
        team.acted()
    team.house.as_alice("DELETE", "/branches/mailtls%2Fpromote")
    board = issue(team)
    ticked = board["body"].replace("- [ ] **ready", "- [x] **ready")
    assert ticked != board["body"]
    team.house.as_alice("PATCH", f"/issues/{board['number']}", {"body": ticked})
    assert results(team.acted())["ready.example"] == "opened"


def test_a_store_that_cannot_be_read_stalls_too_and_is_looked_at_in_each_run(team: Team) -> None:
    index = team.place.folder / "store" / "policies" / "quiet.example" / "versions.json"
    good = index.read_text()
    index.write_text("[]")
    runs = [team.acted() for _ in range(3)]
    assert [run["stalled"] for run in runs] == [[], [], ["quiet.example"]]
    assert [one["policy_domain"] for one in runs[2]["failed"]] == ["quiet.example"]
    assert "3 runs in a row" in issue(team)["body"]
    index.write_text(good)
    assert (team.acted()["failed"], "quiet.example** nothing is to be done" in issue(team)["body"]) == ([], True)


def test_no_more_than_the_limits_and_the_urgent_one_passes(team: Team) -> None:
    data = team.acted("--most-new", "1")
    assert results(data) == {"newmx.example": "opened", "ready.example": "waits for a place"}
    assert results(team.acted("--most-new", "1"))["ready.example"] == "opened"


def test_trouble_with_the_forge_ends_with_what_to_do(team: Team) -> None:
    done = team.reconcile(token="0123456789012345678901234567890123456789")
    assert (done.returncode, done.stdout) == (2, "")
    assert "token" in done.stderr
    assert "Traceback" not in done.stderr
    assert team.house.pulls() == []


def test_without_a_token_nothing_is_looked_at(team: Team) -> None:
    url = team.house.remote().url.removesuffix(".git")
    arguments = ("reconcile", "--store", "store", "--pull-request", "--repository", url)
    no_token = {"MAILTLS_FORGE_TOKEN": "", "GITHUB_TOKEN": "", "GITEA_TOKEN": "", "GITLAB_TOKEN": ""}
    done = team.place(*arguments, "--forge", "gitea", **no_token)
    assert done.returncode == 2
    assert "a proposal needs a token: put one into MAILTLS_FORGE_TOKEN or" in done.stderr
    done = team.place(*arguments, **no_token)
    assert "which forge answers at 127.0.0.1? Write --forge github or gitlab or gitea" in done.stderr


def test_the_scheduled_job_runs_as_it_stands(team: Team, tmp_path: Path) -> None:
    """The step of the workflow to copy; only the ways to this machine's internet and forge are added, and the heartbeat
    has a test of its own against CloudWatch's stand-in."""
    workflow = yaml.safe_load((REPOSITORY / "examples" / "ci" / "github" / "mailtls-reconcile.yml").read_text())
    [step] = [one for one in workflow["jobs"]["reconcile"]["steps"] if one.get("name") == "Decide and propose"]
    url = team.house.remote().url.removesuffix(".git")
    ways = f"--resolver {team.place.internet.dns} --proxy {team.place.internet.proxy} --allow-private"
    command = tmp_path / "bin" / "mailtls"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m mailtls.cli "$@" --repository {url} --forge gitea {ways}\n'
    )
    command.chmod(0o755)
    summary = tmp_path / "summary.md"
    environment = {
        **os.environ, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "SSL_CERT_FILE": str(team.place.ca),
        "SPECS": "policy_specs", "STORE": "store", "MAILTLS_FORGE_TOKEN": team.house.token,
        "GITHUB_STEP_SUMMARY": str(summary),
    }  # fmt: skip
    script = step["run"].replace("--heartbeat ", "")
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=team.place.folder, env=environment,
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "**`ready.example`**: promote: opened" in summary.read_text()
    assert done.stdout == summary.read_text()
    assert len(team.house.pulls()) == 2


def test_another_day_may_be_asked_about_and_proposed_on_this_machine_alone(team: Team) -> None:
    later = (datetime.now(UTC) + timedelta(days=12)).strftime("%Y-%m-%d")
    arguments = ("reconcile", "--store", "store", "--pull-request", "--at", later, "--forge", "gitea", "--repository")
    done = team.place(*arguments, "https://git.contoso.example/a/b", MAILTLS_FORGE_TOKEN="t0ken")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--at asks what is due on another day" in done.stderr
    data = team.acted("--at", later)
    assert "newmx.example" in results(data)
