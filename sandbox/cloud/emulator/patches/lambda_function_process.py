"""One execution environment of a function: a process with the deployed zip and the runtime's packages, nothing of ours.

The stock emulator gives the function the emulator's own environment and everything that is installed beside it, and
loses log lines that come late.
"""

import contextlib
import io
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import new_uuid

from sandbox.cloud.emulator.clock import CLOCK

INIT_SECONDS = 10.0
"""AWS gives the code outside the handler so long."""
LOOK_SECONDS = 0.02
"""From one look at the process's memory to the next."""
LOG_SECONDS = 5.0
"""For what a function has printed to come through the pipe."""
RESPONSE_BYTES = 6 * 1024 * 1024
_CHILD = Path(__file__).with_name("lambda_function_child.py")
_RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What AWS's Python runtimes bring along."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """value: the result as JSON text; error: instead of it. log: lines, each with its time in milliseconds."""

    value: str | None
    error: Mapping[str, Any] | None
    log: tuple[tuple[int, str], ...]


@dataclass(slots=True)
class _Running:
    """requests, results: descriptors. ready: the code is loaded.

    complete: the line `end` has come, which closes off an invocation's log, or nothing more will come.
    """

    process: subprocess.Popen[bytes]
    requests: int
    results: int
    ready: bool = False
    lines: list[tuple[int, str]] = field(default_factory=list)
    end: str = ""
    complete: threading.Event = field(default_factory=threading.Event)


class _TimeIsUp(Exception):
    """After so many seconds the process was still at work."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Gone(Exception):
    """The process has ended."""


class _TooMuchMemory(Exception):
    """The process holds more than the function's MemorySize."""


