"""`mailtls rollback`: the mode goes down by one edit, which `git apply` takes too."""

import json
import os
import re
import shlex
import stat
import subprocess
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from mailtls.cli.main import main
from mailtls.cli.rollback_command import MOST_REASON
from mailtls.cli.spec_change import write
from mailtls.cli.trouble import Trouble
from mailtls.propose.spec_edit import edit_spec
from mailtls.propose.yaml_edit import Set
from mailtls.spec.load import load
from mailtls.spec.schema import spec_schema

SCHEMA = json.loads(resources.files("mailtls.render").joinpath("spec_change.v1.schema.json").read_text("utf-8"))
SPEC = """\
# Head office.
policy_domain: contoso.example
mta_sts:
  mode: "enforce"   # since May
  mx:
    - mx1.contoso.example # main
    - '*.mailhost.example'
  max_age: 2w
# Next: nothing
"""


@pytest.fixture(autouse=True)
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """policy_specs/ in the current folder, with brands that share a defaults.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / "policy_specs"
    (folder / "brands").mkdir(parents=True)
    (folder / "contoso.example.yaml").write_text(SPEC)
    (folder / "brands" / "defaults.yaml").write_text("mta_sts: {mode: enforce, mx: [mx.brands.example]}\n")
    (folder / "brands" / "all.yaml").write_bytes(
        b"policy_domains:\r\n  one.example: {}\r\n  two.example: # of two\r\n"
        b"  reports.example: {mta_sts: {mode: none}}\r\n"
    )
    (folder / "fabrikam.example.yaml").write_text("policy_domain: fabrikam.example\n")
    return folder


def rollback(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rollback", *arguments], catch_exceptions=False)


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_written_without_write(specs: Path) -> None:
    before = read(specs)
    result = rollback("contoso.example", "--to", "testing")
    assert result.exit_code == 1
    assert read(specs) == before
    changed = [line for line in result.stdout.splitlines() if re.match(r"[-+](?![-+])", line)]
    assert changed == ['-  mode: "enforce"   # since May', '+  mode: "testing"   # since May']
    assert "mailtls rollback contoso.example --to testing --write" in result.stderr


@pytest.mark.parametrize("domain", ["contoso.example", "one.example", "two.example"])
def test_git_applies_what_is_printed_and_write_writes_the_same(specs: Path, domain: str) -> None:
    subprocess.run(["git", "init", "--quiet"], check=True)
    before = read(specs)
    printed = rollback(domain)
    assert printed.exit_code == 1
    subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=printed.stdout_bytes, check=True)
    applied = read(specs)
    for name, data in before.items():
        (specs / name).write_bytes(data)
    written = rollback(domain, "--write")
    assert (written.exit_code, written.stdout_bytes) == (0, printed.stdout_bytes)
    assert read(specs) == applied != before


def test_only_this_domain_changes_and_the_shared_defaults_stay(specs: Path) -> None:
    modes = {spec.policy_domain: spec.mta_sts and str(spec.mta_sts.mode) for spec in load(specs)}
    before = read(specs)
    assert rollback("two.example", "--write").exit_code == 0
    after = {spec.policy_domain: spec.mta_sts and str(spec.mta_sts.mode) for spec in load(specs)}
    assert after == {**modes, "two.example": "testing"}
    assert read(specs) == {
        **before,
        "brands/all.yaml": before["brands/all.yaml"].replace(
            b"two.example: #", b"two.example: {mta_sts: {mode: testing}} #"
        ),
    }


def test_it_tells_how_long_enforce_is_still_held_and_what_not_to_do() -> None:
    text = " ".join(rollback("contoso.example").stderr.split())
    assert re.search(r"goes on with enforce until \d{4}-\d\d-\d\d \d\d:\d\d UTC", text)
    assert "within five minutes" in text
    assert "Do not take hosts out of mx" in text
    assert max(map(len, rollback("contoso.example").stderr.splitlines())) <= 80


def test_the_reason_for_reviewers_is_written_where_the_rule_looks_for_it(specs: Path) -> None:
    result = rollback("contoso.example", "--because", "the certificate of mx2: expired", "--write")
    assert result.exit_code == 0
    lines = SPEC.replace("enforce", "testing").splitlines()
    lines[-1:-1] = ["suppress:", '  mode-lowered: "the certificate of mx2: expired"']
    assert (specs / "contoso.example.yaml").read_text().splitlines() == lines
    again = rollback("one.example", "--because", "it's night").stderr
    assert "--because 'it'\"'\"'s night' --write" in " ".join(again.split())
    for bad in (" ", "red \x1b[31m", "x" * (MOST_REASON + 1)):
        refused = rollback("one.example", "--because", bad)
        assert (refused.exit_code, "is not a reason" in refused.stderr) == (2, True)
    assert 'mode-lowered: "two lines"' in rollback("one.example", "--because", "two\nlines").stdout
    assert spec_schema()["properties"]["suppress"]["properties"]["mode-lowered"]["maxLength"] == MOST_REASON


def test_what_showed_that_enforce_was_right_goes_with_it(specs: Path) -> None:
    path = specs / "contoso.example.yaml"
    path.write_text(SPEC + 'suppress:\n  enforce-without-evidence: "two clean weeks"\n')
    assert rollback("contoso.example", "--write").exit_code == 0
    assert path.read_text() == SPEC.replace("enforce", "testing")


def test_the_same_as_data_and_as_markdown(specs: Path) -> None:
    printed = rollback("contoso.example")
    data = json.loads(rollback("contoso.example", "--format", "json").stdout)
    jsonschema.validate(data, SCHEMA)
    assert (data["outcome"], data["diff"], data["proposal"]) == ("printed", printed.stdout, None)
    assert data["file"] == "policy_specs/contoso.example.yaml"
    told = " ".join(printed.stderr.split())
    assert [one for one in (*data["do"], *data["then"], *data["not"]) if one not in told] == []
    (specs / "contoso.example.yaml").write_text(SPEC.replace("since May", "````"))
    text = rollback("contoso.example", "--format", "markdown", "--write").stdout
    assert text.startswith("### mailtls rollback: wrote `policy_specs/contoso.example.yaml`\n")
    assert text.count("`````") == 2  # longer than what stands in the diff
    again = json.loads(rollback("contoso.example", "--format", "json").stdout)
    jsonschema.validate(again, SCHEMA)
    assert (again["outcome"], again["diff"], again["do"]) == ("unchanged", "", [])


def test_the_line_that_an_alert_at_night_tells_is_taken(specs: Path) -> None:
    text = (Path(__file__).parents[1] / "report_lambda" / "alerts" / "certificate_expired_opened.txt").read_text()
    [line] = re.findall(r"^ +mailtls (rollback contoso\.example .*)$", text, re.MULTILINE)
    assert CliRunner().invoke(main, [*shlex.split(line), "--help"]).exit_code == 0
    dry = shlex.split(line.replace(" --pull-request", ""))
    assert CliRunner().invoke(main, dry).exit_code == 1
    assert CliRunner().invoke(main, [*dry, "--write"]).exit_code == 0
    assert "testing" in (specs / "contoso.example.yaml").read_text()


def test_written_and_proposed_at_once_is_refused(specs: Path) -> None:
    before = read(specs)
    result = rollback("contoso.example", "--write", "--pull-request")
    assert (result.exit_code, read(specs)) == (2, before)
    assert "give one of them" in result.stderr


def test_what_is_low_already_is_left_alone(specs: Path) -> None:
    before = read(specs)
    result = rollback("reports.example", "--to", "none", "--write")
    assert (result.exit_code, read(specs)) == (0, before)
    assert "in none already" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["reports.example"],
            r"policy_specs/brands/all.yaml:4: reports.example is in none, and testing is no way back",
        ),
        (["fabrikam.example"], r"policy_specs/fabrikam.example.yaml:1: fabrikam.example has no policy to lower"),
        (["contosso.example"], r"no spec of contosso.example; did you mean contoso.example\?"),
        (["a b"], r"'a b' is no mail domain"),
        (["contoso.example", "--to", "enforce"], r"'enforce' is not one of"),
        (["contoso.example", "--specs", "nowhere"], r"nowhere:1:1: there is no such file or folder"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(specs: Path, arguments: list[str], words: str) -> None:
    before = read(specs)
    result = rollback(*arguments, "--write")
    assert result.exit_code == 2
    assert re.search(words, result.stderr), result.stderr
    assert read(specs) == before


def test_a_fault_of_another_spec_does_not_stop_a_rollback(specs: Path) -> None:
    """At night somebody else's unfinished spec must not be in the way."""
    (specs / "other.yaml").write_text("policy_domain: other.example\nmta_sts: {mode: enforced}\n")
    result = rollback("contoso.example", "--write")
    assert result.exit_code == 0
    assert (specs / "contoso.example.yaml").read_text() == SPEC.replace("enforce", "testing")


