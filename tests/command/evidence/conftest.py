"""A repository of specs, a store that holds what it led to, and the pack that the command makes of both."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "unit")]

import sample_ledger as sample  # noqa: E402  after the path

from mailtls.tls_rpt.report import report_key  # noqa: E402

DOMAIN = "contoso.example"
PERIOD = ("--from", "2026-08-03", "--to", "2026-10-31")
PROMOTED = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
"""Thirty days before the last one: sample_ledger's reports name enforce from then on."""
BEGAN = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def spec(mode, more=""):
    return (
        f"policy_domain: {DOMAIN}\nowner: mail-team\n{more}mta_sts:\n  mode: {mode}\n"
        f"  mx: [mx1.{DOMAIN}, mx2.{DOMAIN}]\n  max_age: 1d\n"
    )


def policy(mode):
    return f"version: STSv1\nmode: {mode}\nmx: mx1.{DOMAIN}\nmx: mx2.{DOMAIN}\nmax_age: 86400\n".encode()


class Repository:
    """Specs in Git, committed when they are said to be."""

    def __init__(self, place):
        self.place = place
        self.specs = place / "policy_specs"
        self.specs.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments, **environment):
        return subprocess.run(
            ["git", "-c", "user.name=Alice Example", "-c", "user.email=alice@contoso.example", *arguments],
            cwd=self.place, check=True, capture_output=True, text=True, env={**os.environ, **environment},
        ).stdout.strip()  # fmt: skip

    def commit(self, text, subject, at):
        (self.specs / f"{DOMAIN}.yaml").write_text(text)
        self.git("add", "-A")
        when = at.isoformat()
        self.git("commit", "-q", "-m", subject, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        return self.git("rev-parse", "HEAD")


def lay_versions(store, domain, versions):
    """versions: id, moment, body; newest last."""
    folder = store / "policies" / domain
    folder.mkdir(parents=True)
    listed = []
    for version_id, moment, body in reversed(versions):
        (folder / version_id).write_bytes(body)
        key = f"{domain}/.well-known/mta-sts.txt"
        listed.append({"Key": key, "VersionId": version_id, "LastModified": moment.isoformat(), "Size": len(body)})
    (folder / "versions.json").write_text(json.dumps({"Versions": listed}))


def lay_ledger(store, entries):
    for entry in entries:
        key = report_key(entry.report, entry.policy_domain, entry.signer)
        (store / key).parent.mkdir(parents=True, exist_ok=True)
        (store / key).write_bytes(entry.render())


def rewritten(place, change):
    """As somebody who knows how a pack is made: the manifest is made again."""
    change()
    files = [path for path in place.rglob("*") if path.is_file() and path.name != "MANIFEST.sha256"]
    named = sorted((path.relative_to(place).as_posix(), path) for path in files)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n" for name, path in named]
    (place / "MANIFEST.sha256").write_text("".join(lines))


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


def run(*arguments, cwd=None):
    return subprocess.run([sys.executable, "-m", "mailtls.cli", "evidence", *map(str, arguments)], cwd=cwd,
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip


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
