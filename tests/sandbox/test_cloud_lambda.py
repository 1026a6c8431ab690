"""Functions of the stand-in: only their zip, their time, their role's rights; and queues that set them off."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloud_samples import (
    RECEIVE,
    Unique,
    allow,
    bodies,
    by_service,
    document,
    invoke,
    let_in,
    logging,
    make_function,
    make_queue,
    make_role,
    metric_sum,
    soon,
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
        ("def handle(event, context): return len(bytearray(300_000_000))", {"MemorySize": 256}, "MemoryError", ""),
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


# ------------------------------------------------------------------------------------------------ event sources

WORKS = """
import json

def handle(event, context):
    failed = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        if body.get("raise"):
            raise RuntimeError("all of them")
        if "answer" in body:
            return body["answer"]
        if body.get("fails"):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""


def fed(
    aws: Clients, name: str, *, visible: int = 43_200, code: str = WORKS, rights: list[str] | None = None, **more: Any
) -> tuple[str, str]:
    """A function and the queue that feeds it: URL and ARN of the queue."""
    url, arn = make_queue(aws, name, VisibilityTimeout=str(visible))
    rights = RECEIVE if rights is None else rights
    make_function(aws, name, make_role(aws, name, *([allow(rights, arn)] if rights else [])), code)
    aws("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, **{"FunctionResponseTypes": ["ReportBatchItemFailures"], **more}
    )
    return url, arn


def counts(aws: Clients, url: str) -> tuple[int, int]:
    """Waiting, in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def send(aws: Clients, url: str, *messages: object) -> None:
    entries = [{"Id": str(number), "MessageBody": json.dumps(one)} for number, one in enumerate(messages)]
    aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)


def test_only_what_failed_comes_again(aws: Clients, unique: Unique, move_clock: Callable[[float], None]) -> None:
    url, _ = fed(aws, unique("partial"), visible=60, ScalingConfig={"MaximumConcurrency": 2})
    send(aws, url, {"mail": 1}, {"mail": 2, "fails": True}, {"mail": 3})
    assert soon(lambda: counts(aws, url) == (0, 1))
    name = url.rsplit("/")[-1]
    before = metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name)
    move_clock(90)
    assert soon(lambda: metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name) > before)
    assert soon(lambda: counts(aws, url) == (0, 1))


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ({"answer": None}, 0),
        ({"answer": {}}, 0),
        ({"answer": {"batchItemFailures": None}}, 0),
        ({"answer": {"batchItemFailures": []}}, 0),
        ({"answer": {"statusCode": 200}}, 0),
        ({"answer": "ok"}, 1),
        ({"answer": [1]}, 1),
        ({"answer": {"batchItemFailures": {"itemIdentifier": "x"}}}, 1),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": ""}]}}, 1),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": None}]}}, 1),
        ({"answer": {"batchItemFailures": [{"messageId": "x"}]}}, 1),
        ({"answer": {"batchItemFailures": ["x"]}}, 1),
        ({"answer": {"batchItemFailures": [{"itemIdentifier": "of-no-message-of-this-batch"}]}}, 1),
        ({"raise": True}, 1),
    ],
)
def test_answers_to_a_batch(aws: Clients, unique: Unique, message: object, left: int) -> None:
    """Lambda guide, "Reporting batch item failures for Lambda functions with an Amazon SQS trigger"."""
    name = unique("answer")
    url, _ = fed(aws, name)
    send(aws, url, message)
    assert soon(lambda: metric_sum(aws, "AWS/Lambda", "Invocations", FunctionName=name) == 1)
    assert soon(lambda: counts(aws, url) == (0, left))


def test_without_report_batch_item_failures_an_answer_says_nothing(aws: Clients, unique: Unique) -> None:
    url, _ = fed(aws, unique("whole"), FunctionResponseTypes=[])
    send(aws, url, {"fails": True})
    assert soon(lambda: counts(aws, url) == (0, 0))


def test_what_fails_for_good_joins_the_dead_letters(
    aws: Clients, unique: Unique, move_clock: Callable[[float], None]
) -> None:
    name = unique("dead")
    dead, dead_arn = make_queue(aws, f"{name}-letters")
    url, _ = fed(aws, name, visible=60)
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    send(aws, url, {"raise": True})
    for tries in (1, 2):
        assert soon(lambda tries=tries: metric_sum(aws, "AWS/Lambda", "Errors", tries * 90, FunctionName=name) == tries)
        move_clock(tries * 90)
    assert soon(lambda: counts(aws, dead) == (1, 0))
    assert counts(aws, url) == (0, 0)


def test_event_sources_that_are_refused(aws: Clients, unique: Unique) -> None:
    name, client = unique("source"), aws("lambda")
    _, arn = make_queue(aws, name, VisibilityTimeout="60")
    _, short = make_queue(aws, f"{name}-short", VisibilityTimeout="9")
    function = make_function(aws, name, make_role(aws, name, allow(RECEIVE, [arn, short])), NOTHING)
    for source, more, told in (
        (f"{arn}-gone", {}, "NonExistentQueue"),
        (short, {}, "Queue visibility timeout: 9 seconds is less than Function timeout: 10 seconds"),
        (arn.replace("eu-west-1", "us-east-1"), {}, "same region"),
        (arn, {"BatchSize": 11}, "Maximum batch window"),
    ):
        with pytest.raises(ClientError, match=told) as refused:
            client.create_event_source_mapping(EventSourceArn=source, FunctionName=function, **more)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(ClientError) as unknown:
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName=f"{name}-gone")
    assert unknown.value.response["Error"]["Code"] == "ResourceNotFoundException"
    made = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    with pytest.raises(ClientError, match="already exists"):
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName=function)
    client.update_function_configuration(FunctionName=name, Timeout=90)
    with pytest.raises(ClientError, match="less than Function timeout: 90"):
        client.update_event_source_mapping(UUID=made["UUID"], BatchSize=5)


@pytest.mark.parametrize("missing", RECEIVE)
def test_the_role_must_be_able_to_read_the_queue(aws: Clients, unique: Unique, missing: str) -> None:
    name = unique("unable")
    with pytest.raises(ClientError, match=f"does not have permissions to call {missing[4:]} on SQS"):
        fed(aws, name, rights=[right for right in RECEIVE if right != missing])


def test_a_role_that_loses_its_rights_gets_no_more(aws: Clients, unique: Unique) -> None:
    name = unique("losing")
    url, arn = fed(aws, name)
    aws("iam").delete_role_policy(RoleName=name, PolicyName="rights")
    send(aws, url, {"mail": 1})
    assert not soon(lambda: counts(aws, url) != (1, 0), 1.5)
    aws("iam").put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document(allow(RECEIVE, arn)))
    assert soon(lambda: counts(aws, url) == (0, 0))


def test_s3_to_queue_to_function(aws: Clients, unique: Unique) -> None:
    """The way of a report, with the rights that the program gives."""
    name, s3 = unique("way"), aws("s3")
    code = """
