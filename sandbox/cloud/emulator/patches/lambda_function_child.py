"""The inside of one execution environment of a Lambda function: a program that knows nothing of the sandbox.

Started with `python -I -S`, so that nothing can be imported but the standard library, the deployed zip and the packages
of the runtime. Reads invocations, a JSON line each, from one descriptor and writes results to another. What the
function prints goes to standard output and error, and ends with a line that the caller chose.

    argv: request descriptor, result descriptor, folder of the runtime's packages, handler, megabytes
"""

import datetime
import importlib
import json
import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

Function = Callable[[Any, "Context"], Any]
Failure = dict[str, Any]
"""`errorType`, `errorMessage`, `stackTrace`, as Lambda gives them to the caller."""


def main() -> None:
    requests_fd, results_fd, packages, handler, megabytes = sys.argv[1:]
    sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], packages]
    live_on_the_moved_clock()
    end_with_parent()
    limit_memory(int(megabytes))
    with open(int(requests_fd), encoding="utf-8") as requests, open(int(results_fd), "w", encoding="utf-8") as results:
        function = load(handler)
        results.write("ready\n")
        results.flush()
        for line in requests:
            invocation = json.loads(line)
            Moved.offset = invocation["offset"]
            answer = run(function, invocation)
            sys.stdout.flush()
            sys.stderr.flush()
            # after everything that was printed and before the result: then the log of this invocation is complete
            os.write(1, invocation["end"].encode())
            results.write(json.dumps(answer) + "\n")
            results.flush()


def load(handler: str) -> Function | Failure:
    """The function, or what each of its invocations fails with."""
    module_name, _, name = handler.rpartition(".")
    if not module_name:
        return failure("Runtime.MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        return failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {e}")
    except SyntaxError as e:
        return failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {e}")
    except Exception as e:  # noqa: BLE001  the function's own, told to whoever invokes it
        return failure(type(e).__name__, str(e), traceback.format_exc())
    if not hasattr(module, name):
        return failure("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")
    function: Function = getattr(module, name)
    return function


def run(function: Function | Failure, invocation: dict[str, Any]) -> dict[str, Any]:
    """`{"value": JSON text}` or `{"error": Failure}`."""
    if isinstance(function, dict):
        return told(function)
    try:
        value = function(invocation["event"], Context(invocation))
    except Exception as e:  # noqa: BLE001  the function's own, told to whoever invokes it
        return told(failure(type(e).__name__, str(e), traceback.format_exc()))
    try:
        return {"value": json.dumps(value)}
    except (TypeError, ValueError) as e:
        return told(failure("Runtime.MarshalError", f"Unable to marshal response: {e}"))


def failure(kind: str, message: str, trace: str = "") -> Failure:
    return {"errorMessage": message, "errorType": kind, "stackTrace": trace.splitlines()}


def told(error: Failure) -> dict[str, Any]:
    """The error as the result, and as Lambda logs it."""
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}", *error["stackTrace"]]
    print("\n".join(lines), file=sys.stderr)
    return {"error": error}


class Context:
    """The handler's second argument."""

    def __init__(self, invocation: dict[str, Any]) -> None:
        self._end = time.monotonic() + invocation["seconds"]
        self.aws_request_id = invocation["request_id"]
        self.invoked_function_arn = invocation["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


class Moved:
    """offset: seconds that the sandbox has moved its clock ahead; each invocation brings its own."""

    offset = 0.0


_real_datetime = datetime.datetime
_real_time = time.time


class _AlsoTheRealOne(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _real_datetime)  # C code makes those


class MovedDatetime(datetime.datetime, metaclass=_AlsoTheRealOne):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "MovedDatetime":
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def today(cls) -> "MovedDatetime":
        return cls.fromtimestamp(time.time())

    @classmethod
    def utcnow(cls) -> "MovedDatetime":
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)


def live_on_the_moved_clock() -> None:
    """`time.time` and `datetime.now` tell the sandbox's time to the function and to all that it imports."""
    time.time = lambda: _real_time() + Moved.offset
    MovedDatetime.__name__ = MovedDatetime.__qualname__ = "datetime"
    MovedDatetime.__module__ = "datetime"
    datetime.datetime = MovedDatetime  # type: ignore[misc]


def limit_memory(megabytes: int) -> None:
    """A function that takes more than its memory is killed from outside (lambda_function_process.py). Between two looks
    there it must not take the machine's: at twice its memory its allocations fail."""
    size = 2 * megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def end_with_parent() -> None:
    """A function that loops must not outlive a killed emulator."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
