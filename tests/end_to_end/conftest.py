"""A running local cloud, and the repository's own program deployed into it by the real engine."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.control import ask
from sandbox.deployment import STACK, Deployment
from sandbox.endpoints import Endpoints
from sandbox.lifecycle import start, stop
from sandbox.place import REPOSITORY, Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder of its own; whatever runs in it is gone afterwards."""
    place = Place(tmp_path_factory.mktemp("cloud"))
    yield place
    stop(place)


@pytest.fixture(scope="module")
def endpoints(place: Place) -> Endpoints:
    return start(place, bound=True)


@pytest.fixture
def deployment(endpoints: Endpoints, place: Place, tmp_path: Path) -> Deployment:
    return Deployment(endpoints.pulumi_env, tmp_path / "pulumi.log")


@pytest.fixture
def specs() -> Iterator[Path]:
    """A folder of specs inside the repository, where settings can name it."""
    folder = REPOSITORY / "build" / f"specs-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def stack(
    deployment: Deployment, endpoints: Endpoints, specs: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Deployment]]:
    """Makes stacks with the sandbox's settings and changes over them; destroys them in the end, last one first."""
    made: list[Deployment] = []

    def make(name: str, **changes: Any) -> Deployment:
        settings = yaml.safe_load((REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml").read_text())
        settings["config"] |= {
            "mailtls:policy_specs": str(specs.relative_to(REPOSITORY)),
            "mailtls:gate": {"timeout": 6},
            "mailtls:allow_destroy": True,
        }
        settings["config"] |= {f"mailtls:{key}": value for key, value in changes.items()}
        settings["config"] = {key: value for key, value in settings["config"].items() if value is not None}
        config = tmp_path / f"Pulumi.{name}.yaml"
        config.write_text(yaml.safe_dump(settings))
        own = replace(deployment, stack=name, config=config)
        own.select()
        (REPOSITORY / "stacks" / f"Pulumi.{name}.yaml").unlink(missing_ok=True)  # `stack select --create` writes one
        made.append(own)
        return own

    yield make
    for own in reversed(made):
        own.destroy()
    assert ask(endpoints.control, "GET", "/leftovers") == []
