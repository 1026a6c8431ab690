"""Each line that the CloudWatch dashboard draws is a series that exists once the pipeline has worked.

The function's lines are made by its own code and go to the emulator's log, as Lambda hands them over; queues, function
and controller are real there too. Then each widget is asked for as CloudWatch's console does, with GetMetricData.
"""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from cloud_samples import Unique, invoke, logging, make_function, make_queue, make_role
from deployed import Clients

from components.report_dashboard import Watched, dashboard_body
from mailtls.tls_rpt.contract import CONTROLLER_METRICS, METRICS, NAMESPACE, OwnDomain
from report_lambda.metrics import CLOSED, Tally

OWN = OwnDomain("contoso.example")


def emitted() -> list[str]:
    """One count of every metric under every value of its dimension, as the function prints them."""
    tally = Tally(per_domain=False)
    for metric in METRICS:
        wanted = [dimension for dimensions in metric.dimensions for dimension in dimensions]
        for value in [member for dimension in wanted for member in CLOSED[dimension]] or [None]:
            tally.add(metric, 1, *([value] if value is not None else []), own=OWN)
    return tally.lines(datetime.now(UTC))


@pytest.fixture
def watched(aws: Clients, unique: Unique) -> Watched:
    """A function that has run, a queue that holds a mail, an empty one, and a controller that has run."""
    name = unique("dashboard")
    role = make_role(aws, name, logging(name))
    make_function(aws, name, role, "def handle(event, context):\n    return 1\n")
    invoke(aws, name)
    main, _ = make_queue(aws, f"{name}-main")
    aws("sqs").send_message(QueueUrl=main, MessageBody="waits")
    dead, _ = make_queue(aws, f"{name}-dead")
    aws("sqs").send_message(QueueUrl=dead, MessageBody="is dead")
    data = [{"MetricName": metric.name, "Value": 1, "Unit": metric.unit} for metric in CONTROLLER_METRICS]
    aws("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    logs, stream = aws("logs"), "a"
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    logs.create_log_stream(logGroupName=f"/aws/lambda/{name}", logStreamName=stream)
    events = [{"timestamp": int(time.time() * 1000), "message": line} for line in emitted()]
    logs.put_log_events(logGroupName=f"/aws/lambda/{name}", logStreamName=stream, logEvents=events)
    return Watched(aws("sqs").meta.region_name, name, f"{name}-main", f"{name}-dead", has_controller=True)


def query(number: int, line: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    """One line of a widget, as GetMetricData takes it."""
    namespace, metric, *rest = line
    dimensions = [part for part in rest if isinstance(part, str)]
    pairs = zip(dimensions[::2], dimensions[1::2], strict=True)
    about = {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in pairs],
    }
    return {
        "Id": f"m{number}",
        "MetricStat": {"Metric": about, "Period": properties["period"], "Stat": properties["stat"]},
    }


def test_every_line_of_every_widget_has_points(aws: Clients, watched: Watched, move_clock: Any) -> None:
    move_clock(120)  # SQS measures each minute
    widgets = [one for one in dashboard_body(watched)["widgets"] if one["type"] == "metric"]
    assert len(widgets) == 11
    empty = []
    for widget in widgets:
        properties = widget["properties"]
        queries = [query(number, line, properties) for number, line in enumerate(properties["metrics"])]
        now = time.time()
        asked = {"MetricDataQueries": queries, "StartTime": now - 86_400, "EndTime": now + 86_400}
        found = {one["Id"]: one["Values"] for one in aws("cloudwatch").get_metric_data(**asked)["MetricDataResults"]}
        empty += [line for number, line in enumerate(properties["metrics"]) if not found.get(f"m{number}")]
    assert empty == []
