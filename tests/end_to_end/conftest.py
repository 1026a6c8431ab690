"""A running local cloud, and the repository's own program deployed into it by the real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.deployment import Deployment
from sandbox.endpoints import Endpoints
from sandbox.lifecycle import start, stop
from sandbox.place import Place


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