def test_an_edit_that_needs_a_person_is_refused_with_its_line(specs: Path) -> None:
    """A `|` text that keeps the blank lines behind it: a key after them would change it."""
    text = "policy_domain: odd.example\nsuppress:\n  mode-lowered: |+\n    why\n\n\n"
    (specs / "brands" / "odd.yaml").write_text(text)
    result = rollback("odd.example", "--write")
    assert result.exit_code == 2
    assert "policy_specs/brands/odd.yaml:4: this cannot be changed without touching more" in result.stderr
    assert (specs / "brands" / "odd.yaml").read_text() == text


def test_a_file_keeps_its_rights_and_a_link_stays_a_link(specs: Path) -> None:
    real = specs / ".real"
    real.mkdir()
    (specs / "contoso.example.yaml").rename(real / "contoso.yaml")
    (real / "contoso.yaml").chmod(0o664)
    (specs / "contoso.example.yaml").symlink_to(real / "contoso.yaml")
    assert rollback("contoso.example", "--write").exit_code == 0
    assert (specs / "contoso.example.yaml").is_symlink()
    assert (real / "contoso.yaml").read_text() == SPEC.replace("enforce", "testing")
    assert stat.S_IMODE((real / "contoso.yaml").stat().st_mode) == 0o664


def test_a_file_that_changed_meanwhile_is_not_overwritten(specs: Path) -> None:
    """Between the look at the file and its writing an editor may have saved it."""
    path = specs / "contoso.example.yaml"
    edit = edit_spec(specs, "contoso.example", [Set(("mta_sts", "mode"), "testing")])
    assert edit
    path.write_text(SPEC + "owner: somebody\n")
    with pytest.raises(Trouble, match="has changed meanwhile; nothing is written"):
        write(edit)
    assert path.read_text() == SPEC + "owner: somebody\n"


def test_a_folder_that_cannot_be_written_is_trouble_and_the_file_stays(specs: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    specs.chmod(0o555)
    try:
        result = rollback("contoso.example", "--write")
    finally:
        specs.chmod(0o755)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert (specs / "contoso.example.yaml").read_text() == SPEC
