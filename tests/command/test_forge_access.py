"""Which forge, repository and token a run uses: from options, from a CI job, from the clone."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from mailtls.cli.forge_access import forge_access
from mailtls.cli.trouble import Trouble
from mailtls.propose.forges.gitea import Gitea
from mailtls.propose.forges.github import GitHub
from mailtls.propose.forges.gitlab import GitLab

OF_A_JOB = (
    "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITLAB_CI",
    "CI_PROJECT_URL", "CI_SERVER_URL", "GITHUB_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN",
)  # fmt: skip


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in OF_A_JOB:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAILTLS_FORGE_TOKEN", "t0ken")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "policy_specs").mkdir()
    return tmp_path / "policy_specs"


def origin(specs: Path, url: str) -> None:
    subprocess.run(["git", "-C", str(specs), "remote", "add", "origin", url], check=True)


@pytest.mark.parametrize(
    ("url", "https", "kind", "api"),
    [
        ("git@github.com:contoso/mail.git", "https://github.com/contoso/mail.git", GitHub, "https://api.github.com"),
        ("ssh://git@gitlab.com:22/a/b/mail.git", "https://gitlab.com/a/b/mail.git", GitLab, "https://gitlab.com/api/v4"),
        ("https://alice:secret@codeberg.org/a/mail", "https://codeberg.org/a/mail.git", Gitea,
         "https://codeberg.org/api/v1"),
    ],
)  # fmt: skip
def test_the_clone_knows_its_forge(specs: Path, url: str, https: str, kind: type[Any], api: str) -> None:
    origin(specs, url)
    access = forge_access(specs, None, None, None)
    assert access.remote.url == https
    assert isinstance(access.forge, kind)
    assert access.forge.api.url == api  # type: ignore[attr-defined]
    assert access.path_of(specs / "contoso.example.yaml") == "policy_specs/contoso.example.yaml"


@pytest.mark.parametrize(
    ("job", "kind", "api"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://ghe.contoso.example", "GITHUB_REPOSITORY": "a/b"},
         GitHub, "https://ghe.contoso.example/api/v3"),
        ({"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.contoso.example",
          "GITHUB_REPOSITORY": "a/b"}, Gitea, "https://git.contoso.example/api/v1"),
        ({"GITLAB_CI": "true", "CI_PROJECT_URL": "https://contoso.example/gitlab/a/b",
          "CI_SERVER_URL": "https://contoso.example/gitlab"}, GitLab, "https://contoso.example/gitlab/api/v4"),
    ],
)  # fmt: skip
def test_a_job_knows_its_repository(
    specs: Path, monkeypatch: pytest.MonkeyPatch, job: dict[str, str], kind: type[Any], api: str
) -> None:
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    access = forge_access(specs, None, None, None)
    assert isinstance(access.forge, kind)
    assert access.forge.api.url == api  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("repository", "kind", "told"),
    [
        (None, None, "the clone has no `origin`"),
        ("https://git.contoso.example/a/b", None, "which forge answers at git.contoso.example"),
        ("http://git.contoso.example/a/b", "gitea", "is not an https address"),
        ("https://git.contoso.example/only", "gitea", "is no repository on a forge"),
        ("https://alice:secret@git.contoso.example/a/b", "gitea", "holds a name or a password"),
        ("file:///srv/mail/a.git", "gitea", "is no repository on a forge"),
    ],
)
def test_what_cannot_be_used_says_what_to_write(
    specs: Path, repository: str | None, kind: str | None, told: str
) -> None:
    with pytest.raises(Trouble, match=told) as raised:
        forge_access(specs, repository, kind, None)
    assert "secret" not in str(raised.value)


def test_a_folder_that_is_no_clone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(Trouble, match="proposals need a clone"):
        forge_access(tmp_path, "https://github.com/a/b", None, None)


def test_a_token_that_no_forge_gives_is_told_and_not_shown(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILTLS_FORGE_TOKEN", "t0ken\nmore")
    with pytest.raises(Trouble, match="the token holds") as raised:
        forge_access(specs, "https://github.com/a/b", None, None)
    assert "t0ken" not in str(raised.value)
