"""What pip installs is what was locked: every package by version and hash, in every place that calls pip."""

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKED = ["requirements.txt", "requirements-build.txt", "requirements-command.txt",
          "requirements-controller.txt",
          "sandbox/cloud/emulator/requirements.txt", "sandbox/outsiders/requirements.txt",
          "tests/fuzz/requirements.txt", "bench/peers/requirements.txt"]  # fmt: skip
PINNED = re.compile(r"[A-Za-z0-9._-]+==\S+( ; [^\\]+)? (\\\n +--hash=sha256:[0-9a-f]{64} ?)+\n?")
NAME_AND_VERSION = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", re.MULTILINE)
PEOPLES_TEXTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *(REPOSITORY / "docs").glob("*.md")]


def requirements(file: str) -> str:
    """A requirements file without its comments."""
    return re.sub(r"^ *#.*\n", "", (REPOSITORY / file).read_text("utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("file", LOCKED)
def test_every_package_is_pinned_with_a_hash(file: str) -> None:
    text = requirements(file)
    assert NAME_AND_VERSION.search(text)
    assert PINNED.sub("", text) == ""


def test_requirements_are_what_uv_locked() -> None:
    """`make lock` was run after the last change of a dependency."""
    lock = tomllib.loads((REPOSITORY / "uv.lock").read_text("utf-8"))
    locked = {package["name"]: package["version"] for package in lock["package"] if "registry" in package["source"]}
    assert dict(NAME_AND_VERSION.findall(requirements("requirements.txt"))) == locked


def test_what_is_wanted_is_pinned_as_it_is_wanted() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    build = dict(NAME_AND_VERSION.findall(requirements("requirements-build.txt")))
    assert [f"{name}=={version}" for name, version in build.items()] == project["build-system"]["requires"]
    for folder in ("sandbox/cloud/emulator", "sandbox/outsiders", "tests/fuzz", "bench/peers"):
        wanted = {(name.lower().replace("_", "-"), version)
                  for name, version in NAME_AND_VERSION.findall(requirements(f"{folder}/requirements.in"))}  # fmt: skip
        assert wanted
        assert wanted <= set(NAME_AND_VERSION.findall(requirements(f"{folder}/requirements.txt")))


def test_pip_installs_nothing_without_a_hash() -> None:
    """But the working tree itself, which brings nothing along."""
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    installs = re.findall(r"\$\(PIP\).*|-m pip install.*", makefile)
    assert len(installs) == 4  # the definition and three uses
    assert [line for line in installs if "--require-hashes" not in line] == [
        installs[0],
        "$(PIP) --quiet --no-deps -e .",
    ]
    assert "--no-build-isolation" in installs[0]
    rooms = ("sandbox", "bench", "stacks", "tests/end_to_end")
    files = [file for room in rooms for file in (REPOSITORY / room).rglob("*.py")]
    callers = [file for file in files if '"pip"' in file.read_text("utf-8")]
    assert [file.name for file in callers] == ["environments.py"]
    assert '"--require-hashes"' in callers[0].read_text("utf-8")


@pytest.mark.parametrize("page", PEOPLES_TEXTS, ids=lambda page: page.name)
def test_no_page_pipes_a_download_into_a_shell(page: Path) -> None:
    assert re.findall(r"(?:curl|wget)[^`\n]*\|\s*(?:ba)?sh\b", page.read_text("utf-8")) == []
