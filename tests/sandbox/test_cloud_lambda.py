"""Functions of the stand-in: only their zip, their time, their role's rights."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_samples import (
    Unique,
    allow,
    invoke,
    logging,
    make_function,
    make_role,
    metric_sum,
    zipped,
)
from deployed import Clients

from sandbox import account

NOTHING = "def handle(event, context): pass"


@pytest.fixture
def run(aws: Clients, unique: Unique) -> Callable[..., Any]:
    """Deploys the code with a role that may do nothing and gives what its first invocation returns."""

    def deploy_and_invoke(code: str, event: object = None, **more: Any) -> Any:
        name = unique("function")
        make_function(aws, name, make_role(aws, name), code, **more)
        return invoke(aws, name, event)

    return deploy_and_invoke


def test_nothing_but_the_zip_and_the_runtime_can_be_imported(run: Callable[..., Any]) -> None:
    code = """
import importlib.util

def handle(event, context):
    return [name for name in event if importlib.util.find_spec(name)]
"""
    wanted = ["index", "boto3", "botocore", "json", "sandbox", "ministack", "mailtls", "yaml", "hypercorn", "dns"]
    assert run(code, wanted) == ["index", "boto3", "botocore", "json"]


def test_the_environment_is_lambdas(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
import os

def handle(event, context):
    return dict(os.environ) | {"cwd": os.getcwd()}
"""
    found = run(code, Environment={"Variables": {"BUCKET": "reports"}}, MemorySize=256)
    assert found["BUCKET"] == "reports"
    assert found["AWS_REGION"] == account.REGION
    assert found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert found["cwd"] == found["LAMBDA_TASK_ROOT"]
    assert found["HOME"] != os.environ.get("HOME")
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "GATEWAY_PORT", "AUTH"} & set(found)


def test_the_context(run: Callable[..., Any]) -> None:
    code = """
def handle(event, context):
    return [context.function_name, context.invoked_function_arn, context.memory_limit_in_mb,
            len(context.aws_request_id), context.get_remaining_time_in_millis(), context.log_group_name]
"""
    name, arn, memory, identity, milliseconds, group = run(code, Timeout=60)
    assert arn == f"arn:aws:lambda:{account.REGION}:{account.ACCOUNT_ID}:function:{name}"
    assert (memory, identity, group) == ("128", 36, f"/aws/lambda/{name}")
    assert 30_000 < milliseconds <= 60_000


