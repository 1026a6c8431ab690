"""Reading metrics back: those of exactly the dimensions asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.services import cloudwatch

from sandbox.cloud.emulator.patch import Patch, replace
from sandbox.cloud.emulator.probe import Probe


class _Exactly(dict[str, str]):
    """Dimensions that are asked for even when there are none: an empty set names one metric, not all of them."""

    def __bool__(self) -> bool:
        return True


def _read_exactly() -> None:
    replace(
        cloudwatch,
        "_dims_from_list",
        lambda old: lambda dimensions: _Exactly(old(dimensions)),
        takes=("dimensions",),
    )


def _prove(probe: Probe) -> None:
    client, namespace = probe.client("cloudwatch"), probe.name()
    of_domain = [{"Name": "Domain", "Value": "a.example"}]
    data = [{"MetricName": "Mails", "Value": 1}, {"MetricName": "Mails", "Value": 5, "Dimensions": of_domain}]
    client.put_metric_data(Namespace=namespace, MetricData=data)
    now = datetime.now(UTC)
    span: dict[str, Any] = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
    metric: dict[str, Any] = {"Namespace": namespace, "MetricName": "Mails"}
    for dimensions, expected in (([], 1), (of_domain, 5), ([{"Name": "Domain", "Value": "b.example"}], 0)):
        points = client.get_metric_statistics(**metric, **span, Dimensions=dimensions, Period=3600, Statistics=["Sum"])[
            "Datapoints"
        ]
        probe.holds(sum(point["Sum"] for point in points) == expected, f"get_metric_statistics of {dimensions}")
        stat = {"Metric": {**metric, "Dimensions": dimensions}, "Period": 3600, "Stat": "Sum"}
        [result] = client.get_metric_data(**span, MetricDataQueries=[{"Id": "m", "MetricStat": stat}])[
            "MetricDataResults"
        ]
        probe.holds(sum(result["Values"]) == expected, f"get_metric_data of {dimensions}")


PATCHES: tuple[Patch, ...] = (
    Patch(
        "metrics-are-read-by-exact-dimensions",
        "A metric that is asked for without dimensions comes as the sum over all its dimensions.",
        _read_exactly,
        _prove,
    ),
)
