"""`pip install mailtls` gives the command and the library, and nothing else."""

import importlib.metadata
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from built_wheel import Installed, build, install

import mailtls

OTHER_ROOMS = ("components", "stacks", "report_lambda", "sandbox")
"""Names of this repository: nobody's site-packages holds them."""
NOT_FOR_THE_COMMAND = ("pulumi", "pulumi_aws", "pulumi_cloudflare", "boto3", "botocore")
IMPORT_ALL = """
import importlib, json, pkgutil, sys
import mailtls
names = [module.name for module in pkgutil.walk_packages(mailtls.__path__, "mailtls.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(json.dumps([names, sorted(sys.modules)]))
"""
FIND = """
import importlib.util, json, sys
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(wheel, tmp_path_factory.mktemp("installed"))


def test_the_wheel_holds_the_package_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
    assert {file.split("/")[0] for file in files} == {
        "mailtls",
        f"mailtls-{importlib.metadata.version('mailtls')}.dist-info",
    }
    assert [
        file
        for file in files
        if file.startswith("mailtls/") and not file.endswith((".py", ".json", ".css", "py.typed"))
    ] == []


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """A schema that is left out would be missed on other machines only."""
    root = Path(__file__).parents[2]
    wanted = {str(file.relative_to(root)) for file in (root / "mailtls").rglob("*")
              if file.is_file() and file.suffix != ".pyc"}  # fmt: skip
    with zipfile.ZipFile(wheel) as archive:
        assert {file for file in archive.namelist() if file.startswith("mailtls/")} == wanted


def test_what_it_needs_is_there_and_agrees(installed: Installed) -> None:
    """All that its metadata ask for, and no word of the program's packages."""
    listed = installed.run(
        "python", "-c", "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    )
    names = {name.lower() for name in listed.stdout.split()}
    needed = {requirement.split("==")[0].lower() for requirement in importlib.metadata.requires("mailtls") or []
              if "extra ==" not in requirement}  # fmt: skip
    assert needed <= names
    assert names.isdisjoint(NOT_FOR_THE_COMMAND)


def test_other_rooms_and_clouds_cannot_be_imported(installed: Installed) -> None:
    found = installed.run("python", "-c", FIND, "mailtls", *OTHER_ROOMS, *NOT_FOR_THE_COMMAND)
    assert json.loads(found.stdout) == ["mailtls"], found.stderr


def test_every_module_imports_there(installed: Installed) -> None:
    """Without Pulumi and boto3: what asks an account imports boto3 when it asks."""
    done = installed.run("python", "-W", "error", "-c", IMPORT_ALL)
    assert done.returncode == 0, done.stderr
    assert "mailtls.cli.main" in json.loads(done.stdout)[0]


def test_no_module_imports_a_cloud_where_there_is_one() -> None:
    """In this repository's environment, where an import of Pulumi or boto3 would not fail."""
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=True)
    assert {name.split(".")[0] for name in json.loads(done.stdout)[1]}.isdisjoint(NOT_FOR_THE_COMMAND)


def test_the_command_says_its_version(installed: Installed) -> None:
    done = installed.run("mailtls", "--version")
    assert (done.returncode, done.stdout) == (0, f"mailtls {importlib.metadata.version('mailtls')}\n")


def test_the_command_lists_its_commands(installed: Installed) -> None:
    done = installed.run("mailtls", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "mailtls check contoso.com" in done.stdout


def test_validate_judges_a_spec_there(installed: Installed, tmp_path: Path) -> None:
    """Schema, rules and messages are all in the wheel."""
    spec = tmp_path / "policy_specs" / "contoso.example.yaml"
    spec.parent.mkdir()
    spec.write_text(
        "policy_domain: contoso.example\nmta_sts: {mode: testing, mx: [mx1.contoso.example]}\nowner: mail-team\n"
    )
    good = installed.run("mailtls", "validate", cwd=tmp_path)
    assert (good.returncode, good.stdout) == (0, ""), good.stderr
    spec.write_text(spec.read_text().replace("testing", "tested"))
    bad = installed.run("mailtls", "validate", "--format", "github", cwd=tmp_path)
    assert bad.returncode == 1
    assert "policy_specs/contoso.example.yaml" in bad.stdout
    assert '"tested" is not a mode' in bad.stdout


@pytest.mark.parametrize(
    ("which", "file"),
    [("spec", "spec/policy_spec.v1.schema.json"), ("defaults", "spec/policy_defaults.v1.schema.json")],
)
def test_schema_prints_what_editors_read(installed: Installed, which: str, file: str) -> None:
    done = installed.run("mailtls", "schema", which)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads((Path(mailtls.__path__[0]) / file).read_text())
