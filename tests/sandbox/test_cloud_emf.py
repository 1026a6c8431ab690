"""Log lines become metrics as the specification of the embedded metric format says, and else do not."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from cloud_samples import Unique, logging, make_function, make_role, metric_sum
from deployed import Clients

DAY = 86_400


def line(namespace: str, **changes: Any) -> str:
    """A good line, but for `changes`; None leaves a member out. `directive`, `metadata`: changes of those.

    `ahead`: seconds from now to its time.
    """
    directive = {"Namespace": namespace, "Dimensions": [["Domain"]], "Metrics": [{"Name": "Mails", "Unit": "Count"}]}
    directive |= changes.pop("directive", {})
    at = int((time.time() + changes.pop("ahead", 0)) * 1000)
    metadata = {"Timestamp": at, "CloudWatchMetrics": [directive]} | changes.pop("metadata", {})
    members = {"_aws": metadata, "Domain": "a.example", "Mails": 2, "mail": "raw/1"} | changes
    return json.dumps({name: value for name, value in members.items() if value is not None})


@pytest.fixture
def write(aws: Clients, unique: Unique) -> Callable[..., str]:
    """Writes lines to a log group of their own, whose name it gives."""

    def put(*lines: str) -> str:
        logs, group = aws("logs"), f"/aws/lambda/{unique('emf')}"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
        events = [{"timestamp": int(time.time() * 1000), "message": text} for text in lines]
        logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
        return group

    return put


def listed(aws: Clients, namespace: str) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Names and dimensions of the namespace's metrics."""
    return {
        (one["MetricName"], tuple((dimension["Name"], dimension["Value"]) for dimension in one["Dimensions"]))
        for one in aws("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
    }


ONE = {("Mails", (("Domain", "a.example"),))}


@pytest.mark.parametrize(
    ("changes", "metrics", "total"),
    [
        ({}, ONE, 2),
        ({"Mails": [2, 3.5]}, ONE, 5.5),
        ({"Mails": 0}, ONE, 0),
        ({"Domain": "a" * 1024}, {("Mails", (("Domain", "a" * 1024),))}, None),
        ({"directive": {"Dimensions": [[]]}}, {("Mails", ())}, None),
        ({"directive": {"Dimensions": [[], ["Domain"]]}}, ONE | {("Mails", ())}, 2),
        ({"directive": {"Metrics": [{"Name": "Mails"}]}}, ONE, 2),
        ({"directive": {"Metrics": [{"Name": "Mails", "StorageResolution": 1}]}}, ONE, 2),
        (
            {"directive": {"Metrics": [{"Name": f"m{number}"} for number in range(100)]}}
            | {f"m{n}": 1 for n in range(100)},
            {(f"m{number}", (("Domain", "a.example"),)) for number in range(100)},
            None,
        ),
        ({"ahead": -13 * DAY}, ONE, None),
    ],
)
def test_metrics(
    aws: Clients, unique: Unique, write: Callable[..., str], changes: dict[str, Any], metrics: Any, total: float | None
) -> None:
    namespace = unique("emf")
    write(line(namespace, **changes))
    assert listed(aws, namespace) == metrics
    if total is not None:
        assert metric_sum(aws, namespace, "Mails", Domain="a.example") == total


VALIDATION, PARSING, NEITHER = "EMFValidationErrors", "EMFParsingErrors", None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"_aws": None}, NEITHER),
        ({"metadata": {"CloudWatchMetrics": {}}}, VALIDATION),
        ({"metadata": {"Timestamp": "now"}}, VALIDATION),
        ({"metadata": {"Timestamp": 1.5}}, VALIDATION),
        ({"ahead": -15 * DAY}, NEITHER),
        ({"ahead": 3 * 3600}, NEITHER),
        ({"directive": {"Namespace": ""}}, VALIDATION),
        ({"directive": {"Dimensions": []}}, VALIDATION),
        ({"directive": {"Dimensions": ["Domain"]}}, VALIDATION),
        ({"directive": {"Dimensions": [["Owner"]]}}, VALIDATION),
        ({"directive": {"Dimensions": [["Domain"] * 31]}}, VALIDATION),
        ({"directive": {"Dimensions": [[":Domain"]]}, ":Domain": "a.example"}, VALIDATION),
        ({"directive": {"Metrics": [{"Unit": "Count"}]}}, VALIDATION),
        ({"directive": {"Metrics": [{"Name": "Mails", "Unit": "Pieces"}]}}, VALIDATION),
        ({"directive": {"Metrics": [{"Name": "Mails", "StorageResolution": 30}]}}, VALIDATION),
        ({"directive": {"Metrics": [{"Name": "Mails"}] * 101}}, VALIDATION),
        ({"Mails": "2"}, VALIDATION),
        ({"Mails": True}, VALIDATION),
        ({"Mails": {"a": 1}}, VALIDATION),
        ({"Mails": None}, VALIDATION),
        ({"Mails": [1] * 101}, VALIDATION),
        ({"Mails": 2.0**361}, VALIDATION),
        ({"Mails": float("nan")}, VALIDATION),
        ({"Domain": 5}, VALIDATION),
        ({"Domain": ""}, VALIDATION),
        ({"Domain": "  "}, VALIDATION),
        ({"Domain": "bücher.example"}, VALIDATION),
        ({"Domain": "a\tb"}, VALIDATION),
        ({"Domain": "a" * 1025}, VALIDATION),
        ({"filler": "x" * 256 * 1024}, VALIDATION),
    ],
)
def test_no_metrics(
    aws: Clients, unique: Unique, write: Callable[..., str], changes: dict[str, Any], error: str | None
) -> None:
    namespace = unique("emf")
    group = write(line(namespace, **changes))
    assert listed(aws, namespace) == set()
    counted = {name: metric_sum(aws, "AWS/Logs", name, LogGroupName=group) for name in (VALIDATION, PARSING)}
    assert counted == {VALIDATION: 0, PARSING: 0} | ({error: 1} if error else {})


def test_a_broken_line_takes_no_other_with_it(aws: Clients, unique: Unique, write: Callable[..., str]) -> None:
    namespace = unique("emf")
    group = write(line(namespace)[:-1], "plain text", '{"event": "stored"}', line(namespace))
    assert metric_sum(aws, namespace, "Mails", Domain="a.example") == 2
    assert metric_sum(aws, "AWS/Logs", PARSING, LogGroupName=group) == 1


PRINTS = """
import json

def handle(event, context):
    print("before")
    print(event["line"], flush=True)
    print("after", end="")
"""


def test_what_a_function_prints_is_metrics_at_once(aws: Clients, unique: Unique) -> None:
    name, alarm = unique("prints"), unique("alarm")
    make_function(aws, name, make_role(aws, name, logging(name)), PRINTS)
    aws("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
    aws("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace=name,
        MetricName="Mails",
        Dimensions=[{"Name": "Domain", "Value": "a.example"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    aws("lambda").invoke(FunctionName=name, Payload=json.dumps({"line": line(name)}))
    [found] = aws("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    assert found["StateValue"] == "ALARM"
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    messages = [event["message"] for event in events]
    assert messages[1] == "before"
    assert messages[3] == "after"
    assert messages[0].startswith("START RequestId: ")
    assert messages[-1].startswith("REPORT RequestId: ")
