"""examples/ci: what people copy into their own CI is well formed, pinned, and gives nothing to a fork."""

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.deployment import UP

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples" / "ci"
GITHUB = sorted((EXAMPLES / "github").glob("*.yml"))
GITLAB = EXAMPLES / "gitlab" / ".gitlab-ci.yml"
IAM = REPOSITORY / "docs" / "iam"
PAGE = (REPOSITORY / "docs" / "ci.md").read_text()
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
SAME_PROJECT = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID"
READING = re.compile(r"[a-z0-9]+:(Get|List|Describe)[A-Za-z]+|kms:Decrypt")
"""kms:Decrypt reads the secrets of the state and changes nothing."""


def workflow(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((EXAMPLES / "github" / f"mailtls-{name}.yml").read_text())
    return loaded


PULL_REQUEST, DEPLOY, RECONCILE = workflow("pull-request"), workflow("deploy"), workflow("reconcile")
MERGE_REQUEST: dict[str, Any] = yaml.safe_load(GITLAB.read_text())
JOBS = {name: job for each in (PULL_REQUEST, DEPLOY, RECONCILE) for name, job in each["jobs"].items()}
TRUST = {path.stem.removeprefix("ci-trust-"): json.loads(path.read_text()) for path in IAM.glob("ci-trust-*.json")}


def steps(*jobs: str) -> Iterator[dict[str, Any]]:
    for name in jobs or JOBS:
        yield from JOBS[name]["steps"]


def scripts() -> Iterator[str]:
    """What each job of the example for GitLab runs. A line that YAML takes for a mapping (`: `) is a TypeError here."""
    for job in MERGE_REQUEST.values():
        if isinstance(job, dict):
            yield "\n".join([*job.get("before_script", []), *job.get("script", [])])


# --- judged by others


@pytest.mark.parametrize("file", GITHUB, ids=lambda file: file.name)
def test_actionlint_finds_nothing(actionlint: Path, file: Path) -> None:
    """Without shellcheck and pyflakes, which one machine has and another has not."""
    done = subprocess.run(
        [actionlint, "-no-color", "-shellcheck=", "-pyflakes=", file], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_actionlint_is_awake(actionlint: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text((EXAMPLES / "github" / "mailtls-deploy.yml").read_text().replace("needs: deploy", "needs: deplyo"))
    done = subprocess.run([actionlint, "-no-color", bad], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "deplyo" in done.stdout


@pytest.mark.parametrize(("was", "becomes", "code"), [("", "", 0), ("stage: deploy", "stage: {deploy: 1}", 1)])
def test_gitlabs_own_schema_takes_its_file_and_no_other(tmp_path: Path, was: str, becomes: str, code: int) -> None:
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(GITLAB.read_text().replace(was, becomes) if was else GITLAB.read_text())
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.gitlab-ci", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr


# --- pins


def test_every_action_is_pinned_by_its_commit() -> None:
    pins: dict[str, set[str]] = {}
    for file in GITHUB:
        for line in file.read_text().splitlines():
            if not re.match(r" +(- )?uses:", line):
                continue
            found = re.fullmatch(r" +(?:- )?uses: ([\w-]+/[\w-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+", line)
            assert found, line
            pins.setdefault(found[1], set()).add(line.split("uses: ")[1])
    assert len(pins) == 7
    assert {action: versions for action, versions in pins.items() if len(versions) > 1} == {}


def test_the_engine_is_that_of_the_sdk() -> None:
    versions = {step["with"]["pulumi-version"] for step in steps() if step.get("uses", "").startswith("pulumi/actions")}
    assert versions == {importlib.metadata.version("pulumi")} == {MERGE_REQUEST[".program"]["variables"]["PULUMI"]}


def test_pip_installs_nothing_without_a_hash() -> None:
    """But the working tree itself, which brings nothing along."""
    lines = [line for text in [*(step.get("run", "") for step in steps()), *scripts()] for line in text.splitlines()]
    installs = [line for line in lines if "pip install" in line]
    assert len(installs) == 15
    assert all("--require-hashes" in line or line.endswith("--no-deps --no-build-isolation .") for line in installs)


# --- credentials


def test_a_pull_request_never_runs_with_the_rights_of_its_base() -> None:
    assert PULL_REQUEST[True] == "pull_request"  # YAML 1.1 reads the key `on` as true
    assert DEPLOY[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}


def test_each_job_has_the_least_rights() -> None:
    assert PULL_REQUEST["permissions"] == DEPLOY["permissions"] == RECONCILE["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "check": {"contents": "read"},
        "comment": {"pull-requests": "write"},
        "preview": {"contents": "read", "id-token": "write"},
        "deploy": {"contents": "read", "id-token": "write"},
        "look": {"contents": "read"},
        "reconcile": {"contents": "read", "id-token": "write"},
    }


@pytest.mark.parametrize("name", PULL_REQUEST["jobs"])
def test_a_fork_gets_no_credential(name: str) -> None:
    job = PULL_REQUEST["jobs"][name]
    trusted = "write" in job["permissions"].values() or "secrets." in json.dumps(job)
    assert trusted == (name != "check")
    assert (SAME_REPOSITORY in job.get("if", "")) == trusted


def test_what_writes_comments_runs_no_code_of_the_change() -> None:
    assert [step["uses"].split("@")[0] for step in steps("comment") if "uses" in step] == ["actions/download-artifact"]
    assert MERGE_REQUEST["note"]["variables"]["GIT_STRATEGY"] == "none"


def test_no_step_pastes_a_strangers_words_into_a_script() -> None:
    """A branch may be called `$(curl ...)`: what comes from the event goes through the environment."""
    assert [step["name"] for step in steps() if "${{" in step.get("run", "")] == []


def test_checkouts_leave_no_token_behind() -> None:
    checkouts = [step["with"] for step in steps() if step.get("uses", "").startswith("actions/checkout")]
    assert len(checkouts) == 5
    assert {given["persist-credentials"] for given in checkouts} == {False}


@pytest.mark.parametrize("name", ["note", "preview"])
def test_a_fork_run_in_the_project_is_kept_out(name: str) -> None:
    assert all(SAME_PROJECT in rule["if"] for rule in MERGE_REQUEST[name]["rules"])


# --- what the jobs do


def test_the_whole_history_is_there_to_compare_with() -> None:
    (checkout,) = (step["with"] for step in steps("check") if step.get("uses", "").startswith("actions/checkout"))
    assert checkout["fetch-depth"] == 0
    assert MERGE_REQUEST["variables"]["GIT_DEPTH"] == "0"


def test_two_deployments_never_overlap_and_none_is_cut_short() -> None:
    assert DEPLOY["concurrency"] == {"group": "mailtls-deploy", "cancel-in-progress": False}
    assert MERGE_REQUEST["deploy"]["resource_group"] == "production"
    assert MERGE_REQUEST["deploy"]["interruptible"] is False


def test_the_deployment_is_the_one_that_the_sandbox_tries() -> None:
    lines = [line for text in [*(step.get("run", "") for step in steps()), *scripts()] for line in text.splitlines()]
    ups = [line.strip() for line in lines if line.strip().startswith("pulumi up ")]
    assert len(ups) == 2
    assert all(f" {' '.join(UP)} " in line and " --yes " in line for line in ups)


def test_a_session_lasts_longer_than_its_job() -> None:
    (session,) = (
        step["with"]["role-duration-seconds"] for step in steps("deploy") if "aws-actions" in step.get("uses", "")
    )
    assert session > JOBS["deploy"]["timeout-minutes"] * 60
    assert f"--max-session-duration {session}" in PAGE


def test_the_controller_runs_by_the_clock_alone_and_never_twice_at_once() -> None:
    assert set(RECONCILE[True]) == {"schedule", "workflow_dispatch"}
    assert RECONCILE["concurrency"] == {"group": "mailtls-reconcile", "cancel-in-progress": False}
    assert MERGE_REQUEST["reconcile"]["resource_group"] == "mailtls-reconcile"
    by_clock = [name for name, job in MERGE_REQUEST.items() if '"schedule"' in json.dumps(job).replace("\\", "")]
    assert sorted(by_clock) == ["deploy", "look", "reconcile"]
    for name in ("deploy", "look"):
        assert all('$CI_PIPELINE_SOURCE != "schedule"' in rule["if"] for rule in MERGE_REQUEST[name]["rules"])


def test_the_controllers_token_has_what_its_client_says_it_needs_and_no_more() -> None:
    (given,) = (step["with"] for step in steps("reconcile") if "create-github-app-token" in step.get("uses", ""))
    rights = {key.removeprefix("permission-"): value for key, value in given.items() if key.startswith("permission-")}
    assert rights == dict.fromkeys(("contents", "pull-requests", "issues", "statuses"), "write")


# --- rights


@pytest.mark.parametrize("name", TRUST)
def test_a_role_is_for_one_repository_and_one_audience(name: str) -> None:
    (statement,) = TRUST[name]["Statement"]
    issuer = statement["Principal"]["Federated"].split("oidc-provider/")[1]
    conditions = {key: value for kind in statement["Condition"].values() for key, value in kind.items()}
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert set(conditions) == {f"{issuer}:aud", f"{issuer}:sub"}
    assert re.match(r"(repo|project_path):contoso/mailtls:", conditions[f"{issuer}:sub"])
    assert f"{issuer}:aud" in statement["Condition"]["StringEquals"]
    if not name.endswith("preview"):
        assert "*" not in conditions[f"{issuer}:sub"]
        assert set(statement["Condition"]) == {"StringEquals"}


def test_the_roles_are_those_of_the_jobs() -> None:
    def subject(name: str, issuer: str) -> str:
        (statement,) = TRUST[name]["Statement"]
        kinds = [*statement["Condition"].values()]
        return next(kind[f"{issuer}:sub"] for kind in kinds if f"{issuer}:sub" in kind).split("contoso/mailtls:")[1]

    github, gitlab = "token.actions.githubusercontent.com", "gitlab.com"
    assert subject("github-preview", github) == PULL_REQUEST[True]
    assert subject("github-deploy", github) == f"environment:{DEPLOY['jobs']['deploy']['environment']}"
    assert subject("github-controller", github) == "ref:refs/heads/main"  # a job without an environment has its ref
    assert "environment" not in RECONCILE["jobs"]["reconcile"]
    audience = MERGE_REQUEST[".program"]["id_tokens"]["AWS_TOKEN"]["aud"]
    assert MERGE_REQUEST["reconcile"]["id_tokens"]["AWS_TOKEN"]["aud"] == audience
    for name in ("gitlab-preview", "gitlab-deploy", "gitlab-controller"):
        assert TRUST[name]["Statement"][0]["Condition"]["StringEquals"][f"{gitlab}:aud"] == audience


def preview() -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = json.loads((IAM / "ci-preview.json").read_text())["Statement"]
    return statements


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def may(action: str, resource: str) -> bool:
    return any(
        action in listed(one["Action"]) and any(fnmatchcase(resource, known) for known in listed(one["Resource"]))
        for one in preview()
    )


def test_the_previews_role_only_reads() -> None:
    actions = {action for one in preview() for action in listed(one["Action"])}
    assert {action for action in actions if not READING.fullmatch(action)} == set()


def test_the_previews_role_reads_all_that_the_provider_asks() -> None:
    called = (REPOSITORY / "tests" / "sandbox" / "provider_facts" / "actions.txt").read_text()
    lines = [re.fullmatch(r"([a-z0-9]+): ([A-Za-z0-9 ]+)", line) for line in called.splitlines()]
    asked = {f"{line[1]}:{action}" for line in lines if line for action in line[2].split()}
    reading = {action for action in asked if READING.fullmatch(action)} - {"iam:GetUser"}  # of the set-up that asked
    assert len(reading) > 50
    assert reading - {action for one in preview() for action in listed(one["Action"])} == set()


@pytest.mark.parametrize(
    ("resource", "readable"),
    [
        ("arn:aws:s3:::policy-store-bucket-1a2b3c4/contoso.example/.well-known/mta-sts.txt", True),
        ("arn:aws:s3:::reports-store-bucket-1a2b3c4/domains/all.json", True),
        ("arn:aws:s3:::reports-store-bucket-1a2b3c4/raw/4f2a", False),
        ("arn:aws:s3:::reports-store-bucket-1a2b3c4/reports/contoso.example/1.json", False),
        ("arn:aws:s3:::your-state-bucket/.pulumi/stacks/mailtls/production.json", True),
        ("arn:aws:s3:::another-bucket/file", False),
    ],
)
def test_the_previews_role_reads_no_mail(resource: str, readable: bool) -> None:
    assert may("s3:GetObject", resource) == readable


# --- the page


def test_the_page_tells_every_job_right_and_document() -> None:
    for name in [*JOBS, "note"]:
        assert f"`{name}`" in PAGE, name
    for one in preview():
        assert f"`{one['Sid']}`" in PAGE, one["Sid"]
    for path in IAM.glob("ci-*.json"):
        assert f"(iam/{path.name})" in PAGE, path.name
    for file in [*GITHUB, GITLAB]:
        assert f"(../{file.relative_to(REPOSITORY)})" in PAGE


def test_the_page_names_every_variable() -> None:
    texts = " ".join(file.read_text() for file in [*GITHUB, GITLAB])
    names = set(re.findall(r"(?:vars|secrets)\.(\w+)", texts)) | set(re.findall(r"\$(MAILTLS_\w+)", texts))
    assert len(names) == 13
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
