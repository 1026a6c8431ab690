"""`mailtls diff --live` beside the local cloud: the MX records of its world decide with the specs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import account
from sandbox.endpoints import Endpoints
from sandbox.place import REPOSITORY

pytestmark = pytest.mark.engine


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example specs on main; HEAD is on a branch that takes the second data centre out of contoso.example."""
    shutil.copytree(REPOSITORY / "policy_specs" / "sandbox", tmp_path / "policy_specs")
    identity = ["-c", "user.name=a mail admin", "-c", "user.email=admin@contoso.example"]
    git = ["git", "-C", str(tmp_path), *identity]
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["commit", "-q", "-m", "specs"],
        ["checkout", "-qb", "x"],
    ):
        subprocess.run([*git, *command], check=True)
    spec = tmp_path / "policy_specs" / "contoso.example.yaml"
    lines = spec.read_text().splitlines(keepends=True)
    spec.write_text("".join(line for line in lines if "mx2.contoso.example" not in line))
    return tmp_path


def test_a_host_that_mx_still_names_may_not_leave_the_policy(endpoints: Endpoints, repository: Path) -> None:
    """With the resolver that `python -m sandbox env` names."""
    clean = {name: value for name, value in os.environ.items() if name not in account.FOREIGN}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mailtls.cli",
            "diff",
            "--base",
            "main",
            "--live",
            "--allow-private",
            "--format",
            "json",
        ],
        env={**clean, **endpoints.pulumi_env, "PYTHONPATH": str(REPOSITORY)},
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    (change,) = found["changes"]
    assert change["policy_domain"] == "contoso.example"
    assert change["live"]["mx_hosts"] == ["mx1.contoso.example", "mx2.contoso.example"]
    assert change["live"]["policy_id"] is None, "nothing is deployed yet"
    told = [finding["message"] for finding in found["findings"] if finding["rule"] == "mx-removed-too-early"]
    assert any(message.startswith("MX names mx2.contoso.example, which the policy does not allow") for message in told)
