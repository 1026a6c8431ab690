"""`mailtls validate`, as a person or a pipeline runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from spec_repository import SpecRepository, spec

from mailtls.cli.main import main

GOOD = "policy_domain: {0}\nmta_sts: {{mode: testing, mx: [mx1.{0}]}}\n"


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty policy_specs/ in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policy_specs").mkdir()
    return tmp_path / "policy_specs"


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments])


def test_nothing_to_say(specs: Path) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example"))
    result = validate()
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 spec, nothing to say\n")


def test_faults_and_findings_come_together_by_file_and_line(specs: Path) -> None:
    (specs / "b.yaml").write_text("policy_domain: b.example\nmta_sts:\n  mode: enforced\n  mx: [192.0.2.1]\n")
    (specs / "a.yaml").write_text('policy_domain: a.example\nmta_sts: {mode: testing, mx: ["*.mx.microsoft"]}\n')
    (specs / "c.yaml").write_text(GOOD.format("c.example") + "tls_rpt: false\n")
    (specs / "d.yaml").write_text("policy_domain: [\n")
    result = validate("--format", "json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)["findings"]
    assert [(f["location"]["file"], f["rule"]) for f in findings] == [
        ("policy_specs/a.yaml", "m365-two-label-wildcard"),
        ("policy_specs/b.yaml", "spec-invalid"),
        ("policy_specs/b.yaml", "mx-not-a-hostname"),
        ("policy_specs/c.yaml", "tls-rpt-missing"),
        ("policy_specs/d.yaml", "yaml-invalid"),
    ]
    assert result.stderr == "4 specs, 4 errors, 1 warning\n"


def test_warnings_fail_only_when_strict(specs: Path) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example") + "tls_rpt: false\n")
    assert validate().exit_code == 0
    result = validate("--strict")
    assert result.exit_code == 1
    assert "warning tls-rpt-missing" in result.stdout
    assert result.stderr == "1 spec, 1 warning\n"


def test_notes_never_fail(specs: Path) -> None:
    (specs / "a.yaml").write_text(
        "policy_domain: a.example\nmta_sts: {mode: testing, mx: [a.mail.protection.outlook.com]}\n"
    )
    result = validate("--strict")
    assert (result.exit_code, result.stderr) == (0, "1 spec, 1 note\n")


def test_what_cannot_be_read_at_all_is_trouble(specs: Path) -> None:
    result = validate("nowhere", "policy_specs")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "nowhere:1:1: there is no such file or folder" in result.stderr
    assert "policy_specs:1:1: no spec in here" in result.stderr


@pytest.mark.parametrize("output", ["text", "markdown", "github"])
def test_a_files_name_moves_no_cursor(specs: Path, output: str) -> None:
    (specs / "x\x1b[2J.yml").write_text("")
    alone = validate("--format", output)
    assert alone.exit_code == 2
    (specs / "a.yaml").write_text(GOOD.format("a.example"))
    beside = validate("--format", output)
    assert beside.exit_code == 1
    assert "\x1b" not in alone.output + beside.output
    assert "\\u001b" in alone.output


def test_a_missing_path_beside_a_good_one_is_not_passed_over(specs: Path) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example"))
    result = validate("policy_specs", "nowhere")
    assert result.exit_code == 1
    assert "error file-not-read  nowhere:1:1" in result.stdout


def test_several_paths_are_one_set(specs: Path, tmp_path: Path) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example"))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "again.yaml").write_text(GOOD.format("a.example"))
    result = validate("policy_specs", "more")
    assert result.exit_code == 1
    assert "a.example has a spec already, at policy_specs/a.yaml:1" in result.stdout


def test_a_file_inside_a_named_folder_is_read_once(specs: Path) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example"))
    for paths in (
        ("policy_specs", "policy_specs/a.yaml"),
        ("policy_specs/a.yaml", "policy_specs"),
        ("policy_specs",) * 2,
    ):
        result = validate(*paths)
        assert (result.exit_code, result.stderr) == (0, "1 spec, nothing to say\n"), result.stdout


@pytest.mark.parametrize("output", ["text", "json", "markdown", "sarif", "github"])
def test_every_format(specs: Path, output: str) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example") + "tls_rpt: false\n")
    result = validate("--format", output)
    assert "tls-rpt-missing" in result.stdout
    assert "\x1b" not in result.stdout


def test_our_own_specs_have_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert validate("policy_specs/sandbox", "--strict").stderr == "10 specs, nothing to say\n"


def test_help_ends_with_an_example() -> None:
    assert validate("--help").stdout.rstrip().splitlines()[-1].strip().startswith("Example:  mailtls validate")


def test_a_change_is_judged_against_its_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = SpecRepository(tmp_path)
    monkeypatch.chdir(tmp_path)
    repository.commit({"policy_specs/a.yaml": spec("a.example"), "policy_specs/b.yaml": spec("b.example")})
    repository.git("checkout", "--quiet", "-b", "change")
    repository.write({"policy_specs/a.yaml": spec("a.example", mx="mx9.c.example"), "policy_specs/b.yaml": None})
    assert validate().exit_code == 0, "each spec alone is good"
    result = validate("--base", "main", "--format", "github")
    assert result.exit_code == 1
    assert [line.split("::")[1] for line in result.stdout.splitlines()] == [
        "error file=policy_specs/a.yaml,line=1,title=mx-set-replaced%3A a.example",
        "error file=policy_specs/b.yaml,line=1,title=spec-removed-while-live%3A b.example",
    ]
    assert result.stderr == "1 spec, 2 errors\n"
    sarif = json.loads(validate("--base", "main", "--format", "sarif").stdout)
    assert [found["ruleId"] for found in sarif["runs"][0]["results"]] == ["mx-set-replaced", "spec-removed-while-live"]
    twice = validate("--base", "main", "policy_specs/a.yaml", "policy_specs")
    assert twice.stdout.count("error mx-set-replaced") == 1


@pytest.mark.parametrize("gone", [True, False], ids=["folder gone", "folder empty"])
def test_a_set_in_which_all_was_removed_is_judged_against_its_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    repository = SpecRepository(tmp_path)
    repository.commit({"policy_specs/a.yaml": spec("a.example", "enforce")})
    monkeypatch.chdir(tmp_path)
    repository.write({"policy_specs/a.yaml": None})
    if gone:
        (tmp_path / "policy_specs").rmdir()
    result = validate("--base", "main", "--format", "json")
    assert result.exit_code == 1
    assert [finding["rule"] for finding in json.loads(result.stdout)["findings"]] == [
        "file-not-read",  # a deployment of this set is refused, too
        "spec-removed-while-live",
    ]
    assert validate("--base", "main", "nowhere").exit_code == 2, "the base has nothing there either"


def test_a_base_that_git_does_not_know_is_trouble(specs: Path) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example"))
    SpecRepository(specs.parent)
    result = validate("--base", "origin/main")
    assert result.exit_code == 2
    assert "git knows no commit 'origin/main'" in result.stderr


def test_specs_that_cannot_be_loaded_are_not_compared_and_that_is_told(specs: Path) -> None:
    (specs / "a.yaml").write_text("policy_domain: a.example\nmta_sts: {mode: enforced}\n")
    result = validate("--base", "main")
    assert result.exit_code == 1
    assert "not compared with main" in result.stderr


def places(*arguments: str) -> list[tuple[str, str, int, int | None]]:
    findings = json.loads(validate("--format", "json", *arguments).stdout)["findings"]
    return [
        (f["rule"], Path(f["location"]["file"]).name, f["location"]["line"], f["location"]["column"]) for f in findings
    ]


def test_a_finding_stands_at_the_key_that_it_is_about(specs: Path) -> None:
    (specs / "a.yaml").write_text(
        "policy_domain: a.example\ntls_rpt:\n  rua:\n    - mailto:a@b.example\n    - mailto:b@b.example\n"
        'mta_sts:\n  mode: enforce\n  mx:\n    - "*.a.example"\n  max_age: 2d\ncontact: me@a.example\n'
    )
    assert places() == [
        ("rua-several", "a.yaml", 3, 3),
        ("wildcard-own-domain", "a.yaml", 8, 3),
        ("max-age-short-in-enforce", "a.yaml", 10, 3),
        ("contact-under-protected-domain", "a.yaml", 11, 1),
    ]


def test_a_value_of_a_defaults_file_is_told_there(specs: Path) -> None:
    (specs / "defaults.yaml").write_text("# all\nmta_sts: {mode: enforce, mx: [mx.b.example], max_age: 2d}\n")
    (specs / "a.yaml").write_text("policy_domain: a.example\n")
    (specs / "b.yaml").write_text("policy_domains:\n  b.example: {}\n  c.example: {mta_sts: {max_age: 1d}}\n")
    assert places() == [
        ("max-age-short-in-enforce", "b.yaml", 3, 25),
        ("max-age-short-in-enforce", "defaults.yaml", 2, 46),
        ("max-age-short-in-enforce", "defaults.yaml", 2, 46),
    ]


def test_what_is_missing_is_missing_in_the_spec(specs: Path) -> None:
    long = f"{'a' * 60}.example"
    (specs / "b.yaml").write_text(
        "policy_domains:\n  b.example: {mta_sts: {mode: none}}\n"
        f"  {long}: {{mta_sts: {{mode: none, mx: [m.b.test]}}}}\n"
    )
    assert places() == [("mx-lines-missing-in-none", "b.yaml", 2, 15), ("policy-host-too-long", "b.yaml", 3, 3)]


def test_a_link_to_itself_is_no_spec_and_no_crash(specs: Path) -> None:
    (specs / "a.yaml").write_text(GOOD.format("a.example"))
    (specs / "loop.yaml").symlink_to("loop.yaml")
    (specs / "README").symlink_to("README")
    result = validate("--format", "json")
    assert result.exit_code == 1
    assert [found["location"]["file"] for found in json.loads(result.stdout)["findings"]] == ["policy_specs/loop.yaml"]
    assert "policy_specs/loop.yaml:1:1: " in validate("policy_specs/loop.yaml").stderr
    (specs / "loop.yaml").unlink()
    assert validate().exit_code == 0


def test_a_path_that_no_system_can_hold_is_trouble_in_words(specs: Path) -> None:
    result = validate("a" * 300)
    assert result.exit_code == 2
    assert "cannot be read: File name too long" in result.stderr


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_what_a_stream_cannot_hold_is_written_as_an_escape(specs: Path, output: str) -> None:
    """A file's name need not be UTF-8, and a terminal need not know an arrow."""
    (specs / "a\udcff.yaml").write_text('policy_domain: a.example\nowner: "\u2192 us"\n', "utf-8")
    arguments = [sys.executable, "-m", "mailtls.cli", "validate", "--format", output]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1:strict"}
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    if output == "json":
        assert json.loads(done.stdout)["findings"][0]["location"]["file"] == "policy_specs/a\udcff.yaml"
    if output == "sarif":
        assert "policy_specs/a%FF.yaml" in done.stdout
    assert "\\u2192 us" in done.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_fault_of_the_program_does_not_look_like_findings(specs: Path, unbuffered: str) -> None:
    """Exit code 1 would, and a pipeline goes on with an empty report. Here the disk is full."""
    (specs / "a.yaml").write_text(GOOD.format("a.example") + "tls_rpt: false\n")
    with open("/dev/full", "w") as full:
        arguments = [sys.executable, "-m", "mailtls.cli", "validate"]
        env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(
            arguments, stdout=full, stderr=subprocess.PIPE, env=env, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
