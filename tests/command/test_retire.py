"""`mailtls retire`: the first edit on the way out."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailtls.cli.main import main
from mailtls.spec.load import load

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


def test_the_first_edit_is_printed_and_written_only_when_told(spec: Path) -> None:
    assert retire("contoso.example").exit_code == 1
    assert spec.read_text() == SPEC
    result = retire("contoso.example", "--write")
    assert result.exit_code == 0
    assert spec.read_text() == SPEC + "retire: true\n"
    assert "Do not take hosts out of mx" in " ".join(result.stderr.split())
    assert "retires already" in retire("contoso.example", "--write").stdout


def test_a_retirement_that_was_called_off_is_begun_again_in_its_place(spec: Path) -> None:
    spec.write_text("retire: false # not yet\n" + SPEC)
    assert retire("contoso.example", "--write").exit_code == 0
    assert spec.read_text() == "retire: true # not yet\n" + SPEC


def test_the_hosts_stay_and_the_spec_loads(spec: Path) -> None:
    retire("contoso.example", "--write")
    (after,) = load(spec.parent)
    assert after.mta_sts
    assert [pattern.text for pattern in after.mta_sts.mx] == ["mx1.contoso.example"]
    assert after.controller.retire


def test_it_says_what_comes_next() -> None:
    text = " ".join(retire("contoso.example").stderr.split())
    assert "mailtls rollback contoso.example --to none" in text
    assert "mailtls retire contoso.example --write" in text


def test_where_mode_is_none_already_only_the_wait_is_left(spec: Path) -> None:
    spec.write_text(SPEC.replace("enforce", "none"))
    text = " ".join(retire("contoso.example").stderr.split())
    assert "the spec stays until the longest max_age" in text
    assert "rollback" not in text


def test_a_domain_without_a_policy_has_nothing_to_retire(spec: Path) -> None:
    spec.write_text("policy_domain: contoso.example\n")
    result = retire("contoso.example", "--write")
    assert result.exit_code == 2
    assert "policy_specs/contoso.example.yaml:1: contoso.example has no policy" in result.stderr
