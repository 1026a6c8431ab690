"""The CLI as a process: what it says is kept, and a run that hangs ends, with all that it started."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import deployment
from sandbox.deployment import Deployment, PulumiFailed

Pulumi = Callable[[str], Deployment]


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pulumi:
    """A deployment whose CLI is the shell script given."""

    def scripted(script: str) -> Deployment:
        command = tmp_path / "pulumi"
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)
        monkeypatch.setattr(deployment, "pulumi_command", lambda: command)
        return Deployment({}, tmp_path / "pulumi.log", tmp_path)

    return scripted


def is_gone(process: int, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_what_it_prints_is_the_answer_and_its_errors_are_told_when_it_fails(pulumi: Pulumi) -> None:
    done = pulumi("echo one; echo two >&2").up()
    assert done.output == "one\n"
    with pytest.raises(PulumiFailed, match="pulumi up --yes") as failed:
        pulumi("echo one; echo two >&2; exit 3").up()
    assert failed.value.output == "one\ntwo\n"


@pytest.mark.parametrize(
    "hang",
    [
        pytest.param("exec sleep 60", id="the CLI itself"),
        pytest.param("sleep 60 & echo $! > child; wait", id="a child that holds its output"),
        pytest.param("exec >&- 2>&-; exec sleep 60", id="with its output closed"),
    ],
)
@pytest.mark.timeout(30)
def test_a_run_that_hangs_is_ended_and_told_with_what_it_said(
    pulumi: Pulumi, hang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "RUN_SECONDS", 0.5)
    hanging = pulumi(f"echo begun; {hang}")
    with pytest.raises(PulumiFailed, match=r"begun\n(.|\n)*0.5 s"):
        hanging.up()
    child = tmp_path / "child"
    assert not child.exists() or is_gone(int(child.read_text()))
    assert "begun" in (tmp_path / "pulumi.log").read_text()


def test_a_run_that_somebody_else_kills_has_not_hung(pulumi: Pulumi) -> None:
    with pytest.raises(PulumiFailed) as failed:
        pulumi("echo begun; kill -9 $$").up()
    assert failed.value.output == "begun\n"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell's background job, as CI may be one, ignores the signal that Ctrl-C sends."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.timeout(30)
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_lets_the_run_end_in_order_and_waits_for_it(pulumi: Pulumi, tmp_path: Path) -> None:
    orderly = pulumi("trap 'kill $!; sleep 1; touch done; exit 1' TERM; sleep 60 & touch begun; wait")
    threading.Thread(target=interrupt, args=(tmp_path / "begun",)).start()
    with pytest.raises(KeyboardInterrupt):
        orderly.up()
    assert (tmp_path / "done").exists()


def interrupt(after: Path) -> None:
    while not after.exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
