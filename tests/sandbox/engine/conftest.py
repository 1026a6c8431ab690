"""The harness of the engine's tests stands beside them: `from engine_program import Program`."""

import gc
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import account
from sandbox.cloud.cloudflare import Cloudflare
from sandbox.cloud.start import Emulator
from sandbox.control import ask
from sandbox.engine.cli import has_language_host, pulumi_command
from sandbox.engine.workspace import pulumi_env

sys.path.append(str(Path(__file__).parent))

from engine_program import STACK, Program, Running
from inline_stack import InlineStack

ZONES = ("contoso.example", "fabrikam.example")
TOKEN = "token"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.engine)
        if "stack" in getattr(item, "fixturenames", ()):
            # The Automation API leaves the event loop of a run that failed for the garbage collector (`stack`, below).
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(scope="session")
def engine_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One PULUMI_HOME and one backend for all programs; each is a project of its own."""
    folder = tmp_path_factory.mktemp("engine")
    # Throw-away stacks: nothing is lost when a crash takes the last checkpoint with it.
    fast = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
    return pulumi_env(folder / "home", folder / "state") | fast


@pytest.fixture
def program(engine_env: dict[str, str], tmp_path: Path) -> Program:
    """An empty program with a selected stack."""
    folder = tmp_path / "project"
    (folder / "stacks").mkdir(parents=True)
    name = f"tiny-{tmp_path.parent.name}-{tmp_path.name}".lower().replace("_", "-")
    (folder / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\nmain: stacks\nstackConfigDir: stacks\n")
    new = Program(folder, engine_env).write("")
    done = new.run("stack", "init", STACK)
    assert done.returncode == 0, done.stdout
    return new


@pytest.fixture
def start(program: Program) -> Iterator[Callable[..., Running]]:
    """`start("up", …)`: the CLI in the background; whatever is left of it ends with the test."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(program.start(*arguments))
        return started[-1]

    yield start
    for running in started:
        running.end()


@pytest.fixture(scope="session")
def pulumi_on_path() -> Iterator[None]:
    """The Automation API looks for `pulumi` there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(pulumi_command().parent), prepend=os.pathsep)
        yield


@pytest.fixture
def stack(
    engine_env: dict[str, str], pulumi_on_path: None, emulator: Emulator, request: pytest.FixtureRequest
) -> Iterator[InlineStack]:
    """An empty stack against the AWS emulator; the emulator is as empty afterwards as it was before."""
    before = ask(emulator.endpoint, "GET", "/_sandbox/leftovers")
    env = engine_env | account.environment(emulator.endpoint)
    # two files may have a test of the same name; a project's name holds at most 100 characters
    whole = f"{request.node.path.stem.removeprefix('test_engine_')}-{request.node.name.removeprefix('test_')}"
    project = re.sub(r"[^a-z0-9]+", "-", whole.lower())[:90]
    new = InlineStack(project, env, {"aws:region": account.REGION})
    yield new
    new.close()
    gc.collect()
    assert [thing for thing in ask(emulator.endpoint, "GET", "/_sandbox/leftovers") if thing not in before] == []


@pytest.fixture
def own_language_host() -> None:
    """For tests of our language host: a CLI that brings its own never asks ours."""
    if has_language_host(pulumi := pulumi_command()):
        pytest.skip(f"{pulumi} brings its own language host")


@pytest.fixture
def cloudflare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloudflare]:
    """A running Cloudflare API with two zones, which programs find by themselves."""
    stand_in = Cloudflare(ZONES, TOKEN)
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", stand_in.start())
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", TOKEN)
    yield stand_in
    stand_in.stop()
