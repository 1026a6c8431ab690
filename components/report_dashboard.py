"""The pipeline on one page of CloudWatch: its health, sessions by policy type, failures by result type, domains.

Numbers come from metrics that are counted anyway. What is told by domain comes from the metric lines of the function's
log by Logs Insights, so no domain costs a metric. The list price of a dashboard is $3.00 a month, after three free ones
of the account; a query is paid by what it reads, $0.005 for each GB.

The form of the body: CloudWatch API reference, "Dashboard body structure and syntax".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict

import pulumi
import pulumi_aws as aws

from components.json_text import json_text
from components.physical_names import physical_name
from mailtls.tls_rpt.contract import (
    ALERTS_SENT,
    CONTROLLER_METRICS,
    FAILED_SESSIONS,
    FAILURES,
    MAILS_QUARANTINED,
    MAILS_RECEIVED,
    MAILS_WITHOUT_DISPOSITION,
    NAMESPACE,
    REPORTS_DUPLICATE,
    REPORTS_STORED,
    REPORTS_UNAUTHENTICATED,
    SUCCESSFUL_SESSIONS,
    Dimension,
    Disposition,
    Metric,
    QuarantineReason,
)
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.report import PolicyType, ResultType

HOUR, DAY = 3_600, 86_400
WIDTH, HEIGHT = 12, 6
"""Of a widget; the page is 24 units wide."""
MOST_ROWS = 100
"""Of a table that a query answers with."""

DOMAINS_QUERY = (
    f"filter ispresent({Dimension.POLICY_DOMAIN})"
    f" | stats sum({FAILED_SESSIONS.name}) as failed, sum({SUCCESSFUL_SESSIONS.name}) as successful"
    f" by {Dimension.POLICY_DOMAIN}, {Dimension.POLICY_TYPE}"
    f" | sort failed desc | limit {MOST_ROWS}"
)
"""Policy types stand in rows of their own: one session may be counted under two of them."""
KEPT_APART_QUERY = (
    f'filter event = "{Disposition.QUARANTINED}" | stats count(*) as mails by reason | sort mails desc'
    f" | limit {MOST_ROWS}"
)
FAULTS_QUERY = (
    'filter event = "failed" or event = "out of time" | fields @timestamp, event, error, detail'
    f" | sort @timestamp desc | limit {MOST_ROWS}"
)
TABLES = (
    ("Sessions by domain and policy type, most failed first", DOMAINS_QUERY),
    ("Mails kept apart, by reason", KEPT_APART_QUERY),
    ("What the function could not do", FAULTS_QUERY),
)
"""Title and query of each, over the lines of the function's log."""


class ReportDashboardArgs(TypedDict):
    """
    region: of the pipeline; its metrics and its log are there.
    has_controller: show what the runs of `mailtls reconcile --heartbeat` put.
    """

    region: str
    function_name: pulumi.Input[str]
    queue_name: pulumi.Input[str]
    dead_letter_queue_name: pulumi.Input[str]
    has_controller: bool


