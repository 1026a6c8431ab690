"""A repository of specs, a store that holds what it led to, and the pack that the command makes of both.

What the tests share beside it: `from evidence_world import run`.
"""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "unit")]

import sample_ledger as sample  # noqa: E402  after the path
from evidence_world import (  # noqa: E402
    BEGAN,
    DOMAIN,
    PERIOD,
    PROMOTED,
    Repository,
    lay_ledger,
    lay_versions,
    policy,
    run,
    spec,
)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """place, repository, store and the commits."""
    place = tmp_path_factory.mktemp("evidence")
    repository = Repository(place / "repository")
    first = repository.commit(spec("testing"), "A policy for contoso", BEGAN - timedelta(hours=1))
    more = 'suppress: {max-age-short-in-enforce: "a move is planned"}\n'
    second = repository.commit(spec("enforce", more), "Enforce: 60 clean days (#12)", PROMOTED - timedelta(minutes=20))
    store = place / "store"
    versions = [("v1-testing", BEGAN, policy("testing")), ("v2-enforce", PROMOTED, policy("enforce"))]
    lay_versions(store, DOMAIN, versions)
    lay_ledger(store, sample.contoso())
    return {"place": place, "repository": repository, "store": store, "commits": (first, second)}


@pytest.fixture(scope="session")
def made(world):
    """What the command printed, and the pack."""
    place = world["place"] / "pack"
    done = run(*PERIOD, "--store", world["store"], "--specs", "policy_specs", "--out", place, "--no-look",
               cwd=world["repository"].place)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done, place


@pytest.fixture(scope="session")
def small(world):
    """A zip of few octets: one policy, one report."""
    store = world["place"] / "small-store"
    lay_versions(store, DOMAIN, [("v2-enforce", PROMOTED, policy("enforce"))])
    lay_ledger(store, [next(sample.contoso())])
    place = world["place"] / "small"
    done = run(*PERIOD, "--store", store, "--specs", world["repository"].specs, "--out", place, "--no-look")
    assert done.returncode == 0, done.stderr
    return place.with_name("small.zip")
