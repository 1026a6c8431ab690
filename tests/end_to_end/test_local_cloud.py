"""The local cloud's life: one at a time, on loopback only, and nothing of it is left, however it ends."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.endpoints import Endpoints, NoSandbox
from sandbox.lifecycle import OutOfReach, living, start, stop
from sandbox.place import AlreadyRunning, Place

sys.path.append(str(Path(__file__).parent))
from processes import LOOPBACK, descendants, listening, of_folder

CONTRACT = {"dns", "https", "smtp", "rua_https", "aws", "cloudflare", "webhook", "control", "ca", "pulumi_env"}


def gone(folder: Path, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while of_folder(folder):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def own_place(tmp_path: Path) -> Place:
    return Place(tmp_path / "cloud")


def test_it_starts_once_listens_on_loopback_only_and_leaves_nothing(own_place: Place) -> None:
    endpoints = start(own_place)
    try:
        assert set(json.loads(own_place.endpoints.read_text())) >= CONTRACT
        assert Endpoints.read(own_place.endpoints) == endpoints
        holder = own_place.holder()
        assert holder is not None
        with pytest.raises(AlreadyRunning, match=str(holder)):
            start(own_place)
        addresses = listening(descendants(holder))
        assert len(addresses) >= 8
        assert set(addresses) <= LOOPBACK
    finally:
        assert stop(own_place)
    assert not of_folder(own_place.folder), "it was said to be gone and was not"
    assert not stop(own_place)
    with pytest.raises(NoSandbox):
        Endpoints.read(own_place.endpoints)


def test_a_killed_one_takes_its_children_along_and_can_be_started_again(own_place: Place) -> None:
    start(own_place)
    holder = own_place.holder()
    assert holder is not None
    assert len(descendants(holder)) > 1
    os.kill(holder, signal.SIGKILL)
    while own_place.holder() is not None:
        time.sleep(0.01)
    with pytest.raises(NoSandbox, match="is gone"):
        living(own_place)
    assert gone(own_place.folder), "the emulator outlives the process that started it"
    start(own_place)
    try:
        assert own_place.holder() not in (None, holder)
    finally:
        stop(own_place)


def test_a_start_that_is_interrupted_leaves_nothing(own_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "_is_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start(own_place)
    assert gone(own_place.folder, 5)


@pytest.mark.parametrize("holder", [0, -7])
def test_a_holder_that_has_no_number_here_is_left_alone(
    own_place: Place, holder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For `kill` 0 would be our own group, and -7 another one."""
    monkeypatch.setattr(Place, "holder", lambda _: holder)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("somebody else's process was ended"))
    with pytest.raises(OutOfReach, match="another container"):
        stop(own_place)
    assert "process" not in str(AlreadyRunning(holder))
