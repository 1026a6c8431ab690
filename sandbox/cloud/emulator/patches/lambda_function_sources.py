"""Queues that set off a function: with the role's leave, and with Lambda's reading of what the function returns."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc, sqs

from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.iam_decisions import ResourcePolicy, role_may
from sandbox.cloud.emulator.patches.iam_proofs import role_for_proofs, statement
from sandbox.cloud.emulator.patches.lambda_function_run import function_for_proofs
from sandbox.cloud.emulator.probe import Probe

ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
"""What the function's role needs of SQS."""
LARGEST_BATCH = 10_000
LARGEST_BATCH_AT_ONCE = 10
LONGEST_WINDOW = 300


def _faults(function: Mapping[str, Any], queue_arn: str, asked: Mapping[str, Any]) -> Iterator[str]:
    queue = sqs._queue_by_arn(queue_arn)
    if queue is None:
        yield (
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error "
            "Message: The specified queue does not exist for this wsdl version."
        )
        return
    for action in ACTIONS:
        if not _may(function, queue, action):
            yield f"The provided execution role does not have permissions to call {action} on SQS"
    visible, seconds = int(queue["attributes"]["VisibilityTimeout"]), int(function["Timeout"])
    if visible < seconds:
        yield f"Queue visibility timeout: {visible} seconds is less than Function timeout: {seconds} seconds"
    size, window = asked.get("BatchSize", 10), asked.get("MaximumBatchingWindowInSeconds", 0)
    if not 1 <= size <= LARGEST_BATCH or not 0 <= window <= LONGEST_WINDOW:
        yield f"BatchSize must be 1 to {LARGEST_BATCH} and the window 0 to {LONGEST_WINDOW} seconds"
    if size > LARGEST_BATCH_AT_ONCE and window < 1:
        yield "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"


def _may(function: Mapping[str, Any], queue: Mapping[str, Any], action: str) -> bool:
    attributes = queue["attributes"]
    policy = ResourcePolicy(attributes.get("Policy") or None)
    return role_may(function["Role"], f"sqs:{action}", attributes["QueueArn"], policy)


def _check_sources() -> None:
    def create(old: Any) -> Any:
        def call(data: dict[str, Any]) -> Any:
            function = _function(data.get("FunctionName", ""))
            arn = data.get("EventSourceArn", "")
            source, refused = lambda_svc._validate_event_source_arn(arn)
            if function is None or refused or source.service != "sqs":
                return old(data)
            if why := next(_faults(function, arn, data), None):
                return error_response_json("InvalidParameterValueException", why, 400)
            for there in lambda_svc._esms.values():
                if there["EventSourceArn"] == arn and there["FunctionName"] == function["FunctionName"]:
                    why = f"The event source arn and function provided mapping already exists: {there['UUID']}"
                    return error_response_json("ResourceConflictException", why, 409)
            return old(data)

        return call

    def change(old: Any) -> Any:
        def call(esm_id: str, data: dict[str, Any]) -> Any:
            there = lambda_svc._esms.get(esm_id)
            if there is None:
                return old(esm_id, data)
            function = _function(data.get("FunctionName") or there["FunctionName"])
            wanted = {name: there.get(name) for name in ("BatchSize", "MaximumBatchingWindowInSeconds")} | data
            if function and (why := next(_faults(function, there["EventSourceArn"], wanted), None)):
                return error_response_json("InvalidParameterValueException", why, 400)
            return old(esm_id, data)

        return call

    replace(lambda_svc, "_create_esm", create, takes=("data",))
    replace(lambda_svc, "_update_esm", change, takes=("esm_id", "data"))


def _function(reference: str) -> dict[str, Any] | None:
    """The configuration of the function of that name or ARN."""
    name, _ = lambda_svc._resolve_request_scoped_name_and_qualifier(reference)
    found = lambda_svc._functions.get(name) if name else None
    return found["config"] if found else None


def _poll_with_leave() -> None:
    """A role that has lost its rights gets no more messages. (A limit of no batches at a time is how to say so.)"""

    def limit(old: Any) -> Any:
        def call(esm: Any, func_rec: Any, config: dict[str, Any], queue: Any = None) -> int:
            allowed = queue is not None and all(_may(config, queue, action) for action in ACTIONS)
            return int(old(esm, func_rec, config, queue)) if allowed else 0

        return call

    replace(lambda_svc, "_sqs_esm_concurrency", limit, takes=("esm", "func_rec", "config", "queue"))
    takes = ("esm", "func_rec", "event", "batch", "queue_url", "queue_name")
    replace(lambda_svc, "_run_sqs_batch", lambda _: _run_batch, takes=takes)