def test_a_changed_zip_is_what_runs(aws: Clients, unique: Unique) -> None:
    name = unique("changed")
    make_function(aws, name, make_role(aws, name), "def handle(event, context): return 1")
    assert invoke(aws, name) == 1
    aws("lambda").update_function_code(FunctionName=name, ZipFile=zipped("def handle(event, context): return 2"))
    assert invoke(aws, name) == 2
    aws("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"A1": "x"}})
    code = zipped("import os\ndef handle(event, context): return os.environ['A1']")
    aws("lambda").update_function_code(FunctionName=name, ZipFile=code)
    assert invoke(aws, name) == "x"


@pytest.mark.parametrize(
    ("code", "more", "kind", "told"),
    [
        (NOTHING, {"Handler": "index.other"}, "Runtime.HandlerNotFound", "Handler 'other' missing on module 'index'"),
        (NOTHING, {"Handler": "other.handle"}, "Runtime.ImportModuleError", "No module named 'other'"),
        (NOTHING, {"Handler": "handle"}, "Runtime.MalformedHandlerName", "Bad handler"),
        ("import yaml", {}, "Runtime.ImportModuleError", "No module named 'yaml'"),
        ("def handle(:", {}, "Runtime.UserCodeSyntaxError", "Syntax error"),
        ("1 / 0", {}, "ZeroDivisionError", "division by zero"),
        ("def handle(event, context): raise KeyError('x')", {}, "KeyError", "'x'"),
        ("def handle(event, context): return {1, 2}", {}, "Runtime.MarshalError", "not JSON serializable"),
        ("import os\ndef handle(event, context): os._exit(3)", {}, "Runtime.ExitError", "exit status 3"),
        (
            "def handle(event, context): return 'x' * 7_000_000",
            {"MemorySize": 512},
            "Function.ResponseSizeTooLarge",
            "",
        ),
        (
            "import time\ndef handle(event, context):\n try:\n  held = [b'x' * 1_000_000 for _ in range(400)]\n"
            "  time.sleep(5)\n except MemoryError:\n  pass\n return 'went on'",
            {"MemorySize": 256},
            "Runtime.ExitError",
            "signal: killed",
        ),
        (
            "def handle(event, context):\n while True: pass",
            {"Timeout": 1},
            "Sandbox.Timedout",
            "timed out after 1.00 seconds",
        ),
    ],
)
def test_errors(run: Callable[..., Any], code: str, more: dict[str, Any], kind: str, told: str) -> None:
    error = run(code, **more)
    assert error["errorType"] == kind
    assert told in error["errorMessage"]


def test_after_a_timeout_the_next_invocation_starts_anew(aws: Clients, unique: Unique) -> None:
    name = unique("timeout")
    code = "def handle(event, context):\n while event: pass\n return 'done'"
    make_function(aws, name, make_role(aws, name, logging(name)), code, Timeout=3)
    aws("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
    assert invoke(aws, name) == "done"
    assert invoke(aws, name, 1)["errorType"] == "Sandbox.Timedout"
    assert invoke(aws, name) == "done"
    messages = [one["message"] for one in aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
    assert sum("Task timed out after 3.00 seconds" in message for message in messages) == 1
    counted = [metric_sum(aws, "AWS/Lambda", metric, FunctionName=name) for metric in ("Invocations", "Errors")]
    assert counted == [3, 1]


def test_it_lives_on_the_moved_clock_and_may_still_sign(
    aws: Clients, unique: Unique, move_clock: Callable[[float], None]
) -> None:
    code = """
import boto3, time
from datetime import UTC, date, datetime

def handle(event, context):
    who = boto3.client("sts").get_caller_identity()["Arn"]
    return [who, time.time(), datetime.now(UTC).timestamp(), str(date.today()), isinstance(datetime.now(), datetime)]
"""
    name = unique("clock")
    make_function(aws, name, make_role(aws, name), code, MemorySize=256)
    move_clock(10 * 86_400)
    who, seconds, moment, day, is_datetime = invoke(aws, name)
    assert who == f"arn:aws:sts::{account.ACCOUNT_ID}:assumed-role/{name}/{name}"
    ahead = time.time() + 10 * 86_400
    assert abs(seconds - ahead) < 60
    assert abs(moment - ahead) < 60
    assert day == time.strftime("%Y-%m-%d", time.gmtime(seconds))
    assert is_datetime
    move_clock(0)
    assert abs(invoke(aws, name)[1] - time.time()) < 60


@pytest.mark.parametrize(
    ("rights", "group_is_there", "written"),
    [
        (["logs:CreateLogStream", "logs:PutLogEvents"], True, True),
        (["logs:CreateLogStream", "logs:PutLogEvents"], False, False),
        (["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], False, True),
        (["logs:PutLogEvents"], True, False),
        (["logs:CreateLogStream"], True, False),
        ([], True, False),
    ],
)
def test_the_log_needs_the_roles_rights(
    aws: Clients, unique: Unique, rights: list[str], group_is_there: bool, written: bool
) -> None:
    name, logs = unique("log"), aws("logs")
    group = f"/aws/lambda/{name}"
    resource = f"arn:aws:logs:{account.REGION}:{account.ACCOUNT_ID}:log-group:{group}*"
    role = make_role(aws, name, *([allow(rights, resource)] if rights else []))
    make_function(aws, name, role, "def handle(event, context): print('it ran')")
    if group_is_there:
        logs.create_log_group(logGroupName=group)
    assert invoke(aws, name) is None
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        assert not written
        return
    messages = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    assert ("it ran" in messages) == written


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"Environment": {"Variables": {"DOMAINS": "d" * 4096}}}, "exceeded the 4KB limit"),
        ({"Environment": {"Variables": {"AWS_REGION": "eu-west-1"}}}, "reserved keys"),
        ({"Timeout": 901}, "timeout"),
        ({"Runtime": "nodejs22.x"}, "runs Python"),
        ({"Role": f"arn:aws:iam::{account.ACCOUNT_ID}:role/nobody"}, "cannot be assumed by Lambda"),
        ({"Handler": "two words"}, "handler"),
        ({"Code": {"S3Bucket": "no-such-bucket", "S3Key": "code.zip"}}, "GetObject"),
        ({"Code": {"ZipFile": b"no zip"}}, "zip"),
    ],
)
def test_what_is_refused(aws: Clients, unique: Unique, more: dict[str, Any], told: str) -> None:
    name, client = unique("refused"), aws("lambda")
    good = {"Role": make_role(aws, name), "Runtime": "python3.13", "Handler": "index.handle"}
    given: dict[str, Any] = good | {"Code": {"ZipFile": zipped(NOTHING)}} | more
    with pytest.raises(ClientError, match=told) as refused:
        client.create_function(FunctionName=name, **given)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(ClientError, match="Function not found"):
        client.get_function(FunctionName=name)


def test_a_role_that_lambda_may_not_take_on(aws: Clients, unique: Unique) -> None:
    name = unique("stranger")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        make_function(aws, name, make_role(aws, name, service="events.amazonaws.com"), NOTHING)
