"""Where the Pulumi CLI comes from on machines that have or lack it. `go` and `pulumi` are shell scripts here."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.engine import source_build
from sandbox.engine.cache import cache_dir
from sandbox.engine.cli import NoEngine, engine_version, pulumi_command

GO = """#!/bin/sh
[ "$1" = version ] && { echo go version go1.99 linux/amd64; exit; }
echo "$PWD: $*" >> "$GO_LOG"
env > "$GO_LOG.env"
echo github.com/some/package >&2
[ -n "$GO_FAILS" ] && { echo "cannot compile" >&2; exit 1; }
sleep "${GO_TAKES:-0}"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho v%s\\n' "$GO_MAKES" > "$2"
chmod +x "$2"
"""

OLD_GO = """#!/bin/sh
[ "$1" = version ] && { echo go version go1.19.8 linux/amd64; exit; }
echo "$PWD: $*" >> "$GO_LOG.old"
[ -n "$GO_FAILS" ] && { echo '{"Error": "no such module"}'; exit 1; }
printf '{"Dir": "%s"}\\n' "$GO_FETCHES"
"""


class Machine:
    """A machine whose PATH, cache and internet are the test's."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.path = folder / "bin"
        self.path.mkdir()
        self.cache = folder / "cache"
        self.log = folder / "go.log"
        for tool in ("chmod", "env", "sleep"):
            (self.path / tool).symlink_to(str(shutil.which(tool)))
        patch.setenv("PATH", str(self.path))
        patch.setenv("MAILTLS_CACHE", str(self.cache))
        patch.setenv("GO_LOG", str(self.log))
        patch.setenv("GO_MAKES", engine_version())
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:1")  # no internet
        for name in ("no_proxy", "NO_PROXY"):
            patch.delenv(name, raising=False)

    def has(self, command: str, script: str) -> Path:
        place = self.path / command
        place.write_text(script)
        place.chmod(0o755)
        return place

    def has_pulumi(self, version: str) -> Path:
        return self.has("pulumi", f"#!/bin/sh\necho v{version}\n")

    @property
    def builds(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_cli_on_the_path_is_taken_when_it_fits(machine: Machine) -> None:
    major, minor, patch = engine_version().split(".")
    found = machine.has_pulumi(f"{major}.{minor}.{int(patch) + 7}")
    assert pulumi_command() == found


@pytest.mark.parametrize("version", ["3.1.0", "4.259.0", "", "nonsense"])
def test_a_cli_of_another_version_is_passed_over(machine: Machine, version: str) -> None:
    machine.has_pulumi(version)
    machine.has("go", GO)
    assert pulumi_command().is_relative_to(machine.cache)


def test_a_machine_with_nothing_is_told_what_to_install(machine: Machine) -> None:
    with pytest.raises(NoEngine, match=r"(?s)the Pulumi CLI  as README\.md tells.*Go, any since 1\.16"):
        pulumi_command()


def test_the_cli_is_built_once_and_then_cached(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("go", GO)
    built = pulumi_command()
    said = capfd.readouterr()
    assert said.out == ""
    assert "get.pulumi.com cannot be reached" in said.err
    assert "building Pulumi" in said.err
    assert subprocess.check_output([built], text=True).strip() == f"v{engine_version()}"
    assert pulumi_command() == built
    assert len(machine.builds) == 1
    assert f"{source_build.MODULE}: build" in machine.builds[0]


def test_an_old_go_fetches_the_toolchain_of_our_go_mod(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("go", OLD_GO)
    fetched = tmp_path / "toolchain"
    for program in ("bin/go", "pkg/tool/linux_amd64/compile"):
        (fetched / program).parent.mkdir(parents=True)
        (fetched / program).write_text(GO)  # not executable, as a module's files are
    monkeypatch.setenv("GO_FETCHES", str(fetched))
    monkeypatch.setenv("GOROOT", "/usr/lib/go-1.19")
    assert pulumi_command().exists()
    asked = Path(f"{machine.log}.old").read_text()
    pinned = (source_build.MODULE / "go.mod").read_text().splitlines()[2].removeprefix("go ")
    assert asked.endswith(f": mod download -json golang.org/toolchain@v0.0.1-go{pinned}.linux-amd64\n")
    assert not asked.startswith(str(source_build.MODULE))  # whose go.mod it could not read
    assert os.access(fetched / "pkg/tool/linux_amd64/compile", os.X_OK)
    assert "GOROOT=" not in Path(f"{machine.log}.env").read_text()


def test_an_old_go_that_cannot_fetch_says_so(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("go", OLD_GO)
    monkeypatch.setenv("GO_FAILS", "yes")
    with pytest.raises(NoEngine, match=r"go1\.19\.8.*too old.*no such module"):
        pulumi_command()


def test_a_build_takes_nothing_of_the_users_but_where_go_keeps_things(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOWORK", "/somewhere/go.work")
    monkeypatch.setenv("GOCACHE", "/somewhere/builds")
    monkeypatch.setenv("GOMODCACHE", "/somewhere/modules")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    monkeypatch.delenv("HOME")
    machine.has("go", GO)
    pulumi_command()
    seen = dict(line.partition("=")[::2] for line in Path(f"{machine.log}.env").read_text().splitlines())
    assert (seen["GOFLAGS"], seen["GOWORK"]) == ("-mod=readonly", "off")
    assert (seen["GOCACHE"], seen["GOMODCACHE"]) == ("/somewhere/builds", "/somewhere/modules")
    assert seen["GOPROXY"] == "https://proxy.example"
    assert seen["HOME"]


def test_a_build_that_fails_says_what_the_compiler_said_and_leaves_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("go", GO)
    monkeypatch.setenv("GO_FAILS", "yes")
    with pytest.raises(NoEngine, match=r"(?s)go1\.99.*cannot compile"):
        pulumi_command()
    assert list((machine.cache / "engine").iterdir()) == []
    monkeypatch.delenv("GO_FAILS")
    assert pulumi_command().exists()


def test_a_build_of_another_version_is_no_engine(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("go", GO)
    monkeypatch.setenv("GO_MAKES", "0.0.1")
    with pytest.raises(NoEngine, match=r"says its version is 'v0\.0\.1'"):
        pulumi_command()


def start() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sandbox.engine", "pulumi"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )


def test_two_processes_build_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("go", GO)
    monkeypatch.setenv("GO_TAKES", "1")
    processes = [start(), start()]
    paths = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    assert len(paths) == 1
    assert len(machine.builds) == 1


def test_a_killed_build_blocks_nobody_and_leaves_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("go", GO)
    monkeypatch.setenv("GO_TAKES", "600")
    killed = start()
    deadline = time.monotonic() + 60
    while not machine.builds and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    monkeypatch.setenv("GO_TAKES", "0")
    built = pulumi_command()
    assert [place.name for place in (machine.cache / "engine").iterdir()] == [built.parent.name]


def test_the_cache_is_where_it_is_told_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILTLS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_dir() == tmp_path / "home" / ".cache" / "mailtls"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    assert cache_dir() == tmp_path / "shared" / "mailtls"
    monkeypatch.setenv("MAILTLS_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"
