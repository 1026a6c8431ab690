"""The emulator's process: it proves its patches, listens on loopback only, ends with its parent, leaves nothing."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox import account
from sandbox.cloud.start import REQUIREMENTS, Emulator, EmulatorNotStarted, start_emulator
from sandbox.control import ControlError, ask
from sandbox.engine.environments import environment
from sandbox.place import REPOSITORY

STARTS_AND_IS_KILLED = """
import os, sys
from pathlib import Path
from sandbox.cloud.start import start_emulator
emulator = start_emulator("127.0.0.1:9", None, None, Path(sys.argv[1]))
print(emulator.process.pid, emulator.endpoint, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), 9)
"""

SLEEPS = """
import os, pathlib, time
def handler(event, context):
    pathlib.Path(os.environ["MARK"]).touch()
    time.sleep(120)
"""


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    python = str(environment("emulator", REQUIREMENTS))
    command = [python, "-P", "-m", "sandbox.cloud.emulator", "--dns", "127.0.0.1:9", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=300)


def test_without_its_patches_every_proof_fails() -> None:
    run, listed = _process("--unpatched"), _process("--list")
    names = [patch["name"] for patch in json.loads(listed.stdout)]
    failed = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("patch ")]
    assert run.returncode == 2
    assert failed == names


def test_a_dead_start_is_told_with_the_logs_end(tmp_path: Path) -> None:
    with pytest.raises(EmulatorNotStarted, match="ADDRESS:PORT"):
        start_emulator("nowhere", None, None, tmp_path / "emulator.log")


def test_it_listens_on_loopback_only(emulator: Emulator) -> None:
    port = int(emulator.endpoint.rsplit(":", 1)[1])
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].rsplit(":", 1)[1], 16) == port
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_it_ends_with_its_parent_and_takes_a_busy_function_with_it(tmp_path: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_IS_KILLED, str(tmp_path / "emulator.log")],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    assert starter.stdin is not None
    pid, endpoint = starter.stdout.readline().split()
    _invoke_sleeper(endpoint, int(pid), tmp_path / "asleep")
    group = _group(int(pid))
    starter.communicate("\n")
    assert starter.returncode == -signal.SIGKILL
    _wait_until(lambda: not any(_alive(process) for process in group))


def test_stop_ends_a_busy_function_too(tmp_path: Path) -> None:
    started = start_emulator("127.0.0.1:9", None, None, tmp_path / "emulator.log")
    _invoke_sleeper(started.endpoint, started.process.pid, tmp_path / "asleep")
    group = _group(started.process.pid)
    started.stop()
    assert not any(_alive(process) for process in group)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["asleep", "emulator.log"]


def test_leftovers_come_and_go_with_resources(tmp_path: Path) -> None:
    started = start_emulator("127.0.0.1:9", None, None, tmp_path / "emulator.log")
    try:
        assert _leftovers(started) == []
        queues, zones = account.client("sqs", started.endpoint), account.client("route53", started.endpoint)
        url = queues.create_queue(QueueName="reports")["QueueUrl"]
        zone = zones.create_hosted_zone(Name="contoso.example", CallerReference="1")["HostedZone"]["Id"]
        assert [text.split()[:2] for text in _leftovers(started)] == [["route53", "zones"], ["sqs", "queues"]]
        queues.delete_queue(QueueUrl=url)
        zones.delete_hosted_zone(Id=zone)
        assert _leftovers(started) == []
        queues.create_queue(QueueName="reports")
        ask(started.endpoint, "POST", "/_sandbox/reset")
        assert _leftovers(started) == []
    finally:
        started.stop()


def test_unknown_private_paths_and_arguments_are_refused(emulator: Emulator) -> None:
    with pytest.raises(ControlError, match="there is no GET /_sandbox/nothing"):
        ask(emulator.endpoint, "GET", "/_sandbox/nothing")
    with pytest.raises(ControlError, match="offset"):
        ask(emulator.endpoint, "POST", "/_sandbox/clock", seconds=5)


def _leftovers(emulator: Emulator) -> list[str]:
    found: list[str] = ask(emulator.endpoint, "GET", "/_sandbox/leftovers")
    return found


def _invoke_sleeper(endpoint: str, emulator: int, mark: Path) -> None:
    """Leaves a function in the middle of its work, as the one child of the emulator's process."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = account.client("iam", endpoint).create_role(
        RoleName="sleeper", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("index.py", SLEEPS)
    functions: Any = account.client("lambda", endpoint)
    functions.create_function(
        FunctionName="sleeper",
        Runtime="python3.11",
        Role=role,
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=120,
        Environment={"Variables": {"MARK": str(mark)}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="sleeper")
    functions.invoke(FunctionName="sleeper", InvocationType="Event", Payload=b"{}")
    _wait_until(mark.exists)
    assert len(_group(emulator)) == 2


def _group(leader: int) -> list[int]:
    """The processes of the leader's group."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if os.getpgid(int(folder.name)) == leader:
                    found.append(int(folder.name))
            except ProcessLookupError:
                continue
    return found


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