def _run_batch(esm: Any, func_rec: Any, event: Any, batch: Any, queue_url: str, _queue_name: str) -> None:
    """What is not deleted comes again when its visibility timeout is over."""
    result = lambda_svc._execute_function(func_rec, event)
    identities = {message["id"] for message in batch}
    if result.get("error"):
        # the poller would spin on a function that always fails, and Lambda slows down as well
        lambda_svc._esm_backoff_until[esm["UUID"]] = time.time() + lambda_svc._ESM_BACKOFF_SECONDS
        failed: set[str] | None = None
    elif "ReportBatchItemFailures" in (esm.get("FunctionResponseTypes") or []):
        failed = failed_items(result.get("body"), identities)
    else:
        failed = set()
    if failed is None:
        esm["LastProcessingResult"] = "PROBLEM: Function call failed"
        return
    done = {message["receipt_handle"] for message in batch if message["id"] not in failed}
    sqs._delete_messages_for_esm(queue_url, done)
    esm["LastProcessingResult"] = "OK"


def failed_items(response: Any, identities: set[str]) -> set[str] | None:
    """Which messages of the batch failed, by the function's answer; None when all of them count as failed.

    Lambda guide, "Reporting batch item failures": no answer is success, a malformed one is failure.
    """
    if response is None:
        return set()
    if not isinstance(response, dict):
        return None
    failures = response.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        return None
    failed = set()
    for failure in failures:
        identity = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        if identity not in identities:
            return None
        failed.add(identity)
    return failed


# ----------------------------------------------------------------------------------------------------- proofs

_ANSWERS_WITH_ITS_MESSAGE = """
import json

def handle(event, context):
    [record] = event["Records"]
    return json.loads(record["body"].replace("ITSELF", record["messageId"]))
"""
_RIGHTS = [f"sqs:{action}" for action in ACTIONS]


def _queue(probe: Probe, visible: int) -> tuple[str, str]:
    """URL and ARN."""
    client = probe.client("sqs")
    attributes = {"VisibilityTimeout": str(visible)}
    url = client.create_queue(QueueName=probe.name("source"), Attributes=attributes)["QueueUrl"]
    return url, client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def _prove_sources(probe: Probe) -> None:
    client, (_, arn), (_, short) = probe.client("lambda"), _queue(probe, 60), _queue(probe, 2)
    code, role = "def handle(event, context): pass", role_for_proofs(probe, statement(_RIGHTS, [arn, short]))
    name = function_for_proofs(probe, role, code)
    without = function_for_proofs(probe, role_for_proofs(probe, statement(_RIGHTS[:2], arn)), code)

    def refused(source: str, function: str = name, **more: Any) -> str:
        return probe.refused(
            "InvalidParameterValueException",
            client.create_event_source_mapping,
            EventSourceArn=source,
            FunctionName=function,
            **more,
        )

    probe.holds("does not exist" in refused(f"{arn}-missing"), "a missing queue is refused")
    probe.holds("visibility timeout" in refused(short), "a short visibility timeout is refused")
    probe.holds("GetQueueAttributes" in refused(arn, without), "a role without the rights is refused")
    refused(arn, BatchSize=11)
    given = {"EventSourceArn": arn, "FunctionName": name, "ScalingConfig": {"MaximumConcurrency": 5}}
    client.create_event_source_mapping(**given)
    probe.refused("ResourceConflictException", client.create_event_source_mapping, **given)


def _prove_batches(probe: Probe) -> None:
    url, arn = _queue(probe, 43_200)
    role = role_for_proofs(probe, statement(_RIGHTS, arn))
    name = function_for_proofs(probe, role, _ANSWERS_WITH_ITS_MESSAGE)
    client = probe.client("sqs")
    good: list[object] = [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}]
    bad: list[object] = [
        "done",
        [],
        {"batchItemFailures": "ITSELF"},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"item": "ITSELF"}]},
        {"batchItemFailures": [{"itemIdentifier": "of-another-batch"}]},
        {"batchItemFailures": [{"itemIdentifier": "ITSELF"}]},
    ]
    for answer in good + bad:
        client.send_message(QueueUrl=url, MessageBody=json.dumps(answer))
    probe.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, BatchSize=1, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for _ in range(600):  # half a minute, on a machine that stalls
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        if attributes == dict(zip(names, ("0", str(len(bad))), strict=True)):
            return
        time.sleep(0.05)
    probe.holds(False, f"{len(good)} messages are done and {len(bad)} come again: {attributes}")


PATCHES: tuple[Patch, ...] = (
    Patch(
        "queues-set-off-functions-with-leave",
        "A function is set off by a queue that does not exist, whose messages come again while it is still at work, or "
        "that its role may not read.",
        _check_sources,
        _prove_sources,
    ),
    Patch(
        "failed-batches-come-again",
        "A malformed answer to a batch deletes all its messages, as if they had been dealt with.",
        _poll_with_leave,
        _prove_batches,
    ),
)
