"""A function runs from its zip alone, on the emulator's clock, and its log needs its role's leave."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_decisions import role_may
from sandbox.cloud.emulator.patches.iam_proofs import role_for_proofs, statement
from sandbox.cloud.emulator.patches.lambda_function_process import FunctionProcess, Outcome, log_group, runtime_packages
from sandbox.cloud.emulator.probe import Probe

ACTIVE_AFTER = 0.05
"""Seconds that a new function is Pending. The stock emulator takes half a second; AWS some."""


def _run_alone() -> None:
    runtime_packages()
    replace(lambda_runtime, "_worker_class_for", lambda _: lambda config: FunctionProcess, takes=("config",))
    replace(lambda_svc, "_execute_function_warm", lambda _: _execute, takes=("func", "event", "request_id"))
    replace(lambda_svc, "_LAMBDA_STATE_TRANSITION_DELAY", lambda _: ACTIVE_AFTER)
    # logs are written by _execute, which has each line's time and the process's own stream
    takes = ("func", "request_id", "log_text", "error", "duration_ms", "log_source")
    replace(lambda_svc, "_emit_lambda_logs", lambda _: lambda *args, **more: None, takes=takes)


def _execute(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Runs one invocation; the result as ministack's executors give it."""
    config = func.get("config") or func
    lambda_svc._ensure_reaper_thread()
    worker, _ = lambda_runtime.acquire_worker(config["FunctionName"], config, func["code_zip"])
    began = time.monotonic()
    try:
        outcome = worker.invoke(event, request_id)
    finally:
        lambda_runtime.release_worker(worker)
    milliseconds = (time.monotonic() - began) * 1000
    _write_log(config, worker.log_stream, list(_framed(config, request_id, outcome, milliseconds)))
    log = "\n".join(line for _, line in outcome.log)
    if outcome.error is not None:
        return {"body": dict(outcome.error), "error": True, "log": log}
    return {"body": json.loads(outcome.value or "null"), "log": log}


def _framed(
    config: dict[str, Any], request_id: str, outcome: Outcome, milliseconds: float
) -> Iterator[tuple[int, str]]:
    """The lines with what Lambda writes around them."""
    end = int(CLOCK.now() * 1000)
    begin = min([end - int(milliseconds), *(at for at, _ in outcome.log)])
    yield begin, f"START RequestId: {request_id} Version: {config.get('Version', '$LATEST')}"
    yield from outcome.log
    yield end, f"END RequestId: {request_id}"
    yield (
        end,
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {milliseconds:.0f} ms\t"
        f"Memory Size: {config['MemorySize']} MB",
    )


def _write_log(config: dict[str, Any], stream: str, lines: list[tuple[int, str]]) -> None:
    """Writes as far as the function's role may; what it may not write is lost, as on AWS."""
    group, now = log_group(config), int(CLOCK.now() * 1000)
    place = f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{group}"
    if group not in cloudwatch_logs._log_groups:
        if not role_may(config["Role"], "logs:CreateLogGroup", place):
            return
        cloudwatch_logs._create_log_group({"logGroupName": group})
    where = f"{place}:log-stream:{stream}"
    if stream not in cloudwatch_logs._log_groups[group]["streams"]:
        if not role_may(config["Role"], "logs:CreateLogStream", where):
            return
        cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    if role_may(config["Role"], "logs:PutLogEvents", where):
        events = [{"timestamp": at, "message": message, "ingestionTime": now} for at, message in lines]
        cloudwatch_logs._append_log_events(cloudwatch_logs._log_groups[group]["streams"][stream], events)


