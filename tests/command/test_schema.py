"""`mailtls schema`: what it prints is a schema, and fits what people write."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mailtls.cli.main import main
from mailtls.cli.schema_command import SCHEMAS

REPOSITORY = Path(__file__).parents[2]


def schema(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["schema", *arguments])


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema(name).stdout))


def test_every_schema_in_the_package_can_be_asked_for() -> None:
    files = {path.name for path in (REPOSITORY / "mailtls").rglob("*.schema.json")}
    assert files == {file for _, file in SCHEMAS.values()}


def test_the_spec_is_what_is_meant_when_nothing_is_named() -> None:
    assert schema().stdout == schema("spec").stdout


def test_all_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    result = schema("--write", str(folder))
    assert result.exit_code == 0
    assert {path.name for path in folder.iterdir()} == {file for _, file in SCHEMAS.values()}
    assert result.stdout.splitlines() == [str(folder / file) for _, file in SCHEMAS.values()]
    assert (folder / "policy_spec.v1.schema.json").read_text("utf-8") == schema("spec").stdout


def test_a_folder_that_cannot_be_made_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = schema("--write", str(tmp_path / "file" / "below"))
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_an_unknown_name_is_trouble() -> None:
    assert schema("specs").exit_code == 2
