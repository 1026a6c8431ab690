"""One Gitea for all tests of this folder, and a repository of its own for each. What they share stands beside them."""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from house import House

from sandbox.forge import gitea, gitea_build

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gitea.Forge]:
    if gitea_build.built() is None:
        pytest.skip("no Gitea is built on this machine: make forge builds it, in about five minutes")
    with gitea.running(tmp_path_factory.mktemp("gitea")) as forge:
        for name in ("alice", "bob", "robot"):
            forge.user(name)
        yield forge


@pytest.fixture
def house(forge: gitea.Forge) -> House:
    return House.new(forge, f"specs-{next(_NUMBERS)}")


@pytest.fixture
def empty_house(forge: gitea.Forge) -> House:
    return House.new(forge, f"specs-{next(_NUMBERS)}", with_spec=False)
