"""A Gitea that runs for a while on loopback, its data in a folder: users, tokens and repositories over its API."""

import base64
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.forge.gitea_build import NoForge, gitea

_START_SECONDS = 90
_OPERATOR = "operator"
_SETTINGS = """
RUN_MODE = prod
APP_NAME = sandbox

[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
DISABLE_SSH = true
OFFLINE_MODE = true
STATIC_ROOT_PATH = {static}
APP_DATA_PATH = {data}

[database]
DB_TYPE = sqlite3
PATH = {data}/gitea.db

[repository]
ROOT = {data}/repositories
DEFAULT_BRANCH = main

[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
PASSWORD_HASH_ALGO = pbkdf2$1000$32

[service]
DISABLE_REGISTRATION = true

[indexer]
ISSUE_INDEXER_TYPE = db

[log]
MODE = file
LEVEL = warn
ROOT_PATH = {data}/log

[mailer]
ENABLED = false

[cron]
ENABLED = false

[actions]
ENABLED = false
"""


@dataclass(frozen=True, slots=True)
class Forge:
    """url: without a `/` at its end. Whoever is asked for acts with the password of the one operator or their own."""

    url: str
    passwords: dict[str, str] = field(repr=False)

    def user(self, name: str) -> str:
        """A new user's name, who may sign in."""
        self.passwords[name] = secrets.token_urlsafe(16)
        wanted = {
            "username": name,
            "email": f"{name}@users.example",
            "password": self.passwords[name],
            "must_change_password": False,
        }
        self.ask("POST", "/admin/users", wanted)
        return name

    def token(self, user: str, scopes: list[str]) -> str:
        """A new one of this user. scopes: as https://docs.gitea.com/development/oauth2-provider#scopes has them."""
        wanted = {"name": secrets.token_hex(8), "scopes": scopes}
        return str(self.ask("POST", f"/users/{user}/tokens", wanted, user)["sha1"])

    def repository(self, owner: str, name: str) -> str:
        """A new one with one commit on `main`, as `owner/name`."""
        wanted = {"name": name, "auto_init": True, "default_branch": "main"}
        self.ask("POST", "/user/repos", wanted, owner)
        return f"{owner}/{name}"

    def ask(self, method: str, path: str, body: object = None, user: str = _OPERATOR) -> Any:
        """What the API answers this user. Raises urllib.error.HTTPError."""
        data = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, method=method)  # noqa: S310  our own address
        known = base64.b64encode(f"{user}:{self.passwords[user]}".encode()).decode("ascii")
        request.add_header("Authorization", f"Basic {known}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  the same
            content = response.read()
        return json.loads(content) if content else None


@contextmanager
def running(folder: Path) -> Iterator[Forge]:
    """A Gitea with its data in `folder`, an empty one. It ends with the block. Raises NoForge."""
    program, port = gitea(), _free_port()
    settings = folder / "app.ini"
    secret = secrets.token_hex(32)
    settings.write_text(_SETTINGS.format(port=port, static=program.parent, data=folder / "data", secret=secret))
    environment = {
        **os.environ,
        "GITEA_WORK_DIR": str(folder),
        "HOME": str(folder),
        # It refuses to run as root unless told so. In a container everybody is, and it listens to this machine alone.
        "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true",
    }
    command = [str(program), "--config", str(settings)]
    password = secrets.token_urlsafe(16)
    with (folder / "output").open("w") as output:
        _operator(command, environment, password)
        with subprocess.Popen([*command, "web"], env=environment, stdout=output, stderr=output) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                _until_it_answers(f"{url}/api/v1/version", process, folder)
                yield Forge(url, {_OPERATOR: password})
            finally:
                process.terminate()


def _operator(command: list[str], environment: dict[str, str], password: str) -> None:
    """The first user, by the program itself: there is nobody yet who could ask the API."""
    who = ["--username", _OPERATOR, "--password", password, "--email", "operator@users.example"]
    for each in (["migrate"], ["admin", "user", "create", "--admin", "--must-change-password=false", *who]):
        done = subprocess.run([*command, *each], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoForge(f"gitea {' '.join(each[:3])} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _until_it_answers(url: str, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  our own address
            return
        except OSError:
            time.sleep(0.1)
    raise NoForge(f"Gitea does not answer:\n{(folder / 'output').read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
