"""Log lines in the embedded metric format become metrics."""

import json
import time
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

from sandbox.cloud.emulator.clock import CLOCK
from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.patches.logs_emf_format import NotEmbedded, Point, points
from sandbox.cloud.emulator.probe import Probe

OLDEST, NEWEST = 14 * 86_400, 2 * 3_600
"""Seconds before and after now within which CloudWatch takes a point."""


def _extract_metrics() -> None:
    def made(append: Any) -> Any:
        def call(stream: dict[str, Any], events: list[dict[str, Any]]) -> None:
            append(stream, events)
            found = [point for event in events for point in _points(stream, event["message"])]
            for point in found:
                _store(point)
            if found:
                cloudwatch._evaluate_all_alarms()

        return call

    replace(cloudwatch_logs, "_append_log_events", made, takes=("stream", "events"))


def _points(stream: dict[str, Any], line: str) -> list[Point]:
    try:
        found = points(line)
    except NotEmbedded as e:
        # all that AWS tells: two metrics that hardly anybody watches
        name = "EMFValidationErrors" if e.parsed else "EMFParsingErrors"
        cloudwatch.record_metric("AWS/Logs", name, 1, "Count", {"LogGroupName": _group_of(stream)})
        return []
    now = CLOCK.now()
    return [point for point in found if now - OLDEST <= point.timestamp <= now + NEWEST]


def _group_of(stream: dict[str, Any]) -> str:
    groups = cloudwatch_logs._log_groups.items()
    return next((name for name, group in groups if any(one is stream for one in group["streams"].values())), "")


def _store(point: Point) -> None:
    cloudwatch._store_datum(
        point.namespace,
        point.name,
        dict(point.dimensions),
        point.timestamp,
        point.unit,
        point.value,
        None,
        None,
        None,
    )


def _prove(probe: Probe) -> None:
    namespace, group = probe.name(), f"/aws/lambda/{probe.name()}"
    client = probe.client("logs")
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="one")
    domain = "a.example"
    good = _line(namespace, ["Domain"], Domain=domain, Mails=[2, 3])
    bad = (
        good[:-1],
        _line(namespace, ["Domain"], Domain=domain, Mails="5"),
        _line(namespace, ["Domain"], Domain=5, Mails=5),
        _line(namespace, ["Domain"], Domain=" ", Mails=5),
        _line(namespace, ["Domain"], Domain="ä.example", Mails=5),
        _line(namespace, ["Domain"], Domain=domain, Mails=list(range(101))),
        _line(namespace, ["Domain"] + [f"d{number}" for number in range(30)], Domain=domain, Mails=5),
        _line(namespace, ["Domain"], ago=15 * 86_400, Domain=domain, Mails=5),
    )
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in (*bad, good, "plain text")]
    client.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
    listed = probe.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
    dimensions = [{"Name": "Domain", "Value": domain}]
    probe.holds([one["Dimensions"] for one in listed] == [dimensions], f"only the good line is a metric: {listed}")
    read = probe.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName="Mails",
        Dimensions=dimensions,
        StartTime=now / 1000 - 3600,
        EndTime=now / 1000 + 3600,
        Period=7200,
        Statistics=["Sum"],
    )
    probe.holds(sum(point["Sum"] for point in read["Datapoints"]) == 5, "both of its values count, and no others")


def _line(namespace: str, dimensions: list[str], ago: int = 0, **members: object) -> str:
    directive = {"Namespace": namespace, "Dimensions": [dimensions], "Metrics": [{"Name": "Mails", "Unit": "Count"}]}
    metadata = {"Timestamp": int((time.time() - ago) * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, **members})


PATCHES: tuple[Patch, ...] = (
    Patch(
        "log-lines-become-metrics",
        "Lines in the embedded metric format are logged and make no metrics, well formed or not.",
        _extract_metrics,
        _prove,
    ),
)
