"""`mailtls retire`: the first edit on the way out."""

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mailtls.cli.main import main
from mailtls.propose.decided import decided_edit
from mailtls.rollout.decision import Action, Kind
from mailtls.rollout.mode import retirement
from mailtls.spec.load import load

SCHEMA = json.loads(resources.files("mailtls.render").joinpath("spec_change.v1.schema.json").read_text("utf-8"))

SPEC = "policy_domain: contoso.example\nmta_sts: {mode: enforce, mx: [mx1.contoso.example], max_age: 2w} # c\n"


@pytest.fixture(autouse=True)
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "policy_specs" / "contoso.example.yaml"
    path.parent.mkdir()
    path.write_text(SPEC)
    return path


def retire(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["retire", *arguments], catch_exceptions=False)


def test_the_first_step_is_printed_and_written_only_when_told(spec: Path) -> None:
    assert retire("contoso.example").exit_code == 1
    assert spec.read_text() == SPEC
    result = retire("contoso.example", "--write")
    assert result.exit_code == 0
    assert spec.read_text() == (
        "policy_domain: contoso.example\nmta_sts: {mode: none, mx: [mx1.contoso.example], max_age: 1d} # c\n"
        'retire: true\nsuppress:\n  mode-lowered: "the domain retires"\n'
    )
    assert "Do not take hosts out of mx" in " ".join(result.stderr.split())
    assert "retires already" in retire("contoso.example", "--write").stdout


def test_it_is_the_step_that_the_controller_takes_for_a_spec_that_retires(spec: Path) -> None:
    spec.write_text(SPEC + "retire: true\n")
    (before,) = load(spec.parent)
    edit = decided_edit(spec.parent, Action(Kind.RETIRE, "contoso.example", retirement(before), ()))
    assert edit
    assert retire("contoso.example", "--write").exit_code == 0
    assert spec.read_bytes() == edit.after


def test_a_retirement_that_was_called_off_is_begun_again_in_its_place(spec: Path) -> None:
    spec.write_text("retire: false # not yet\n" + SPEC)
    assert retire("contoso.example", "--write").exit_code == 0
    assert spec.read_text().startswith("retire: true # not yet\npolicy_domain: contoso.example\nmta_sts: {mode: none")


def test_the_hosts_stay_and_the_spec_loads(spec: Path) -> None:
    retire("contoso.example", "--write")
    (after,) = load(spec.parent)
    assert after.mta_sts
    assert [pattern.text for pattern in after.mta_sts.mx] == ["mx1.contoso.example"]
    assert after.controller.retire


def test_it_says_what_comes_next(spec: Path) -> None:
    text = " ".join(retire("contoso.example").stderr.split())
    assert "mailtls retire contoso.example --write" in text
    assert "mailtls retire contoso.example --pull-request" in text
    assert re.search(r"goes on with enforce until \d{4}-\d\d-\d\d \d\d:\d\d UTC", text)
    assert "hold" not in text.replace("holds", "").replace("hold the", "")
    spec.write_text(SPEC + "hold: true\n")
    assert "proposes no further step until it is gone" in " ".join(retire("contoso.example").stderr.split())


def test_where_mode_is_none_already_only_the_wait_is_left(spec: Path) -> None:
    spec.write_text(SPEC.replace("enforce", "none"))
    result = retire("contoso.example", "--write")
    assert spec.read_text() == SPEC.replace("enforce", "none") + "retire: true\n"
    assert "the spec stays until the longest max_age" in " ".join(result.stderr.split())


def test_as_data(spec: Path) -> None:
    data = json.loads(retire("contoso.example", "--format", "json", "--write").stdout)
    jsonschema.validate(data, SCHEMA)
    assert (data["command"], data["outcome"]) == ("retire", "written")


def test_a_domain_without_a_policy_has_nothing_to_retire(spec: Path) -> None:
    spec.write_text("policy_domain: contoso.example\n")
    result = retire("contoso.example", "--write")
    assert result.exit_code == 2
    assert "policy_specs/contoso.example.yaml:1: contoso.example has no policy" in result.stderr
