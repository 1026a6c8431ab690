"""The steps of examples/ci that need an account, as they stand, with the real engine against the local cloud."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.deployment import Deployment, path_with_interpreter
from sandbox.endpoints import Endpoints
from sandbox.place import REPOSITORY

sys.path.append(str(Path(__file__).parent))
from workflow_runner import SHELLS

pytestmark = pytest.mark.engine

STACK = "test-ci"
ONE_DOMAIN = "policy_domain: wingtip.example\nmta_sts: {mode: testing, mx: [mail.wingtip.example]}\nowner: mail-team\n"
Step = Callable[[str, str, str], subprocess.CompletedProcess[str]]
SEE = "See what senders see"


@pytest.fixture
def settings(stack: Callable[..., Deployment]) -> Iterator[None]:
    """The stack is there and its settings lie where a team has them."""
    made = stack(STACK)
    assert made.config is not None
    place = REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml"
    shutil.copy2(made.config, place)
    yield
    place.unlink()


@pytest.fixture
def step(endpoints: Endpoints, specs: Path, tmp_path: Path) -> Step:
    """Runs the script of a step: the workflow's name, the job's, the step's. What it says goes to one stream, what was
    written to the summary to the file `summary`."""

    def run(workflow: str, job: str, name: str) -> subprocess.CompletedProcess[str]:
        loaded = yaml.safe_load((REPOSITORY / "examples" / "ci" / "github" / f"mailtls-{workflow}.yml").read_text())
        (wanted,) = (each for each in loaded["jobs"][job]["steps"] if each.get("name") == name)
        script = tmp_path / "script"
        # the edge of the local cloud has no address that anybody outside could reach
        script.write_text(wanted["run"].replace("mailtls check ", "mailtls check --allow-private "))
        environment: Mapping[str, Any] = {
            **os.environ,
            **path_with_interpreter(),
            **endpoints.pulumi_env,
            "STACK": STACK,
            "SPECS": str(specs),
            "STATE": endpoints.pulumi_env["PULUMI_BACKEND_URL"],
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        }
        return subprocess.run(
            [*SHELLS["bash"], script], cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
        )  # fmt: skip

    return run


def state(endpoints: Endpoints) -> dict[str, str]:
    """Every file of the place for state, and what is in it."""
    folder = Path(endpoints.pulumi_env["PULUMI_BACKEND_URL"].removeprefix("file://"))
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.usefixtures("settings")
def test_what_is_deployed_is_seen_and_a_preview_writes_nothing(
    step: Step, specs: Path, endpoints: Endpoints, tmp_path: Path
) -> None:
    spec, summary = specs / "wingtip.example.yaml", tmp_path / "summary"
    spec.write_text(ONE_DOMAIN)
    deployed = step("deploy", "deploy", "Deploy")
    assert deployed.returncode == 0, deployed.stdout
    assert "created" in deployed.stdout

    looked = step("deploy", "look", SEE)
    assert looked.returncode == 0, looked.stdout
    assert looked.stdout.startswith("### `wingtip.example`: testing\n")
    assert summary.read_text().startswith("### `wingtip.example`: testing\n")

    summary.unlink()
    before = state(endpoints)
    assert any(name.endswith(f"/{STACK}.json") for name in before)
    spec.write_text(ONE_DOMAIN.replace("mail.wingtip.example", "mail.wingtip.example, mx2.mailhost.example"))
    previewed = step("pull-request", "preview", "Preview")
    assert previewed.returncode == 0, previewed.stdout
    assert summary.read_text().startswith("### pulumi preview\n\n    ")
    assert "wingtip.example-policy" in summary.read_text()
    assert "to update" in summary.read_text()
    assert state(endpoints) == before

    spec.write_text(ONE_DOMAIN.replace("testing", "tested"))
    refused = step("pull-request", "preview", "Preview")
    assert refused.returncode != 0
    assert '"tested" is not a mode' in refused.stdout
    assert '"tested" is not a mode' in summary.read_text()
    assert state(endpoints) == before
