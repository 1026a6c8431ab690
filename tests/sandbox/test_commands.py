"""`python -m sandbox …`: what it says where no cloud runs, and that its lines fit a terminal."""

import socket
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from sandbox import __main__ as commands
from sandbox import account
from sandbox.endpoints import Endpoints
from sandbox.place import Place

COMMANDS = ("env", "report", "fault clear", "fault clock +1h", "fault hold-edge mta-sts.contoso.example")


def endpoints(port: int) -> Endpoints:
    """As of a cloud whose AWS emulator listens at `port`."""
    texts = {field.name: "http://127.0.0.1:45678/longer" for field in fields(Endpoints)}
    variables = account.environment(f"http://127.0.0.1:{port}")
    return Endpoints(**{**texts, "dns": "127.0.0.1:45678", "aws": f"http://127.0.0.1:{port}", "pulumi_env": variables})  # type: ignore[arg-type]


@pytest.fixture
def free_port() -> int:
    """Nothing listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path / "cloud")
    monkeypatch.setattr(commands, "SANDBOX", place)
    return place


@pytest.mark.parametrize("command", COMMANDS)
def test_after_a_kill_every_command_says_that_the_cloud_is_gone(command: str, place: Place, free_port: int) -> None:
    endpoints(free_port).write(place.endpoints)
    done = CliRunner().invoke(commands.cli, command.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is gone" in done.stderr
    assert "make sandbox-up" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_where_none_was_started_every_command_says_so(command: str, place: Place) -> None:
    done = CliRunner().invoke(commands.cli, command.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no sandbox is running" in done.stderr


def test_a_cloud_without_its_emulator_is_broken(place: Place, free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints(free_port).write(place.endpoints)
    monkeypatch.setattr(Place, "holder", lambda _: 1)
    done = CliRunner().invoke(commands.cli, ["env"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "make sandbox-down" in done.stderr


def test_down_after_a_kill_tells_of_it_once(place: Place, free_port: int) -> None:
    endpoints(free_port).write(place.endpoints)
    assert "gone already" in CliRunner().invoke(commands.cli, ["down"]).stdout
    assert "none running" in CliRunner().invoke(commands.cli, ["down"]).stdout


def test_the_environment_leads_any_aws_program_here(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "holder", lambda _: 1)
    with socket.create_server(("127.0.0.1", 0)) as emulator:
        port = emulator.getsockname()[1]
        endpoints(port).write(place.endpoints)
        lines = CliRunner().invoke(commands.cli, ["env"]).stdout.splitlines()
    assert {f"export AWS_REGION={account.REGION}", f"export AWS_DEFAULT_REGION={account.REGION}"} <= set(lines)
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{port}" in lines
    assert lines[0].split()[0] == "unset"
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN"} <= set(lines[0].split())


def test_what_up_prints_fits_a_terminal_and_names_the_ways_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "REPOSITORY", place.folder)
    monkeypatch.setattr(commands.sys, "executable", str(place.folder / ".venv" / "bin" / "python"))
    text = commands._help(endpoints(45678))
    assert [line for line in text.splitlines() if len(line) > 80] == []
    named = {line.split()[0] for line in text.splitlines() if line and not line.startswith(" ")}
    assert named >= {"dns", "https", "smtp", "aws", "alerts", "report", "pulumi", "faults", "stop"}
