"""Start and stop the local cloud's process; one per folder."""

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.cloud.start import REQUIREMENTS
from sandbox.endpoints import Endpoints, NoSandbox
from sandbox.engine.environments import environment
from sandbox.place import REPOSITORY, AlreadyRunning, Place

START_SECONDS = 180
STOP_SECONDS = 20


_started: dict[Place, subprocess.Popen[bytes]] = {}
"""Children of this process: somebody has to wait for them when they end."""


class NotStarted(RuntimeError):
    """The local cloud did not come up; the text has the end of its log."""


class OutOfReach(RuntimeError):
    """The local cloud runs where this process cannot end it."""


def start(place: Place, *, bound: bool = False) -> Endpoints:
    """Start the local cloud of `place` from nothing: state and logs of an earlier one are removed.

    bound: it ends with this process, however that ends; else it lives until `stop`.
    The first time it installs the emulator. Raises AlreadyRunning, NotStarted, EnvironmentFailed.
    """
    if (holder := place.holder()) is not None:
        raise AlreadyRunning(holder)
    _reap(place)
    for old in (place.state, place.pulumi_home, place.logs):
        shutil.rmtree(old, ignore_errors=True)
    place.endpoints.unlink(missing_ok=True)
    place.logs.mkdir(parents=True)
    environment("emulator", REQUIREMENTS)  # once; here, where its user sees what takes so long
    log = place.logs / "local_cloud.log"
    command = [sys.executable, "-m", "sandbox.local_cloud", "--folder", str(place.folder)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command + (["--parent", str(os.getpid())] if bound else []),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal is for us to handle
        )
    try:
        if _is_ready(place, process, log):
            _started[place] = process
            return Endpoints.read(place.endpoints)
    except BaseException:  # Ctrl-C
        process.kill()
        process.wait()
        raise
    if process.poll() == 3:
        raise AlreadyRunning(place.holder() or 0)
    process.kill()
    process.wait()
    told = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise NotStarted(f"the local cloud did not start ({log}):\n{told}")


def _is_ready(place: Place, process: subprocess.Popen[bytes], log: Path) -> bool:
    """Waits; False when it has ended, or takes too long."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if place.endpoints.exists() and b"READY" in log.read_bytes():
            return True
        time.sleep(0.05)
    return False


def living(place: Place) -> Endpoints:
    """Of the local cloud that runs in `place`. Raises NoSandbox, also where a killed one has left its file behind."""
    if place.holder() is None and place.endpoints.exists():
        raise NoSandbox(
            "the sandbox is gone: its process was killed, and what was deployed in it is lost\n"
            "start a new one with: make sandbox-up"
        )
    endpoints = Endpoints.read(place.endpoints)
    if not _answers(endpoints.aws):
        raise NoSandbox(
            "the sandbox is broken: its AWS emulator is gone, and what was deployed in it is lost\n"
            "stop the rest with: make sandbox-down; then start a new one with: make sandbox-up"
        )
    return endpoints


def _answers(url: str) -> bool:
    """Does anything listen there?"""
    where = urlsplit(url)
    try:
        with socket.create_connection((where.hostname or "", where.port or 80), 5):
            return True
    except OSError:
        return False


def stop(place: Place) -> bool:
    """End the local cloud of `place` and all that it started; it is gone when this returns. False: there was none.

    Raises OutOfReach.
    """
    listening = Endpoints.read(place.endpoints).aws if place.endpoints.exists() else None
    stopped = _stop(place)
    end = time.monotonic() + STOP_SECONDS
    while listening is not None and _answers(listening):  # a killed cloud's emulator ends a moment after it
        if time.monotonic() > end:
            raise OutOfReach(f"the AWS emulator still listens at {listening}; see {place.logs / 'emulator.log'}")
        time.sleep(0.05)
    return stopped


def _stop(place: Place) -> bool:
    holder = place.holder()
    if holder is None:
        place.endpoints.unlink(missing_ok=True)
        return False
    if holder <= 0:  # so the kernel calls what it cannot name here; for `kill` these are whole groups, ours among them
        raise OutOfReach(f"{place.folder} is held by a process of another container or machine; stop it there")
    with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
        process = os.pidfd_open(holder)
        try:
            os.kill(holder, signal.SIGTERM)
            if not _has_ended(process):
                os.kill(holder, signal.SIGKILL)
                if not _has_ended(process):
                    raise OutOfReach(f"process {holder} of {place.folder} does not end")
        finally:
            os.close(process)
    _reap(place)
    place.endpoints.unlink(missing_ok=True)
    return True


def _has_ended(process: int) -> bool:
    """Waits. process: a descriptor of it, which becomes readable at its end."""
    poller = select.poll()
    poller.register(process, select.POLLIN)
    return bool(poller.poll(STOP_SECONDS * 1000))


def _reap(place: Place) -> None:
    """Its lock is gone, so it is ending or has ended."""
    if (process := _started.pop(place, None)) is not None:
        process.wait()


@contextmanager
def running(place: Place) -> Iterator[Endpoints]:
    """A local cloud for the time of a block, gone afterwards."""
    endpoints = start(place, bound=True)
    try:
        yield endpoints
    finally:
        stop(place)
