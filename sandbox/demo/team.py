"""A team of the demo: specs in a repository on a real Gitea, a clone of it, the controller's job, and who merges."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from sandbox.control import ask
from sandbox.demo.scene import Scene
from sandbox.demo.story import expect
from sandbox.deployment import STACK, Deployment
from sandbox.forge import gitea
from sandbox.place import REPOSITORY

RIGHTS = ["write:repository", "write:issue"]
COMMAND_SECONDS = 120


@dataclass(slots=True)
class Team:
    """A repository of specs on the forge, a clone of it, the job that runs in the clone, and who merges (alice)."""

    scene: Scene
    forge: gitea.Forge
    name: str
    token: str
    clone: Path
    settings: Path
    deployment: Deployment
    buckets: tuple[str, str]
    """Of policies, of reports."""
    days: int = 0

    @property
    def now(self) -> datetime:
        """By the sandbox's clock."""
        return datetime.now(UTC) + timedelta(days=self.days)

    def move_clock(self, days: int) -> None:
        self.days = days
        ask(self.scene.endpoints.control, "POST", "/clock", offset=days * 86_400)

    def mailtls(self, *arguments: str) -> dict[str, Any]:
        """What the real command says, as JSON."""
        endpoints = self.scene.endpoints
        store = f"s3://{self.buckets[0]},{self.buckets[1]}"
        command = [sys.executable, "-m", "mailtls.cli", *arguments, "--store", store, "--at", self.now.isoformat()]
        command += ["--format", "json", "--allow-private"]
        environment = {**os.environ, **endpoints.pulumi_env, **self.scene.trust, "MAILTLS_FORGE_TOKEN": self.token}
        done = subprocess.run(
            command, cwd=self.clone, env=environment, capture_output=True, text=True, check=False,
            timeout=COMMAND_SECONDS,
        )  # fmt: skip
        expect(done.stdout, f"mailtls {' '.join(arguments)}: exit code {done.returncode}: {done.stderr}")
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def reconcile(self) -> dict[str, Any]:
        """One run of the job. Nothing may fail in it."""
        told = self.mailtls(
            "reconcile", "--pull-request", "--repository", f"{self.forge.url}/{self.name}", "--forge", "gitea"
        )
        expect(not told["failed"] and not told["forge_trouble"], f"reconcile failed: {told}")
        return told

    def status(self, domain: str) -> dict[str, Any]:
        [found] = self.mailtls("status", domain)["domains"]
        status: dict[str, Any] = found
        return status

    def pull_request(self, kind: str, domain: str) -> dict[str, Any]:
        """The open one for this subject."""
        pulls = self._ask("GET", "/pulls?state=open&limit=50")
        found = [pull for pull in pulls if pull["head"]["ref"] == f"mailtls/{kind}/{domain}"]
        expect(len(found) == 1, f"{kind} of {domain} is not proposed; open are {[pull['title'] for pull in pulls]}")
        pull: dict[str, Any] = found[0]
        return pull

    def evidence(self, pull: dict[str, Any]) -> tuple[str, str]:
        """State and words of the commit status `mailtls/evidence`, the last that was said."""
        said = self._ask("GET", f"/statuses/{pull['head']['sha']}")
        ours = [one for one in said if one["context"] == "mailtls/evidence"]
        expect(ours, f"{pull['title']} has no evidence")
        last = max(ours, key=lambda one: one["id"])
        return last["status"], last["description"]

    def merge(self, pull: dict[str, Any]) -> None:
        """As alice, in the forge; then the clone follows and is deployed."""
        for attempt in range(50):  # Gitea says 405 while it looks whether it can be merged
            try:
                self._ask("POST", f"/pulls/{pull['number']}/merge", {"Do": "merge"})
                break
            except urllib.error.HTTPError as e:
                expect(e.code == 405 and attempt < 49, f"{pull['title']} cannot be merged: {e}")
                time.sleep(0.1)
        _git(self.clone, "pull", "--quiet", "--ff-only")

    def set(self, setting: str, value: object) -> None:
        """In the settings of the stack, for the next deployment."""
        settings = yaml.safe_load(self.settings.read_text())
        settings["config"][f"mailtls:{setting}"] = value
        self.settings.write_text(yaml.safe_dump(settings))

    def cloudflare(self, method: str, path: str, body: object = None) -> Any:
        """By hand in the zone contoso.example, as its owner."""
        zone = self._call("GET", "/zones?name=contoso.example")["result"][0]["id"]
        return self._call(method, f"/zones/{zone}{path}", body)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        variables = self.scene.endpoints.pulumi_env
        data = None if body is None else json.dumps(body).encode()
        address = variables["CLOUDFLARE_BASE_URL"] + path
        request = urllib.request.Request(address, data, method=method)  # noqa: S310 our own URL
        request.add_header("Authorization", f"Bearer {variables['CLOUDFLARE_API_TOKEN']}")
        request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return self.forge.ask(method, f"/repos/{self.name}{path}", body, "alice")


def gather(scene: Scene, forge: gitea.Forge) -> Team:
    """The specs as chapter 3 left them, in a repository of their own."""
    clone = scene.place.folder / "mail"
    shutil.rmtree(clone, ignore_errors=True)
    for user in ("alice", "robot"):
        forge.user(user)
    name = forge.repository("alice", "mail")
    forge.ask("PUT", f"/repos/{name}/collaborators/robot", {"permission": "write"}, "alice")
    whole = forge.url.replace("://", f"://alice:{forge.passwords['alice']}@")
    _git(scene.place.folder, "clone", "--quiet", f"{whole}/{name}.git", str(clone))
    shutil.copytree(scene.place.folder / "policy_specs", clone / "policy_specs")
    _git(clone, "add", "policy_specs")
    _git(clone, "-c", "user.name=alice", "-c", "user.email=alice@users.example", "commit", "--quiet", "-m", "specs")
    _git(clone, "push", "--quiet", "origin", "HEAD:main")
    config = scene.place.folder / f"Pulumi.{STACK}.yaml"
    deployment = replace(scene.deployment, config=config)
    outputs = deployment.outputs()
    buckets = (outputs["policy_bucket"], outputs["reports_bucket"])
    team = Team(scene, forge, name, forge.token("robot", RIGHTS), clone, config, deployment, buckets)
    team.set("policy_specs", str((clone / "policy_specs").relative_to(REPOSITORY)))
    return team


def _git(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    expect(done.returncode == 0, f"git {arguments[0]}: {done.stderr.strip()[:500]}")