class ReportDashboard(pulumi.ComponentResource):
    """dashboard_name: as the console lists it."""

    dashboard_name: pulumi.Output[str]

    def __init__(self, name: str, args: ReportDashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mailtls:index:ReportDashboard", name, {}, opts)
        made = aws.cloudwatch.Dashboard(
            f"{name}-page",
            region=args["region"],
            dashboard_name=physical_name(name),
            dashboard_body=pulumi.Output.all(
                args["function_name"], args["queue_name"], args["dead_letter_queue_name"]
            ).apply(lambda names: _body_text(args, *names)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.dashboard_name = made.dashboard_name
        self.register_outputs({"dashboard_name": self.dashboard_name})


@dataclass(frozen=True, slots=True)
class Watched:
    """What a page shows, by names that are known."""

    region: str
    function: str
    queue: str
    dead_letter_queue: str
    has_controller: bool


def _body_text(args: ReportDashboardArgs, function: str, queue: str, dead_letter_queue: str) -> str:
    return json_text(
        dashboard_body(Watched(args["region"], function, queue, dead_letter_queue, args["has_controller"]))
    )


def dashboard_body(watched: Watched) -> dict[str, Any]:
    """The page as CloudWatch takes it, before it is JSON."""
    return {"start": "-P14D", "widgets": list(_placed(_widgets(watched)))}


@dataclass(frozen=True, slots=True)
class _Series:
    """What one metric widget draws. stat: as CloudWatch names it; period: seconds."""

    title: str
    metrics: list[list[Any]]
    stat: str = "Sum"
    period: int = DAY

    def properties(self, region: str) -> dict[str, Any]:
        """No line is drawn where nothing was counted: that is a gap, not zero."""
        return {
            "title": self.title,
            "region": region,
            "view": "timeSeries",
            "stat": self.stat,
            "period": self.period,
            "metrics": self.metrics,
            "yAxis": {"left": {"min": 0}},
        }


def _widgets(watched: Watched) -> Iterator[tuple[str, dict[str, Any]]]:
    """Type and properties of each, in reading order."""
    for series in _series(watched):
        yield "metric", series.properties(watched.region)
    for title, query in TABLES:
        source = f"SOURCE '/aws/lambda/{watched.function}' | {query}"
        yield "log", {"title": title, "region": watched.region, "view": "table", "query": source}


def _series(watched: Watched) -> Iterator[_Series]:
    yield _Series("Failed sessions, by policy type", _each(FAILED_SESSIONS, PolicyType))
    yield _Series("Successful sessions, by policy type", _each(SUCCESSFUL_SESSIONS, PolicyType))
    yield _Series("Failures, by result type", _each(FAILURES, ResultType))
    yield _Series("Alerts, by severity", _each(ALERTS_SENT, Severity))
    came_in = (MAILS_RECEIVED, REPORTS_STORED, REPORTS_DUPLICATE, REPORTS_UNAUTHENTICATED, MAILS_QUARANTINED)
    yield _Series("Mails and reports", [_whole(metric) for metric in came_in])
    yield _Series("Mails kept apart, by reason", _each(MAILS_QUARANTINED, QuarantineReason))
    main, dead = watched.queue, watched.dead_letter_queue
    waiting = "ApproximateNumberOfMessagesVisible"
    yield _Series(
        "Mails that wait, dead letters, and mails without a disposition",
        [
            ["AWS/SQS", waiting, "QueueName", main, {"label": "wait"}],
            ["AWS/SQS", waiting, "QueueName", dead, {"label": "dead letters"}],
            [*_whole(MAILS_WITHOUT_DISPOSITION), {"label": "without a disposition"}],
        ],
        stat="Maximum",
        period=HOUR,
    )
    yield _Series(
        "Age of the oldest mail that waits, seconds",
        [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", main]],
        stat="Maximum",
        period=HOUR,
    )
    of_function = ["FunctionName", watched.function]
    counted = ("Invocations", "Errors", "Throttles")
    yield _Series("Function", [["AWS/Lambda", name, *of_function] for name in counted], period=HOUR)
    yield _Series(
        "Function, longest run, milliseconds",
        [["AWS/Lambda", "Duration", *of_function]],
        stat="Maximum",
        period=HOUR,
    )
    if watched.has_controller:
        metrics = [_whole(metric) for metric in CONTROLLER_METRICS]
        yield _Series("Controller: runs, and domains of the last run", metrics, stat="Maximum")


def _whole(metric: Metric) -> list[Any]:
    """The metric without dimensions."""
    return [NAMESPACE, metric.name]


def _each(metric: Metric, values: type[StrEnum]) -> list[list[Any]]:
    """One line for each value of the metric's dimension. Named one by one: a search would also find what others put."""
    [dimension] = next(dimensions for dimensions in metric.dimensions if dimensions)
    return [[NAMESPACE, metric.name, str(dimension), str(value), {"label": str(value)}] for value in values]


def _placed(widgets: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Metrics two in a row, then tables over the whole width."""
    x = y = 0
    for kind, properties in widgets:
        width = WIDTH if kind == "metric" else 2 * WIDTH
        if x + width > 2 * WIDTH:
            x, y = 0, y + HEIGHT
        yield {"type": kind, "x": x, "y": y, "width": width, "height": HEIGHT, "properties": properties}
        x += width
