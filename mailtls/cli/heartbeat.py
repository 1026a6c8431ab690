"""What a run of the controller tells CloudWatch: that it came to its end, and how many domains stand how."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mailtls.cli.trouble import Trouble

if TYPE_CHECKING:
    from mailtls.render.reconcile import Run


def region_of(region: str | None) -> str:
    """Where the metrics go. Raises Trouble where neither the option nor the environment says it."""
    found = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        raise Trouble("--heartbeat: in which region are the platform's alarms? Write --region eu-west-1")
    try:
        import boto3  # noqa: F401  before anything is looked at
    except ImportError as e:
        raise Trouble("--heartbeat speaks through boto3, which is not installed: pip install 'mailtls[aws]'") from e
    return found


def beat(run: "Run", region: str) -> None:
    """One request, cloudwatch:PutMetricData. Raises Trouble."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from mailtls.tls_rpt.contract import NAMESPACE

    bounds = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 4, "mode": "standard"})
    data = [{"MetricName": name, "Value": value, "Unit": "Count"} for name, value in values(run).items()]
    try:
        client = boto3.Session(region_name=region).client("cloudwatch", config=bounds)
        client.put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as e:
        raise Trouble(f"--heartbeat: cloudwatch:PutMetricData in {region}: {' '.join(str(e).split())[:300]}") from e


def values(run: "Run") -> Mapping[str, int]:
    """By the metric's name. A domain counts at each condition that holds of it."""
    from mailtls.tls_rpt.contract import DOMAINS_BY_CONDITION, DOMAINS_FAILED, RECONCILE_RUNS

    counted = {metric.name: run.holding.get(condition, 0) for condition, metric in DOMAINS_BY_CONDITION.items()}
    return {RECONCILE_RUNS.name: 1, **counted, DOMAINS_FAILED.name: len(run.failed)}
