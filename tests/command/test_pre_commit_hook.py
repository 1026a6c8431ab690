""".pre-commit-hooks.yaml: what pre-commit reads from this repository."""

import shlex
import tomllib
from pathlib import Path

import yaml
from click.testing import CliRunner

from mailtls.cli.main import main

REPOSITORY = Path(__file__).parents[2]
(HOOK,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))


def test_the_hook_judges_the_whole_set_when_a_yaml_file_changes() -> None:
    assert HOOK["id"] == "mailtls-validate"
    assert HOOK["types"] == ["yaml"]
    assert HOOK["pass_filenames"] is False


def test_it_runs_a_command_that_the_installed_package_has() -> None:
    """language: python installs this repository, and runs the entry from its scripts."""
    assert HOOK["language"] == "python"
    script, *arguments = shlex.split(HOOK["entry"])
    assert script in tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert CliRunner().invoke(main, [*arguments, str(REPOSITORY / "policy_specs" / "sandbox")]).exit_code == 0


def test_it_has_no_key_that_pre_commit_does_not_know() -> None:
    assert HOOK.keys() <= {"id", "name", "description", "entry", "language", "types", "pass_filenames"}
