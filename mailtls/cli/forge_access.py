"""The forge on which proposals are made: from options, from what a CI job knows of itself, or from the clone."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.propose.branches import Remote
    from mailtls.propose.forges.forge import Forge

_F = TypeVar("_F", bound=Callable[..., Any])

KINDS = ("github", "gitlab", "gitea")
_KNOWN_HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "codeberg.org": "gitea", "gitea.com": "gitea"}
_USERS = {"github": "x-access-token", "gitlab": "oauth2", "gitea": "mailtls"}
"""What Git's HTTPS wants beside a token."""
_TOKENS = {
    "github": ("MAILTLS_FORGE_TOKEN", "GITHUB_TOKEN"),
    "gitlab": ("MAILTLS_FORGE_TOKEN", "GITLAB_TOKEN"),
    "gitea": ("MAILTLS_FORGE_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN"),  # Gitea's own jobs have the last one
}
_SSH = re.compile(r"(?:ssh://)?(?:[^@/\s]+@)?([^:/\s]+)(?::\d+/|[:/])(\S+)")
_GIT_LIMIT = 30
"""Seconds."""
_OPTIONS = (
    click.option(
        "--repository",
        metavar="URL",
        help="Of the forge, https://host/owner/name. Left out: what the CI job says, or the clone's `origin`.",
    ),
    click.option(
        "--forge", "kind", type=click.Choice(KINDS), help="What answers there, where the host's name does not tell."
    ),
    click.option("--base", metavar="BRANCH", help="What proposals ask for. Left out: the repository's default branch."),
)


def repository_options(function: _F) -> _F:
    """Adds those that say which repository; their values come as `repository`, `kind`."""
    for option in reversed(_OPTIONS[:2]):
        function = option(function)
    return function


def forge_options(function: _F) -> _F:
    """Adds the options; their values come as `repository`, `kind`, `base`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class ForgeAccess:
    """One repository on one forge. base: the branch that proposals ask for, None: its default branch.
    top: the root of the clone that holds the specs."""

    forge: "Forge"
    remote: "Remote"
    base: str | None
    top: Path

    def path_of(self, file: Path) -> str:
        """In the repository, with `/` between its parts. Raises ForgeError."""
        from mailtls.propose.forges.forge import Refused

        try:
            return file.resolve().relative_to(self.top).as_posix()
        except ValueError as e:
            raise Refused(f"{file} is a link out of the clone {self.top}; no proposal can change it") from e


def forge_access(specs: Path, repository: str | None, kind: str | None, base: str | None) -> ForgeAccess:
    """The forge of the clone in which `specs` lies; the arguments are the options. Raises Trouble."""
    from mailtls.propose.branches import Remote
    from mailtls.propose.forges.forge import ForgeError
    from mailtls.propose.forges.rest import guard_transport

    place = next((above for above in (specs, *specs.absolute().parents) if above.is_dir()), specs)
    top = Path(_git(place, "rev-parse", "--show-toplevel")).resolve()
    url = (repository or _of_the_job() or _https(_git(place, "remote", "get-url", "origin"))).rstrip("/")
    url = url.removesuffix(".git")
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "/" not in parts.path.strip("/"):
        raise Trouble(f"{url!r} is no repository on a forge; write --repository https://host/owner/name")
    if parts.username or parts.password:
        raise Trouble("--repository holds a name or a password; write it without, the token has a variable of its own")
    kind = kind or _kind(parts.hostname)
    token = _token(kind)
    try:
        guard_transport(url)
        return ForgeAccess(_forge(kind, url, token), Remote(f"{url}.git", _USERS[kind], token), base, top)
    except ForgeError as e:
        raise Trouble(str(e)) from e


def _forge(kind: str, url: str, token: str) -> "Forge":
    parts = urlsplit(url)
    root, path = f"{parts.scheme}://{parts.netloc}", parts.path.strip("/")
    if kind == "github":
        from mailtls.propose.forges.github import API, GitHub

        return GitHub.of(path, token, API if parts.hostname == "github.com" else f"{root}/api/v3")
    if kind == "gitlab":
        from mailtls.propose.forges.gitlab import GitLab

        server = os.environ.get("CI_SERVER_URL", "").rstrip("/")  # may be below a path of its host
        if server and url.startswith(f"{server}/"):
            return GitLab.of(url.removeprefix(f"{server}/"), token, server)
        return GitLab.of(path, token, root)
    from mailtls.propose.forges.gitea import Gitea

    *below, owner, name = path.split("/")
    return Gitea.of("/".join([root, *below]), f"{owner}/{name}", token)


def _of_the_job() -> str:
    """The repository that a CI job runs for, "" outside of one."""
    env = os.environ
    if env.get("GITHUB_SERVER_URL") and env.get("GITHUB_REPOSITORY"):
        return f"{env['GITHUB_SERVER_URL']}/{env['GITHUB_REPOSITORY']}"
    return env.get("CI_PROJECT_URL", "")


def _https(url: str) -> str:
    """A clone's address as a forge has it for HTTPS."""
    if "://" in url and not url.startswith("ssh://"):
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    match = _SSH.fullmatch(url)
    return f"https://{match[1]}/{match[2]}" if match else url


def _kind(host: str) -> str:
    env = os.environ
    if env.get("GITEA_ACTIONS") or env.get("FORGEJO_ACTIONS"):
        return "gitea"
    known = _KNOWN_HOSTS.get(host)
    if known:
        return known
    if env.get("GITHUB_ACTIONS"):
        return "github"
    if env.get("GITLAB_CI"):
        return "gitlab"
    raise Trouble(f"which forge answers at {host}? Write --forge {' or '.join(KINDS)}")


def _token(kind: str) -> str:
    names = _TOKENS[kind]
    token = next((os.environ[name] for name in names if os.environ.get(name)), "")
    if not token:
        raise Trouble(
            f"a proposal needs a token: put one into {' or '.join(names)}; docs/controller.md tells its least rights"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Trouble("the token holds a space, a line end or a character that no token has; set it anew")
    return token


def _git(place: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=place, capture_output=True, text=True, timeout=_GIT_LIMIT, check=False
        )
    except FileNotFoundError as e:
        raise Trouble("the git program is not installed, or not on the PATH") from e
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Trouble(f"git {arguments[0]} in {place}: {e}") from e
    if done.returncode == 0:
        return done.stdout.strip()
    if arguments[0] == "remote":
        raise Trouble(f"{place}: the clone has no `origin`; write --repository https://host/owner/name")
    said = " ".join(done.stderr.split()).removeprefix("fatal: ")
    raise Trouble(f"{place}: proposals need a clone of the repository that holds the specs ({said[:200]})")