class FunctionProcess:
    """What ministack keeps in its pool of workers: it leases, invokes, and ends those that it no longer needs."""

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        self.func_name = func_name
        self.config = config
        self.in_use = False
        self.last_used = time.time()
        self.log_stream = (
            f"{time.strftime('%Y/%m/%d', time.gmtime(CLOCK.now()))}/[$LATEST]{new_uuid().replace('-', '')}"
        )
        self._code = code_zip
        self._folder: Path | None = None
        self._running: _Running | None = None
        self._working = threading.Lock()
        self._ended = False

    # ministack reads and clears it when it ends a worker, also one that is at work in another thread
    @property
    def _proc(self) -> subprocess.Popen[bytes] | None:
        return self._running.process if self._running else None

    @_proc.setter
    def _proc(self, process: None) -> None:
        self._ended = True
        if self._working.acquire(blocking=False):
            self._forget()
            self._working.release()

    def _forget(self) -> None:
        """Closes the descriptors. While `_working` is held: a closed number is soon another's."""
        if self._running is not None:
            os.close(self._running.requests)
            os.close(self._running.results)
            self._running = None

    def _discard_tmpdir(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def invoke(self, event: Any, request_id: str) -> Outcome:
        """One invocation; one at a time. After a timeout or a crash the next one starts a new process."""
        with self._working:
            try:
                return self._invoke(event, request_id)
            finally:
                if self._ended:
                    self._forget()

    def _invoke(self, event: Any, request_id: str) -> Outcome:
        running = self._running
        if running is None or running.process.poll() is not None:
            running = self._start()
        try:
            if not running.ready:
                self._read_line(running, INIT_SECONDS)
                running.ready = True
            answer = self._exchange(running, event, request_id)
        except (_TimeIsUp, _Gone, _TooMuchMemory) as e:
            answer = {"error": self._end(running, request_id, e)}
        lines, running.lines = tuple(running.lines), []
        return Outcome(answer.get("value"), answer.get("error"), lines)

    def _exchange(self, running: _Running, event: Any, request_id: str) -> dict[str, Any]:
        """The child's answer. Raises _TimeIsUp, _Gone."""
        running.end = f"\0{request_id}\0\n"
        running.complete.clear()
        seconds = float(self.config["Timeout"])
        request = {
            "event": event,
            "request_id": request_id,
            "arn": self.config["FunctionArn"],
            "seconds": seconds,
            "offset": CLOCK.offset,
            "end": running.end,
        }
        # beside the reading: a function that does not read takes in no more than a pipe's length
        data = json.dumps(request).encode() + b"\n"
        threading.Thread(target=_write_all, args=(os.dup(running.requests), data), daemon=True).start()
        answer: dict[str, Any] = json.loads(self._read_line(running, seconds))
        running.complete.wait(LOG_SECONDS)
        if len(answer.get("value") or "") > RESPONSE_BYTES:
            return {"error": _error("Function.ResponseSizeTooLarge", "Response payload size exceeded")}
        return answer

    def _read_line(self, running: _Running, seconds: float) -> bytes:
        """A line with its end. Raises _TimeIsUp, _Gone when the other side has closed, and _TooMuchMemory: as on AWS
        the function hears nothing of it, so it cannot go on."""
        end, found = time.monotonic() + seconds, b""
        most = int(self.config["MemorySize"]) * 1024 * 1024
        while not found.endswith(b"\n"):
            left = end - time.monotonic()
            ready, _, _ = select.select([running.results], [], [], max(0.0, min(left, LOOK_SECONDS)))
            if _resident(running.process.pid) > most:
                raise _TooMuchMemory
            if not ready:
                if left <= 0:
                    raise _TimeIsUp(seconds)
                continue
            part = os.read(running.results, 1 << 16)
            if not part:
                raise _Gone
            found += part
        return found

    def _end(self, running: _Running, request_id: str, why: Exception) -> dict[str, Any]:
        """Ends the process; the error of the invocation."""
        if isinstance(why, _Gone):
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(LOG_SECONDS)
        running.process.kill()
        status = running.process.wait()
        running.complete.wait(LOG_SECONDS)
        self._forget()
        if isinstance(why, _TimeIsUp):
            kind, message = "Sandbox.Timedout", f"{request_id} Task timed out after {why.seconds:.2f} seconds"
        elif isinstance(why, _TooMuchMemory):
            kind, message = "Runtime.ExitError", f"{request_id} Error: Runtime exited with error: signal: killed"
        else:
            kind, message = "Runtime.ExitError", f"{request_id} Error: Runtime exited with error: exit status {status}"
        running.lines.append((_now(), message))
        return _error(kind, f"RequestId: {message}")

    def _start(self) -> _Running:
        self._forget()
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=f"lambda-{self.func_name}-"))
            with zipfile.ZipFile(io.BytesIO(self._code)) as archive:
                archive.extractall(self._folder / "task")
            (self._folder / "tmp").mkdir()
        child_requests, requests = os.pipe()
        results, child_results = os.pipe()
        try:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_CHILD), str(child_requests), str(child_results)),
                    *(str(runtime_packages()), self.config["Handler"], str(self.config["MemorySize"])),
                ],
                cwd=self._folder / "task",
                env=self._environment(self._folder),
                pass_fds=(child_requests, child_results),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        finally:
            os.close(child_requests)
            os.close(child_results)
        self._running = running = _Running(process, requests, results)
        threading.Thread(target=_collect, args=(running,), name=f"log-{self.func_name}", daemon=True).start()
        return running

    def _environment(self, folder: Path) -> dict[str, str]:
        """What Lambda sets; nothing of the emulator's own environment."""
        config = self.config
        region = config["FunctionArn"].split(":")[3]
        given = (config.get("Environment") or {}).get("Variables") or {}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "HOME": str(folder / "tmp"),
            "TMPDIR": str(folder / "tmp"),
            "LAMBDA_TASK_ROOT": str(folder / "task"),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{config['Runtime']}",
            "_HANDLER": config["Handler"],
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_LAMBDA_FUNCTION_NAME": config["FunctionName"],
            "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config["MemorySize"]),
            "AWS_LAMBDA_LOG_GROUP_NAME": log_group(config),
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            "AWS_EC2_METADATA_DISABLED": "true",
            **given,
            **lambda_runtime.execution_credentials(config),
        }


def log_group(config: Mapping[str, Any]) -> str:
    return (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"


@cache
def runtime_packages() -> Path:
    """A folder with links to just those packages of the emulator's environment that AWS's runtimes have as well."""
    folder = Path(tempfile.mkdtemp(prefix="lambda-runtime-"))
    for name in _RUNTIME_PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ImportError(f"the emulator's environment has no {name}")
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


def _collect(running: _Running) -> None:
    """Takes in the log until the process ends."""
    with running.process.stdout or io.BytesIO() as stdout:
        for raw in stdout:
            text = raw.decode("utf-8", "replace")
            if running.end and text.endswith(running.end):
                if printed := text.removesuffix(running.end):  # a last line without an end of its own
                    running.lines.append((_now(), printed))
                running.complete.set()
            else:
                running.lines.append((_now(), text.rstrip("\n")))
    running.complete.set()


def _now() -> int:
    return int(CLOCK.now() * 1000)


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind}


def _write_all(descriptor: int, data: bytes) -> None:
    """And closes it."""
    with contextlib.suppress(OSError):  # the process has ended, which the reader sees as well
        while data:
            data = data[os.write(descriptor, data) :]
    os.close(descriptor)


def _resident(pid: int) -> int:
    """Bytes that the process holds, without what it shares with others (files, libraries); 0 when it has ended."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
