"""What MANIFEST names is the whole deployment: it imports with nothing but the standard library beside it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def manifest_files(folder: str = "report_lambda") -> list[Path]:
    """Files by MANIFEST's globs, relative to the repository root."""
    lines = (ROOT / folder / "MANIFEST").read_text().splitlines()
    globs = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    found = []
    for pattern in globs:
        matches = sorted(ROOT.glob(pattern))
        assert matches, f"{pattern} matches nothing"
        found += matches
    return [path.relative_to(ROOT) for path in found]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("deploy") / "function.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in manifest_files():
            packed.write(ROOT / path, path.as_posix())
    return target


def run_isolated(archive: Path, code: str) -> str:
    """Run `code` in a fresh interpreter that sees the zip and the standard library, no site-packages, no cwd."""
    command = [
        sys.executable,
        "-I",
        "-S",
        "-W",
        "error",
        "-c",
        f"import sys; sys.path.insert(0, {str(archive)!r})\n{code}",
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=archive.parent).stdout


def test_the_handler_imports_without_site_packages_and_without_boto3(archive):
    modules = run_isolated(archive, "import report_lambda.handler as h; print(h.handle.__name__, *sorted(sys.modules))")
    name, *loaded = modules.split()
    assert name == "handle"
    assert not {"boto3", "botocore", "pulumi", "yaml", "dns"} & set(loaded)


def test_every_module_in_the_zip_imports(archive):
    names = [path.with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__") for path in manifest_files()]
    code = f"import importlib\nfor name in {names!r}: importlib.import_module(name)\nprint('all')"
    assert run_isolated(archive, code).strip() == "all"


def test_the_zip_holds_the_two_standards_the_reports_and_the_function(archive):
    folders = {path.parent.as_posix() for path in manifest_files()}
    assert folders == {"mailtls", "mailtls/mta_sts", "mailtls/tls_rpt", "mailtls/reports", "report_lambda"}
    assert archive.stat().st_size < 150_000


def test_the_delivery_function_is_a_small_zip_of_its_own(tmp_path):
    target, files = tmp_path / "delivery.zip", manifest_files("report_lambda/delivery")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            packed.write(ROOT / path, path.as_posix())
    code = "import report_lambda.delivery.handler as h; print(h.handle.__name__, *sorted(sys.modules))"
    name, *loaded = run_isolated(target, code).split()
    assert name == "handle"
    assert not {"boto3", "botocore", "mailtls"} & set(loaded)
    assert {path.parent.as_posix() for path in files} == {"report_lambda", "report_lambda/delivery"}
    assert target.stat().st_size < 20_000
