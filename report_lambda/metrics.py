"""Counts of one mail or one tick, written as CloudWatch's embedded metric format (EMF). Pure.

A JSON line on standard output is enough: Lambda hands it to CloudWatch Logs, which makes metrics of it
(CloudWatch guide, "Specification: Embedded metric format"). A line that breaks the format is silently no metric, so
the tests hold every line against the specification's limits.

Which metrics exist, and by which dimensions, stands in mailtls.tls_rpt.contract. Dimension values come from closed
enumerations and from our own domain list: the sender of a report must not be able to choose our bill.
What is told by domain is a line either way. It is a metric only where the setting says so; else it has no `_aws`, costs
nothing by name, and answers Logs Insights (components/report_dashboard.py).
Stamped with the time of ingestion: points a day old come too late for any alarm.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from mailtls.tls_rpt.contract import METRICS, NAMESPACE, Dimension, Metric, OwnDomain, QuarantineReason
from mailtls.tls_rpt.failures import Severity
from mailtls.tls_rpt.report import PolicyType, ResultType

CLOSED: Mapping[Dimension, type[StrEnum]] = {
    Dimension.REASON: QuarantineReason,
    Dimension.POLICY_TYPE: PolicyType,
    Dimension.RESULT_TYPE: ResultType,
    Dimension.SEVERITY: Severity,
}
LARGEST = 2**53
"""A count above this is somebody's joke; CloudWatch's own limit is 2^360."""

Values = tuple[tuple[Dimension, str], ...]


class Tally:
    """Adds up, then renders. per_domain: what is counted by policy domain is a metric too (costs per name)."""

    def __init__(self, *, per_domain: bool) -> None:
        self._per_domain = per_domain
        self._counts: dict[Values, dict[Metric, int]] = {}

    def add(self, metric: Metric, count: int = 1, *values: StrEnum, own: OwnDomain | None = None) -> None:
        """Count under each dimension set of the metric. values: a member for each dimension that the metric has."""
        by_dimension = {
            dimension: value for dimension in CLOSED for value in values if type(value) is CLOSED[dimension]
        }
        for dimensions in metric.dimensions:
            chosen: Values = tuple((dimension, str(by_dimension[dimension])) for dimension in dimensions)
            self._count(chosen, metric, count)
            if metric.per_domain and own is not None:
                self._count(((Dimension.POLICY_DOMAIN, own.policy_domain), *chosen), metric, count)

    def lines(self, now: datetime, **context: str) -> list[str]:
        """One line per combination of dimension values. context: further members to search logs by, no metrics."""
        return [self._line(values, counts, now, context) for values, counts in sorted(self._counts.items())]

    def _count(self, values: Values, metric: Metric, count: int) -> None:
        counts = self._counts.setdefault(values, {})
        counts[metric] = min(counts.get(metric, 0) + count, LARGEST)

    def _line(self, values: Values, counts: Mapping[Metric, int], now: datetime, context: Mapping[str, str]) -> str:
        present = [metric for metric in METRICS if metric in counts]
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [[str(dimension) for dimension, _ in values]],
            "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in present],
        }
        metadata = {"_aws": {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}}
        is_metric = self._per_domain or Dimension.POLICY_DOMAIN not in dict(values)
        members: dict[str, object] = {
            **(metadata if is_metric else {}),
            **context,
            **{str(dimension): value for dimension, value in values},
            **{metric.name: counts[metric] for metric in present},
        }
        return json.dumps(members)