def _count_every_run() -> None:
    """The stock emulator counts direct invocations only, not those by queues and rules."""

    def dispatch(old: Any) -> Any:
        def call(func: Any, config: dict[str, Any], event: Any, request_id: str, started: float) -> Any:
            began = time.monotonic()
            result = old(func, config, event, request_id, started)
            error, milliseconds = bool(result.get("error")), (time.monotonic() - began) * 1000
            _count(config["FunctionName"], Invocations=1, Errors=int(error), Throttles=0, Duration=milliseconds)
            return result

        return call

    def emit(_: Any) -> Any:
        def call(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
            # of a refusal, which never reaches dispatch, ministack tells twice: first without a duration
            if throttle and not duration_ms:
                _count(function_name, Throttles=1)

        return call

    takes = ("func", "config", "event", "request_id", "started")
    replace(lambda_svc, "_execute_function_dispatch", dispatch, takes=takes)
    replace(lambda_svc, "_emit_lambda_metrics", emit, takes=("function_name", "duration_ms", "error", "throttle"))


def _count(function_name: str, **values: float) -> None:
    for name, value in values.items():
        unit = "Milliseconds" if name == "Duration" else "Count"
        cloudwatch.record_metric("AWS/Lambda", name, value, unit, {"FunctionName": function_name})
    cloudwatch._evaluate_all_alarms()


# ----------------------------------------------------------------------------------------------------- proofs

_CODE = """
import importlib.util, os, time

def handle(event, context):
    found = {name: importlib.util.find_spec(name) is not None for name in ("boto3", "ministack", "yaml", "sandbox")}
    print("printed by the function")
    return found | {"time": time.time(), "environment": sorted(os.environ)}
"""


def zipped(code: str) -> bytes:
    """A deployment package with the one module `index`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    return packed.getvalue()


def function_for_proofs(probe: Probe, role: str, code: str, **more: Any) -> str:
    """The name of a new function `index.handle`."""
    name = probe.name("function")
    given = {"Runtime": "python3.13", "Handler": "index.handle"} | more
    probe.client("lambda").create_function(FunctionName=name, Role=role, Code={"ZipFile": zipped(code)}, **given)
    return name


def invoked(probe: Probe, name: str, event: object = None) -> Any:
    """What the function returns, or the error that it ended with."""
    answer = probe.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return json.loads(answer["Payload"].read())


def _prove_alone(probe: Probe) -> None:
    logs, name = probe.client("logs"), function_for_proofs(probe, role_for_proofs(probe), _CODE)
    probe.move_clock(86_400)
    found = invoked(probe, name)
    probe.holds(
        found["boto3"] and not (found["ministack"] or found["yaml"] or found["sandbox"]),
        f"the function can import the runtime's packages and no others: {found}",
    )
    probe.holds("PYTHONPATH" not in found["environment"], "it has none of the emulator's environment")
    probe.holds(found["time"] > time.time() + 80_000, "it lives on the moved clock")
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    probe.holds(not groups, "a role without rights writes no log")
    missing = invoked(probe, function_for_proofs(probe, role_for_proofs(probe), _CODE, Handler="index.nothing"))
    probe.holds(missing.get("errorType") == "Runtime.HandlerNotFound", f"a missing handler is an error: {missing}")


def _prove_log(probe: Probe) -> None:
    rights = statement(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*")
    name = function_for_proofs(probe, role_for_proofs(probe, rights), "def handle(event, context):\n    1 / 0")
    probe.holds(invoked(probe, name).get("errorType") == "ZeroDivisionError", "the error has its name")
    events = probe.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    probe.holds(any("ZeroDivisionError" in event["message"] for event in events), "the log tells of it")
    now = time.time()
    read = probe.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=now - 3600,
        EndTime=now + 3600,
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    probe.holds(sum(point["Sum"] for point in read) == 1, "and so does the metric, once")


PATCHES: tuple[Patch, ...] = (
    Patch(
        "functions-run-from-their-zip-alone",
        "A function can import all that the emulator has installed, sees its environment, writes its log without the "
        "right to, and tells the real time when the clock was moved.",
        _run_alone,
        _prove_alone,
    ),
    Patch(
        "function-metrics-count-every-run",
        "Runs that a queue or a rule sets off are in no metric, so an alarm on errors stays quiet.",
        _count_every_run,
        _prove_log,
    ),
)
