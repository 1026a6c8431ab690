"""`mailtls rollback` and `mailtls retire` with `--pull-request`: the command in a clone, and a real Gitea."""

import json
import os
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from house import House, promote

from mailtls.cli.main import main
from mailtls.propose.proposals import Limits
from mailtls.propose.proposals import Result as Became

pytestmark = pytest.mark.forge

SCHEMA = json.loads(resources.files("mailtls.render").joinpath("spec_change.v1.schema.json").read_text("utf-8"))
PATH = "policy_specs/contoso.example.yaml"
SPEC = (
    "policy_domain: contoso.example\nmta_sts:\n  mode: enforce  # since May\n  mx: [mx1.contoso.example]\nowner: bob\n"
)
BACK = SPEC.replace("enforce", "testing")
BRANCH = "mailtls/rollback/contoso.example"


class Clone:
    """A person's clone of the house's repository, and the commands typed in it."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.folder = house, folder
        house.write(PATH, SPEC)
        self.pull()

    def pull(self) -> None:
        url = self.house.remote().url.replace("://", f"://robot:{self.house.token}@")
        for arguments in (
            ("init", "--quiet", "--initial-branch", "main"),
            ("fetch", "--quiet", url, "main"),
            ("reset", "--quiet", "--hard", "FETCH_HEAD"),
        ):
            subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True)

    def __call__(self, *arguments: str) -> Result:
        url = self.house.remote().url.removesuffix(".git")
        where = ["--pull-request", "--repository", url, "--forge", "gitea"]
        environment = {"MAILTLS_FORGE_TOKEN": self.house.token}
        return CliRunner().invoke(main, [*arguments, *where], catch_exceptions=False, env=environment)

    def data(self, *arguments: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self(*arguments, "--format", "json").stdout)
        jsonschema.validate(data, SCHEMA)
        return data

    @property
    def text(self) -> str:
        return (self.folder / PATH).read_text()


@pytest.fixture
def clone(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    return Clone(house, tmp_path)


def test_a_rollback_is_one_urgent_proposal_with_all_that_a_person_needs(clone: Clone) -> None:
    result = clone("rollback", "contoso.example", "--because", "mx1 lost its certificate")
    assert result.exit_code == 0, result.output
    pull = clone.house.pull()
    assert f"opened: {pull['html_url']}" in result.stdout
    assert f"merge: {pull['html_url']}" in " ".join(result.stderr.split())
    assert (pull["title"], pull["head"]["ref"]) == ("contoso.example: back to testing", BRANCH)
    assert {label["name"] for label in pull["labels"]} == {"mailtls", "urgent"}
    assert [who["login"] for who in pull["requested_reviewers"]] == ["bob"]
    assert [line for line in pull["body"].splitlines() if line.startswith("## ")] == [
        "## What changes",
        "## Why now",
        "## What happens on merge",
        "## What happens if you wait",
        "## How to refuse",
    ]
    assert "mx1 lost its certificate" in pull["body"]
    assert "goes on with enforce until" in pull["body"]
    assert clone.house.read(PATH, BRANCH) == BACK + 'suppress:\n  mode-lowered: "mx1 lost its certificate"\n'
    assert (clone.text, clone.house.read(PATH)) == (SPEC, SPEC)
    assert clone.house.evidence(pull["head"]["sha"]) == [("success", "asked for by a person: mailtls rollback")]


def test_a_second_call_changes_nothing_and_another_reason_updates_it_in_place(clone: Clone) -> None:
    clone("rollback", "contoso.example")
    number = clone.house.pull()["number"]
    assert clone.house.read(PATH, BRANCH) == BACK
    again = clone.data("rollback", "contoso.example")
    assert (again["outcome"], again["proposal"]["branch"]) == ("proposed", BRANCH)
    clone("rollback", "contoso.example", "--because", "mx1 is down")
    assert clone.house.pull()["number"] == number
    assert len(clone.house.commits(number)) == 1
    assert "mx1 is down" in clone.house.read(PATH, BRANCH)


def test_asked_for_again_after_it_was_closed_it_comes_again(clone: Clone) -> None:
    clone("rollback", "contoso.example")
    first = clone.house.pull()["number"]
    clone.house.close(first)
    assert clone("rollback", "contoso.example").exit_code == 0
    assert clone.house.pull()["number"] != first


def test_a_persons_commit_on_the_branch_is_left_alone_and_told(clone: Clone) -> None:
    clone("rollback", "contoso.example")
    clone.house.write(PATH, BACK + "# mine\n", BRANCH)
    result = clone("rollback", "contoso.example", "--to", "none")
    assert result.exit_code == 1
    assert "taken over by you" in result.stdout
    assert clone.house.read(PATH, BRANCH) == BACK + "# mine\n"


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_clone_that_is_not_the_base_is_trouble_and_nothing_is_proposed(clone: Clone, where: str) -> None:
    """A proposal would carry what nobody asked for, or take back what was merged."""
    if where == "here":
        (clone.folder / PATH).write_text(SPEC + "contact: postmaster@fabrikam.example\n")
    else:
        clone.house.write(PATH, SPEC + "contact: postmaster@fabrikam.example\n")
    result = clone("rollback", "contoso.example")
    assert result.exit_code == 2
    assert "is not here what it is in main: pull, or commit" in result.stderr
    assert clone.house.pulls("all") == []
    assert list(clone.house.branches()) == ["main"]


def test_what_is_so_here_alone_is_not_told_as_if_it_were_so(clone: Clone) -> None:
    """Written and forgotten: at night nobody should believe that the way back is under way."""
    assert CliRunner().invoke(main, ["rollback", "contoso.example", "--write"]).exit_code == 0
    result = clone("rollback", "contoso.example")
    assert result.exit_code == 2
    assert "is not here what it is in main" in result.stderr
    clone.house.write(PATH, clone.text)
    assert clone.data("rollback", "contoso.example")["outcome"] == "unchanged"


def test_the_way_out_is_proposed_as_one_step_that_the_controller_goes_on_with(clone: Clone) -> None:
    data = clone.data("retire", "contoso.example")
    assert data["proposal"]["result"] == "opened"
    pull = clone.house.pull()
    assert (pull["title"], pull["head"]["ref"]) == ("contoso.example: retire", "mailtls/retire/contoso.example")
    text = clone.house.read(PATH, pull["head"]["ref"])
    assert "retire: true\n" in text
    assert "mode: none  # since May\n" in text
    assert "mx: [mx1.contoso.example]\n" in text
    assert "retire: true" in pull["body"]
    clone.house.merge(pull["number"])
    clone.pull()
    assert clone.data("retire", "contoso.example")["outcome"] == "unchanged"


def test_the_controller_neither_closes_what_a_person_asked_for_nor_comes_before_it(clone: Clone) -> None:
    house = clone.house
    clone("rollback", "contoso.example")
    number = house.pull()["number"]
    assert house.run(settled={"contoso.example": "nothing is to be done"}) == []
    longer = promote(kind="raise-max-age", files={PATH: SPEC.replace("enforce", "enforce ")})
    [outcome] = house.run(longer)
    assert outcome.result is Became.HELD
    assert "back to testing" in outcome.words
    assert house.pull()["number"] == number
    add = promote(kind="add-mx", files={PATH: SPEC.replace("mx1", "mx2")}, urgent=True)
    assert [one.result for one in house.run(add)] == [Became.OPENED]
    clone("rollback", "contoso.example", "--because", "again")
    assert len(house.pulls()) == 2  # the command judges no other proposal


def test_what_a_person_asks_for_passes_the_limits(clone: Clone) -> None:
    for number in range(2):
        clone.house.run(promote(f"brand{number}.example", files={f"policy_specs/{number}.yaml": "x: 1\n"}))
    full = promote("brand9.example", files={"policy_specs/9.yaml": "x: 1\n"}, asked=True)
    assert [one.result for one in clone.house.run(full, limits=Limits(1, 1))] == [Became.OPENED]


def test_a_token_without_rights_is_told_in_one_line(clone: Clone) -> None:
    clone.house.token = "0" * 40
    result = clone("retire", "contoso.example")
    assert result.exit_code == 2
    assert result.stderr.startswith("mailtls: ")
    assert len(result.stderr.splitlines()) == 1
