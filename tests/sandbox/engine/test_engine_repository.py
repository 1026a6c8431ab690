"""The repository's own project file and stacks, as the CLI sees them from the repository's root."""

import json
import os
import subprocess
import sys

import pytest
from engine_program import QUIET

from sandbox.engine.cli import pulumi_command
from sandbox.place import REPOSITORY

STACK = "sandbox"


def pulumi(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(pulumi_command()), *QUIET, *arguments, "--stack", STACK],
        cwd=REPOSITORY,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture
def own_stack(engine_env: dict[str, str]) -> dict[str, str]:
    """The environment, with the stack made in its backend. The stack's file stays as it is in the checkout."""
    file = REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml"
    before = file.read_bytes()
    made = pulumi(engine_env, "stack", "select", "--create")
    assert made.returncode == 0, made.stdout
    assert file.read_bytes() == before
    return engine_env


def test_the_stacks_own_settings_are_found(own_stack: dict[str, str]) -> None:
    settings = json.loads(pulumi(own_stack, "config", "--json").stdout)
    assert settings["mailtls:kind"]["value"] == "all"
    assert settings["mailtls:zones"]["objectValue"][0]["provider"] in ("cloudflare", "route53")


def test_the_program_runs_and_is_stopped_by_a_plugin_that_talks_to_this_machine_only(
    own_stack: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came past settings and specs, with this environment's interpreter, to the first call of a provider."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://sts.eu-west-1.amazonaws.com")
    refused = pulumi(own_stack, "preview")
    assert refused.returncode != 0
    assert "it talks to this machine only" in refused.stdout
    assert "not 'https://sts.eu-west-1.amazonaws.com'" in refused.stdout


def test_the_interpreter_is_the_one_that_made_the_environment(own_stack: dict[str, str]) -> None:
    about = json.loads(pulumi(own_stack, "about", "--json").stdout)
    assert about["runtime"]["executable"] == sys.executable
