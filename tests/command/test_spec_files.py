"""New spec files: whole or not at all, none over another, and the editor's line resolves from where the file lies."""

from importlib import resources
from pathlib import Path

import pytest

from mailtls.cli.spec_files import schema_line, write_whole
from mailtls.cli.trouble import Trouble
from mailtls.spec.load import load
from mailtls.spec.new_spec import new_spec
from mailtls.spec.schema import SCHEMA_FILE


def test_a_file_that_is_there_is_kept_until_told(tmp_path: Path) -> None:
    path = tmp_path / "specs" / "a.yaml"
    assert write_whole(path, "mine")
    assert not write_whole(path, "new")
    assert path.read_text() == "mine"
    assert write_whole(path, "new", overwrite=True)
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_link_to_nothing_is_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "elsewhere")
    assert not write_whole(tmp_path / "a.yaml", "new")
    assert not (tmp_path / "elsewhere").exists()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "a.yaml", "whole lines\n" * 10_000 + "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "specs").write_text("a file")
    with pytest.raises(Trouble, match="cannot be written"):
        write_whole(tmp_path / "specs" / "a.yaml", "new")


def resolved(folder: Path, line: str) -> Path:
    return (folder / line.removeprefix("# yaml-language-server: $schema=")).resolve()


def test_in_a_clone_the_line_names_the_clones_schema(tmp_path: Path) -> None:
    schema = tmp_path / "mailtls" / "spec" / SCHEMA_FILE
    schema.parent.mkdir(parents=True)
    schema.write_text("{}")
    for folder in (tmp_path / "policy_specs" / "production", tmp_path / "policy_specs" / "a" / "b"):
        assert resolved(folder, schema_line(folder)) == schema.resolve()


def test_elsewhere_a_copy_lies_beside_the_specs_and_is_no_spec(tmp_path: Path) -> None:
    line = schema_line(tmp_path)
    assert resolved(tmp_path, line).read_bytes() == resources.files("mailtls.spec").joinpath(SCHEMA_FILE).read_bytes()
    write_whole(
        tmp_path / "contoso.example.yaml", new_spec("contoso.example", ["mx1.contoso.example"], schema_line=line)
    )
    assert [spec.policy_domain for spec in load(tmp_path)] == ["contoso.example"]
