"""Who reviewed a policy, as a real Gitea tells, in a pack of `mailtls evidence`."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from house import House

from mailtls.cli.main import main

pytestmark = pytest.mark.forge
DOMAIN = "contoso.example"
PATH = f"policy_specs/{DOMAIN}.yaml"


def spec(mode: str) -> str:
    return f"policy_domain: {DOMAIN}\nmta_sts:\n  mode: {mode}\n  mx: [mx1.{DOMAIN}]\n  max_age: 1d\nowner: bob\n"


def policy(mode: str) -> bytes:
    return f"version: STSv1\nmode: {mode}\nmx: mx1.{DOMAIN}\nmax_age: 86400\n".encode()


def served(store: Path, versions: list[tuple[str, datetime, bytes]]) -> None:
    folder = store / "policies" / DOMAIN
    folder.mkdir(parents=True)
    listed = []
    for version_id, moment, body in reversed(versions):
        (folder / version_id).write_bytes(body)
        key = f"{DOMAIN}/.well-known/mta-sts.txt"
        listed.append({"Key": key, "VersionId": version_id, "LastModified": moment.isoformat(), "Size": len(body)})
    (folder / "versions.json").write_text(json.dumps({"Versions": listed}))


def clone(house: House, folder: Path) -> None:
    url = house.remote().url.replace("://", f"://robot:{house.token}@")
    for command in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("fetch", "--quiet", url, "main"),
        ("reset", "--quiet", "--hard", "FETCH_HEAD"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)


def test_the_pull_request_and_its_approval_stand_beside_the_policy(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.write(PATH, spec("testing"))
    house.as_alice("POST", "/branches", {"new_branch_name": "enforce", "old_branch_name": "main"})
    house.write(PATH, spec("enforce"), branch="enforce")
    asked = house.as_alice("POST", "/pulls", {"base": "main", "head": "enforce", "title": "Enforce contoso"})
    number = asked["number"]
    house.as_alice("POST", f"/pulls/{number}/reviews", {"event": "REQUEST_CHANGES", "body": "wait"}, user="bob")
    house.as_alice("POST", f"/pulls/{number}/reviews", {"event": "APPROVED", "body": "now"}, user="bob")
    house.merge(number, "squash")

    place, store, pack = tmp_path / "clone", tmp_path / "store", tmp_path / "pack"
    place.mkdir()
    clone(house, place)
    now = datetime.now(UTC)
    served(store, [("v1", now - timedelta(days=2), policy("none")), ("v2", now, policy("enforce"))])
    monkeypatch.chdir(place)
    url = house.remote().url.removesuffix(".git")
    done = CliRunner().invoke(
        main,
        ["evidence", "--from", f"{now - timedelta(days=3):%F}", "--store", str(store), "--no-look", "--out", str(pack),
         "--reviews", "--repository", url, "--forge", "gitea"],
        catch_exceptions=False,
        env={"MAILTLS_FORGE_TOKEN": house.token},
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    by_hand, enforced = json.loads((pack / "domains" / DOMAIN / "evidence.json").read_text())["policies"]
    assert (by_hand["change"], by_hand["review"]) == (None, None)  # no commit ever asked for mode none
    assert enforced["change"]["spec"] == PATH
    assert enforced["review"] == {
        "url": asked["html_url"],
        "author": "alice",
        "merged_by": "alice",
        "approved_by": ["bob"],
    }
    assert "approved by bob" in (pack / "domains" / DOMAIN / "evidence.html").read_text()
    assert CliRunner().invoke(main, ["evidence", "verify", str(pack), "--repository", str(place)]).exit_code == 0


def test_a_commit_without_a_pull_request_has_no_review(house: House) -> None:
    house.write(PATH, spec("testing"))
    head = house.branches()["main"]
    assert house.client().merged_with(head) is None