import boto3, json
from urllib.parse import unquote_plus

def handle(event, context):
    s3 = boto3.client("s3")
    for record in event["Records"]:
        for one in json.loads(record["body"]).get("Records", []):
            bucket, key = one["s3"]["bucket"]["name"], unquote_plus(one["s3"]["object"]["key"])
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            s3.put_object(Bucket=bucket, Key="reports/" + key.removeprefix("raw/"), Body=body.upper())
"""
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    bucket = f"arn:aws:s3:::{name}"
    url, arn = make_queue(aws, name, VisibilityTimeout="60")
    without_tls = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn}
    without_tls["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    let_in(aws, url, by_service("s3.amazonaws.com", "sqs:SendMessage", arn, bucket), without_tls)
    configuration = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    configuration["Filter"] = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}}
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    assert [json.loads(body)["Event"] for body in bodies(aws, url)] == ["s3:TestEvent"]
    rights = [
        allow("s3:GetObject", f"{bucket}/raw/*"),
        allow("s3:PutObject", f"{bucket}/reports/*"),
        allow(RECEIVE, arn),
    ]
    make_function(aws, name, make_role(aws, name, *rights), code, MemorySize=256)
    aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    s3.put_object(Bucket=name, Key="raw/mail 1+2", Body=b"a report")
    assert soon(lambda: s3.list_objects_v2(Bucket=name, Prefix="reports/")["KeyCount"] == 1)
    assert s3.get_object(Bucket=name, Key="reports/mail 1+2")["Body"].read() == b"A REPORT"
    assert metric_sum(aws, "AWS/Lambda", "Errors", FunctionName=name) == 0
